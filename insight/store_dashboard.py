"""The store page: who is here, what they want, what to say, what staff was told of, and who came today."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.clock import format_time
from core.errors import InvalidInputError
from core.money import to_decimal_string
from graph.driver import Graph
from graph.repositories.product_names import read_names
from graph.repositories.profiles import Page, get_profiles
from graph.repositories.store_alerts import read_visitors
from graph.repositories.stores import get_store
from graph.repositories.visits import count_visitors
from graph.values import to_time
from insight.intents import ACTIVE, Intent
from insight.interest import Interest, Standing, fold_profile, read_interests
from insight.profile360 import display_name
from insight.store_alerts import DELIVERED, PENDING, AlertFilter, list_alerts, stock_for
from insight.store_visits import FoundVisit, VisitFilter, list_present, list_visits
from insight.visits import visit_item
from resolver.tallies import read_channels

MOST_WISHES = 5
_SHOWN_ALERTS = 50
_SHOWN_VISITS = 20


def get_dashboard(graph: Graph, brand: str, store_id: str, now: datetime, most: int) -> dict[str, Any]:
    """The page of one store, at most `most` customers who are here; raises NotFoundError for an unknown store."""
    store = get_store(graph, brand, store_id)
    local = now.astimezone(read_timezone(store["timezone"]))
    # In UTC again: the driver takes no times of other zones (the interpreter dies of it).
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    present = list_present(graph, brand, store_id, now, most)
    today = VisitFilter(store_id=store_id, from_at=midnight)
    alerts = {
        state: list_alerts(graph, brand, Page(_SHOWN_ALERTS), AlertFilter(store_id, state))["items"]
        for state in (PENDING, DELIVERED)
    }
    return {
        "store": store,
        "as_of": format_time(now),
        "here": _describe(graph, brand, store_id, present, now),
        "alerts": sorted(alerts[PENDING] + alerts[DELIVERED], key=lambda alert: str(alert["at"]), reverse=True),
        "today": {
            "since": format_time(midnight),
            **count_visitors(graph, brand, store_id, midnight, now),
            "newest": list_visits(graph, brand, Page(_SHOWN_VISITS), today, lambda: now)["items"],
        },
    }


def read_timezone(name: str | None) -> ZoneInfo:
    """A time zone by its IANA name, UTC without one; raises InvalidInputError for an unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError("timezone: no such IANA time zone", field="timezone") from error


def _describe(
    graph: Graph, brand: str, store_id: str, present: Sequence[FoundVisit], now: datetime
) -> list[dict[str, Any]]:
    roots = sorted({one.profile_id for one in present})
    interests, facts = read_interests(graph, brand, roots), read_visitors(graph, brand, roots)
    cards = get_profiles(graph, brand, roots)
    found: list[tuple[FoundVisit, list[Intent]]] = []
    for one in present:
        interest = interests.get(one.profile_id, Interest())
        intents, _ = fold_profile(interest, _standing(facts.get(one.profile_id, {})), now)
        found.append((one, [intent for intent in intents if intent.status == ACTIVE][:MOST_WISHES]))
    wanted = {intent.product_id for _, intents in found for intent in intents}
    names = read_names(graph, brand, wanted)
    stock = stock_for(graph, brand, store_id, sorted(wanted))
    here = []
    for one, intents in found:
        card, known = cards.get(one.profile_id, {}), facts.get(one.profile_id, {})
        _, journey = fold_profile(interests.get(one.profile_id, Interest()), _standing(known), now, names)
        wants = [
            {
                "product_id": intent.product_id, "name": names.get(intent.product_id), "score": intent.score,
                "high": intent.is_high,
                "available_here": stock[intent.product_id].here if intent.product_id in stock else None,
            }
            for intent in intents
        ]  # fmt: skip
        here.append({
            "visit": visit_item(one.visit, now),
            "profile_id": one.profile_id,
            "name": display_name(card.get("traits", {})),
            "lifetime_value": to_decimal_string(known.get("ltv_minor") or 0, known.get("currency") or "USD"),
            "currency": known.get("currency"),
            "total_orders": known.get("total_orders") or 0,
            "segment": known.get("segment"),
            "churn_probability": known.get("churn"),
            "stage": journey.stage,
            "wants": wants,
            "say": {"action": journey.next_action.action, "reason": journey.next_action.reason},
        })  # fmt: skip
    return here


def _standing(known: dict[str, Any]) -> Standing:
    channels: Counter[str] = Counter()
    for stored in known.get("channels") or ():
        channels.update(read_channels(stored))
    return Standing(
        total_orders=known.get("total_orders") or 0,
        last_seen=to_time(known.get("last_seen")),
        channels=len(+channels),
        churn=known.get("churn"),
        segment=known.get("segment"),
    )
