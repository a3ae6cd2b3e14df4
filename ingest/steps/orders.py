"""Step orders: reads what an event says about an order, and turns it into the fact that the order is folded from."""

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from core.brand import BrandSettings
from core.events import ORDER_TYPES, SALE_TYPES, OrderFact, RawEvent, RawOrder
from core.money import is_currency_code, to_minor
from core.strict_json import to_json
from ingest.steps.fields import as_object, as_objects, first_present, label, read_number, read_text, refuse

TOTAL_NAMES = ("total_price", "total", "total_spent", "amount", "total_amount", "grand_total", "revenue", "value")
REFUND_NAMES = ("amount", "refund_amount", "total", "total_price")
ORDER_ID_NAMES = ("order_id", "orderId", "transaction_id", "transactionId")
REFUND_ID_NAMES = ("refund_id", "refundId")
LINE_NAMES = ("items", "line_items", "products", "lines")
PRODUCT_ID_NAMES = ("product_id", "productId", "sku", "variant_id", "id")
PRODUCT_NAME_NAMES = ("name", "title", "product_name")
STATUS_NAMES = ("status", "order_status", "financial_status", "payment_status")
LONGEST_ID = 255
WHOLE_ORDER = "whole order"
"""The refund id of a refund that is told as a status only."""
LONGEST_STATUS = 64
LONGEST_LINES = 1000

# A sale counts unless its source says that it is not paid for, or not any more.
UNPAID = frozenset({"failed", "draft", "void", "voided", "unpaid", "checkout-draft", "auto-draft", "trash"})
UNPAID_PAYMENTS = ("pending", "unpaid", "failed")
CANCELLED = frozenset({"cancelled", "canceled"})
NOT_COUNTED = UNPAID | CANCELLED | {"refunded"}


def read_order(event_type: str, payload: dict[str, Any], warnings: list[str]) -> RawOrder | None:
    """What a native payload says about an order, None when the type says nothing about orders.

    Missing parts are named in `warnings`; an amount of the wrong JSON type raises InvalidInputError.
    """
    if event_type not in ORDER_TYPES:
        return None
    id_name, id_value = first_present(payload, ORDER_ID_NAMES)
    order_id = read_text(id_value, f"payload.{id_name}", longest=LONGEST_ID)
    status = _status(payload)
    if event_type not in SALE_TYPES and order_id is None:
        warnings.append("payload.order_id: missing, so no order changes")
        return None
    currency = payload.get("currency")
    if currency is not None and not isinstance(currency, str):
        raise refuse("payload.currency", "must be text")
    if event_type == "refund":
        return _refund(payload, order_id, currency, warnings)
    if event_type == "order_cancelled" or (event_type == "order_updated" and status in CANCELLED):
        return RawOrder("cancel", order_id, status=status or "cancelled")
    if event_type == "order_updated":
        return _update(payload, RawOrder("status", order_id, currency=currency, status=status), warnings)
    lines = read_lines(_first_lines(payload))
    total = read_total(payload, TOTAL_NAMES, warnings)
    if total is None and lines:
        total = sum_of_lines(lines)
    if total is None:
        warnings.append("payload.total: missing, so the order counts 0")
    counts = status not in NOT_COUNTED and payload.get("payment_status") not in UNPAID_PAYMENTS
    return RawOrder("sale", order_id, total, currency, counts=counts, status=status, lines=lines)


def order_in(event_type: str, properties: dict[str, Any], warnings: list[str]) -> RawOrder | None:
    """What the properties of an event say about an order; a refund without an amount is that of its products.

    One without products either takes the whole order back.
    """
    if event_type != "refund" or first_present(properties, REFUND_NAMES)[1] is not None:
        return read_order(event_type, properties, warnings)
    lines = read_lines(first_present(properties, LINE_NAMES)[1])
    total = sum_of_lines(lines)
    if lines and total is None:
        return read_order(event_type, properties, warnings)
    refund = read_order(event_type, {**properties, "amount": total or 0}, warnings)
    return refund if lines or refund is None else replace(refund, kind="cancel", total=None, status="refunded")


def _refund(payload: dict[str, Any], order_id: str | None, currency: Any, warnings: list[str]) -> RawOrder:
    name, value = first_present(payload, REFUND_ID_NAMES)
    refund_id = read_text(value, f"payload.{name}", longest=LONGEST_ID)
    amount = read_total(payload, REFUND_NAMES, warnings)
    if amount is None:
        warnings.append("payload.amount: missing, so nothing is taken back")
    return RawOrder("refund", order_id, amount, currency, refund_id=refund_id)


def _update(payload: dict[str, Any], update: RawOrder, warnings: list[str]) -> RawOrder:
    """A change of status; `refunded` takes the whole order back, as a refund of its total when that is told."""
    if update.status != "refunded":
        return update
    total = read_total(payload, TOTAL_NAMES, warnings)
    if total is None:
        return replace(update, kind="cancel")
    return replace(update, kind="refund", total=total, refund_id=WHOLE_ORDER)


def read_total(fields: dict[str, Any], names: tuple[str, ...], warnings: list[str]) -> Decimal | None:
    """The first amount among `names`, None without one; unusable text is 0 and named in `warnings`.

    Raises InvalidInputError for a value of the wrong JSON type.
    """
    name, value = first_present(fields, names)
    if value is None:
        return None
    number = read_number(value)
    if number is not None:
        return number
    if not isinstance(value, str):
        raise refuse(f"payload.{name}", "must be a decimal number or text")
    warnings.append(f"payload.{name}: not a usable amount, counted as 0")
    return Decimal(0)


def read_lines(items: Any) -> list[dict[str, Any]]:
    """Order lines as {product_id, name, category, quantity, price}, whatever the source calls them."""
    return [_line(item) for item in as_objects(items)[:LONGEST_LINES]]


def sum_of_lines(lines: list[dict[str, Any]]) -> Decimal | None:
    """Quantity times price over all lines, None when no line has a price."""
    amounts = [line["price"] * line["quantity"] for line in lines if line["price"] is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def order_fact(raw: RawEvent, event_id: str, settings: BrandSettings, warnings: list[str]) -> OrderFact | None:
    """The fact in minor units; what is unusable is left out, counts nothing and is named in `warnings`.

    A sale without an order id is an order of its own, named by its event.
    """
    order = raw.order
    if order is None:
        return None
    currency = _currency(order.currency, settings, warnings)
    is_unstated = order.kind == "refund" and not order.currency
    order_id = order.order_id or ""
    return OrderFact(
        key=f"{settings.id}|{order_scope(raw.source, raw.source_instance)}|{order_id or f'event:{event_id}'}",
        kind=order.kind,
        order_id=order_id,
        total_minor=_minor(order, currency, warnings),
        currency="" if is_unstated else currency,
        amount=str(read_number(order.total) or 0) if is_unstated else "",
        counts=order.counts,
        refund_id=order.refund_id or "",
        status=order.status or "",
        lines=_lines_text(order.lines, currency),
    )


def order_scope(source: str, instance: str) -> str:
    """The part of an order's key that names where its id is unique; always with the instance, so it never changes."""
    scope = f"{source}/{instance}" if instance else source
    return scope.replace("|", "%7C")


def _minor(order: RawOrder, currency: str, warnings: list[str]) -> int:
    if order.total is None:
        return 0
    number = read_number(order.total)
    minor = to_minor(number, currency) if number is not None else None
    if minor is not None and order.kind == "refund":
        # Some tills and shops write what they gave back as a negative amount.
        minor = abs(minor)
    if minor is None or minor < 0:
        warnings.append("payload.amount: out of range, counted as 0")
        return 0
    return minor


def _currency(stated: Any, settings: BrandSettings, warnings: list[str]) -> str:
    if stated is None or stated == "":
        return settings.currency
    code = stated.strip().upper() if isinstance(stated, str) else ""
    if not _is_known_currency(code):
        warnings.append("payload.currency: not a currency, counted in the brand's")
        return settings.currency
    return code


@lru_cache(maxsize=512)
def _is_known_currency(code: str) -> bool:
    return is_currency_code(code)


def _lines_text(lines: list[dict[str, Any]], currency: str) -> str:
    if not lines:
        return ""
    told = []
    for line in lines:
        price = line["price"]
        rest = {name: value for name, value in line.items() if name != "price" and value is not None}
        told.append(rest if price is None else {**rest, "price_minor": to_minor(price, currency)})
    return to_json(told)


def _first_lines(payload: dict[str, Any]) -> Any:
    return first_present(payload, LINE_NAMES)[1]


def _line(item: dict[str, Any]) -> dict[str, Any]:
    quantity = read_number(item.get("quantity"))
    if quantity is None:
        quantity = Decimal(1)
    return {
        "product_id": label(first_present(item, PRODUCT_ID_NAMES)[1]),
        "name": label(first_present(item, PRODUCT_NAME_NAMES)[1]),
        "category": _category(item),
        "quantity": int(quantity) if quantity == quantity.to_integral_value() else quantity,
        "price": read_number(item.get("price")),
    }


def _category(item: dict[str, Any]) -> str | None:
    stated = label(first_present(item, ("category", "product_type"))[1])
    if stated is not None:
        return stated
    for note in as_objects(item.get("properties")):
        if note.get("name") == "category":
            return label(note.get("value"))
    return label(as_object(item.get("properties")).get("category"))


def _status(payload: dict[str, Any]) -> str | None:
    value = first_present(payload, STATUS_NAMES)[1]
    return value.strip().lower()[:LONGEST_STATUS] if isinstance(value, str) else None
