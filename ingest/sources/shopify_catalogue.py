"""Source Shopify, beside events: products, stock by location, and the three topics of privacy law."""

from datetime import datetime, timedelta
from typing import Any

from core.brand import BrandSettings
from core.catalogue import PrivacyRequestRecord, ProductRecord, Record, StockItemRecord, StockRecord
from core.strict_json import parse_json_object
from ingest.sources.shopify_request import NAME, scope_of, shop_of, topic_of, triggered_at, webhook_id_of
from ingest.sources.webhook import WebhookRequest, required_id
from ingest.steps.extract import scoped_id
from ingest.steps.fields import as_object, as_objects, label, read_number, read_text, read_time, refuse

PRODUCT_TOPICS = frozenset({"products/create", "products/update", "products/delete"})
ITEM_TOPICS = frozenset({"inventory_items/create", "inventory_items/update", "inventory_items/delete"})
LEVEL_TOPICS = frozenset({"inventory_levels/update", "inventory_levels/connect", "inventory_levels/disconnect"})
PRIVACY_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})
RECORD_TOPICS = PRODUCT_TOPICS | ITEM_TOPICS | LEVEL_TOPICS | PRIVACY_TOPICS
# What Shopify gives its partners to act.
TIME_TO_ACT = timedelta(days=30)
_MOST_VARIANTS = 2_048


def read_records(request: WebhookRequest, settings: BrandSettings) -> list[Record]:
    """What a delivery of these topics tells; nothing for other topics."""
    topic = topic_of(request)
    if topic not in RECORD_TOPICS:
        return []
    body = parse_json_object(request.body)
    if topic in PRODUCT_TOPICS:
        return [_product(topic, body, request)]
    if topic in ITEM_TOPICS:
        return [_item(topic, body, request)]
    if topic in LEVEL_TOPICS:
        return [_level(topic, body, request)]
    return [_privacy_request(topic, body, request, settings)]


def _product(topic: str, body: dict[str, Any], request: WebhookRequest) -> ProductRecord:
    product_id = required_id(body, "id")
    if topic == "products/delete":
        return ProductRecord(NAME, shop_of(request), product_id, triggered_at(request), is_deleted=True)
    variants = tuple(_variant(one) for one in as_objects(body.get("variants"))[:_MOST_VARIANTS])
    return ProductRecord(
        source=NAME,
        instance=shop_of(request),
        product_id=product_id,
        at=_moment(body, request),
        title=label(body.get("title")),
        category=label(body.get("product_type")),
        vendor=label(body.get("vendor")),
        status=label(body.get("status")),
        price=next((variant["price"] for variant in variants if variant["price"] is not None), None),
        variants=variants,
    )


def _variant(body: dict[str, Any]) -> dict[str, Any]:
    price = read_number(body.get("price"))
    return {
        "id": label(body.get("id")),
        "sku": label(body.get("sku")),
        "title": label(body.get("title")),
        "price": None if price is None else str(price),
        "item_id": label(body.get("inventory_item_id")),
    }


def _item(topic: str, body: dict[str, Any], request: WebhookRequest) -> StockItemRecord:
    is_deleted = topic == "inventory_items/delete"
    at = triggered_at(request) if is_deleted else _moment(body, request)
    return StockItemRecord(NAME, shop_of(request), required_id(body, "id"), at, is_deleted, label(body.get("sku")))


def _level(topic: str, body: dict[str, Any], request: WebhookRequest) -> StockRecord:
    item_id, location_id = required_id(body, "inventory_item_id"), required_id(body, "location_id")
    if topic == "inventory_levels/disconnect":
        return StockRecord(NAME, shop_of(request), item_id, location_id, triggered_at(request), is_deleted=True)
    available = body.get("available")
    if available is not None and (isinstance(available, bool) or not isinstance(available, int)):
        raise refuse("available", "must be a whole number")
    if available is not None and abs(available) >= 2**63:
        raise refuse("available", "out of range")
    return StockRecord(NAME, shop_of(request), item_id, location_id, _moment(body, request), available)


def _moment(body: dict[str, Any], request: WebhookRequest) -> datetime:
    return read_time(body.get("updated_at"), "updated_at") or triggered_at(request)


def _privacy_request(
    topic: str, body: dict[str, Any], request: WebhookRequest, settings: BrandSettings
) -> PrivacyRequestRecord:
    """Nothing of the person but what finds the person again: the shop's id, else an address."""
    at = triggered_at(request)
    subject = "" if topic == "shop/redact" else _subject(as_object(body.get("customer")), scope_of(request, settings))
    if not subject and topic != "shop/redact":
        raise refuse("customer", "has neither id nor e-mail nor phone")
    stated = as_object(body.get("data_request")).get("id")
    key = read_text(stated, "data_request.id", longest=255) or webhook_id_of(request) or subject
    return PrivacyRequestRecord(NAME, shop_of(request), topic, key, at, at + TIME_TO_ACT, subject)


def _subject(customer: dict[str, Any], scope: str) -> str:
    customer_id = read_text(customer.get("id"), "customer.id", longest=255)
    if customer_id is not None:
        return f"external_id:{scoped_id(customer_id, scope)}"
    for name in ("email", "phone"):
        value = read_text(customer.get(name), f"customer.{name}", longest=320)
        if value is not None:
            return f"{name}:{value}"
    return ""
