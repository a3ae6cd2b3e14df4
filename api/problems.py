"""Every error as a problem document of RFC 9457: says which field does not fit, never repeats what was sent."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.answers import ProblemAnswer
from core.errors import ConstIntelError, InvalidInputError, UnavailableError

_CODES = {404: "not_found", 405: "method_not_allowed", 500: "internal_error"}
# A field name comes from the sender: only what looks like a name is repeated.
_FIELD_NAME = re.compile(r"[A-Za-z_$][\w$-]{0,63}")
_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "datetime_parsing": "must be an RFC 3339 time",
    "datetime_from_date_parsing": "must be an RFC 3339 time",
}


def request_id_of(request: Request) -> str:
    """The id that this request got at the door."""
    return str(request.scope.get("request_id", ""))


def problem_document(error: ConstIntelError, request_id: str) -> dict[str, Any]:
    """The problem document of one of our errors."""
    field = error.field or ("body" if isinstance(error, InvalidInputError) else None)
    errors = [{"field": field, "message": error.detail.removeprefix(f"{field}: ")}] if field is not None else []
    return {**_document(error.status, error.code, error.detail, errors, request_id), **error.extensions}


def problem_answer(error: ConstIntelError, request_id: str) -> ProblemAnswer:
    """The HTTP answer for one of our errors, with the headers that its status asks for."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="constintel"'
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = str(error.retry_after)
    return ProblemAnswer(problem_document(error, request_id), error.status, headers)


def internal_problem(request_id: str) -> ProblemAnswer:
    """The answer to an unexpected error: nothing but the request id, by which the log has the rest."""
    detail = "Something went wrong on our side; the request id finds it in the log."
    return ProblemAnswer(_document(500, _CODES[500], detail, [], request_id), 500)


def add_problem_handlers(app: FastAPI) -> None:
    """Render every expected error of `app`; unexpected ones are caught at the door."""
    app.add_exception_handler(ConstIntelError, _on_own_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_own_error(request: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, ConstIntelError)  # noqa: S101 (registered for this type)
    return problem_answer(error, request_id_of(request))


async def _on_validation_error(request: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this type)
    errors = [{"field": _field_path(item["loc"]), "message": _message(item)} for item in error.errors()]
    first = errors[0]
    detail = f"{first['field']}: {first['message']}"
    document = _document(InvalidInputError.status, InvalidInputError.code, detail, errors, request_id_of(request))
    return ProblemAnswer(document, InvalidInputError.status)


async def _on_http_error(request: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this type)
    status = error.status_code
    detail = {
        404: "There is nothing at this address.",
        405: "This address does not take this method.",
    }.get(status, HTTPStatus(status).phrase)
    code = _CODES.get(status, HTTPStatus(status).name.lower())
    return ProblemAnswer(_document(status, code, detail, [], request_id_of(request)), status, dict(error.headers or {}))


def _document(status: int, code: str, detail: str, errors: list[dict[str, Any]], request_id: str) -> dict[str, Any]:
    return {
        "type": f"urn:constintel:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:constintel:request:{request_id}",
        "code": code,
        "request_id": request_id,
        "errors": errors,
    }


def _field_path(location: Sequence[Any]) -> str:
    """`("body", "profile_ids", 0)` as `profile_ids[0]`; names that look like content are left out."""
    path = ""
    for part in location[1:] if location and location[0] in {"body", "query", "path", "header"} else location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            name = part if _FIELD_NAME.fullmatch(str(part)) else "(unnamed)"
            path += f".{name}" if path else str(name)
    return path or "body"


def _message(item: dict[str, Any]) -> str:
    kind = str(item["type"])
    limits = item.get("ctx") or {}
    if kind in _MESSAGES:
        return _MESSAGES[kind]
    if kind in {"greater_than_equal", "less_than_equal"}:
        return (
            f"must be {'at least' if kind == 'greater_than_equal' else 'at most'} {limits.get('ge', limits.get('le'))}"
        )
    if kind in {"too_short", "string_too_short", "too_long", "string_too_long"}:
        bound = limits.get("min_length", limits.get("max_length"))
        return f"is too {'short' if 'short' in kind else 'long'}: the limit is {bound}"
    if kind in {"literal_error", "enum"}:
        return f"must be one of {limits.get('expected')}"
    return "does not fit"
