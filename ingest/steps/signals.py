"""Step signals: what an event says about interest in products or consent, kept beside it so that readers find it."""

from typing import Any

from core.consent import CONSENT_TYPES, read_statements
from ingest.steps.fields import as_objects, first_present
from ingest.steps.orders import LINE_NAMES, LONGEST_ID, PRODUCT_ID_NAMES

VIEW, SEARCH, WISHLIST, CART, UNCART = "view", "search", "wishlist", "cart", "uncart"
CHECKOUT, SCAN, MESSAGE, VISIT, ADVOCACY = "checkout", "scan", "message", "visit", "advocacy"
CONSENT = "consent"
SIGNALS = {
    "product_view": VIEW,
    "search": SEARCH,
    "wishlist_add": WISHLIST,
    "cart_add": CART,
    "cart_remove": UNCART,
    "cart_abandon": CART,
    "checkout_started": CHECKOUT,
    "qr_scan": SCAN,
    "store_visit": VISIT,
    "referral": ADVOCACY,
    "referral_made": ADVOCACY,
    "review": ADVOCACY,
    "review_submitted": ADVOCACY,
    "product_reviewed": ADVOCACY,
}
# A message counts as interest only when it names a product.
_MESSAGES = frozenset({"whatsapp_message", "email_click", "sms_click"})
_OWN_ID_NAMES = ("product_id", "productId", "sku")
MOST_PRODUCTS = 20


def read_signal(event_type: str, payload: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The kind of signal (empty for none) and the ids of its products, each once, in the order told."""
    if event_type in CONSENT_TYPES or read_statements(event_type, None, payload):
        return CONSENT, ()
    kind = SIGNALS.get(event_type, "")
    if not kind and event_type not in _MESSAGES:
        return "", ()
    products = _products(payload)
    if not kind:
        return (MESSAGE, products) if products else ("", ())
    return kind, products


def _products(payload: dict[str, Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    _take(found, first_present(payload, _OWN_ID_NAMES)[1])
    product = payload.get("product")
    if isinstance(product, dict):
        _take(found, first_present(product, PRODUCT_ID_NAMES)[1])
    for line in as_objects(first_present(payload, LINE_NAMES)[1])[:MOST_PRODUCTS]:
        _take(found, first_present(line, PRODUCT_ID_NAMES)[1])
    return tuple(found)[:MOST_PRODUCTS]


def _take(found: dict[str, None], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return
    text = str(value).strip()[:LONGEST_ID]
    if text:
        found[text] = None
