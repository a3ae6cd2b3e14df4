"""`Idempotency-Key` on POSTs that create or command: the first run's answer is kept and given again.

409 while the first run is under way, 422 when the key comes with another body; failures that a retry may heal (5xx,
429) are not kept.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from api.answers import JsonAnswer, ProblemAnswer
from api.bodies import ParsedRequest
from api.problems import problem_document, request_id_of
from api.routes import caller_of
from api.wiring import Services, services_of
from brands.directory import Caller
from core.clock import utc_now
from core.errors import ConflictError, ConstIntelError, InvalidInputError
from core.sealing import BrokenSealError, Sealer
from graph.repositories.idempotency import Claim, ClaimState, abandon_request, begin_request, finish_request

_FIELD = "Idempotency-Key"
_MAX_KEY = 255
_LEASE = timedelta(seconds=60)
_KEPT = timedelta(hours=48)
_ANSWER = "answer to a command"
_REPLAYED = {"Idempotent-Replayed": "true"}

Work = Callable[[], Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """One POST that changes something: who asks, with which idempotency key, over which body."""

    services: Services
    caller: Caller
    request_id: str
    key: str | None
    body_hash: str
    seal_key: bytes
    loop: asyncio.AbstractEventLoop

    @property
    def actor(self) -> str:
        """Who decided, as history keeps it: the key's id, never its secret."""
        return f"key:{self.caller.key_id}"

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the app's event loop from the thread of a command and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def run(self, work: Work, *, status: int = 200, is_secret: bool = False) -> Response:
        """Answer with what `work` gives, once per idempotency key; `is_secret` keeps the answer sealed.

        A sealed answer opens only with the API key of the first request, which the graph does not hold.
        """
        if self.key is None:
            return JsonAnswer(work(), status)
        claim = self._claim()
        now = utc_now()
        graph = self.services.graph
        state = begin_request(graph, claim, now=now, lease_until=now + _LEASE, oldest=now - _KEPT)
        if not state.is_owned:
            return self._replay(state, is_secret=is_secret)
        is_settled = False
        try:
            answer = self._answer(work, status)
            kept = bytes(answer.body)
            finish_request(
                graph, claim, status=answer.status_code, answer=_seal(kept, self.seal_key) if is_secret else kept
            )
            is_settled = True
            return answer
        finally:
            if not is_settled:
                abandon_request(graph, claim)

    def _answer(self, work: Work, status: int) -> JsonAnswer:
        try:
            return JsonAnswer(work(), status)
        except ConstIntelError as error:
            if error.is_retryable or error.status >= 500:  # noqa: PLR2004 (the class of HTTP statuses)
                raise
            return ProblemAnswer(problem_document(error, self.request_id), error.status)

    def _replay(self, state: ClaimState, *, is_secret: bool) -> Response:
        if not state.is_same_body:
            raise InvalidInputError("This key was used with another request.", field=_FIELD)
        if state.answer is None or state.status is None:
            raise ConflictError("The first request with this key is still running.", field=_FIELD)
        body = _unseal(state.answer, self.seal_key) if is_secret else state.answer
        kind = JsonAnswer if state.status < 400 else ProblemAnswer  # noqa: PLR2004 (the class of HTTP statuses)
        return kind(body, state.status, _REPLAYED)

    def _claim(self) -> Claim:
        name = f"{self.caller.brand}|{self.key}"
        return Claim(
            key=hashlib.sha256(name.encode()).hexdigest(),
            brand=self.caller.brand,
            op=secrets.token_hex(16),
            body_hash=self.body_hash,
        )


async def read_command(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Repeats of a request with the same key get the first answer, for 48 hours.")
    ] = None,
) -> Command:
    """The command that a request gives; raises InvalidInputError for a key that is no key."""
    if idempotency_key is not None and not (
        0 < len(idempotency_key) <= _MAX_KEY and idempotency_key.isascii() and idempotency_key.isprintable()
    ):
        raise InvalidInputError(f"A key has 1 to {_MAX_KEY} printable ASCII characters.", field=_FIELD)
    body = await request.body() if isinstance(request, ParsedRequest) else b""
    digest = hashlib.sha256(request.method.encode() + b" " + request.url.path.encode() + b"\n" + body)
    return Command(
        services=services_of(request),
        caller=caller_of(request),
        request_id=request_id_of(request),
        key=idempotency_key,
        body_hash=digest.hexdigest(),
        loop=asyncio.get_running_loop(),
        seal_key=b"|".join(
            value for name, value in request.scope["headers"] if name in {b"authorization", b"x-api-key"}
        ),
    )


def _seal(plain: bytes, key: bytes) -> bytes:
    """Hide `plain` from whoever reads the graph: it opens with `key` only."""
    return Sealer(key).seal(plain.decode(), _ANSWER).encode()


def _unseal(sealed: bytes, key: bytes) -> bytes:
    """What `_seal` hid; raises ConflictError when `key` is another one."""
    try:
        return Sealer(key).open(sealed.decode(errors="replace"), _ANSWER).encode()
    except BrokenSealError as error:
        raise ConflictError(
            "The answer of this key opens only with the API key of the first request.", field=_FIELD
        ) from error


CommandDep = Annotated[Command, Depends(read_command)]
