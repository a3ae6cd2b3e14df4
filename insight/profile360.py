"""The whole customer in one answer: `GET /api/customer360/{id}` is this, in one read of the graph."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.clock import Clock, utc_now
from core.errors import InvalidInputError, NotFoundError, UnavailableError
from core.identifiers import PRIORITY, TIERS, Trust
from core.money import to_decimal_string
from core.strict_json import to_json
from graph.driver import Graph
from graph.repositories.profiles import profile_card
from graph.repositories.visits import stored_sign
from graph.values import to_time, to_time_text
from insight.computed_traits.show import computed_section
from insight.consent import consent_section, fold_consent
from insight.customer_rows import NEWEST_ORDERS, Parts, read_customers
from insight.interest import Standing, fold_profile, intent_item, interest_of, journey_item
from insight.predictions import prediction_section
from insight.statistics import order_gaps, summarise
from insight.store_visits import visits_section
from resolver.tallies import SalesTally, read_channels, read_sales

SECTIONS = (
    "overview", "identifiers", "predictions", "statistics", "intents", "visits", "campaigns", "journey", "merges",
    "consent", "computed_traits",
)  # fmt: skip
_FROM_INTEREST = frozenset({"overview", "statistics", "intents", "journey", "consent"})
_MOST_INTENTS = 50
_MOST_READS = 20
_STEADY_READS = 5
_TAG_CHARACTERS = 12
_TRUST_ORDER = [trust.value for trust in Trust]


def parse_include(text: str | None) -> frozenset[str]:
    """Sections named in a comma list, all without one; raises InvalidInputError for an unknown name."""
    if text is None or not text.strip():
        return frozenset(SECTIONS)
    names = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not names <= frozenset(SECTIONS):
        raise InvalidInputError(f"include takes a comma list of: {', '.join(SECTIONS)}.", field="include")
    return names


def get_profile360(
    graph: Graph, brand: str, profile_id: str, include: Iterable[str] = SECTIONS, clock: Clock = utc_now
) -> dict[str, Any]:
    """The live profile that answers for `profile_id` with the chosen sections; raises NotFoundError."""
    wanted = frozenset(include)
    now = clock()
    row = _read(graph, brand, profile_id, wanted, now)
    card = profile_card(profile_id, row["profile"], row["personas"])
    sections: dict[str, Any] = {
        "overview": overview(card, row["profile"]["ltv_minor"] or 0),
        "identifiers": [identifier_item(stored) for stored in sorted(row["identifiers"], key=identifier_order)],
        "predictions": prediction_section(row["prediction"], card["version"], now),
        "visits": visits_section([stored_sign(stored) for stored in row["seen"]], now),
        "campaigns": [],
        "merges": {"count": row["merge_count"], "last": last_merge(row["last_merge"])},
        "computed_traits": computed_section(row["trait_names"], row["computed_traits"], card["version"]),
    }
    if not wanted.isdisjoint(_FROM_INTEREST):
        _add_interest(sections, row, card, now)
    head = {name: card[name] for name in ("id", "brand", "answered_for", "version", "recomputing")}
    return {**head, **{name: sections[name] for name in SECTIONS if name in wanted}}


def _add_interest(sections: dict[str, Any], row: dict[str, Any], card: dict[str, Any], now: datetime) -> None:
    """The sections that are folded from signals, orders and what was said of consent."""
    interest = interest_of(row)
    tally, channels = _tallies(row["personas"])
    intents, journey = fold_profile(interest, _standing(row["profile"], channels), now)
    sections["intents"] = [
        intent_item(intent, interest.names.get(intent.product_id)) for intent in intents[:_MOST_INTENTS]
    ]
    sections["journey"] = journey_item(journey)
    sections["consent"] = consent_section(fold_consent(interest.consents, now))
    sections["overview"] |= {"stage": journey.stage, "journey_stage": journey.stage}
    sections["statistics"] = summarise(tally, channels, card["currency"]) | {
        "gaps": order_gaps(interest.sales[-NEWEST_ORDERS:])
    }


def _read(graph: Graph, brand: str, profile_id: str, wanted: frozenset[str], now: datetime) -> dict[str, Any]:
    """What is stored of the live profile, all parts of the same personas.

    The database gives no snapshot: a commit meanwhile shows in the profile, which is looked at first and last, or in
    the number of personas, and then everything is read again. Of a profile that changes all the time only the personas
    have to agree in the end. Raises NotFoundError, and UnavailableError when merges never leave a moment to read.
    """
    parts = Parts(
        interest=not wanted.isdisjoint(_FROM_INTEREST),
        names=not wanted.isdisjoint(_FROM_INTEREST),
        profile=True,
        identifiers="identifiers" in wanted,
        merges="merges" in wanted,
        visits="visits" in wanted,
    )
    for attempt in range(_MOST_READS):
        rows = read_customers(graph, brand, [profile_id], parts, until=now)
        if not rows:
            raise NotFoundError("No such profile.")
        [row] = rows
        is_whole = len(row["persona_ids"]) == (row["profile"]["persona_count"] or 1)
        if is_whole and (row["is_steady"] or attempt >= _STEADY_READS):
            return row
    raise UnavailableError("The profile is being merged; try again shortly.")


def etag(profile: dict[str, Any]) -> str:
    """The entity tag of a profile or 360: changes with its version, what is foretold of it and its computed traits."""
    churn = (profile.get("predictions") or {}).get("churn") or {}
    foretold = [profile.get("churn_probability"), profile.get("segment"), churn.get("probability"), churn.get("at")]
    if traits := profile.get("computed_traits"):
        foretold.append(hashlib.sha256(to_json(traits).encode()).hexdigest()[:_TAG_CHARACTERS])
    said = "-".join(str(part) for part in foretold if part is not None)
    return f'W/"{profile["id"]}-{profile["version"]}{"-" if said else ""}{said}"'


def overview(card: dict[str, Any], ltv_minor: int) -> dict[str, Any]:
    """The headline of a profile; average order value is lifetime value over counted orders, half up."""
    orders = card["total_orders"]
    return {
        "id": card["id"],
        "name": display_name(card["traits"]),
        "strength": card["strength"],
        "lifetime_value": card["lifetime_value"],
        "lifetime_value_other": card["lifetime_value_other"],
        "currency": card["currency"],
        "total_orders": orders,
        "average_order_value": _average(ltv_minor, orders, card["currency"]),
        "event_count": card["event_count"],
        "first_seen": card["first_seen"],
        "last_seen": card["last_seen"],
        "stage": card["stage"],
        "segment": card["segment"],
        "journey_stage": None,
        "traits": card["traits"],
        "absorbed_ids": card["absorbed_ids"],
    }


def display_name(traits: dict[str, Any]) -> str | None:
    """The name to show: `name`, else first and last name; None when nothing is known."""
    whole = traits.get("name")
    if isinstance(whole, str) and whole.strip():
        return whole.strip()
    parts = [traits.get("first_name"), traits.get("last_name")]
    return " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip()) or None


def _tallies(personas: Iterable[dict[str, Any]]) -> tuple[SalesTally, Counter[str]]:
    """The tallies of the cluster's personas, folded."""
    tally, channels = SalesTally(), Counter[str]()
    for persona in personas:
        tally.merge(read_sales(persona["sales"]))
        channels.update(read_channels(persona["channels"]))
    return tally, channels


def _standing(root: dict[str, Any], channels: Counter[str]) -> Standing:
    return Standing(
        total_orders=root["total_orders"] or 0,
        last_seen=to_time(root.get("last_seen")),
        channels=len(+channels),
        churn=root.get("churn_probability"),
        segment=root.get("segment"),
    )


def identifier_item(stored: dict[str, Any]) -> dict[str, Any]:
    """An identifier as the 360 shows it."""
    trusts = [trust for trust in _TRUST_ORDER if trust in stored["trusts"]]
    return {
        "type": stored["type"],
        "value": stored["value"],
        "tier": stored["tier"] or int(TIERS[stored["type"]]),
        "trust": trusts[0] if trusts else None,
        "first_seen": to_time_text(stored["since"] if stored["first_seen"] is None else stored["first_seen"]),
        "last_seen": to_time_text(stored["last_seen"]),
        "count": stored["count"],
        "sources": sorted(stored["sources"]),
        "flags": sorted(stored["flags"] or ()),
    }


def identifier_order(stored: dict[str, Any]) -> tuple[int, str, str]:
    """Sort key of identifiers in the 360: best type first."""
    return (PRIORITY[stored["type"]], stored["type"], stored["value"])


def last_merge(stored: dict[str, Any] | None) -> dict[str, Any] | None:
    """The latest merge as the 360 shows it."""
    if stored is None or stored["merge_id"] is None:
        return None
    return {**stored, "at": to_time_text(stored["at"])}


def _average(minor: int, orders: int, currency: str) -> str | None:
    """Half up, in whole minor units; None without orders."""
    return None if orders == 0 else to_decimal_string((2 * minor + orders) // (2 * orders), currency)
