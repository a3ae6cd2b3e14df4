"""One question to a CRM and what can come of it: an answer, come again later, or no."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from ingest.steps.fields import as_object

_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,80}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `headers` and `params` beside what the connection adds; `form` for token addresses, else JSON."""

    method: str
    url: httpx.URL
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (names in lower case), and the body as parsed, None when it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any
    is_json: bool


class ComeAgainError(Exception):
    """The CRM cannot be asked now; after `seconds` if it said so."""

    def __init__(self, seconds: float | None, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


class CrmRefusedError(Exception):
    """The CRM's answer is final; `detail` is for the brand to read and holds no values, `code` is the CRM's word.

    `status` is that of its answer, 0 where it was another thing that did not fit.
    """

    def __init__(self, detail: str, code: str = "", status: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status


def refusal(status: int, body: Any) -> CrmRefusedError:
    """The error of an answer, with the CRM's own code where it is a plain word; messages could hold anything."""
    first = body[0] if isinstance(body, list) and body else body
    fields = as_object(first)
    names = ("errorCode", "category", "error", "code")
    stated = next((value for name in names if isinstance(value := fields.get(name), str)), "")
    code = stated if _CODE.fullmatch(stated) else ""
    told = f" ({code})" if code else ""
    if status in {401, 403}:
        return CrmRefusedError(f"The CRM refused the credentials or what they ask for: {status}{told}.", code, status)
    return CrmRefusedError(f"The CRM answered {status}{told}.", code, status)
