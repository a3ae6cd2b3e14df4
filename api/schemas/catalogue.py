"""Products with their stock, and privacy requests, as they are answered."""

from typing import Any

from api.schemas.base import Shape, example

_PRODUCT: dict[str, Any] = {
    "product_id": "632910392",
    "source": "shopify",
    "instance": "first.example",
    "title": "Linen Tee",
    "category": "Apparel",
    "vendor": "House",
    "status": "active",
    "price": "39.95",
    "variants": [{"id": "808950810", "sku": "TEE-S", "title": "S", "price": "39.95", "item_id": "808950810"}],
    "stock": [
        {
            "item_id": "808950810",
            "sku": "TEE-S",
            "location_id": "905684977",
            "available": 6,
            "updated_at": "2026-11-01T12:00:00Z",
        }
    ],
    "updated_at": "2026-11-01T12:00:00Z",
}
_REQUEST: dict[str, Any] = {
    "id": "prv_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11",
    "source": "shopify",
    "instance": "first.example",
    "topic": "customers/redact",
    "subject": "external_id:shopify:207119551",
    "status": "open",
    "requested_at": "2026-11-01T12:00:00Z",
    "due_at": "2026-12-01T12:00:00Z",
    "received_at": "2026-11-01T12:00:01Z",
}


class ProductList(Shape):
    """A page of products."""

    model_config = example({"items": [_PRODUCT], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class PrivacyRequestList(Shape):
    """A page of privacy requests; `subject` is `type:value`, empty when the whole shop is meant."""

    model_config = example({"items": [_REQUEST], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None
