"""The words of the change feed: what happened to identities, as the transaction notes it and every reader gets it."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec
import msgspec.structs

from core.errors import GoneError, InvalidInputError

# One entry names at most so many personas; a longer list goes on in further entries.
MAX_MOVES = 100
_MAX_DIGITS = 18


class ChangeKind(StrEnum):
    """What can happen to an identity."""

    CREATED = "created"
    MERGED = "merged"
    UNMERGED = "unmerged"
    RETRACTED = "retracted"
    """Weak evidence no longer holds some personas together."""
    REVIEW_OPENED = "review_opened"
    REVIEW_SETTLED = "review_settled"
    SHARED = "shared"
    """Too many people use an identifier: it no longer links."""
    LINKED = "linked"
    UNLINKED = "unlinked"


class Change(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that happened; ids, types and names of rules only, nothing personal."""

    kind: ChangeKind
    profile_id: str | None = None
    """The live profile that it leaves, at that time."""
    moves: tuple[tuple[str, str], ...] = ()
    """(old id, live id): what was filed under the old id belongs to the live one from then on."""
    profile_ids: tuple[str, ...] = ()
    merge_id: str | None = None
    review_id: str | None = None
    event_id: str | None = None
    reason: str | None = None
    rules: tuple[str, ...] = ()
    identifier_types: tuple[str, ...] = ()
    status: str | None = None
    superseded_by: str | None = None
    part: int | None = None
    """Place among the entries of one cause that names too many personas for one."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Change])


def encode_changes(changes: Sequence[Change]) -> str:
    """Changes as the JSON text of a mark."""
    return _encoder.encode(changes).decode()


def decode_changes(text: str) -> list[Change]:
    """What `encode_changes` wrote."""
    return _decoder.decode(text)


def split_moves(change: Change) -> Iterator[Change]:
    """The change itself, or several of the same cause when it moves more personas than one entry may name."""
    if len(change.moves) <= MAX_MOVES:
        yield change
        return
    for part, start in enumerate(range(0, len(change.moves), MAX_MOVES), 1):
        yield msgspec.structs.replace(change, moves=change.moves[start : start + MAX_MOVES], part=part)


def parse_cursor(text: str, field: str = "cursor") -> int:
    """The running number that a cursor stands for; raises InvalidInputError for text that is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise InvalidInputError("cursor is not one that this service gave out.", field=field)
    return int(text)


def parse_kinds(names: Sequence[str], field: str = "kind") -> frozenset[str]:
    """Names of kinds; raises InvalidInputError naming `field` for one that there is not."""
    known = {kind.value for kind in ChangeKind}
    if not known.issuperset(names):
        raise InvalidInputError(f"Must be one of: {', '.join(sorted(known))}.", field=field)
    return frozenset(names)


class CursorExpiredError(GoneError):
    """The entries after this cursor were removed by retention; the oldest usable cursor is named."""

    code = "cursor_expired"

    def __init__(self, oldest: int, *, field: str | None = "cursor") -> None:
        super().__init__("Entries after this cursor were removed; go on from oldest_cursor, or list profiles anew.")
        self.field = field
        self.extensions = {"oldest_cursor": str(oldest)}
