"""Reads and writes about suggestions: what a brand set, the profiles that are compared, the proposals by weight."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import EARLIEST
from core.errors import InvalidInputError, NotFoundError
from core.paging import decode_rank_cursor, encode_rank_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import PENDING, REVIEW_STATUSES
from graph.repositories.traits import chosen_traits
from graph.values import LAST_ID, parse_json, to_time, to_time_text

CONTACT_TYPES = ("email", "phone")
LEAST_WEIGHT, MOST_WEIGHT = -100.0, 1_000.0
_PAGE = 1_000

Side = tuple[str, bool]
"""A persona's id, and whether the whole live profile of it is meant."""


@dataclass(frozen=True, slots=True)
class ComparedProfile:
    """What is compared of one profile: its chosen traits and the contacts that it does not share."""

    id: str
    traits: dict[str, Any]
    emails: tuple[str, ...]
    phones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuggestionFilter:
    """What a page of suggestions is limited to; `blocking_rule` by name."""

    status: str | None = PENDING
    profile_id: str | None = None
    blocking_rule: str | None = None
    min_weight: float | None = None

    def check(self) -> "SuggestionFilter":
        """Itself; raises InvalidInputError naming what is no status."""
        if self.status is not None and self.status not in REVIEW_STATUSES:
            raise InvalidInputError(f"status must be one of: {', '.join(REVIEW_STATUSES)}.", field="status")
        return self


def read_stored_settings(graph: Graph, brand: str) -> dict[str, Any]:
    """What the brand set, None where it set nothing; raises NotFoundError."""
    rows = graph.read("suggestions/get_settings", brand=brand)
    if not rows:
        raise NotFoundError("No such brand.")
    return rows[0]


def store_settings(graph: Graph, brand: str, settings: Mapping[str, Any]) -> None:
    """Replace what the brand set; raises NotFoundError."""
    if not graph.write("suggestions/set_settings", brand=brand, settings=dict(settings)):
        raise NotFoundError("No such brand.")


def scheduled_brands(graph: Graph, now: datetime) -> list[str]:
    """Brands whose next run by schedule is due."""
    return [row["brand"] for row in graph.read("suggestions/list_scheduled", now=now)]


def count_profiles(graph: Graph, brand: str) -> int:
    """How many live profiles the brand has."""
    return int(graph.read("suggestions/count_profiles", brand=brand)[0]["profiles"])


def page_profiles(graph: Graph, brand: str, names: Sequence[str]) -> Iterator[list[ComparedProfile]]:
    """All live profiles with the traits of these names, page by page; one page at a time is in memory."""
    strategies = _strategies(graph, brand)
    after: tuple[datetime, str] = (EARLIEST, "")
    while rows := graph.read(
        "suggestions/list_profiles",
        brand=brand, names=list(names), types=list(CONTACT_TYPES), after_at=after[0], after_id=after[1], limit=_PAGE,
    ):  # fmt: skip
        yield [_compared(row, strategies) for row in rows]
        after = (to_time(rows[-1]["created_at"]) or EARLIEST, rows[-1]["id"])


def read_profiles(graph: Graph, brand: str, names: Sequence[str], sides: Iterable[Side]) -> dict[Side, ComparedProfile]:
    """What is compared today of these profiles or single personas; those that are gone are left out."""
    wanted = sorted(set(sides))
    if not wanted:
        return {}
    strategies = _strategies(graph, brand)
    rows = graph.read(
        "suggestions/read_profiles",
        brand=brand, names=list(names), types=list(CONTACT_TYPES), sides=[list(side) for side in wanted],
    )  # fmt: skip
    return {(row["id"], row["is_whole"]): _compared(row, strategies) for row in rows}


def _strategies(graph: Graph, brand: str) -> str | None:
    rows = graph.read("brands/get_trait_strategies", brand=brand)
    return rows[0]["strategies"] if rows else None


def _compared(row: Mapping[str, Any], strategies: str | None) -> ComparedProfile:
    emails, phones = (tuple(value for kind, value in row["contacts"] if kind == wanted) for wanted in CONTACT_TYPES)
    return ComparedProfile(row["id"], chosen_traits(row["traits"], strategies), emails, phones)


def list_suggestions(graph: Graph, brand: str, page: Page, where: SuggestionFilter) -> dict[str, Any]:
    """One page of suggestions, the likeliest first: {items, next_cursor}; values are not among them."""
    where = where.check()
    cursor = decode_rank_cursor(page.cursor) or (MOST_WEIGHT, LAST_ID)
    params: dict[str, Any] = {
        "brand": brand,
        "statuses": list(REVIEW_STATUSES) if where.status is None else [where.status],
        "blocking_rule": where.blocking_rule,
        "min_weight": LEAST_WEIGHT if where.min_weight is None else where.min_weight,
        "before_weight": cursor[0],
        "before_id": cursor[1],
        "limit": page.size + 1,
    }
    if where.profile_id is None:
        rows = graph.read("suggestions/list_suggestions", **params)
    else:
        rows = graph.read("suggestions/list_suggestions_of_profile", **params, profile_id=where.profile_id)
    after = None
    if len(rows) > page.size:
        last = rows[page.size - 1]["review"]
        after = encode_rank_cursor(float(last["match_weight"]), last["id"])
    return {"items": [_item(row) for row in rows[: page.size]], "next_cursor": after}


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored suggestion; while it waits it is about the live profiles of now, later about those it was made of."""
    stored = row["review"]
    roots = {profile["id"]: profile["root_id"] for profile in row["profiles"]}
    is_pending = stored["status"] == PENDING
    sides = [stored["left_id"], stored["right_id"]]
    left, right = ((roots.get(side, side) if is_pending else side) for side in sides)
    return {
        "id": stored["id"],
        "status": stored["status"],
        "left_id": left,
        "right_id": right,
        "match_weight": round(float(stored["match_weight"]), 2),
        "match_probability": round(float(stored["match_probability"]), 6),
        "starting_weight": round(float(stored["starting_weight"]), 2),
        "comparison": parse_json(stored["comparison"], []),
        "blocking_rule": stored["blocking_rule"],
        "rules": list(stored["rules"]),
        "job_id": stored["run_id"],
        "created_at": to_time_text(stored["created_at"]),
        "decided_at": to_time_text(stored.get("decided_at")),
        "decided_by": stored.get("decided_by"),
        "merge_id": stored.get("merge_id"),
        "survivor_id": stored.get("survivor_id"),
        "note": stored.get("note"),
    }
