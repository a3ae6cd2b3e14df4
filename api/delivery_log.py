"""The last deliveries of each source with their outcome, for whoever sets a sender up; nothing of what was delivered.

Written beside the answer and never in its way: while Redis is away, entries are left out.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from core.clock import format_time, utc_now
from core.decisions import EventResult
from core.errors import ConstIntelError, UnavailableError
from core.strict_json import parse_json, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

log = structlog.get_logger(__name__)

KEPT = 100
_KEPT_FOR = timedelta(days=30)
_MOST_WAITING = 2_000
_PORTION = 200
_SHOWN_IDS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery; `topic` in the sender's words, only of proven deliveries."""

    at: str
    status: int
    outcome: str
    milliseconds: float
    topic: str = ""
    field: str | None = None
    reason: str | None = None
    events: int = 0
    duplicates: int = 0
    rejected: int = 0
    event_ids: tuple[str, ...] = ()


def taken(
    outcomes: "Sequence[EventResult | ConstIntelError]", answer: dict[str, Any], topic: str, seconds: float
) -> Outcome:
    """The outcome of a delivery that was answered 200; `answer` is what it was answered."""
    results = [outcome for outcome in outcomes if isinstance(outcome, EventResult)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, ConstIntelError)]
    return Outcome(
        at=format_time(utc_now()),
        status=200,
        outcome=answer["decision"],
        milliseconds=_milliseconds(seconds),
        topic=topic,
        field=errors[0].field if errors else None,
        reason=errors[0].detail if errors else answer.get("ignored"),
        events=len(results),
        duplicates=sum(result.duplicate for result in results),
        rejected=len(errors),
        event_ids=tuple(result.event_id for result in results[:_SHOWN_IDS]),
    )


def refused(error: ConstIntelError, topic: str, seconds: float) -> Outcome:
    """The outcome of a delivery that was answered with a problem."""
    return Outcome(
        at=format_time(utc_now()),
        status=error.status,
        outcome=error.code,
        milliseconds=_milliseconds(seconds),
        topic=topic,
        field=error.field,
        reason=error.detail,
        rejected=1,
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


class DeliveryLog:
    """A bounded list in Redis for each brand and source, newest first; safe to use from one event loop."""

    def __init__(self, client: "Redis | None") -> None:
        self._client = client
        self._waiting: deque[tuple[str, str]] = deque(maxlen=_MOST_WAITING)
        self._writing: asyncio.Task[None] | None = None

    def add(self, brand: str, source: str, outcome: Outcome) -> None:
        """Note one delivery; returns at once."""
        if self._client is None:
            return
        self._waiting.append((_key(brand, source), to_json(outcome)))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(self._client))

    async def last(self, brand: str, source: str, limit: int) -> list[dict[str, Any]]:
        """The newest deliveries; raises UnavailableError while Redis is away."""
        if self._writing is not None:
            await self._writing
        if self._client is None:
            return []
        try:
            stored = await self._client.lrange(_key(brand, source), 0, limit - 1)
        except RedisError as error:
            raise UnavailableError("Redis, which holds the last deliveries, is not reachable.") from error
        return [parse_json(entry.encode() if isinstance(entry, str) else entry) for entry in stored]

    async def newest(self, brand: str, sources: list[str]) -> dict[str, dict[str, Any] | None]:
        """The newest delivery of each source, None for one without or while Redis is away."""
        try:
            found = {source: await self.last(brand, source, 1) for source in sources}
        except UnavailableError:
            return dict.fromkeys(sources)
        return {source: entries[0] if entries else None for source, entries in found.items()}

    async def close(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            await self._writing

    async def _write(self, client: "Redis") -> None:
        while self._waiting:
            portion = [self._waiting.popleft() for _ in range(min(len(self._waiting), _PORTION))]
            pipe = client.pipeline(transaction=False)
            for key, entry in portion:
                pipe.lpush(key, entry)
            for key in {key for key, _ in portion}:
                pipe.ltrim(key, 0, KEPT - 1)
                pipe.expire(key, _KEPT_FOR)
            try:
                await pipe.execute()
            except RedisError as error:
                log.warning("deliveries_not_noted", count=len(portion), reason=type(error).__name__)


def _key(brand: str, source: str) -> str:
    return f"constintel:deliveries:{brand}:{source}"
