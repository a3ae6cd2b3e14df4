"""Source POS: till sales from a brand's own stores, one or many, with the customer nested or flat, and store visits.

One malformed sale of many refuses itself alone. A brand's tills may call fields otherwise: `ingest/sources/mapping.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.errors import InvalidInputError
from core.events import RawEvent, RawOrder
from core.strict_json import parse_json
from ingest.sources.mapping import apply_mapping
from ingest.sources.webhook import Read, Source, Unread, WebhookRequest, check_timed_signature
from ingest.steps.extract import Pairs, known_traits, named_identifiers, scoped_id, source_scope
from ingest.steps.fields import as_object, first_present, label, read_text, read_time, refuse
from ingest.steps.orders import (
    LINE_NAMES,
    LONGEST_ID,
    NOT_COUNTED,
    ORDER_ID_NAMES,
    TOTAL_NAMES,
    read_lines,
    read_total,
    sum_of_lines,
)

NAME = "pos"
MAX_TRANSACTIONS = 1000
_TIME_NAMES = ("occurred_at", "timestamp", "transaction_time", "sold_at", "issued_at", "created_at", "date")
_TRANSACTION_NAMES = ("transaction_id", "receipt_id", *ORDER_ID_NAMES)
# A delivery that has none of these and no id either is no sale.
_SAYS_SOMETHING = (*TOTAL_NAMES, *LINE_NAMES, "check_in_at")
_RETURNS = frozenset({"refund", "return"})
_VISIT_FIELDS = ("store_id", "store_name", "check_in_at", "check_out_at", "detection_method")
# At the top level a till tells about itself too: its own device and the cashier's user are nobody's identifiers.
_TILL_FIELDS = frozenset({"device_id", "deviceId", "user_id", "userId", "external_id", "externalId"})


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check `X-POS-Signature: t=…,v1=…` over time and raw body, five minutes either way; raises UnauthorizedError."""
    check_timed_signature(request.header("x-pos-signature"), request, secrets)


def parse(request: WebhookRequest, settings: BrandSettings) -> list[Read]:
    """The sales in a delivery (an object, a list, or `{"transactions": […]}`), each with the visit it tells of.

    A sale of several that does not fit is unread in its place.
    """
    body = parse_json(request.body)
    if isinstance(body, dict) and "transactions" in body:
        shared = {name: value for name, value in body.items() if name != "transactions"}
        return _events(body["transactions"], settings, shared)
    if isinstance(body, list):
        return _events(body, settings, {})
    if not isinstance(body, dict):
        raise InvalidInputError("the body must be a transaction or a list of transactions")
    return [*_transaction(body, settings, "")]


def ignored(request: WebhookRequest) -> str | None:
    """Every delivery is read."""
    return None


def account(request: WebhookRequest) -> str:
    """The store of a delivery, or of the first of its sales."""
    body = parse_json(request.body)
    sales = body.get("transactions") if isinstance(body, dict) and "transactions" in body else body
    first = sales[0] if isinstance(sales, list) and sales else sales
    named = {**as_object(body), **as_object(first)}
    return label(named.get("store_id")) or ""


def topic(request: WebhookRequest) -> str:
    """Tills send sales and nothing else."""
    return "transactions"


def _events(transactions: Any, settings: BrandSettings, shared: dict[str, Any]) -> list[Read]:
    if not isinstance(transactions, list):
        raise refuse("transactions", "must be a list")
    if len(transactions) > MAX_TRANSACTIONS:
        raise refuse("transactions", f"more than {MAX_TRANSACTIONS}")
    events: list[Read] = []
    for place, transaction in enumerate(transactions):
        whole = {**shared, **transaction} if isinstance(transaction, dict) else transaction
        try:
            events += read_transaction(whole, settings, f"transactions[{place}]")
        except InvalidInputError as error:
            events.append(Unread(whole, error))
    return events


def read_transaction(transaction: Any, settings: BrandSettings, path: str = "transaction") -> list[RawEvent]:
    """The sale of one transaction and the visit it tells of; raises InvalidInputError naming the field below `path`."""
    if not isinstance(transaction, dict):
        raise refuse(path, "must be a JSON object")
    return _transaction(transaction, settings, f"{path}.")


def _transaction(sent: dict[str, Any], settings: BrandSettings, path: str) -> list[RawEvent]:
    mapping = settings.field_mappings.get(NAME)
    body = apply_mapping(sent, mapping) if mapping else sent
    store = read_text(body.get("store_id"), f"{path}store_id", longest=LONGEST_ID) or ""
    name, value = first_present(body, _TRANSACTION_NAMES)
    transaction_id = read_text(value, f"{path}{name}", longest=LONGEST_ID)
    if transaction_id is None and not any(body.get(name) is not None for name in _SAYS_SOMETHING):
        raise refuse(f"{path}transaction_id", "missing, and so are a total, items and a check-in")
    check_in_at = read_time(body.get("check_in_at"), f"{path}check_in_at")
    check_out_at = read_time(body.get("check_out_at"), f"{path}check_out_at")
    warnings: list[str] = []
    sale = RawEvent(
        type="pos_transaction",
        channel="store",
        source=NAME,
        identifiers=_identifiers(body, source_scope(NAME, store, settings)),
        payload=body,
        occurred_at=_own_time(body, path) or check_out_at or check_in_at,
        idempotency_key=f"{store}|{transaction_id}" if transaction_id else None,
        way=NAME,
        source_instance=store,
        order=_order(body, transaction_id, warnings),
        traits=known_traits(as_object(body.get("customer"))),
        warnings=warnings,
    )
    if _is_return(body):
        sale.type = "refund"
        if sale.order is None:
            sale.warnings.append("original_transaction_id: missing, so no order changes")
        return [sale]
    if check_in_at is None and not sale.identifiers:
        return [sale]
    return [sale, _visit(sale, check_in_at or sale.occurred_at)]


def _own_time(body: dict[str, Any], path: str) -> datetime | None:
    name, value = first_present(body, _TIME_NAMES)
    return read_time(value, f"{path}{name}")


def _visit(sale: RawEvent, at: datetime | None) -> RawEvent:
    """The visit that a sale with a check-in or with a known customer tells of; its key follows from the sale's."""
    body = sale.payload
    payload = {name: body[name] for name in _VISIT_FIELDS if body.get(name) is not None}
    transaction = first_present(body, _TRANSACTION_NAMES)[1]
    if transaction is not None:
        payload["transaction_id"] = transaction
    if "check_in_at" not in payload:
        payload.setdefault("detection_method", "purchase")
    return RawEvent(
        type="store_visit",
        channel="store",
        source=NAME,
        identifiers=list(sale.identifiers),
        payload=payload,
        occurred_at=at,
        idempotency_key=f"{sale.idempotency_key}:visit" if sale.idempotency_key else None,
        way=NAME,
        source_instance=sale.source_instance,
    )


def _order(body: dict[str, Any], transaction_id: str | None, warnings: list[str]) -> RawOrder | None:
    total = read_total(body, TOTAL_NAMES, warnings)
    currency = body.get("currency")
    lines = read_lines(first_present(body, LINE_NAMES)[1])
    if total is None and lines:
        total = sum_of_lines(lines)
    if _is_return(body):
        original = read_text(body.get("original_transaction_id"), "original_transaction_id", longest=LONGEST_ID)
        return RawOrder("refund", original, total, currency, refund_id=transaction_id) if original else None
    status = body.get("status")
    status = status.strip().lower() if isinstance(status, str) else None
    return RawOrder(
        "sale", transaction_id, total, currency, counts=status not in NOT_COUNTED, status=status, lines=lines
    )


def _is_return(body: dict[str, Any]) -> bool:
    kind = first_present(body, ("type", "transaction_type"))[1]
    return isinstance(kind, str) and kind.strip().lower() in _RETURNS


def _identifiers(body: dict[str, Any], scope: str) -> Pairs:
    flat = {name: value for name, value in body.items() if name not in _TILL_FIELDS}
    customer = as_object(body.get("customer"))
    pairs = named_identifiers(flat, scope) + named_identifiers(customer, scope)
    pairs += named_identifiers(as_object(body.get("payment")), scope)
    stated = (body.get("customer_id"), first_present(customer, ("id", "customer_id"))[1])
    for value in stated:
        customer_id = read_text(value, "customer_id", longest=LONGEST_ID)
        if customer_id is not None and customer_id != "0":
            pairs.append(("external_id", scoped_id(customer_id, scope)))
    return pairs


POS = Source(NAME, verify, parse, ignored, account=account, topic=topic)
