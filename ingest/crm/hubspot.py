"""HubSpot: v3 search in the order of the time of change; one ends at 10,000 results, so a new one goes on from there.

Searches sort by one property only. When more than a window's records have the very same time (an import does that),
those are read in the order of their ids before it goes on behind that time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.clock import EARLIEST, format_time
from ingest.crm.answers import CrmRefusedError
from ingest.crm.client import CrmClient
from ingest.crm.pages import CrmPage, CrmRecord, Task, cursor_time, find_value, read_id, read_moment
from ingest.crm.specs import ASSOCIATED
from ingest.steps.fields import as_object, as_objects

WINDOW = 10_000
ID = "hs_object_id"
_PAGE = 200
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where reading goes on: records changed at `at` or later, or (`tie`) those of exactly `at` behind an id."""

    at: datetime | None
    tie: str | None = None

    def cursor(self) -> dict[str, Any]:
        stored = {} if self.at is None else {"at": format_time(self.at)}
        return stored if self.tie is None else {**stored, "tie": self.tie}


def read_pages(client: CrmClient, task: Task) -> Iterator[CrmPage]:
    """Pages from the task's cursor `{at, tie}` on."""
    tie = task.cursor.get("tie")
    place = _Place(cursor_time(task.cursor), tie if isinstance(tie, str) and tie.isdigit() else None)
    while True:
        begun, is_full = place, False
        for step in _window(client, task, begun):
            page, place, is_full = step
            yield page
        if begun.tie is not None:
            if not is_full:
                place = _Place((begun.at or EARLIEST) + _MILLISECOND)
            elif place == begun:
                raise CrmRefusedError("HubSpot answers with records that have no id.")
        elif not is_full:
            return
        elif place.at is None or place.at == begun.at:
            if place.at is None:
                raise CrmRefusedError("HubSpot answers with records that have no time.")
            place = replace(place, tie="0")


def _window(client: CrmClient, task: Task, begun: _Place) -> Iterator[tuple[CrmPage, _Place, bool]]:
    """The pages of one search, each with the place that it leads to and whether the search cannot go further."""
    size = min(task.page_size or _PAGE, _PAGE)
    modified = modified_property(task.spec.name)
    place, after, seen = begun, None, 0
    while True:
        answer = client.post(f"/crm/v3/objects/{task.spec.name}/search", _search(task, begun, size, after))
        body = as_object(answer.body)
        results = body.get("results")
        if not isinstance(results, list):
            raise CrmRefusedError("HubSpot answered without results.")
        records = [_record(found, modified) for found in results]
        if ASSOCIATED in task.spec.fields:
            records = _with_contacts(client, task.spec.name, records)
        place = _advance(place, records)
        total = body.get("total")
        remaining = max(total - seen, len(records)) if isinstance(total, int) else None
        seen += len(records)
        after = _after(body)
        is_full = after is not None and int(after) + size > WINDOW
        is_over = after is None or not results
        page = CrmPage(records, place.cursor(), remaining, is_last=is_over and not is_full and begun.tie is None)
        yield page, place, is_full
        if is_over or is_full:
            return


def _search(task: Task, begun: _Place, size: int, after: str | None) -> dict[str, Any]:
    modified = modified_property(task.spec.name)
    filters: list[dict[str, str]] = []
    order = modified
    if begun.at is not None:
        filters.append({
            "propertyName": modified, "operator": "GTE" if begun.tie is None else "EQ", "value": _milliseconds(begun.at)
        })  # fmt: skip
    if begun.tie is not None:
        filters.append({"propertyName": ID, "operator": "GT", "value": begun.tie})
        order = ID
    names = dict.fromkeys([modified, ID, *(path for path in task.spec.paths if path != ASSOCIATED)])
    search: dict[str, Any] = {
        "filterGroups": [{"filters": filters}] if filters else [],
        "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
        "properties": list(names),
        "limit": size,
    }
    return search if after is None else {**search, "after": after}


def modified_property(name: str) -> str:
    """Contacts say when they were changed by another name than all other objects."""
    return "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"


def _milliseconds(at: datetime) -> str:
    return str((at.astimezone(UTC) - EARLIEST) // _MILLISECOND)


def record_of_properties(properties: Any, name: str) -> CrmRecord:
    """A record of which only the properties were kept."""
    return _record({"id": as_object(properties).get(ID), "properties": properties}, modified_property(name))


def _record(found: Any, modified: str) -> CrmRecord:
    own = as_object(found)
    properties = own.get("properties")
    moment = read_moment(find_value(properties, modified)) or read_moment(own.get("updatedAt"))
    return CrmRecord(read_id(own.get("id")), moment, properties if isinstance(properties, dict) else found)


def _advance(place: _Place, records: list[CrmRecord]) -> _Place:
    if place.tie is not None:
        last = next((record.id for record in reversed(records) if record.id.isdigit()), place.tie)
        return replace(place, tie=last)
    at = next((record.modified for record in reversed(records) if record.modified is not None), None)
    return place if at is None else _Place(at)


def _after(body: dict[str, Any]) -> str | None:
    after = find_value(body, "paging.next.after")
    text = read_id(after)
    return text if text.isdigit() else None


def _with_contacts(client: CrmClient, name: str, records: list[CrmRecord]) -> list[CrmRecord]:
    """The records with the contact that each belongs to; of several the one that HubSpot has had longest."""
    ids = [record.id for record in records if record.id]
    if not ids:
        return records
    answer = client.post(
        f"/crm/v4/associations/{name}/contacts/batch/read", {"inputs": [{"id": record_id} for record_id in ids]}
    )
    contacts: dict[str, int] = {}
    for result in as_objects(as_object(answer.body).get("results")):
        numbers = [read_id(other.get("toObjectId")) for other in as_objects(result.get("to"))]
        known = [int(number) for number in numbers if number.isdigit()]
        if known:
            contacts[read_id(find_value(result, "from.id"))] = min(known)
    return [
        replace(record, fields={**record.fields, ASSOCIATED: str(contacts[record.id])})
        if record.id in contacts and isinstance(record.fields, dict)
        else record
        for record in records
    ]
