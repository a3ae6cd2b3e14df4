"""Problem documents name fields in the words of the sender's JSON and repeat no value."""

import asyncio
import json
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request

from api.problems import _on_validation_error, problem_answer, problem_document
from api.schemas.profiles import MergeCommand
from api.schemas.reviews import DecideCommand
from core.errors import (
    ConflictError,
    ConstIntelError,
    ForbiddenError,
    InvalidInputError,
    MalformedBodyError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("error", "status", "fields"),
    [
        (InvalidInputError("type: must be text", field="type"), 422, ["type"]),
        (MalformedBodyError("the body is not valid JSON"), 400, ["body"]),
        (TooLargeError("too long"), 413, ["body"]),
        (UnauthorizedError("no"), 401, []),
        (ForbiddenError("no"), 403, []),
        (NotFoundError("no"), 404, []),
        (ConflictError("no", field="id"), 409, ["id"]),
        (UnavailableError("no"), 503, []),
    ],
)
def test_each_error_is_a_problem_of_its_status(error: ConstIntelError, status: int, fields: list[str]) -> None:
    document = problem_document(error, "r-1")
    assert (document["status"], document["code"], document["request_id"]) == (status, error.code, "r-1")
    assert [entry["field"] for entry in document["errors"]] == fields


def test_the_message_does_not_repeat_the_field_name() -> None:
    document = problem_document(InvalidInputError("type: must be text", field="type"), "r-1")
    assert document["errors"] == [{"field": "type", "message": "must be text"}]


def test_statuses_that_want_headers_get_them() -> None:
    assert problem_answer(UnauthorizedError("no"), "r").headers["www-authenticate"].startswith("Bearer")
    assert problem_answer(UnavailableError("no", retry_after=7), "r").headers["retry-after"] == "7"


def validation_problem(model: Any, body: Any) -> RequestValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return RequestValidationError([{**entry, "loc": ("body", *entry["loc"])} for entry in caught.value.errors()])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"profile_ids": ["x", 4711]}, "profile_ids[1]"),
        ({"profile_ids": []}, "profile_ids"),
        ({"profile_ids": ["x"], "a@example.com": 1}, "(unnamed)"),
        ({"profile_ids": ["x"], "x" * 200: 1}, "(unnamed)"),
    ],
)
def test_fields_are_named_as_paths_and_odd_names_are_not_repeated(body: Any, field: str) -> None:
    request = Request({"type": "http", "request_id": "r-1"})
    answer = asyncio.run(_on_validation_error(request, validation_problem(MergeCommand, body)))
    assert [entry["field"] for entry in json.loads(bytes(answer.body))["errors"]] == [field]


def test_reason_and_note_are_the_same_field() -> None:
    assert DecideCommand.model_validate({"note": "n"}).reason == "n"
    assert DecideCommand.model_validate({"reason": "r"}).reason == "r"
