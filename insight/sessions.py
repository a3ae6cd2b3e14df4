"""Visits to website and app: a customer's events cut where thirty minutes pass without one, by the time they happened.

Nothing is stored: sessions are a pure function of the events, so a late one lengthens, joins or begins sessions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from core.clock import EARLIEST, format_time
from core.errors import InvalidInputError, NotFoundError
from core.events import CHANNELS, SALE_TYPES
from core.money import to_decimal_string
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import LAST_ID, parse_json, to_time

GAP = timedelta(minutes=30)
"""Up to this long nothing may happen within a session."""
VISITED = ("website", "mobile_app")
MAX_EVENTS = 50_000
"""Of one answer: a robot's endless session is cut here and goes on at the next page."""
_CHUNK = 1_000
_PAYLOAD_BYTES = 20_000
_DIGEST_BYTES = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a visit; `payload` is its JSON text, None when it is too long to be looked at."""

    id: str
    type: str
    channel: str
    at: datetime
    amount_minor: int | None = None
    currency: str | None = None
    payload: str | None = None


@dataclass(slots=True)
class Session:
    """Events that follow each other closely: `first` and `last` of them, how many of each type, and what was bought."""

    first: Seen
    last: Seen
    types: dict[str, int] = field(default_factory=dict)
    channels: set[str] = field(default_factory=set)
    revenue: dict[str, int] = field(default_factory=dict)
    is_cut: bool = False

    def add_older(self, event: Seen) -> None:
        """Take in an event before all others."""
        self.first = event
        self.types[event.type] = self.types.get(event.type, 0) + 1
        self.channels.add(event.channel)
        if event.type in SALE_TYPES and event.amount_minor is not None and event.currency:
            self.revenue[event.currency] = self.revenue.get(event.currency, 0) + event.amount_minor


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Whose sessions: those that began at or after `from_at` and before `to_at`, in some channels."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    channels: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises InvalidInputError for a channel that does not exist or a span that ends before it begins."""
        if not CHANNELS.issuperset(self.channels):
            raise InvalidInputError(f"channel must be one of: {', '.join(sorted(CHANNELS))}.", field="channel")
        if self.from_at and self.to_at and self.from_at > self.to_at:
            raise InvalidInputError("from must not be later than to.", field="from")


def split_sessions(events: Iterable[Seen]) -> Iterator[Session]:
    """Sessions of events that come newest first; newest first too, in memory of one."""
    session: Session | None = None
    for event in events:
        if session is not None and session.first.at - event.at > GAP:
            yield session
            session = None
        if session is None:
            session = Session(event, event)
        session.add_older(event)
    if session is not None:
        yield session


def list_sessions(
    graph: Graph, brand: str, profile_id: str, page: Page, where: SessionFilter | None = None
) -> dict[str, Any]:
    """One page of a customer's sessions, newest first: {items, next_cursor}; raises NotFoundError."""
    where = where or SessionFilter()
    where.check()
    reader = _Reader(graph, brand, profile_id, list(where.channels or VISITED))
    params = page.params()
    upper = (params["before_at"], params["before_id"])
    if page.cursor is None and where.to_at is not None:
        upper = reader.end_of_session_over(where.to_at)
    oldest = where.from_at or EARLIEST
    found: list[Session] = []
    # A session that began before the span is told from one that began in it by what happened just before.
    for session in split_sessions(reader.events_before(upper, oldest - GAP if oldest - EARLIEST > GAP else EARLIEST)):
        session.is_cut = reader.is_cut and session.first.id == reader.last_id
        if session.first.at < oldest:
            break
        found.append(session)
        if len(found) > page.size:
            break
    shown = found[: page.size]
    has_more = len(found) > page.size or (bool(shown) and shown[-1].is_cut)
    cursor = encode_cursor(shown[-1].first.at, shown[-1].first.id) if has_more else None
    return {"items": [_item(session, reader.root_id) for session in shown], "next_cursor": cursor}


class _Reader:
    """Reads one customer's events in pieces."""

    def __init__(self, graph: Graph, brand: str, profile_id: str, channels: list[str]) -> None:
        self._params: dict[str, Any] = {"brand": brand, "id": profile_id, "channels": channels}
        self._graph = graph
        self.root_id = ""
        self.is_cut = False
        self.last_id = ""

    def events_before(self, upper: tuple[datetime, str], oldest: datetime) -> Iterator[Seen]:
        """Events before (time, id), newest first, until `oldest` or the limit of one answer."""
        count = 0
        while True:
            rows = self._graph.read(
                "sessions/list_before", **self._params, from_at=oldest, before_at=upper[0], before_id=upper[1],
                payload_bytes=_PAYLOAD_BYTES, limit=_CHUNK,
            )  # fmt: skip
            if not rows:
                raise NotFoundError("No such profile.")
            self.root_id = rows[0]["root_id"]
            events = [_seen(row) for row in rows[0]["events"]]
            count += len(events)
            if events and count >= MAX_EVENTS and len(events) == _CHUNK:
                self.is_cut, self.last_id = True, events[-1].id
            yield from events
            if len(events) < _CHUNK or self.is_cut:
                return
            upper = (events[-1].at, events[-1].id)

    def end_of_session_over(self, moment: datetime) -> tuple[datetime, str]:
        """Just after the last event of the session that began before `moment` and goes on over it, else `moment`."""
        before = next(self.events_before((moment, ""), moment - GAP if moment - EARLIEST > GAP else EARLIEST), None)
        if before is None:
            return moment, ""
        last_at, last_id = before.at, ""
        after = (moment, "")
        for _ in range(MAX_EVENTS // _CHUNK):
            rows = self._graph.read(
                "sessions/list_after", **self._params, after_at=after[0], after_id=after[1], limit=_CHUNK
            )
            events = rows[0]["events"] if rows else []
            for event in events:
                at = to_time(event["occurred_at"]) or EARLIEST
                if at - last_at > GAP:
                    return (last_at, LAST_ID) if last_id else (moment, "")
                last_at, last_id = at, event["id"]
            if len(events) < _CHUNK:
                break
            after = (last_at, last_id)
        return (last_at, LAST_ID) if last_id else (moment, "")


def _seen(row: dict[str, Any]) -> Seen:
    return Seen(
        row["id"], row["type"], row["channel"], to_time(row["occurred_at"]) or EARLIEST, row["amount_minor"],
        row["currency"], row["payload"],
    )  # fmt: skip


def _item(session: Session, profile_id: str) -> dict[str, Any]:
    first, last = parse_json(session.first.payload, {}), parse_json(session.last.payload, {})
    types = session.types
    return {
        "id": f"ses_{blake2b(session.first.id.encode(), digest_size=_DIGEST_BYTES).hexdigest()}",
        "profile_id": profile_id,
        "started_at": format_time(session.first.at),
        "ended_at": format_time(session.last.at),
        "seconds": int((session.last.at - session.first.at).total_seconds()),
        "event_count": sum(types.values()),
        "types": dict(sorted(types.items())),
        "channels": sorted(session.channels),
        "purchases": sum(count for kind, count in types.items() if kind in SALE_TYPES),
        "revenue": {code: to_decimal_string(minor, code) for code, minor in sorted(session.revenue.items())},
        "entry_page": _page(first),
        "exit_page": _page(last),
        "referrer": _text(
            first, ("referrer",), ("_message", "context", "page", "referrer"), ("context", "page", "referrer")
        ),
        "campaign": _first(first, ("_message", "context", "campaign"), ("context", "campaign"), ("campaign",)) or None,
        "is_cut": session.is_cut,
    }


def _page(payload: Any) -> str | None:
    return _text(
        payload, ("url",), ("page_url",), ("path",), ("_message", "context", "page", "url"), ("context", "page", "url")
    )


def _text(payload: Any, *paths: tuple[str, ...]) -> str | None:
    found = _first(payload, *paths)
    return found if isinstance(found, str) else None


def _first(payload: Any, *paths: tuple[str, ...]) -> Any:
    """What stands at the first path that leads to something."""
    for path in paths:
        value = payload
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value:
            return value
    return None
