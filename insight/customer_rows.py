"""The one read behind the 360, journeys and lists of intents: what is stored of live profiles, in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import to_micros
from graph.driver import Graph
from graph.past import NEWEST_CONSENTS, PAYLOAD_BYTES
from graph.repositories.visits import NEWEST_SIGNS
from graph.values import LATEST
from insight.intents import BASES, TAKEN_BACK

NEWEST_SIGNALS = 50
"""Signals of each kind and persona that intents are folded from."""
NEWEST_ORDERS = 50
"""Orders of each persona that conversions and gaps are told from."""
INTEREST = (*BASES, "checkout", "message")
"""Kinds of signals that make somebody consider buying."""
_MOST_NAMES = 300
_MOST_IDENTIFIERS = 2_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What of each profile is wanted; what is not costs nothing and comes empty."""

    interest: bool = False
    names: bool = False
    """What the products of the signals are called."""
    profile: bool = False
    identifiers: bool = False
    merges: bool = False
    visits: bool = False


def read_customers(
    graph: Graph, brand: str, ids: Sequence[str], parts: Parts, *, only_live: bool = False, until: datetime = LATEST
) -> list[dict[str, Any]]:
    """One row for each live profile of the ids, as `cypher/insight/read_customers.cypher` says.

    Absorbed ids give the live profile, or nothing with `only_live`; signs of presence after `until` are left out.
    """
    return graph.read(
        "insight/read_customers",
        brand=brand, ids=list(ids), only_live=only_live,
        with_interest=parts.interest, kinds=[*BASES, TAKEN_BACK], interest=list(INTEREST), newest=NEWEST_SIGNALS,
        orders=NEWEST_ORDERS, consents=NEWEST_CONSENTS, payload_bytes=PAYLOAD_BYTES,
        names=_MOST_NAMES if parts.names else 0,
        with_profile=parts.profile, with_identifiers=parts.identifiers, limit=_MOST_IDENTIFIERS,
        with_merges=parts.merges, with_visits=parts.visits, until=to_micros(until), signs=NEWEST_SIGNS,
    )  # fmt: skip
