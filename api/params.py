"""Query parameters that several routers share, as FastAPI dependencies."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from core.clock import parse_time
from core.errors import InvalidInputError
from core.paging import DEFAULT_LIMIT, MAX_LIMIT
from graph.repositories.profiles import Page


async def read_page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items of one page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Page:
    """Where a list goes on."""
    return Page(limit, cursor)


def read_moment(text: str | None, field: str) -> datetime | None:
    """An RFC 3339 time of a query parameter, None without one; raises InvalidInputError naming `field`."""
    if text is None:
        return None
    value = parse_time(text)
    if value is None:
        raise InvalidInputError(f"{field}: must be an RFC 3339 time.", field=field)
    return value


PageDep = Annotated[Page, Depends(read_page)]
