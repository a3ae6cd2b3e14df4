"""One decision about many reviews: started by a request, finished by it or by a worker, its progress read by anyone."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.bodies import BATCH_LIMIT
from api.idempotency import Command, CommandDep
from api.openapi import answers
from api.params import PageDep, read_moment
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.reviews import BulkCommand, BulkReviews, GroupNamed
from core.errors import InvalidInputError
from core.paging import MAX_LIMIT
from graph.repositories.profiles import Page
from graph.repositories.review_batches import BulkDecision, get_batch
from graph.repositories.reviews_read import REVIEW_RULES, Cause
from ingest.stewardship.bulk_reviews import reviews_of_cause, run_batch, start_batch

router = APIRouter(prefix="/api/reviews/bulk", tags=["reviews"], route_class=GuardedRoute)

# What is not decided by then a worker goes on with: no caller waits longer.
_REQUEST_SECONDS = 5.0


@router.post(
    "",
    summary="Decide many reviews",
    operation_id="decide_reviews",
    responses=answers(BulkReviews, 400, 401, 403, 409, 413, 422, 503),
)
@needs("admin", body_limit=BATCH_LIMIT)
def post_bulk(body: BulkCommand, command: CommandDep) -> Response:
    """Approve or reject each; one that cannot be decided never stops the rest. `state` says whether all are done."""
    if (body.review_ids is None) == (body.group is None):
        raise InvalidInputError("Name either review_ids or a group.", field="review_ids")
    graph = command.services.graph
    brand = command.services.directory.settings(command.caller.brand)
    request_key = None if command.key is None else f"{command.key}|{command.body_hash}"

    def work() -> dict[str, Any]:
        ids, left_out = _reviews_of(command, body)
        bulk = BulkDecision(body.decision, tuple(dict.fromkeys(ids)), command.actor, body.reason or "", left_out)
        batch_id = start_batch(graph, brand.id, bulk, request_key)
        run_batch(graph, brand, batch_id, seconds=_REQUEST_SECONDS)
        return get_batch(graph, brand.id, batch_id, Page(MAX_LIMIT))

    return command.run(work)


@router.get(
    "/{batch_id}",
    summary="Progress of a bulk decision",
    operation_id="get_bulk_decision",
    responses=answers(BulkReviews, 401, 403, 404, 422, 503),
)
@needs("read")
def read_bulk(batch_id: str, caller: CallerDep, services: ServicesDep, page: PageDep) -> Response:
    """How many are done with which outcome, and what happened to each; kept for 30 days."""
    return JsonAnswer(get_batch(services.graph, caller.brand, batch_id, page))


def _reviews_of(command: Command, body: BulkCommand) -> tuple[list[str], int]:
    """Ids of the reviews to decide, and how many of the group changed since it was shown."""
    if body.group is None:
        return body.review_ids or [], 0
    as_of = read_moment(body.group.as_of, "group.as_of")
    return reviews_of_cause(command.services.graph, command.caller.brand, _cause(body.group), as_of=as_of)


def _cause(group: GroupNamed) -> Cause:
    """Its identifiers are in normal form already: they come from the list of groups."""
    for place, rule in enumerate(group.rules):
        if rule not in REVIEW_RULES:
            raise InvalidInputError(f"Must be one of: {', '.join(REVIEW_RULES)}.", field=f"group.rules[{place}]")
    return Cause(tuple(group.identifiers), tuple(group.rules))
