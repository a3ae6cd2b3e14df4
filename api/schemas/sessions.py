"""A customer's sessions."""

from typing import Any

from api.schemas.base import Shape, example
from api.schemas.profiles import PROFILE_ID

SESSION_EXAMPLE: dict[str, Any] = {
    "id": "ses_5d41402abc4b2a76b971", "profile_id": PROFILE_ID, "started_at": "2026-11-01T12:00:00Z",
    "ended_at": "2026-11-01T12:14:30Z", "seconds": 870, "event_count": 7,
    "types": {"page_view": 4, "product_view": 2, "purchase": 1}, "channels": ["website"], "purchases": 1,
    "revenue": {"USD": "89.99"}, "entry_page": "https://shop.example/", "exit_page": "https://shop.example/thanks",
    "referrer": "https://search.example/", "campaign": {"name": "spring", "source": "mail"}, "is_cut": False,
}  # fmt: skip


class SessionList(Shape):
    """Sessions, newest first; one with `is_cut` is too long for one answer and goes on at the next page."""

    model_config = example({"items": [SESSION_EXAMPLE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None
