"""From a CRM's record to an event of our own envelope, which then takes the same steps as one that was sent."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from core.brand import BrandSettings
from core.clock import format_time
from core.errors import InvalidInputError
from core.events import ORDER_TYPES, RawEvent
from core.identifiers import Trust
from core.strict_json import canonical_json
from ingest.crm.pages import CrmRecord, find_value, read_id, read_moment
from ingest.crm.specs import CONTACT, ORDER, ObjectSpec, meaning_digest
from ingest.steps import parse_event
from ingest.steps.fields import refuse

WAY = "crm"
CHANNEL = "crm"
_PURCHASE, _PROFILE_UPDATE = "purchase", "profile_update"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is read and tells nothing we take; `note` says why where somebody may want to know."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Under which name records are read (it scopes their ids), for whom, and when."""

    connection: str
    brand: BrandSettings
    now: datetime


def read_record(record: CrmRecord, spec: ObjectSpec, reading: Reading) -> RawEvent | Skipped:
    """The event of a record; its key is (object, id, time of change, mapping). Raises InvalidInputError."""
    if not isinstance(record.fields, dict):
        raise InvalidInputError("the record is no object")
    if not record.id:
        raise refuse("id", "missing")
    has_times = spec.rest is None or bool(spec.rest.modified)
    if has_times and record.modified is None:
        raise refuse("modified", "the time of the record's last change is missing or none")
    kind = _type_of(record, spec)
    if kind is None:
        return Skipped()
    identifiers, payload, occurred_at = _parts(record, spec)
    person = record.id if spec.about != ORDER else _contact(record, spec)
    if person:
        identifiers.setdefault("external_id", []).append(f"{reading.connection}:{person}")
    elif spec.about == ORDER and not identifiers:
        return Skipped("orders of nobody: they name no contact")
    if kind in ORDER_TYPES:
        payload.setdefault("order_id", record.id)
    changed = format_time(record.modified) if record.modified is not None else _digest(record)
    payload["crm"] = {"object": spec.name, "record_id": record.id}
    if record.modified is not None:
        payload["crm"]["modified_at"] = changed
    envelope: dict[str, Any] = {
        "type": kind,
        "source": reading.connection,
        "channel": CHANNEL,
        "trust": Trust.IMPORTED.value,
        "identifiers": identifiers,
        "payload": payload,
    }
    moment = occurred_at or record.modified
    if moment is not None:
        envelope["occurred_at"] = format_time(moment)
    raw = parse_event(envelope, reading.brand, reading.now)
    raw.way = WAY
    raw.source_instance = reading.connection
    raw.idempotency_key = f"{spec.name}:{record.id}:{changed}:{meaning_digest(spec)}"
    return raw


def _type_of(record: CrmRecord, spec: ObjectSpec) -> str | None:
    """The event's type, None for a record whose state is not read."""
    if spec.types is None:
        return _PURCHASE if spec.about == ORDER else _PROFILE_UPDATE
    return spec.types.values.get(str(find_value(record.fields, spec.types.field)).casefold())


def _parts(record: CrmRecord, spec: ObjectSpec) -> tuple[dict[str, list[Any]], dict[str, Any], datetime | None]:
    """Identifiers, payload (traits within) and the time of what the record tells of, by the mapping of its fields."""
    identifiers: dict[str, list[Any]] = {}
    payload: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    occurred_at = None
    for path, target in spec.fields.items():
        value = find_value(record.fields, path)
        if value is None or value in ("", [], {}):
            continue
        group, _, name = target.partition(".")
        if target == "occurred_at":
            occurred_at = read_moment(value)
            if occurred_at is None:
                raise refuse(target, "not a time")
        elif group == "identifiers":
            identifiers.setdefault(name, []).extend(_plain(value))
        elif group == "traits":
            traits.setdefault(name, value)
        elif group == "payload":
            payload.setdefault(name, value)
    if traits:
        payload["traits"] = traits
    return {name: values for name, values in identifiers.items() if values}, payload, occurred_at


def _plain(value: Any) -> list[str]:
    """Values of an identifier: texts and whole numbers, also in a list; anything else is none."""
    values = value if isinstance(value, list) else [value]
    usable = [one for one in values if isinstance(one, (str, int)) and not isinstance(one, bool)]
    return list(dict.fromkeys(text for one in usable if (text := str(one).strip())))


def _contact(record: CrmRecord, spec: ObjectSpec) -> str:
    paths = [path for path, target in spec.fields.items() if target == CONTACT]
    return next((found for path in paths if (found := read_id(find_value(record.fields, path)))), "")


def _digest(record: CrmRecord) -> str:
    return blake2b(canonical_json(record.fields), digest_size=_DIGEST_BYTES).hexdigest()
