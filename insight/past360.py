"""The whole customer as of a moment: `GET /api/customer360/{id}?at=`; event time cut there, with today's knowledge."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.clock import format_time
from graph.driver import Graph
from graph.past import PastRows, read_past_profile
from graph.repositories.profiles import profile_card
from graph.values import to_time
from insight.consent import consent_section, fold_consent, told_by
from insight.profile360 import SECTIONS, identifier_item, identifier_order, last_merge, overview
from insight.statistics import summarise
from insight.store_visits import visits_section
from resolver.orders import OrderState, fold_order
from resolver.strength import profile_strength
from resolver.tallies import SalesTally, share_of


def get_past360(
    graph: Graph, settings: BrandSettings, profile_id: str, at: datetime, include: Iterable[str] = SECTIONS
) -> dict[str, Any]:
    """The profile that `profile_id` was part of at `at`, in the shape of the 360 with `as_of`.

    Predictions, intents, journey, campaigns and computed traits are empty: they are told as of now only. Raises
    NotFoundError.
    """
    wanted = frozenset(include)
    rows = read_past_profile(graph, settings, profile_id, at)
    orders = _orders(rows)
    card = _card(rows, settings, profile_id, orders)
    sections: dict[str, Any] = {
        "overview": overview(card, _lifetime(orders).get(settings.currency, 0)),
        "identifiers": _identifiers(rows),
        "predictions": None,
        "intents": [],
        "visits": visits_section(rows.signs, at),
        "campaigns": [],
        "journey": None,
        "merges": {"count": len(rows.profile.merge_ids), "last": last_merge(rows.last_merge)},
        "consent": consent_section(fold_consent(told_by(rows.consents), at)),
        "computed_traits": {},
    }
    if "statistics" in wanted:
        sections["statistics"] = summarise(_tally(orders), rows.channels, settings.currency)
    head = {name: card[name] for name in ("id", "brand", "answered_for", "version", "recomputing")}
    return {**head, "as_of": format_time(at), **{name: sections[name] for name in SECTIONS if name in wanted}}


def _orders(rows: PastRows) -> dict[str, OrderState]:
    """Orders that were the profile's then, as they were then."""
    folded = {key: fold_order(facts) for key, facts in sorted(rows.orders.items())}
    return {key: state for key, state in folded.items() if state.owner_id in rows.profile.persona_ids}


def _lifetime(orders: dict[str, OrderState]) -> dict[str, int]:
    total: dict[str, int] = {}
    for state in orders.values():
        total[state.currency] = total.get(state.currency, 0) + state.counted_minor
    return {currency: minor for currency, minor in total.items() if minor}


def _card(rows: PastRows, settings: BrandSettings, profile_id: str, orders: dict[str, OrderState]) -> dict[str, Any]:
    ltv = _lifetime(orders)
    total_orders = sum(1 for state in orders.values() if state.counts)
    types = {held.identifier.type for held in rows.profile.held}
    first, last = rows.span
    stored = {
        "id": rows.profile.id, "brand": settings.id, "currency": settings.currency,
        "ltv_minor": ltv.get(settings.currency, 0),
        "ltv_other": [f"{code}:{minor}" for code, minor in ltv.items() if code != settings.currency],
        "strength": profile_strength(types, total_orders), "total_orders": total_orders,
        "event_count": sum(rows.channels.values()), "first_seen": first, "last_seen": last, "version": rows.version,
    }  # fmt: skip
    personas: list[dict[str, Any]] = [
        {"id": one, "traits": [], "strategies": rows.strategies} for one in rows.profile.persona_ids
    ]
    personas[0]["traits"] = rows.traits
    return profile_card(profile_id, stored, personas)


def _identifiers(rows: PastRows) -> list[dict[str, Any]]:
    items = [
        {
            "type": held.identifier.type, "value": held.identifier.value, "tier": tier, "trusts": [held.trust],
            "first_seen": first, "since": to_time(held.since[0]), "last_seen": last, "count": count,
            "sources": [held.source] if held.source else [], "flags": flags,
        }
        for held, (tier, first, last, count, flags) in rows.identifiers
    ]  # fmt: skip
    return [identifier_item(item) for item in sorted(items, key=identifier_order)]


def _tally(orders: dict[str, OrderState]) -> SalesTally:
    tally = SalesTally()
    for state in orders.values():
        share = share_of(state)
        if share is not None:
            tally.add(share)
    return tally
