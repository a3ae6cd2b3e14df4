"""What every webhook source shares: the request as received, the source's three functions, small readers."""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from core.brand import BrandSettings
from core.catalogue import Record
from core.errors import InvalidInputError, MalformedBodyError, UnauthorizedError
from core.events import RawEvent
from ingest.sources.signing import pos_digest
from ingest.steps.fields import read_text, refuse

MAX_FORM_FIELDS = 1000
TOLERANCE_SECONDS = 300
MOST_SIGNATURES = 20
_SIGNED_AT = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A delivery as it came in: header names in lower case, the raw body, the public address it was sent to."""

    headers: Mapping[str, str]
    body: bytes
    url: str
    now: datetime
    query: Mapping[str, str] = field(default_factory=dict)

    def header(self, *names: str) -> str:
        """The first of `names` that is there, else an empty text."""
        return next((self.headers[name] for name in names if name in self.headers), "")


@dataclass(frozen=True, slots=True)
class Unread:
    """One item of several in a delivery that is no event, and why; `item` is the item as parsed."""

    item: Any
    error: InvalidInputError


Read = RawEvent | Unread


def _nothing_else(request: WebhookRequest, settings: BrandSettings) -> list[Record]:
    return []


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of sender: proves a delivery, reads events and records out of it, and says why it read none."""

    name: str
    verify: Callable[[WebhookRequest, Sequence[str]], None]
    parse: Callable[[WebhookRequest, BrandSettings], Sequence[Read]]
    """Events in their order; raises InvalidInputError when the delivery as a whole does not fit."""
    ignored: Callable[[WebhookRequest], str | None]
    """Why a proven delivery holds nothing for us (a ping, a topic not read); None when it should hold something."""
    account: Callable[[WebhookRequest], str]
    """The shop domain or account that a delivery names, proven or not; empty without one."""
    topic: Callable[[WebhookRequest], str]
    """What a proven delivery is about, in the sender's words."""
    records: Callable[[WebhookRequest, BrandSettings], list[Record]] = _nothing_else
    """What a delivery tells beside events: products, stock, privacy requests."""


def check_signature(given: str, expected: Sequence[str]) -> None:
    """Compare in constant time against every live secret's signature; raises UnauthorizedError when none fits."""
    given_bytes = given.strip().encode("utf-8", "replace")
    fits = False
    for candidate in expected:
        fits |= hmac.compare_digest(given_bytes, candidate.encode())
    if not given_bytes or not fits:
        raise wrong_signature()


def check_timed_signature(header: str, request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check `t=<unix seconds>,v1=<hex>[,v1=…]` over time and raw body, five minutes either way.

    While a secret is changed over, senders sign with both: one that fits is enough. Raises UnauthorizedError.
    """
    parts = [part.strip().partition("=") for part in header.split(",", MOST_SIGNATURES)]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not _SIGNED_AT.fullmatch(times[0]):
        raise wrong_signature()
    check_age(request, int(times[0]))
    expected = [pos_digest(secret, times[0], request.body) for secret in secrets]
    given = [value.strip().encode("utf-8", "replace") for name, _, value in parts if name == "v1"]
    fits = False
    for signature in given:
        for candidate in expected:
            fits |= hmac.compare_digest(signature, candidate.encode())
    if not fits:
        raise wrong_signature()


def check_age(request: WebhookRequest, signed_at: float) -> None:
    """Refuse what was signed over five minutes ago or ahead: an old delivery played again, or a wrong clock."""
    if abs(request.now.timestamp() - signed_at) > TOLERANCE_SECONDS:
        raise wrong_signature()


def wrong_signature() -> UnauthorizedError:
    """The one answer to every failed check: it does not say what failed."""
    return UnauthorizedError("the signature is missing or does not fit")


def required_id(body: dict[str, Any], name: str, *, longest: int = 255) -> str:
    """An id that a source always sends, as text; raises InvalidInputError when it is missing."""
    value = read_text(body.get(name), name, longest=longest)
    if value is None:
        raise refuse(name, "missing")
    return value


def parse_form(body: bytes) -> dict[str, list[str]]:
    """A form body as name → values in order; raises MalformedBodyError when it is none."""
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError as error:
        raise MalformedBodyError("the body is not valid form data") from error
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    if any("\x00" in text for pair in fields for text in pair):
        raise MalformedBodyError("the body contains a NUL character")
    return form
