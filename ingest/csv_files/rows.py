"""From rows to events: each row is written as an event of our own envelope and goes through the same steps as one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.brand import BrandSettings
from core.errors import ConstIntelError, InvalidInputError
from core.events import ORDER_TYPES, SALE_TYPES, RawEvent
from ingest.csv_files.columns import map_columns
from ingest.csv_files.options import SOURCE, ImportOptions
from ingest.csv_files.reading import Row
from ingest.steps import parse_event
from ingest.steps.fields import refuse
from ingest.steps.orders import LONGEST_LINES, REFUND_NAMES, TOTAL_NAMES

WAY = SOURCE
PURCHASE, PROFILE_UPDATE = "purchase", "profile_update"
_ORDER_ID = "payload.order_id"
_AMOUNTS = frozenset({f"payload.{name}" for name in (*TOTAL_NAMES, *REFUND_NAMES)} | {"item.price", "item.quantity"})
# Spreadsheets are kept from running a cell by an apostrophe before one of these signs.
_ESCAPED = re.compile(r"'(?=[=+\-@\t\r])")
_NO_DIGITS = re.compile(r"[^\d.,\-]")
# Fields of an item where the event is no order and has none: a viewed product, say.
_PLAIN_ITEM_NAMES = {"name": "product_name"}

Cell = tuple[int, str]


@dataclass(slots=True)
class Unit:
    """What stands or falls together: a row, or the rows of one order; `raw` is its event, `problem` why it has none."""

    rows: list[Row]
    raw: RawEvent | None = None
    problem: ConstIntelError | None = None


@dataclass(slots=True)
class _Places:
    """Where in a row the parts of an event are."""

    single: dict[str, int] = field(default_factory=dict)
    groups: dict[str, list[Cell]] = field(default_factory=dict)


class RowReader:
    """Turns the rows of one file into events; `digest` is the file's: with the row number it is a row's key."""

    def __init__(self, header: list[str], options: ImportOptions, digest: str) -> None:
        self.targets = map_columns(header, options.mapping)
        self._options = options
        self._digest = digest
        self._width = len(header)
        self._places = _places(self.targets)
        self._amounts = frozenset(place for place, target in enumerate(self.targets) if target in _AMOUNTS)
        self._zone = ZoneInfo(options.time_zone)
        self._fallback = options.event_type or _usual_type(self.targets)
        if not any(target is not None and target.startswith("identifiers.") for target in self.targets):
            self.warning: str | None = "no column is an identifier: its rows cannot be tied to a person"
        else:
            self.warning = None

    def units(self, rows: Iterable[Row], brand: BrandSettings, now: datetime) -> Iterator[Unit]:
        """The events of `rows` in their order, or why a row has none."""
        for group in self._grouped(rows):
            unit = Unit(group)
            try:
                unit.raw = self._event(group, brand, now)
            except ConstIntelError as error:
                unit.problem = error
            yield unit

    def _grouped(self, rows: Iterable[Row]) -> Iterator[list[Row]]:
        """Rows one by one, or with `order_lines` those together that follow each other in one order."""
        waiting: list[Row] = []
        waiting_order = ""
        for row in rows:
            order = self._order_of(row) if self._options.order_lines else ""
            if waiting and (not order or order != waiting_order or len(waiting) >= LONGEST_LINES):
                yield waiting
                waiting = []
            if not order:
                yield [row]
                continue
            waiting.append(row)
            waiting_order = order
        if waiting:
            yield waiting

    def _order_of(self, row: Row) -> str:
        place = self._places.single.get(_ORDER_ID, -1)
        if row.problem is not None or not 0 <= place < len(row.cells):
            return ""
        return row.cells[place].strip() if self._type_of(row.cells) in SALE_TYPES else ""

    def _type_of(self, cells: list[str]) -> str:
        stated = self._single(cells, "type")
        if not stated:
            return self._fallback
        mapped = self._options.event_types.get(stated.casefold())
        return mapped or stated.lower().replace(" ", "_").replace("-", "_")

    def _event(self, rows: list[Row], brand: BrandSettings, now: datetime) -> RawEvent:
        for row in rows:
            if row.problem is not None:
                raise InvalidInputError(row.problem)
            if len(row.cells) > self._width and any(cell.strip() for cell in row.cells[self._width :]):
                raise InvalidInputError("the row has more cells than the header")
        cells = rows[0].cells
        event_type = self._type_of(cells)
        options = self._options
        envelope: dict[str, Any] = {
            "type": event_type,
            "source": self._single(cells, "source") or options.source,
            "channel": self._single(cells, "channel").lower() or options.channel,
            "trust": options.trust,
            "identifiers": self._identifiers(cells),
            "payload": self._payload(rows, event_type),
        }
        if key := self._single(cells, "message_id"):
            envelope["message_id"] = key
        if moment := self._single(cells, "occurred_at"):
            envelope["occurred_at"] = self._moment(moment)
        raw = parse_event(envelope, brand, now)
        raw.way = WAY
        if raw.idempotency_key is None:
            raw.idempotency_key = f"{self._digest}:{rows[0].number}"
        return raw

    def _payload(self, rows: list[Row], event_type: str) -> dict[str, Any]:
        cells = rows[0].cells
        payload: dict[str, Any] = self._values(cells, "payload")
        traits = self._values(cells, "traits")
        if traits:
            payload["traits"] = traits
        items = [item for row in rows if (item := self._values(row.cells, "item"))]
        if items and event_type in ORDER_TYPES:
            payload["items"] = items
        elif items:
            payload |= {_PLAIN_ITEM_NAMES.get(name, name): value for name, value in items[0].items()}
        return payload

    def _identifiers(self, cells: list[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for place, name in self._places.groups.get("identifiers", ()):
            if text := self._cell(cells, place):
                found.setdefault(name, []).append(text)
        return found

    def _values(self, cells: list[str], group: str) -> dict[str, Any]:
        return {name: text for place, name in self._places.groups.get(group, ()) if (text := self._cell(cells, place))}

    def _single(self, cells: list[str], target: str) -> str:
        place = self._places.single.get(target)
        return "" if place is None else self._cell(cells, place)

    def _cell(self, cells: list[str], place: int) -> str:
        if place >= len(cells):
            return ""
        text = cells[place].strip()
        if text.startswith("'"):
            text = _ESCAPED.sub("", text, count=1)
        if self._options.decimal and place in self._amounts:
            return _plain_number(text, self._options.decimal)
        return text

    def _moment(self, text: str) -> str:
        """A time as RFC 3339; one that states no offset is of the import's time zone."""
        options = self._options
        if not options.date_format and options.time_zone == "UTC":
            return text
        try:
            value = (
                datetime.strptime(text, options.date_format)  # noqa: DTZ007 (the zone follows)
                if options.date_format
                else datetime.fromisoformat(text)
            )
            value = value.replace(tzinfo=self._zone) if value.tzinfo is None else value
            return value.astimezone(UTC).isoformat()
        except (ValueError, OverflowError) as error:
            raise refuse("occurred_at", "does not have the format of the import's times") from error


def _places(targets: list[str | None]) -> _Places:
    places = _Places()
    for place, target in enumerate(targets):
        if target is None:
            continue
        group, _, name = target.partition(".")
        places.single.setdefault(target, place)
        if name:
            places.groups.setdefault(group, []).append((place, name))
    return places


def _usual_type(targets: list[str | None]) -> str:
    """The type of rows that state none where the import states none: a sale when there are orders, else a profile."""
    return PURCHASE if any(target in {_ORDER_ID, "payload.total"} for target in targets) else PROFILE_UPDATE


def _plain_number(text: str, decimal: str) -> str:
    """`1.234,56 €` as `1234.56` where the decimal sign is a comma."""
    digits = _NO_DIGITS.sub("", text)
    other = "." if decimal == "," else ","
    return digits.replace(other, "").replace(decimal, ".") or text
