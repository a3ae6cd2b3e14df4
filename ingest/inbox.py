"""The durable inbox: events, records and dead letters wait here, in a Redis stream, while the graph cannot take them.

What was added is on disk before the caller hears of it (the server runs with `appendfsync always`). An entry leaves
only after its work is committed (`ingest/drain.py`). A stream holds id, kind and body; a hash says where each id stands
and how long its body is, so that a repeat is stored once and an event is found by its id.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import redis
import structlog
from redis.asyncio import Redis as AsyncRedis

from core.catalogue import ToldRecords
from core.errors import UnavailableError
from core.events import IncomingEvent
from graph.repositories.dead_letters import DeadLetter
from ingest.leases import Lease

log = structlog.get_logger(__name__)

# One hash tag, so that scripts may touch all keys in a cluster too.
STREAM = "constintel:{inbox}:entries"
PLACES = "constintel:{inbox}:places"
BYTES = "constintel:{inbox}:bytes"
_FAILURES = "constintel:{inbox}:failures"
LEASE_KEY = "constintel:{inbox}:lease"
UNREADABLE = "constintel:{inbox}:unreadable"

Kind = Literal["event", "letter", "records"]
Content = IncomingEvent | DeadLetter | ToldRecords

# All of a request or nothing of it: what is added together is one write to the disk.
_PUT = """
local entries, bytes = 0, 0
for i = 3, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then
    entries = entries + 1
    bytes = bytes + #ARGV[i + 2]
  end
end
if entries > 0 then
  if redis.call('XLEN', KEYS[1]) + entries > tonumber(ARGV[1]) then return {-1} end
  if tonumber(redis.call('GET', KEYS[3]) or '0') + bytes > tonumber(ARGV[2]) then return {-1} end
end
local added = {}
for i = 3, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    added[#added + 1] = 0
  else
    local place = redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'kind', ARGV[i + 1], 'body', ARGV[i + 2])
    redis.call('HSET', KEYS[2], ARGV[i], place .. ' ' .. #ARGV[i + 2])
    redis.call('INCRBY', KEYS[3], #ARGV[i + 2])
    added[#added + 1] = 1
  end
end
return added
"""
# Only under the lease: whoever lost it must not take away what its next holder is at.
_REMOVE = """
if redis.call('GET', KEYS[5]) ~= ARGV[1] then return -1 end
local removed = 0
for i = 2, #ARGV, 2 do
  redis.call('XDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i + 1])
  local found = redis.call('HGET', KEYS[2], ARGV[i + 1])
  if found then
    local place, size = string.match(found, '^(%S+) (%d+)$')
    if place == ARGV[i] then
      redis.call('HDEL', KEYS[2], ARGV[i + 1])
      redis.call('DECRBY', KEYS[3], size)
      removed = removed + 1
    end
  end
end
return removed
"""

_REFUSAL_SECONDS = 0.5

_KINDS: dict[type, Kind] = {IncomingEvent: "event", DeadLetter: "letter", ToldRecords: "records"}
_DECODERS: dict[bytes, msgspec.json.Decoder[Any]] = {
    kind.encode(): msgspec.json.Decoder(content) for content, kind in _KINDS.items()
}
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that waits: its place in the stream, its id, and what it is; None when its body cannot be read."""

    place: str
    id: str
    content: Content | None
    body: bytes

    def age_seconds(self) -> float:
        """How long it has waited, by the clock of Redis' machine."""
        return time.time() - int(self.place.split("-")[0]) / 1000


class Inbox:
    """The side of the API: puts things in and finds them again; every call is bounded by the client's time-outs."""

    def __init__(self, client: AsyncRedis, *, max_entries: int, max_bytes: int) -> None:
        self._client = client
        self._limits = (str(max_entries), str(max_bytes))
        self._refuses_until = 0.0

    @property
    def is_refusing(self) -> bool:
        """Whether it could not take anything a moment ago: who asks now need not wait for the same answer."""
        return time.monotonic() < self._refuses_until

    async def put(self, contents: Sequence[Content]) -> list[bool]:
        """Store `contents`, all or none; for each whether it is new here. On disk when this returns.

        Raises UnavailableError when Redis is away or the inbox is full; then it may be stored all the same, and a
        repeat is harmless.
        """
        words: list[str | bytes] = [*self._limits]
        for content in contents:
            words += [content.id, _KINDS[type(content)], _encoder.encode(content)]
        try:
            added = await self._client.eval(_PUT, 3, STREAM, PLACES, BYTES, *words)
        except (redis.RedisError, OSError) as error:
            self._refuses_until = time.monotonic() + _REFUSAL_SECONDS
            log.warning("inbox_away", reason=type(error).__name__)
            raise UnavailableError("Neither the graph nor the inbox can take events now.") from error
        if added == [-1]:
            self._refuses_until = time.monotonic() + _REFUSAL_SECONDS
            log.error("inbox_full")
            raise UnavailableError("The graph is away and the inbox is full.", retry_after=30)
        return [bool(one) for one in added]

    async def find(self, brand: str, event_id: str) -> IncomingEvent | None:
        """The event of this brand that waits under this id; None when none does, or Redis does not tell."""
        try:
            found: Any = await self._client.hget(PLACES, event_id)
            if found is None:
                return None
            place = found.split(b" ")[0]
            entries: Any = await self._client.xrange(STREAM, place, place)
        except (redis.RedisError, OSError):
            return None
        content = _read(entries[0][1]) if entries else None
        return content if isinstance(content, IncomingEvent) and content.brand == brand else None

    async def length(self) -> int:
        """Entries that wait; raises redis' errors."""
        return int(await self._client.xlen(STREAM))


def read_entries(client: redis.Redis, limit: int, after: str | None = None) -> list[Entry]:
    """The oldest entries (behind the place `after`), at most `limit`; raises redis' errors."""
    rows: Any = client.xrange(STREAM, f"({after}" if after else "-", "+", count=limit)
    return [Entry(place.decode(), fields[b"id"].decode(), _read(fields), fields[b"body"]) for place, fields in rows]


def remove_entries(client: redis.Redis, held: Lease, entries: Sequence[Entry]) -> bool:
    """Take entries away whose work is committed; False when the lease was lost, and nothing was taken away."""
    for start in range(0, len(entries), _AT_ONCE):
        words = list(_words(entries[start : start + _AT_ONCE]))
        keys = (STREAM, PLACES, BYTES, _FAILURES, held.key)
        if client.eval(_REMOVE, len(keys), *keys, held.token, *words) == -1:
            return False
    return True


_AT_ONCE = 1_000


def count_failure(client: redis.Redis, entry: Entry) -> int:
    """Note that an entry failed alone while the graph answered; how often that was."""
    return int(client.hincrby(_FAILURES, entry.id, 1))


def inbox_length(client: redis.Redis) -> int:
    """Entries that wait; raises redis' errors."""
    return int(client.xlen(STREAM))


def _words(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        yield entry.place
        yield entry.id


def _read(fields: dict[bytes, bytes]) -> Content | None:
    try:
        content: Content = _DECODERS[fields[b"kind"]].decode(fields[b"body"])
    except (msgspec.MsgspecError, KeyError) as error:
        # A kind that is not known was put by a newer version of this service.
        log.error("inbox_entry_unreadable", entry_id=fields[b"id"].decode(), reason=type(error).__name__)
        return None
    return content
