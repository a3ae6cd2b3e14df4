"""What the doors of tracking libraries share: keys in all their places, browsers of other origins, taking messages."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.answers import JsonAnswer, ProblemAnswer
from api.auth import authenticate_key, guard_of
from api.bodies import read_body
from api.cors import for_origin
from api.problems import problem_answer, problem_document
from api.routers.events import settings_of
from api.routes import Handler, RawRoute, caller_of, check_room
from api.wiring import services_of
from core.clock import utc_now
from core.decisions import EventResult
from core.errors import (
    ConstIntelError,
    InvalidInputError,
    MalformedBodyError,
    PoisonedEventError,
    TooLargeError,
    UnauthorizedError,
)
from core.events import RawEvent
from core.identifiers import Trust
from core.strict_json import decompress, parse_json
from graph.repositories.dead_letters import DeadLetter, message_letter
from ingest.sources.tracking import KEY_FIELDS, Upload
from ingest.sources.webhook import parse_form
from ingest.steps.fields import as_object, read_time

MAX_MESSAGES = 2500
SECURITY: list[dict[str, list[str]]] = [{"write_key": []}, {"bearer": []}, {"api_key": []}]
_KEY_NAMES = ("writeKey", "write_key", "api_key", "token")
_FORM = b"data="
# Of one transaction: a larger request is taken in several, one after the other.
_PORTION = 500
_BODY = "tracked_body"

Parse = Callable[[Any], RawEvent]


class TrackingRoute(RawRoute):
    """A raw route that finds its key where tracking libraries put it, and answers pages of any origin.

    The key in the body means that the body is read before the caller is known; its limit holds all the same.
    """

    def _guarded(self, handler: Handler) -> Handler:
        limit = guard_of(self.endpoint).body_limit

        async def serve(request: Request) -> Response:
            try:
                check_room(request)
                text = _key_in_front(request)
                caller = await authenticate_key(request, text, "ingest") if text else None
                body = _parse(await read_body(request, limit), limit)
                request.scope[_BODY] = body
                request.scope["caller"] = caller or await authenticate_key(request, _key_in_body(body), "ingest")
                answer = await handler(request)
            except ConstIntelError as error:
                answer = _problem(error, request.scope["request_id"])
            return for_origin(request, answer)

        return serve


def body_of(request: Request) -> Any:
    """The parsed body that the route read for its key."""
    return request.scope[_BODY]


def upload_of(request: Request, sent_at: Any, context: dict[str, Any] | None = None) -> Upload:
    """What the messages of this request share; a sending time that is none is passed over."""
    try:
        sent = read_time(sent_at, "sentAt")
    except InvalidInputError:
        sent = None
    trust = Trust.DECLARED if caller_of(request).is_write_key else Trust.TRANSACTION
    return Upload(utc_now(), sent, trust.value, context or {})


async def take_messages(request: Request, way: str, messages: Sequence[Any], parse: Parse) -> dict[str, Any]:
    """Commit the events of `messages` in their order; one that does not fit is kept as a dead letter.

    Raises UnavailableError when anything could not be stored: libraries send everything again, which is harmless.
    """
    if len(messages) > MAX_MESSAGES:
        raise TooLargeError(f"batch: more than {MAX_MESSAGES} messages", field="batch")
    services, caller = services_of(request), caller_of(request)
    settings = await settings_of(services, caller.brand)
    outcomes: list[RawEvent | EventResult | ConstIntelError] = [_parsed(message, parse) for message in messages]
    if unread := sum(isinstance(outcome, ConstIntelError) for outcome in outcomes):
        services.ingest.meters.refused(way, unread)
    places = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, RawEvent)]
    for start in range(0, len(places), _PORTION):
        portion = places[start : start + _PORTION]
        raws = [raw for raw in (outcomes[place] for place in portion) if isinstance(raw, RawEvent)]
        for place, outcome in zip(portion, await services.ingest.take(settings, raws), strict=True):
            outcomes[place] = outcome
    now = utc_now()
    letters: list[DeadLetter] = []
    rejected = 0
    for message, result in zip(messages, outcomes, strict=True):
        if isinstance(result, ConstIntelError):
            if result.is_retryable:
                raise result
            rejected += 1
            if not isinstance(result, PoisonedEventError):
                letters.append(message_letter(caller.brand, way, _without_key(message), result, now))
    await services.ingest.keep_letters(letters)
    request_id = request.scope["request_id"]
    return {
        "accepted": len(messages) - rejected,
        "rejected": rejected,
        "results": [_result(outcome, request_id) for outcome in outcomes],
    }


def _parsed(message: Any, parse: Parse) -> RawEvent | ConstIntelError:
    try:
        return parse(message)
    except InvalidInputError as error:
        return error


def _without_key(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    kept = {name: value for name, value in message.items() if name not in KEY_FIELDS}
    properties = kept.get("properties")
    if isinstance(properties, dict):
        kept["properties"] = {name: value for name, value in properties.items() if name not in KEY_FIELDS}
    return kept


def _result(outcome: object, request_id: str) -> dict[str, Any]:
    """What a sender learns of one message: write keys are public, so nothing of whom it met."""
    if isinstance(outcome, EventResult):
        return {"event_id": outcome.event_id, "duplicate": outcome.duplicate, "warnings": outcome.warnings}
    assert isinstance(outcome, ConstIntelError)  # noqa: S101 (every event was taken or refused)
    return {"error": problem_document(outcome, request_id)}


def _key_in_front(request: Request) -> str | None:
    """The key in headers or query, None when there is none; raises UnauthorizedError for unknown schemes."""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.decode("latin-1").strip().partition(" ")
            key = _basic_user(rest.strip()) if kind.lower() == "basic" else rest.strip()
            if kind.lower() not in {"basic", "bearer"}:
                raise UnauthorizedError("Authorization is Basic with the write key as user name, or Bearer.")
            if key:
                return key
        elif name == b"x-api-key" and value:
            return str(value, "latin-1").strip()
    return next((request.query_params[name] for name in _KEY_NAMES if request.query_params.get(name)), None)


def _basic_user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("latin-1").partition(":")[0].strip()
    except binascii.Error as error:
        raise UnauthorizedError("The Basic credentials are not base64.") from error


def _key_in_body(body: Any) -> str:
    """The key among the fields of the body, or of its first event where a bare list or a page sends it."""
    first = body[0] if isinstance(body, list) and body else body
    for holder in (as_object(first), as_object(as_object(first).get("properties"))):
        for name in _KEY_NAMES:
            if isinstance(holder.get(name), str) and holder[name]:
                return str(holder[name])
    raise UnauthorizedError("Send the write key as Basic user name, as Bearer, or in the body.")


def _parse(body: bytes, limit: int) -> Any:
    """The JSON of a body; pages also send it as base64 in the form field `data`, packed or not."""
    if body.startswith(_FORM):
        encoded = parse_form(body).get("data", [""])[0].replace(" ", "+")
        try:
            body = decompress(base64.b64decode(encoded, validate=True), None, limit)
        except (binascii.Error, ValueError) as error:
            raise MalformedBodyError("the form field data is not base64") from error
    return parse_json(body)


def _problem(error: ConstIntelError, request_id: str) -> Response:
    """The problem, with the `message` that tracking libraries read."""
    headers = {
        name: value
        for name, value in problem_answer(error, request_id).headers.items()
        if name in {"www-authenticate", "retry-after"}
    }
    document = problem_document(error, request_id)
    return ProblemAnswer({**document, "message": error.detail}, error.status, headers)


def answer_of(first: dict[str, Any], taken: dict[str, Any]) -> JsonAnswer:
    """A 200 whose first fields are those that the libraries look for."""
    return JsonAnswer({**first, **taken})
