"""Events for tests: normalised ones for the graph layer, with the fewest words."""

import itertools
from datetime import UTC, datetime, timedelta

from core.events import IncomingEvent, OrderFact
from core.identifiers import Identifier

T0 = datetime(2026, 10, 1, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def event(
    brand: str,
    *pairs: str,
    key: str | None = None,
    minute: int = 0,
    order: OrderFact | None = None,
    channel: str = "website",
    **more: object,
) -> IncomingEvent:
    """An event with identifiers written as `email:a@example.com`, `minute` minutes after T0."""
    identifiers = tuple(Identifier(*pair.split(":", 1)) for pair in pairs)
    kind = {"sale": "purchase", "refund": "refund", "cancel": "order_cancelled", "status": "order_updated"}
    return IncomingEvent(
        id=f"evt_{brand}_{key or next(_numbers)}",
        brand=brand,
        type=kind[order.kind] if order else "page_view",
        channel=channel,
        source="shop",
        occurred_at=T0 + timedelta(minutes=minute),
        received_at=T0,
        payload="{}",
        identifiers=identifiers,
        fingerprint="f",
        order=order,
        **more,  # type: ignore[arg-type]
    )


def fact(brand: str, order_id: str, kind: str = "sale", total: int = 1000, **more: object) -> OrderFact:
    """What an event says about order `order_id` of the shop; `total` in cents."""
    return OrderFact(f"{brand}|shop|{order_id}", kind, order_id, total, "USD", **more)  # type: ignore[arg-type]
