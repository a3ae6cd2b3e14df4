"""Demo, what the brand sells and where: products, stores, how much of each is there; and its computed traits."""

import random
from dataclasses import dataclass
from typing import Any

CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy; price in cents."""

    id: str
    name: str
    category: str
    cents: int

    def line(self, quantity: int = 1) -> dict[str, Any]:
        """A line of an order."""
        return {
            "product_id": self.id, "name": self.name, "category": self.category, "quantity": quantity,
            "price": money(self.cents),
        }  # fmt: skip

    def told(self) -> dict[str, Any]:
        """The product as events about it tell it."""
        return {"product_id": self.id, "name": self.name, "category": self.category, "price": money(self.cents)}


PRODUCTS = tuple(
    Product(*row)
    for row in (
        ("AUR-TSH-01", "Organic T-Shirt", "Apparel", 2900),
        ("AUR-TSH-02", "Striped Long-Sleeve", "Apparel", 3900),
        ("AUR-SWT-01", "Merino Sweater", "Apparel", 8900),
        ("AUR-JKT-01", "Rain Jacket", "Apparel", 14900),
        ("AUR-JKT-02", "Down Parka", "Apparel", 24900),
        ("AUR-DNM-01", "Slim Jeans", "Apparel", 7900),
        ("AUR-DRS-01", "Linen Dress", "Apparel", 9900),
        ("AUR-SNK-01", "Canvas Sneakers", "Footwear", 6900),
        ("AUR-SNK-02", "Trail Runners", "Footwear", 12900),
        ("AUR-BOT-01", "Leather Boots", "Footwear", 18900),
        ("AUR-SND-01", "Cork Sandals", "Footwear", 5900),
        ("AUR-BAG-01", "Weekend Bag", "Accessories", 11900),
        ("AUR-BAG-02", "City Backpack", "Accessories", 8900),
        ("AUR-CAP-01", "Wool Cap", "Accessories", 2500),
        ("AUR-SCF-01", "Cashmere Scarf", "Accessories", 7900),
        ("AUR-BLT-01", "Leather Belt", "Accessories", 4500),
        ("AUR-YOG-01", "Yoga Mat", "Sport", 4900),
        ("AUR-BTL-01", "Steel Bottle", "Sport", 2900),
        ("AUR-LGG-01", "Running Tights", "Sport", 6500),
        ("AUR-WTC-01", "Fitness Watch", "Sport", 19900),
        ("AUR-CND-01", "Cedar Candle", "Home", 3200),
        ("AUR-BLK-01", "Wool Blanket", "Home", 12900),
        ("AUR-MUG-01", "Stoneware Mug", "Home", 1800),
        ("AUR-LMP-01", "Reading Lamp", "Home", 9900),
    )
)
CATEGORIES = tuple(sorted({product.category for product in PRODUCTS}))


@dataclass(frozen=True, slots=True)
class Store:
    """A shop with a door."""

    id: str
    name: str
    city: str
    timezone: str


STORES = (
    Store("NYC-01", "Aurora SoHo", "New York", "America/New_York"),
    Store("BOS-01", "Aurora Back Bay", "Boston", "America/New_York"),
    Store("CHI-01", "Aurora Wicker Park", "Chicago", "America/Chicago"),
    Store("SFO-01", "Aurora Hayes Valley", "San Francisco", "America/Los_Angeles"),
)


TRAITS: tuple[dict[str, Any], ...] = (
    {
        "name": "spend_90d", "description": "Money spent in the last 90 days", "function": "sum", "from": "orders",
        "field": "total", "window": {"days": 90},
    },
    {
        "name": "favourite_category", "description": "What they look at and put into carts most",
        "function": "most_frequent", "from": "events", "field": "payload.category",
        "where": [{"field": "type", "op": "in", "value": ["product_view", "cart_add", "wishlist_add"]}],
    },
)  # fmt: skip
"""Computed traits that the brand defines."""


def stock(seed: int) -> list[tuple[Product, Store, int]]:
    """How much of each product each store begins with; some shelves are empty, so that there is demand to serve."""
    rng = random.Random(f"demo stock {seed}")  # noqa: S311 (no secret)
    amounts = (0, 1, 2, 4, 8, 12)
    return [(product, store, rng.choice(amounts)) for product in PRODUCTS for store in STORES]


def money(cents: int) -> str:
    """Cents as decimal text."""
    return f"{cents // 100}.{cents % 100:02d}"
