"""Reads live profiles out of the graph: by id, by identifier, as pages, with their merges."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.errors import InvalidInputError, NotFoundError
from core.identifiers import PRIORITY, Identifier, IdentifierType
from core.money import to_decimal_string
from core.normal_forms import Rejected, normalise
from core.paging import check_limit, decode_cursor, encode_cursor
from graph.driver import Graph
from graph.repositories.traits import chosen_traits
from graph.values import (
    LAST_ID,
    LATEST,
    group_identifiers,
    other_currencies,
    parse_json,
    to_time,
    to_time_text,
)

_MAX_QUERY = 200
# A search looks at this many identifiers of each type; whoever means one person types more of it.
_SEARCH_CANDIDATES = 500
_MAX_MERGES = 500
# A link that is drawn anew is there again within a transaction.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """What a page of profiles is limited to; `seen_from` inclusive, `seen_to` exclusive."""

    min_strength: int | None = None
    seen_from: datetime | None = None
    seen_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list goes on: how many items, after which cursor."""

    limit: int | None = None
    cursor: str | None = None

    def params(self) -> dict[str, Any]:
        """Query parameters `before_at`, `before_id` and `limit` (one more than asked: tells whether more follow)."""
        at, id_ = decode_cursor(self.cursor) or (LATEST, LAST_ID)
        return {"before_at": at, "before_id": id_, "limit": self.size + 1}

    @property
    def size(self) -> int:
        """Items of one page; raises InvalidInputError outside 1 to 200."""
        return check_limit(self.limit)


def get_profile(graph: Graph, brand: str, profile_id: str) -> dict[str, Any]:
    """The live profile that answers for `profile_id`; raises NotFoundError when it is unknown or of another brand."""
    found = _read_profiles(graph, brand, [profile_id])
    if profile_id not in found:
        raise NotFoundError("No such profile.")
    return found[profile_id]


def get_profiles(graph: Graph, brand: str, profile_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Live profiles by the id asked for, in one read; unknown ids are left out."""
    return _read_profiles(graph, brand, profile_ids)


def lookup_profile(graph: Graph, brand: BrandSettings, kind: str, value: str) -> dict[str, Any]:
    """The live profile that holds an identifier, however it is spelt; of several the strongest; or NotFoundError."""
    profile_id = find_profile_id(graph, brand, kind, value)
    if profile_id is None:
        raise NotFoundError("No profile has this identifier.")
    return get_profile(graph, brand.id, profile_id)


def find_profile_id(graph: Graph, brand: BrandSettings, kind: str, value: str) -> str | None:
    """Id of the live profile that holds the identifier, or None; raises InvalidInputError for an unknown type."""
    identifier = read_identifier(brand, kind, value)
    if identifier is None:
        return None
    rows: list[dict[str, Any]] = []
    for _ in range(_TRIES):
        rows = graph.read("profiles/find_owners", brand=brand.id, keys=[identifier.key(brand.id)])
        if not any(row["is_gone"] for row in rows):
            break
    there = [row for row in rows if not row["is_gone"]] or rows
    return there[0]["profile_id"] if there else None


def read_identifier(brand: BrandSettings, kind: str, value: str) -> Identifier | None:
    """The identifier meant by type and value in any spelling, None when the value can be none of that type.

    Raises InvalidInputError for an unknown type.
    """
    if kind not in PRIORITY:
        raise InvalidInputError(f"type must be one of: {', '.join(IdentifierType)}.", field="type")
    identifier = normalise(kind, value, brand)
    return None if isinstance(identifier, Rejected) else identifier


def list_profiles(
    graph: Graph, brand: BrandSettings, page: Page, where: ProfileFilter | None = None, query: str | None = None
) -> dict[str, Any]:
    """One page of live profiles, newest created first: {items, next_cursor}; `query` begins an identifier."""
    where = where or ProfileFilter()
    params = {
        "brand": brand.id, "min_strength": where.min_strength, "seen_from": where.seen_from, "seen_to": where.seen_to,
        **page.params(),
    }  # fmt: skip
    if query is not None and query.strip():
        rows = graph.read(
            "profiles/search_profiles", prefixes=search_prefixes(brand, query), candidates=_SEARCH_CANDIDATES, **params
        )
    else:
        rows = graph.read("profiles/list_profiles", **params)
    shown = rows[: page.size]
    found = _read_profiles(graph, brand.id, [row["id"] for row in shown])
    # A profile absorbed between the two reads is shown by its survivor, not here.
    items = [found[row["id"]] for row in shown if row["id"] in found and found[row["id"]]["answered_for"] is None]
    return {"items": items, "next_cursor": _next_cursor(rows, page.size)}


def search_prefixes(brand: BrandSettings, query: str) -> list[str]:
    """Beginnings of identifier keys that `query` may mean, for every type; raises InvalidInputError when too long."""
    text = query.strip()
    if len(text) > _MAX_QUERY:
        raise InvalidInputError(f"q must have at most {_MAX_QUERY} characters.", field="q")
    digits = "".join(c for c in text if c.isdigit())
    prefixes: set[str] = set()
    for kind in PRIORITY:
        exact = normalise(kind, text, brand)
        spellings = {None if isinstance(exact, Rejected) else exact.value}
        if kind in ("phone", "whatsapp"):
            # Half a number cannot be normalised; it is a beginning only when nothing but digits and marks is in it.
            spellings.add(f"+{digits}" if digits and not any(c.isalpha() for c in text) else None)
        elif kind in ("email", "upi_id"):
            spellings.add(text.lower())
        elif kind == "loyalty_id":
            spellings.add(text.upper())
        else:
            spellings.add(text)
        prefixes.update(Identifier(kind, spelling).key(brand.id) for spelling in spellings if spelling)
    return sorted(prefixes)


def list_merges(graph: Graph, brand: str, profile_id: str, before: datetime = LATEST) -> list[dict[str, Any]]:
    """All merges of the profile's cluster until `before`, newest first, reverted ones too; raises NotFoundError."""
    rows = graph.read("profiles/list_merges", brand=brand, id=profile_id, before_at=before, limit=_MAX_MERGES)
    if not rows:
        raise NotFoundError("No such profile.")
    return [_merge(stored) for stored in rows[0]["merges"]]


def _merge(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        "merge_id": stored["id"],
        "survivor_id": stored["survivor_id"],
        "absorbed_ids": list(stored["absorbed_ids"]),
        "reason": stored.get("reason"),
        "decided_by": stored.get("decided_by"),
        "at": to_time_text(stored["at"]),
        "identifiers": list(stored.get("identifiers") or ()),
        "before": [_snapshot(part) for part in parse_json(stored.get("before"), [])],
        "after": _snapshot(parse_json(stored.get("after"), {})),
        "reverted_at": to_time_text(stored.get("reverted_at")),
        "reverted_by": stored.get("reverted_by"),
        "revert_reason": stored.get("revert_reason"),
        "event_id": stored.get("event_id"),
        "rule_version": stored.get("rule_version"),
    }


def _snapshot(stored: Any) -> Any:
    """A snapshot with its times as text."""
    if not isinstance(stored, dict):
        return stored
    spans = {name: stored.get(name) for name in ("first_seen", "last_seen")}
    times = {name: to_time_text(at) for name, at in spans.items() if isinstance(at, int)}
    return {**stored, **times}


def _read_profiles(graph: Graph, brand: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Profiles in the contract's shape by the id asked for; unknown ids are left out."""
    if not ids:
        return {}
    rows = graph.read("profiles/get_profiles", brand=brand, ids=ids)
    return {
        row["asked_id"]: {
            **profile_card(row["asked_id"], row["profile"], row["personas"]),
            "identifiers": group_identifiers(row["identifiers"]),
        }
        for row in rows
    }


def profile_card(asked_id: str, stored: dict[str, Any], personas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A stored root and its personas in the shape of a profile, without identifiers."""
    currency = stored.get("currency") or "USD"
    others = other_currencies(stored.get("ltv_other"))
    personas = list(personas)
    return {
        "id": stored["id"],
        "brand": stored["brand"],
        "strength": stored.get("strength") or 0,
        "lifetime_value": to_decimal_string(stored.get("ltv_minor") or 0, currency),
        "currency": currency,
        "lifetime_value_other": {code: to_decimal_string(others[code], code) for code in sorted(others)},
        "total_orders": stored.get("total_orders") or 0,
        "event_count": stored.get("event_count") or 0,
        "first_seen": to_time_text(stored.get("first_seen")),
        "last_seen": to_time_text(stored.get("last_seen")),
        "created_at": to_time_text(stored.get("created_at")),
        "identifiers": {},
        "traits": merge_traits(personas),
        "segment": stored.get("segment"),
        "stage": stored.get("stage"),
        "churn_probability": stored.get("churn_probability"),
        "absorbed_ids": sorted(persona["id"] for persona in personas if persona["id"] != stored["id"]),
        "merge_count": stored.get("merge_count") or 0,
        "answered_for": asked_id if asked_id != stored["id"] else None,
        "version": stored.get("version") or 0,
        "recomputing": any(persona.get("recomputing") for persona in personas),
    }


def merge_traits(personas: list[dict[str, Any]]) -> dict[str, Any]:
    """One value for each trait of all personas, by the brand's strategies."""
    strategies = personas[0]["strategies"] if personas else None
    return chosen_traits((row for persona in personas for row in persona["traits"]), strategies)


def _next_cursor(rows: list[dict[str, Any]], size: int) -> str | None:
    """The cursor after the last row of the page when one more was found."""
    if len(rows) <= size:
        return None
    last = rows[size - 1]
    at = to_time(last["created_at"])
    return None if at is None else encode_cursor(at, last["id"])
