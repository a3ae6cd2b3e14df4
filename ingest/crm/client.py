"""Talks to a CRM: checked addresses, one token at a time, the CRM's own pace, bounded patience.

What a moment may heal is tried again here; a longer wait is the caller's (`ComeAgainError`), a refusal is final.
"""

import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Self

import httpx

from core.clock import utc_now
from core.errors import InvalidInputError
from core.settings import Settings
from core.strict_json import parse_json
from ingest.changes.addresses import AddressRefusedError, look_up_target
from ingest.crm.answers import Answer, Call, ComeAgainError, CrmRefusedError, refusal
from ingest.crm.tokens import TokenKeeper

_AGENT = "ConstIntel-CRM/1.0"
_MAX_BYTES = 64 * 1024 * 1024
_TRIES = 4
_SHORT_SECONDS = 5.0
_FIRST_PAUSE = 0.25
_LONGEST_WAIT = 24 * 3600.0
_LIMIT_PAUSE = 60.0
_MAX_DIGITS = 7
_UNAUTHORIZED, _TIMEOUT, _TOO_MANY, _SERVER_ERROR, _OK = 401, 408, 429, 500, range(200, 300)


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient calls are, and whether they may stay inside the network."""

    timeout_seconds: float = 30.0
    allow_private: bool = False


def policy_from(settings: Settings) -> Policy:
    """What the installation's settings say."""
    return Policy(settings.crm_timeout_seconds, settings.crm_private_addresses)


class CrmClient:
    """Calls of one connection; `before` is called before each request and each wait, so that a lease is kept."""

    def __init__(
        self, tokens: TokenKeeper, policy: Policy, *, rate: float, before: Callable[[], None] | None = None
    ) -> None:
        self._tokens = tokens
        self._policy = policy
        self._interval = 1.0 / rate
        self._next_at = 0.0
        self._before = before or (lambda: None)
        # Proxies of the machine would lead around the check of addresses.
        self._http = httpx.Client(
            trust_env=False, follow_redirects=False, verify=_tls(), timeout=policy.timeout_seconds
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """Ask below the connection's address."""
        return self._ask(lambda base: Call("GET", _below(base, path), params or {}, _headers(headers)))

    def post(self, path: str, body: Any) -> Answer:
        """Send JSON below the connection's address, to read by it."""
        return self._ask(lambda base: Call("POST", _below(base, path), json=body))

    def change(self, method: str, path: str, body: Any) -> Answer:
        """Send JSON below the connection's address to change something; it may be sent twice."""
        return self._ask(lambda base: Call(method, _below(base, path), json=body), needs_json=False)

    def follow(self, link: str, **headers: str) -> Answer:
        """Ask where the CRM says that it goes on; only at the same server, for the token goes along."""
        return self._ask(lambda base: Call("GET", _same_server(base, link), headers=_headers(headers)))

    def _ask(self, build: Callable[[str], Call], *, needs_json: bool = True) -> Answer:
        was_renewed = False
        for attempt in range(_TRIES):
            try:
                base, headers = self._tokens.access(self._send)
                call = build(base)
                answer = self._send(replace(call, headers={**call.headers, **headers}))
            except (httpx.HTTPError, OSError, TimeoutError) as error:
                self._pause(None, attempt, f"no answer ({type(error).__name__})")
                continue
            except httpx.InvalidURL as error:
                raise CrmRefusedError("The CRM's address is none.") from error
            if answer.status in _OK and (answer.is_json or not needs_json):
                return answer
            if answer.status == _UNAUTHORIZED and not was_renewed and self._tokens.renew():
                was_renewed = True
            elif _may_pass(answer):
                self._pause(_wished_pause(answer), attempt, _reason(answer))
            else:
                raise refusal(answer.status, answer.body)
        raise ComeAgainError(None, "it does not answer as it should")

    def _pause(self, wished: float | None, attempt: int, reason: str) -> None:
        """Wait a moment in place; raises ComeAgainError for longer waits and after the last try."""
        jittered = _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 (spreads load, hides nothing)
        pause = jittered if wished is None else wished
        if pause > _SHORT_SECONDS or attempt == _TRIES - 1:
            raise ComeAgainError(wished, reason)
        self._before()
        time.sleep(pause)

    def _send(self, call: Call) -> Answer:
        """One request, answered in bounded time and size."""
        self._before()
        self._keep_pace()
        deadline = time.monotonic() + self._policy.timeout_seconds
        url = call.url.copy_merge_params({name: str(value) for name, value in call.params.items()})
        try:
            target = look_up_target(str(url), allow_private=self._policy.allow_private)
        except AddressRefusedError as error:
            raise CrmRefusedError("The CRM's address leads to a private network.") from error
        except socket.gaierror as error:
            raise ConnectionError from error
        with self._http.stream(
            call.method,
            target.url,
            headers={"user-agent": _AGENT, "accept": "application/json", **call.headers, "host": target.host_header},
            json=call.json,
            data=call.form,
            extensions={"sni_hostname": target.server_name},
        ) as answer:
            body = bytearray()
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > _MAX_BYTES:
                    raise CrmRefusedError("The CRM's pages are too large: ask for smaller ones (`page_size`).")
                if time.monotonic() > deadline:
                    raise TimeoutError
            return _answer(answer, bytes(body))

    def _keep_pace(self) -> None:
        now = time.monotonic()
        if self._next_at > now:
            time.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + self._interval


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _headers(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


def _below(base: str, path: str) -> httpx.URL:
    return httpx.URL(f"{base.rstrip('/')}/{path.lstrip('/')}")


def _same_server(base: str, link: str) -> httpx.URL:
    root = httpx.URL(base)
    try:
        url = root.join(link)
    except (httpx.InvalidURL, ValueError) as error:
        raise CrmRefusedError("The CRM's link to its next page is none.") from error
    if (url.scheme, url.host, url.port) != (root.scheme, root.host, root.port):
        raise CrmRefusedError("The CRM's link to its next page leads to another server.")
    return url


def _answer(answer: httpx.Response, body: bytes) -> Answer:
    try:
        parsed, is_json = (parse_json(body), True) if body else (None, False)
    except InvalidInputError:
        parsed, is_json = None, False
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status_code, headers, parsed, is_json)


def _may_pass(answer: Answer) -> bool:
    """Whether the same request may be answered later: overload, failures of the server, a page cut short."""
    status = answer.status
    is_limit = "REQUEST_LIMIT_EXCEEDED" in refusal(status, answer.body).code
    return status in {_TIMEOUT, _TOO_MANY} or status >= _SERVER_ERROR or status in _OK or is_limit


def _reason(answer: Answer) -> str:
    return "its answer is no JSON" if answer.status in _OK else f"it answered {answer.status}"


def _wished_pause(answer: Answer) -> float | None:
    """Seconds that the CRM asks for, by number or date; a minute when it only says that its limit is reached."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return min(float(text), _LONGEST_WAIT)
    if text:
        try:
            until = parsedate_to_datetime(text)
            return min(max(0.0, (until - utc_now()).total_seconds()), _LONGEST_WAIT)
        except (ValueError, TypeError):
            pass
    is_limit = answer.status == _TOO_MANY or (answer.status not in _OK and answer.status < _SERVER_ERROR)
    return _LIMIT_PAUSE if is_limit else None
