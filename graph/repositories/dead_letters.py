"""Dead letters: messages that were answered as received but could not become events, kept until somebody looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from core.errors import ConstIntelError
from core.strict_json import canonical_json, to_json
from graph.driver import Graph

_ID_BYTES = 16
_MOST_CHARACTERS = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message and why it was refused; `item` is the message as parsed."""

    way: str
    item: Any
    error: ConstIntelError
    received_at: datetime


def keep_letters(graph: Graph, brand: str, letters: Sequence[DeadLetter]) -> None:
    """Store `letters`; the same message sent again is the same letter, counted once more."""
    # In order of their ids: two requests with the same letters must not wait for each other.
    rows = sorted((_row(brand, letter) for letter in letters), key=lambda row: str(row["id"]))
    graph.write("dead_letters/keep_letters", brand=brand, letters=rows)


def list_letters(graph: Graph, brand: str, limit: int) -> list[dict[str, Any]]:
    """The newest letters of a brand: id, way, code, field, detail, body (JSON text), count and times."""
    return [row["letter"] for row in graph.read("dead_letters/list_letters", brand=brand, limit=limit)]


def _row(brand: str, letter: DeadLetter) -> dict[str, Any]:
    name = canonical_json([brand, letter.way, letter.item])
    return {
        "id": f"dead_{blake2b(name, digest_size=_ID_BYTES).hexdigest()}",
        "way": letter.way,
        "code": letter.error.code,
        "field": letter.error.field,
        "detail": letter.error.detail,
        "body": to_json(letter.item)[:_MOST_CHARACTERS],
        "received_at": letter.received_at,
    }
