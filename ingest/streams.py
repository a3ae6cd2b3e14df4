"""The streams in Redis that tell others what was committed: their names, what an entry holds, writing and reading them.

Entries carry personal data (payload, identifiers): whoever erases a person calls `forget`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import redis
from redis.asyncio import Redis as AsyncRedis

from core.clock import format_time
from core.errors import InvalidInputError, NotFoundError, UnavailableError
from core.money import to_decimal_string
from graph.values import group_identifiers, to_time

RAW = "events.raw"
NORMALIZED = "events.normalized"
MERGE_REQUESTS = "merge_requests"
STREAMS: dict[str, str] = {
    RAW: "Events as they came in: type, channel, source, times and the payload.",
    NORMALIZED: "The same events as they were understood: identifiers in their normal form, decision, profile, amount.",
    MERGE_REQUESTS: "Merges, unmerges and reviews, as they happened.",
}
# Entries of all brands share a stream: a page looks at no more than these for those of one brand.
_MOST_SCANNED = 5_000
_PAGE = 500
_PLACE = re.compile(r"\d{1,20}-\d{1,20}")

_encoder = msgspec.json.Encoder(decimal_format="number")

Fields = dict[str, str]


def raw_entry(brand: str, row: Mapping[str, Any]) -> Fields:
    """The entry of `events.raw` for a stored event."""
    return _without_nulls(
        {
            "brand": brand,
            "event_id": row["id"],
            "type": row["type"],
            "channel": row["channel"],
            "source": row["source"],
            "occurred_at": _time(row["occurred_at"]),
            "received_at": _time(row["received_at"]),
            "payload": row["payload"],
        }
    )


def normalized_entry(brand: str, row: Mapping[str, Any]) -> Fields:
    """The entry of `events.normalized` for a stored event."""
    minor, currency = row["amount_minor"], row["currency"]
    return _without_nulls(
        {
            "brand": brand,
            "event_id": row["id"],
            "type": row["type"],
            "channel": row["channel"],
            "source": row["source"],
            "occurred_at": _time(row["occurred_at"]),
            "identifiers": _encoder.encode(group_identifiers(row["identifiers"])).decode(),
            "decision": row["decision"],
            "profile_id": row["profile_id"],
            "amount": to_decimal_string(minor, currency) if minor is not None and currency else None,
            "currency": currency,
            "merge_id": row["merge_id"],
            "review_id": row["review_id"],
        }
    )


def merge_entry(brand: str, change: Mapping[str, Any]) -> Fields:
    """The entry of `merge_requests` for an entry of the change feed."""
    facts = {name: value for name, value in change.items() if name not in {"live_id", "moves"}}
    facts["moves"] = [{"old_id": move["old_id"], "profile_id": move["profile_id"]} for move in change["moves"]]
    return {
        "brand": brand,
        "change_id": change["id"],
        "kind": change["kind"],
        "change": _encoder.encode(facts).decode(),
    }


def append(client: redis.Redis, stream: str, entries: Sequence[Fields], max_entries: int) -> None:
    """Write entries in their order and trim the stream to about `max_entries`; raises redis' errors."""
    with client.pipeline(transaction=False) as pipe:
        for entry in entries:
            # The client's signature is for dicts of any of many types.
            words: Any = entry
            pipe.xadd(stream, words, maxlen=max_entries, approximate=True)
        pipe.execute()


def forget(client: redis.Redis, brand: str, event_ids: Iterable[str]) -> int:
    """Take the entries of these events out of all streams; how many there were. Reads every stream once."""
    wanted = {event_id.encode() for event_id in event_ids}
    removed = 0
    for stream in (RAW, NORMALIZED):
        for place, fields in _walk(client, stream):
            if fields.get(b"event_id") in wanted and fields.get(b"brand") == brand.encode():
                removed += int(client.xdel(stream, place))
    return removed


def _walk(client: redis.Redis, stream: str) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    after = "-"
    while True:
        rows: Any = client.xrange(stream, after, "+", count=_PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = f"({rows[-1][0].decode()}"


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """Which entries a page shows: of one brand, behind the place `cursor`, in either direction."""

    brand: str
    limit: int
    cursor: str | None = None
    is_newest_first: bool = True


class StreamReader:
    """The streams for people: lengths, and entries of one brand at a time."""

    def __init__(self, client: AsyncRedis) -> None:
        self._client = client

    async def info(self) -> list[dict[str, Any]]:
        """Name, meaning, length and span of each stream; raises UnavailableError."""
        try:
            return [await self._describe(name) for name in STREAMS]
        except (redis.RedisError, OSError) as error:
            raise UnavailableError("Redis is not reachable.") from error

    async def _describe(self, name: str) -> dict[str, Any]:
        first: Any = await self._client.xrange(name, count=1)
        last: Any = await self._client.xrevrange(name, count=1)
        return {
            "name": name,
            "description": STREAMS[name],
            "length": int(await self._client.xlen(name)),
            "first_id": first[0][0].decode() if first else None,
            "last_id": last[0][0].decode() if last else None,
        }

    async def page(self, name: str, query: StreamQuery) -> dict[str, Any]:
        """`items` and `next_cursor`, None at the end; a page may be short while there is more.

        Raises NotFoundError for other names, InvalidInputError for a cursor that is none, UnavailableError.
        """
        if name not in STREAMS:
            raise NotFoundError("There is no such stream.")
        if query.cursor and not _PLACE.fullmatch(query.cursor):
            raise InvalidInputError("cursor is not one that this service gave out.", field="cursor")
        try:
            return await self._page(name, query)
        except (redis.RedisError, OSError) as error:
            raise UnavailableError("Redis is not reachable.") from error

    async def _page(self, name: str, query: StreamQuery) -> dict[str, Any]:
        items: list[dict[str, Any]] = []
        place, scanned = query.cursor or None, 0
        while scanned < _MOST_SCANNED:
            rows = await self._read(name, place, is_newest_first=query.is_newest_first)
            for row_place, fields in rows:
                place = row_place.decode()
                if fields.get(b"brand") == query.brand.encode():
                    items.append(_shown(place, fields))
                    if len(items) == query.limit:
                        return {"items": items, "next_cursor": place}
            scanned += len(rows)
            if len(rows) < _PAGE:
                # Who follows a stream forward comes back for what is written later.
                return {"items": items, "next_cursor": None if query.is_newest_first else place}
        return {"items": items, "next_cursor": place}

    async def _read(self, name: str, place: str | None, *, is_newest_first: bool) -> Any:
        if is_newest_first:
            return await self._client.xrevrange(name, f"({place}" if place else "+", "-", count=_PAGE)
        return await self._client.xrange(name, f"({place}" if place else "-", "+", count=_PAGE)


def _shown(place: str, fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": place}
    for name, value in fields.items():
        text = value.decode()
        shown[name.decode()] = msgspec.Raw(value) if name in {b"payload", b"identifiers", b"change"} else text
    del shown["brand"]
    return shown


def _time(value: object) -> str | None:
    at = to_time(value)
    return format_time(at) if at is not None else None


def _without_nulls(fields: Mapping[str, str | None]) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}
