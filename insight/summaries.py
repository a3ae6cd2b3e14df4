"""One line for each event that a shop assistant understands at a glance; the timeline shows them."""

from collections.abc import Callable, Mapping
from typing import Any

from core.clock import parse_time
from core.consent import CONSENT_TYPES, read_statements
from insight.consent import consent_summary

_LONGEST = 80
_ITEM_LISTS = ("items", "line_items", "lines", "products")
_PRODUCT_NAMES = ("product_name", "name", "title", "product_title", "product_id", "sku")
_WHERE = {"website": "online", "mobile_app": "in the app", "store": "in the store", "whatsapp": "on WhatsApp",
          "email": "by e-mail", "sms": "by SMS"}  # fmt: skip

Payload = Mapping[str, Any]
Teller = Callable[[Payload, str, str], str]
"""(payload, where, money) → line; `where` and `money` are empty or begin with a space."""


def event_summary(kind: str, channel: str | None, payload: object, amount: str | None, currency: str | None) -> str:
    """What happened in one event, in plain words; `payload` may be anything, unknown types get their own name."""
    known: Payload = payload if isinstance(payload, dict) else {}
    if kind in CONSENT_TYPES and (line := consent_summary(read_statements(kind, channel, known))):
        return line
    where = f" {_WHERE[channel]}" if channel in _WHERE else ""
    money = f" for {amount} {currency}" if amount is not None and currency else ""
    tell = _TELLERS.get(kind)
    return tell(known, where, money) if tell else f"{kind.replace('_', ' ').capitalize()}{where}{money}"


def merge_summary(absorbed: int, reason: str | None, is_reverted: bool) -> str:
    """The line of a merge; says when it was taken back."""
    why = {"identifier_match": "same identifiers", "manual_review": "approved in review"}.get(reason or "", reason)
    line = f"{absorbed + 1} profiles were joined into one" + (f" ({why})" if why else "")
    return f"{line}; taken back since" if is_reverted else line


def unmerge_summary(absorbed: int, reason: str | None, *, by_rules: bool) -> str:
    """The line of a merge that was taken back."""
    parted = f"{absorbed + 1} profiles were parted again"
    return f"{parted} (later events tell them apart)" if by_rules else parted + (f" ({reason})" if reason else "")


def _text(payload: Payload, *names: str) -> str:
    """The first of these fields that holds text or a number, shortened; empty when none does."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            continue
        text = " ".join(str(value).split())
        if text:
            return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return ""


def _products(payload: Payload) -> str:
    """The product, or the first of several and how many more."""
    for name in _ITEM_LISTS:
        lines = payload.get(name)
        if isinstance(lines, list) and lines and isinstance(lines[0], dict):
            first = _text(lines[0], *_PRODUCT_NAMES) or "an item"
            return first if len(lines) == 1 else f"{first} and {len(lines) - 1} more"
    nested = payload.get("product")
    return _text(nested if isinstance(nested, dict) else payload, *_PRODUCT_NAMES)


def _order(payload: Payload) -> str:
    number = _text(payload, "order_number", "order_id", "transaction_id", "name", "number")
    return f"order {number}" if number else "an order"


def _bought(payload: Payload, where: str, money: str) -> str:
    return f"Bought {_products(payload) or 'something'}{where}{money}"


def _about_product(verb: str, after: str = "") -> Teller:
    return lambda payload, where, _: f"{verb} {_products(payload) or 'a product'}{after}{where}"


def _about_order(verb: str) -> Teller:
    return lambda payload, _, money: f"{verb} {_order(payload)}{money}"


def _quoted(verb: str, fallback: str, *names: str) -> Teller:
    def tell(payload: Payload, where: str, _: str) -> str:
        said = _text(payload, *names)
        return f"{verb}{where}: “{said}”" if said else f"{fallback}{where}"

    return tell


def _order_status(payload: Payload, _: str, __: str) -> str:
    status = _text(payload, "status", "fulfillment_status", "financial_status")
    order = _order(payload)
    order = order[0].upper() + order[1:]
    return f"{order} is now {status}" if status else f"{order} was updated"


def _visit(payload: Payload, _: str, __: str) -> str:
    store = _text(payload, "store_name", "store_id") or "a store"
    minutes = _minutes(payload)
    if payload.get("action") == "check_out":
        return f"Left {store}{f' after {minutes}' if minutes else ''}"
    return f"Visited {store}{f' for {minutes}' if minutes else ''}"


def _minutes(payload: Payload) -> str:
    """Whole minutes between check-in and check-out in words; empty when either is not told."""
    times = [payload.get(name) for name in ("check_in_at", "check_out_at")]
    came, left = (parse_time(at) if isinstance(at, str) else None for at in times)
    if came is None or left is None or left < came:
        return ""
    minutes = int((left - came).total_seconds()) // 60
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _ticket(verb: str) -> Teller:
    """The subject stands where each help desk puts it."""

    def tell(payload: Payload, _: str, __: str) -> str:
        holders = (payload, payload.get("ticket"), payload.get("detail"))
        texts = (_text(one, "subject", "ticket_subject", "title") for one in holders if isinstance(one, dict))
        subject = next((text for text in texts if text), "")
        return f"{verb}: “{subject}”" if subject else verb

    return tell


def _campaign(verb: str) -> Teller:
    def tell(payload: Payload, where: str, _: str) -> str:
        name = _text(payload, "campaign_name", "campaign", "subject")
        return f"{verb} “{name}”{where}" if name else f"{verb} a message{where}"

    return tell


_TELLERS: dict[str, Teller] = {
    "page_view": _quoted("Looked at a page", "Looked at a page", "page_title", "title", "page_url", "url", "path"),
    "product_view": _about_product("Looked at"),
    "search": _quoted("Searched", "Searched", "query", "search_query", "q", "term"),
    "wishlist_add": _about_product("Put", " on the wishlist"),
    "cart_add": _about_product("Put", " in the cart"),
    "cart_remove": _about_product("Took", " out of the cart"),
    "cart_abandon": lambda payload, where, money: f"Left a cart with {_products(payload) or 'items'}{where}{money}",
    "checkout_started": lambda _, where, money: f"Went to the checkout{where}{money}",
    "purchase": _bought,
    "pos_transaction": _bought,
    "order_updated": _order_status,
    "order_cancelled": _about_order("Cancelled"),
    "refund": lambda payload, _, money: f"Got {_order(payload)} refunded{money}",
    "whatsapp_message": _quoted("Wrote", "Wrote a message", "Body", "body", "text", "message"),
    "whatsapp_status": lambda payload, _, __: (
        f"WhatsApp message: {_text(payload, 'MessageStatus', 'SmsStatus', 'status') or 'status changed'}"
    ),
    "email_open": _campaign("Opened"),
    "email_click": _campaign("Clicked in"),
    "sms_click": _campaign("Clicked in"),
    "campaign_sent": _campaign("Was sent"),
    "store_visit": _visit,
    "qr_scan": _about_product("Scanned the code of"),
    "identify": lambda _, where, __: f"Signed in{where}",
    "product_reviewed": _about_product("Reviewed"),
    "review_submitted": _about_product("Reviewed"),
    "ticket_created": _ticket("Asked for help"),
    "ticket_solved": _ticket("Was helped"),
    "profile_update": lambda _, where, __: f"Changed their details{where}",
    "consent_changed": lambda _, where, __: f"Changed what they agree to{where}",
}
