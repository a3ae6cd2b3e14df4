"""How a CSV file is to be imported: what the sender stated, checked, and kept with the import as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import MalformedBodyError
from core.events import CHANNELS
from core.identifiers import Trust
from core.strict_json import parse_json
from ingest.csv_files.columns import check_stated
from ingest.csv_files.detect import check_delimiter, check_encoding
from ingest.steps.fields import read_text, refuse
from ingest.steps.validate import LONGEST_SOURCE, TRUSTS, TYPE_NAME

SOURCE = "csv"
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})
_LONGEST = 100
_MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of one import; `encoding` and `delimiter` are empty until they are detected.

    `event_types` maps values of the type column to event types; `event_type` is that of rows without one.
    """

    encoding: str = ""
    delimiter: str = ""
    mapping: dict[str, Any] = field(default_factory=dict)
    event_types: dict[str, str] = field(default_factory=dict)
    event_type: str = ""
    source: str = SOURCE
    channel: str = "import"
    trust: str = Trust.IMPORTED.value
    decimal: str = ""
    date_format: str = ""
    time_zone: str = "UTC"
    order_lines: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The options as plain data."""
        return asdict(self)


FIELDS = frozenset(ImportOptions.__dataclass_fields__) - {"event_type"} | {"type", "dry_run"}


def options_from_fields(fields: Mapping[str, str]) -> tuple[ImportOptions, bool]:
    """The options in the text fields of an upload, and whether it is a dry run; raises InvalidInputError."""
    unknown = fields.keys() - FIELDS
    if unknown:
        raise refuse("file", f"comes with a field that is none of {', '.join(sorted(FIELDS))}")
    stated = {name: text.strip() if name != "delimiter" else text for name, text in fields.items() if text}
    values: dict[str, Any] = {}
    for name, check in _CHECKS.items():
        if stated.get(name):
            values["event_type" if name == "type" else name] = check(stated[name], name)
    return ImportOptions(**values), _flag(stated.get("dry_run", ""), "dry_run")


def _types(text: str, name: str) -> dict[str, str]:
    stated = _json(text, name)
    if not isinstance(stated, dict) or len(stated) > _MOST_NAMES:
        raise refuse(name, "must be a JSON object of values and event types")
    return {value.strip().casefold(): _event_type(kind, name) for value, kind in stated.items()}


def _event_type(text: Any, name: str) -> str:
    if not isinstance(text, str) or not TYPE_NAME.fullmatch(text):
        raise refuse(name, "must be a snake_case name of at most 100 characters")
    return text


def _mapping(text: str, name: str) -> dict[str, Any]:
    return check_stated(_json(text, name))


def _json(text: str, name: str) -> Any:
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))
    except MalformedBodyError as error:
        raise refuse(name, "must be JSON") from error


def _one_of(text: str, name: str, allowed: frozenset[str]) -> str:
    if text not in allowed:
        raise refuse(name, f"must be one of {', '.join(sorted(allowed))}")
    return text


def _short(text: str, name: str, longest: int = _LONGEST) -> str:
    value = read_text(text, name, longest=longest)
    return value or ""


def _zone(text: str, name: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refuse(name, "must be a name such as Europe/Berlin") from error
    return text


def _flag(text: str, name: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise refuse(name, "must be true or false")
    return text.lower() in _TRUE


_CHECKS: dict[str, Any] = {
    "encoding": lambda text, _: check_encoding(text),
    "delimiter": lambda text, _: check_delimiter(text),
    "mapping": _mapping,
    "event_types": _types,
    "type": _event_type,
    "source": lambda text, name: _short(text, name, LONGEST_SOURCE),
    "channel": lambda text, name: _one_of(text, name, CHANNELS),
    "trust": lambda text, name: _one_of(text, name, TRUSTS),
    "decimal": lambda text, name: _one_of(text, name, frozenset({".", ","})),
    "date_format": _short,
    "time_zone": _zone,
    "order_lines": _flag,
}
