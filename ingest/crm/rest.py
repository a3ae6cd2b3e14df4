"""Any CRM that lists its records as JSON over HTTP: where things stand in its answers is told by the connection.

Nothing is known of the order of its records. So the time to ask from moves on only when a pass has reached the end;
until then the place within the pass is kept, and a pass that was cut off goes on there.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.clock import format_time, utc_now
from ingest.crm.answers import Answer, CrmRefusedError
from ingest.crm.client import CrmClient
from ingest.crm.pages import CrmPage, CrmRecord, Task, cursor_time, find_value, read_id, read_moment
from ingest.crm.specs import RestPlan

_PAGE = 100
_PAGE_NAMES = {"page": "page", "offset": "offset", "cursor": "cursor"}
_NEXT = re.compile(r'<([^<>]{1,4000})>\s*;[^,<]*\brel="?next"?', re.IGNORECASE)


def read_pages(client: CrmClient, task: Task) -> Iterator[CrmPage]:
    """Pages from the task's cursor `{at, newest, page}` on."""
    plan = task.spec.rest
    if plan is None:
        raise CrmRefusedError("The connection does not say which path is read.")
    since, newest = cursor_time(task.cursor), cursor_time(task.cursor, "newest")
    began_at = utc_now()
    size = task.page_size or _PAGE
    page = task.cursor.get("page")
    while True:
        answer = _ask(client, plan, _Wish(since, page, size))
        items = _items(answer, plan)
        records = [record_of(item, plan) for item in items]
        # A record of the future must not keep those of the present from being read.
        times = [record.modified for record in records if record.modified is not None and record.modified <= began_at]
        newest = max([*times, *([newest] if newest is not None else [])], default=None)
        following = _next_page(answer, plan, page, len(items), size)
        if following is None:
            done = max([moment for moment in (since, newest) if moment is not None], default=None)
            yield CrmPage(records, {} if done is None else {"at": format_time(done)}, is_last=True)
            return
        if following == page:
            raise CrmRefusedError("The CRM's pages lead in a circle.")
        page = following
        yield CrmPage(records, _cursor(since, newest, page))


class _Wish:
    """One page that is wanted."""

    __slots__ = ("page", "since", "size")

    def __init__(self, since: datetime | None, page: Any, size: int) -> None:
        self.since, self.page, self.size = since, page, size


def _cursor(since: datetime | None, newest: datetime | None, page: Any) -> dict[str, Any]:
    times = {"at": since, "newest": newest}
    return {"page": page, **{name: format_time(at) for name, at in times.items() if at is not None}}


def _ask(client: CrmClient, plan: RestPlan, wish: _Wish) -> Answer:
    if plan.paging in {"link", "next_url"} and isinstance(wish.page, str):
        return client.follow(wish.page)
    params: dict[str, Any] = dict(plan.params)
    if plan.since_param and wish.since is not None:
        params[plan.since_param] = _moment(wish.since, plan.since_format)
    if plan.size_param:
        params[plan.size_param] = wish.size
    name = plan.page_param or _PAGE_NAMES.get(plan.paging, "")
    if name and wish.page is not None:
        params[name] = wish.page
    elif name and plan.paging in {"page", "offset"}:
        params[name] = 1 if plan.paging == "page" else 0
    return client.get(plan.path, params)


def _moment(at: datetime, form: str) -> str:
    if form == "iso":
        return format_time(at)
    return str(int(at.timestamp() * (1000 if form == "milliseconds" else 1)))


def _items(answer: Answer, plan: RestPlan) -> list[Any]:
    items = find_value(answer.body, plan.items) if plan.items else answer.body
    if not isinstance(items, list):
        raise CrmRefusedError("The CRM's answer has no list of records where the connection says (`rest.items`).")
    return items


def record_of(item: Any, plan: RestPlan | None) -> CrmRecord:
    """One record of an answer."""
    plan = plan or RestPlan("")
    moment = read_moment(find_value(item, plan.modified)) if plan.modified else None
    return CrmRecord(read_id(find_value(item, plan.id)), moment, item)


def _next_page(answer: Answer, plan: RestPlan, page: Any, count: int, size: int) -> Any:
    """Where it goes on, None at the end."""
    if plan.paging == "link":
        found = _NEXT.search(answer.headers.get("link", ""))
        return found.group(1) if found else None
    if plan.paging in {"cursor", "next_url"}:
        following = find_value(answer.body, plan.next)
        is_text = isinstance(following, (str, int)) and not isinstance(following, bool)
        return following if is_text and following != "" else None
    is_last = count == 0 or (bool(plan.size_param) and count < size)
    if plan.paging == "none" or is_last:
        return None
    if plan.paging == "page":
        return (page or 1) + 1
    return (page or 0) + count
