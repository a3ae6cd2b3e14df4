"""How the service is: health, queues, numbers, streams."""

from typing import Any

from api.schemas.base import Shape, example


class Health(Shape):
    """State of the service and of what it depends on."""

    model_config = example({
        "status": "ok",
        "checks": {
            "neo4j": {"status": "ok", "milliseconds": 1.4},
            "redis": {"status": "ok", "milliseconds": 0.4},
            "worker": {"status": "ok", "milliseconds": 0.4},
        },
    })  # fmt: skip

    status: str
    checks: dict[str, dict[str, Any]]


class QueueLengths(Shape):
    """What waits where; null for what cannot be told because its server does not answer."""

    model_config = example(
        {
            "commit": {"events": 0, "oldest_seconds": 0.0},
            "inbox": {"entries": 0, "bytes": 0, "oldest_seconds": 0.0},
            "marks": {
                "streams": {"marks": 0, "oldest_seconds": 0.0},
                "features": {"marks": 2, "oldest_seconds": 0.8},
                "changes": {"marks": 0, "oldest_seconds": 0.0},
            },
            "tasks": {"default": 0, "ml": 1, "under_way": 0},
            "streams": {"events.raw": 3, "events.normalized": 3, "merge_requests": 1},
            "dead_letters": 0,
        }
    )

    commit: dict[str, Any]
    inbox: dict[str, Any] | None
    marks: dict[str, Any] | None
    tasks: dict[str, int] | None
    streams: dict[str, int] | None
    dead_letters: int | None


class Stats(Shape):
    """Numbers of all API processes since each began; times in milliseconds, percentiles by upper bounds."""

    model_config = example(
        {
            "processes": 1,
            "sources": {
                "api": {
                    "received": 120,
                    "accepted": 118,
                    "rejected": 2,
                    "duplicates": 3,
                    "decisions": {"created": 40, "attached": 78},
                    "milliseconds": {"p50": 10.0, "p95": 25.0, "p99": 50.0},
                }
            },
            "commits": {"count": 30, "events": 118, "events_each": 3.9, "milliseconds": {"p50": 10.0, "p99": 50.0}},
            "retries": {"deadlocks": 0, "lock_timeouts": 0, "stale_reads": 1, "outages": 0},
            "graph_is_away": False,
        }
    )

    processes: int
    sources: dict[str, dict[str, Any]]
    commits: dict[str, Any]
    retries: dict[str, int]
    graph_is_away: bool


class StreamList(Shape):
    """The streams that tell others what was committed."""

    model_config = example(
        {
            "items": [
                {
                    "name": "events.raw",
                    "description": "Events as they came in: type, channel, source, times and the payload.",
                    "length": 2,
                    "first_id": "1793534400000-0",
                    "last_id": "1793534400012-0",
                }
            ],
            "max_entries": 50_000,
        }
    )

    items: list[dict[str, Any]]
    max_entries: int


class StreamPage(Shape):
    """Entries of the caller's brand; a page may be short while there is more: go on until `next_cursor` is null."""

    model_config = example(
        {
            "items": [
                {
                    "id": "1793534400012-0",
                    "event_id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11",
                    "type": "page_view",
                    "channel": "website",
                    "source": "shop",
                    "occurred_at": "2026-11-01T12:00:00Z",
                    "received_at": "2026-11-01T12:00:01Z",
                    "payload": {"url": "https://shop.example/"},
                }
            ],
            "next_cursor": None,
        }
    )

    items: list[dict[str, Any]]
    next_cursor: str | None
