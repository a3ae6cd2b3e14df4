"""The persons that a CRM's syncs know, with what their profiles say now and what the CRM was told of them last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.identifiers import IdentifierType
from graph.driver import Graph
from graph.repositories.traits import chosen_traits


@dataclass(frozen=True, slots=True)
class Contacts:
    """Which records: those of a brand's connection whose ids begin with `prefix`, and the traits that are wanted."""

    brand: str
    connection: str
    prefix: str = ""
    traits: tuple[str, ...] = ()

    @property
    def first_key(self) -> str:
        """What all their keys begin with."""
        return f"{self.brand}|{IdentifierType.EXTERNAL_ID.value}|{self.connection}:{self.prefix}"


@dataclass(frozen=True, slots=True)
class Contact:
    """One record: its id in the CRM, its live profile's properties (None without one), traits, what was pushed."""

    key: str
    id: str
    profile: Mapping[str, Any] | None
    traits: Mapping[str, Any]
    pushed: str | None


def list_contacts(graph: Graph, wanted: Contacts, after: str, limit: int) -> list[Contact]:
    """One page in the order of their keys, behind the key `after` (empty: from the first on)."""
    strategies = graph.read("brands/get_trait_strategies", brand=wanted.brand) if wanted.traits else []
    chosen_by = strategies[0]["strategies"] if strategies else None
    rows = graph.read(
        "crm/list_contacts",
        brand=wanted.brand, after=after or wanted.first_key, before=wanted.first_key + "\U0010ffff",
        traits=list(wanted.traits), limit=limit,
    )  # fmt: skip
    return [
        Contact(
            row["key"], row["value"].partition(":")[2], row["profile"], chosen_traits(row["traits"], chosen_by),
            row["pushed"],
        )
        for row in rows
    ]  # fmt: skip


def keep_pushed(graph: Graph, brand: str, rows: Sequence[tuple[str, str]], at: datetime) -> None:
    """Remember what was pushed, by key."""
    if rows:
        graph.write("crm/keep_pushed", brand=brand, rows=[list(row) for row in sorted(rows)], at=at)
