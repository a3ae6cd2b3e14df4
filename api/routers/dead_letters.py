"""Dead letters: list, inspect, replay, discard; a replay goes through the door that the message came to."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import Command, CommandDep
from api.openapi import answers
from api.params import PageDep
from api.problems import problem_document
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.dead_letters import Discarded, Letter, LetterPage, LettersDone, LetterSelection, Replayed
from core.errors import ConstIntelError
from core.paging import check_limit
from graph.repositories.dead_letters import (
    LetterFilter,
    LetterState,
    count_letters,
    get_letter,
    list_letters,
    list_waiting_ids,
    read_replayable,
)
from ingest.letter_replay import Steward, discard_letter, replay_letter

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"], route_class=GuardedRoute)

_PROBLEMS = (400, 401, 403, 404, 409, 422, 503)
Act = Callable[[Steward, Command, str], dict[str, Any]]


@router.get(
    "", summary="Dead letters", operation_id="list_dead_letters", responses=answers(LetterPage, 401, 403, 422, 503)
)
@needs("read")
def read_letters(
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    state: Annotated[Literal["waiting", "replayed", "discarded", "all"], Query()] = "waiting",
    way: Annotated[str | None, Query(description="The door it came to, such as segment.")] = None,
    code: Annotated[str | None, Query(description="Why it was refused, such as invalid_input.")] = None,
) -> Response:
    """Messages that were received and could not become events, newest first."""
    wanted = LetterFilter(None if state == "all" else LetterState(state), way, code)
    return JsonAnswer(list_letters(services.graph, caller.brand, check_limit(page.limit), page.cursor, wanted))


@router.get(
    "/{letter_id}",
    summary="One dead letter with its message",
    operation_id="get_dead_letter",
    responses=answers(Letter, 401, 403, 404, 503),
)
@needs("read")
def read_letter(letter_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """The message as received and why it was refused."""
    return JsonAnswer(get_letter(services.graph, caller.brand, letter_id))


@router.post(
    "/replay",
    summary="Replay several dead letters",
    operation_id="replay_dead_letters",
    responses=answers(LettersDone, *_PROBLEMS),
)
@needs("admin")
def post_replays(body: LetterSelection, command: CommandDep) -> Response:
    """Replay up to 200 letters, the oldest first; each has its own result."""
    return command.run(lambda: _act_on_all(command, body, _replay))


@router.post(
    "/discard",
    summary="Discard several dead letters",
    operation_id="discard_dead_letters",
    responses=answers(LettersDone, *_PROBLEMS),
)
@needs("admin")
def post_discards(body: LetterSelection, command: CommandDep) -> Response:
    """Give up to 200 letters up, the oldest first; their messages are removed."""
    return command.run(lambda: _act_on_all(command, body, _discard))


@router.post(
    "/{letter_id}/replay",
    summary="Replay a dead letter",
    operation_id="replay_dead_letter",
    responses=answers(Replayed, *_PROBLEMS),
)
@needs("admin")
def post_replay(letter_id: str, command: CommandDep) -> Response:
    """Send the message through its door again; the letter is settled when it is taken, and waits on when not."""
    return command.run(lambda: _replay(_steward(command), command, letter_id))


@router.post(
    "/{letter_id}/discard",
    summary="Discard a dead letter",
    operation_id="discard_dead_letter",
    responses=answers(Discarded, *_PROBLEMS),
)
@needs("admin")
def post_discard(letter_id: str, command: CommandDep) -> Response:
    """Give the letter up; its message is removed, who did it and when is kept."""
    return command.run(lambda: _discard(_steward(command), command, letter_id))


def _steward(command: Command) -> Steward:
    services = command.services
    brand = services.directory.settings(command.caller.brand)
    return Steward(services.graph, services.ingest, brand, command.actor)


def _replay(steward: Steward, command: Command, letter_id: str) -> dict[str, Any]:
    letter = read_replayable(steward.graph, steward.brand.id, letter_id)
    outcome = command.wait_for(replay_letter(steward, letter))
    return {"id": letter_id, "state": LetterState.REPLAYED, "outcome": outcome}


def _discard(steward: Steward, _: Command, letter_id: str) -> dict[str, Any]:
    discard_letter(steward, letter_id)
    return {"id": letter_id, "state": LetterState.DISCARDED}


def _act_on_all(command: Command, body: LetterSelection, act: Act) -> dict[str, Any]:
    steward = _steward(command)
    ids = body.ids
    if ids is None:
        ids = list_waiting_ids(steward.graph, steward.brand.id, body.limit, LetterFilter(way=body.way, code=body.code))
    results: list[dict[str, Any]] = []
    for letter_id in dict.fromkeys(ids):
        try:
            results.append(act(steward, command, letter_id))
        except ConstIntelError as error:
            if error.is_retryable:
                raise
            results.append({"id": letter_id, "error": problem_document(error, command.request_id)})
    failed = sum("error" in result for result in results)
    return {
        "done": len(results) - failed,
        "failed": failed,
        "remaining": count_letters(steward.graph, steward.brand.id),
        "results": results,
    }
