"""What sources tell beside events: products, stock and privacy requests, ready for the graph."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product as its shop tells it at `at`; `variants` as {id, sku, title, price, item_id}, prices decimal text."""

    source: str
    instance: str
    product_id: str
    at: datetime
    is_deleted: bool = False
    title: str | None = None
    category: str | None = None
    vendor: str | None = None
    status: str | None = None
    price: str | None = None
    variants: tuple[dict[str, Any], ...] = field(default=(), hash=False)


@dataclass(frozen=True, slots=True)
class StockItemRecord:
    """A thing that is stocked (a variant of some product), by the id that stock is counted under."""

    source: str
    instance: str
    item_id: str
    at: datetime
    is_deleted: bool = False
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class StockRecord:
    """How much of an item is at a location since `at`; None where it is not counted."""

    source: str
    instance: str
    item_id: str
    location_id: str
    at: datetime
    available: int | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class PrivacyRequestRecord:
    """What a law asks of us through a shop: `topic` until `due_at`, about `subject` (`type:value`; empty: the shop)."""

    source: str
    instance: str
    topic: str
    key: str
    """Tells one request from another within the shop; a redelivery has the same."""
    requested_at: datetime
    due_at: datetime
    subject: str = ""


Record = ProductRecord | StockItemRecord | StockRecord | PrivacyRequestRecord


@dataclass(frozen=True, slots=True)
class ToldRecords:
    """What one delivery told beside events, as it waits for the graph; `id` is the same whenever the same is told."""

    id: str
    brand: str
    received_at: datetime
    products: tuple[ProductRecord, ...] = ()
    items: tuple[StockItemRecord, ...] = ()
    levels: tuple[StockRecord, ...] = ()
    requests: tuple[PrivacyRequestRecord, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """All of them."""
        return (*self.products, *self.items, *self.levels, *self.requests)
