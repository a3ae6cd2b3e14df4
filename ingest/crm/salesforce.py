"""Salesforce: SOQL over REST in the order of (SystemModstamp, Id), page after page by `nextRecordsUrl`.

A locator lives for a time only: who comes later asks anew from (time, id) of the last record that is stored.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.clock import format_time
from ingest.crm.answers import Answer, CrmRefusedError
from ingest.crm.client import CrmClient
from ingest.crm.pages import CrmPage, CrmRecord, Task, cursor_time, find_value, read_id, read_moment
from ingest.steps.fields import as_object

API_PATH = "/services/data/v59.0/query"
MODIFIED, ID = "SystemModstamp", "Id"
_PAGE = 500
_LEAST_PAGE, _MOST_PAGE = 200, 2000
_RECORD_ID = re.compile(r"[A-Za-z0-9]{15,18}")


def read_pages(client: CrmClient, task: Task) -> Iterator[CrmPage]:
    """Pages from the task's cursor `{at, id}` on."""
    size = min(max(task.page_size or _PAGE, _LEAST_PAGE), _MOST_PAGE)
    options = {"sforce_query_options": f"batchSize={size}"}
    cursor = {name: value for name, value in task.cursor.items() if name in {"at", "id"}}
    asked = None
    answer: Answer | None = None
    seen = 0
    while True:
        if answer is None:
            if asked == cursor:
                raise CrmRefusedError("Salesforce lost its place again and again.")
            asked = dict(cursor)
            seen = 0
            answer = client.get(API_PATH, {"q": _soql(task, cursor)}, **options)
        body = as_object(answer.body)
        records = [record_of(fields) for fields in _listed(body)]
        total = body.get("totalSize")
        cursor = _advance(cursor, records)
        remaining = max(total - seen, len(records)) if isinstance(total, int) else None
        link = body.get("nextRecordsUrl")
        is_last = body.get("done") is not False or not isinstance(link, str)
        yield CrmPage(records, cursor, remaining, is_last)
        seen += len(records)
        if is_last or not isinstance(link, str):
            return
        try:
            answer = client.follow(link, **options)
        except CrmRefusedError as error:
            if error.code != "INVALID_QUERY_LOCATOR":
                raise
            answer = None


def _soql(task: Task, cursor: dict[str, Any]) -> str:
    names = dict.fromkeys([ID, MODIFIED, *task.spec.paths])
    query = f"SELECT {', '.join(names)} FROM {task.spec.name}"  # noqa: S608 (names are checked, values are ours)
    at, last_id = cursor_time(cursor), cursor.get("id")
    if at is not None:
        moment = _soql_time(at)
        if isinstance(last_id, str) and _RECORD_ID.fullmatch(last_id):
            query += f" WHERE ({MODIFIED} > {moment} OR ({MODIFIED} = {moment} AND {ID} > '{last_id}'))"
        else:
            query += f" WHERE {MODIFIED} >= {moment}"
    return f"{query} ORDER BY {MODIFIED}, {ID}"


def _soql_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _listed(body: dict[str, Any]) -> list[Any]:
    records = body.get("records")
    if not isinstance(records, list):
        raise CrmRefusedError("Salesforce answered without records.")
    return records


def record_of(fields: Any) -> CrmRecord:
    """One record of an answer."""
    own = as_object(fields)
    return CrmRecord(read_id(own.get(ID)), read_moment(find_value(own, MODIFIED)), fields)


def _advance(cursor: dict[str, Any], records: list[CrmRecord]) -> dict[str, Any]:
    """The cursor behind the last record that says where it stands."""
    for record in reversed(records):
        if record.modified is not None and record.id:
            return {"at": format_time(record.modified), "id": record.id}
    return cursor
