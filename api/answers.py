"""JSON answers, encoded in one step: every router returns one of these."""

from typing import Any

import msgspec
from starlette.responses import Response

# Money is text already; a Decimal that remains comes from a payload and keeps its digits.
_encoder = msgspec.json.Encoder(decimal_format="number")


class JsonAnswer(Response):
    """`content` (dicts, lists, dataclasses, aware datetimes, Decimals) as JSON bytes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The JSON bytes; ready-made bytes stay as they are."""
        return content if isinstance(content, bytes) else _encoder.encode(content)


class ProblemAnswer(JsonAnswer):
    """A problem document of RFC 9457."""

    media_type = "application/problem+json"
