"""The problem document that every error answers with."""

from api.schemas.base import Shape, example


class FieldProblem(Shape):
    """One field that does not fit; what was sent is never repeated."""

    field: str
    message: str


class Problem(Shape):
    """RFC 9457 problem document with the request id and the fields that do not fit."""

    model_config = example({
        "type": "urn:constintel:problem:invalid_input",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "type: is missing",
        "instance": "urn:constintel:request:0f9c2b7d5e1a4c3b8d6e7f90",
        "code": "invalid_input",
        "request_id": "0f9c2b7d5e1a4c3b8d6e7f90",
        "errors": [{"field": "type", "message": "is missing"}],
    })  # fmt: skip

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem]
