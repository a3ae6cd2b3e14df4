"""One customer's journey in full, `GET /api/customer360/{id}/journey`: stages, touchpoints, credits of conversions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.clock import EARLIEST, Clock, utc_now
from core.errors import InvalidInputError
from core.events import ORDER_TYPES
from core.money import to_decimal_string
from graph.driver import Graph
from graph.repositories import attribution as repository
from graph.values import to_time, to_time_text
from insight.attribution import MODELS, Touchpoint, attribute, path_to, removal_effects
from insight.profile360 import get_profile360

log = structlog.get_logger(__name__)

NO_TOUCHPOINTS = sorted(
    ORDER_TYPES | {"identify", "profile_update", "consent_changed", "campaign_sent", "whatsapp_status"}
)
"""Events that are no contact by the customer's own doing."""
DEFAULT_WINDOW_DAYS = 30
MOST_WINDOW_DAYS = 365
MOST_CONVERSIONS = 50
_TOUCHES = 200
_SAMPLED_CUSTOMERS = 20_000
_TOUCHES_OF_PATH = 50


@dataclass(frozen=True, slots=True)
class JourneyQuestion:
    """What is asked: days of the window before each conversion, how many conversions, one model or all."""

    window_days: int = DEFAULT_WINDOW_DAYS
    conversions: int = 10
    model: str | None = None

    def check(self) -> None:
        """Raises InvalidInputError for a model that does not exist."""
        if self.model is not None and self.model not in MODELS:
            raise InvalidInputError(f"model must be one of: {', '.join(MODELS)}.", field="model")


def get_journey(
    graph: Graph, brand: str, profile_id: str, question: JourneyQuestion, clock: Clock = utc_now
) -> dict[str, Any]:
    """Journey, newest conversions with credits by every model asked for; raises NotFoundError, InvalidInputError.

    `data_driven` uses the removal effects of the brand's own channels, kept by a task; before the first of these it is
    linear, and `data_driven_since` is null.
    """
    question.check()
    whole = get_profile360(graph, brand, profile_id, {"journey"}, clock)
    kept = repository.find_effects(graph, brand)
    limits = question.conversions, question.window_days, _TOUCHES
    rows = repository.list_conversions(graph, brand, whole["id"], limits, NO_TOUCHPOINTS)
    models = MODELS if question.model is None else (question.model,)
    effects = kept[0] if kept else None
    return {
        "profile_id": whole["id"],
        "answered_for": whole["answered_for"],
        **whole["journey"],
        "window_days": question.window_days,
        "data_driven_since": to_time_text(kept[1]) if kept else None,
        "conversions": [_conversion(row, question, models, effects) for row in rows],
    }


def _conversion(
    row: dict[str, Any], question: JourneyQuestion, models: Sequence[str], effects: Mapping[str, float] | None
) -> dict[str, Any]:
    at = to_time(row["at"]) or EARLIEST
    minor, currency = row["minor"] or 0, row["currency"] or "USD"
    path = path_to(map(_touchpoint, row["touches"]), at, timedelta(days=question.window_days))[-_TOUCHES:]
    return {
        "order_id": row["order_id"],
        "at": to_time_text(at),
        "amount": to_decimal_string(minor, currency),
        "currency": currency,
        "touchpoints": [
            {"event_id": point.event_id, "channel": point.channel, "type": point.type, "at": to_time_text(point.at)}
            for point in path
        ],
        "credits": {model: _by_channel(path, minor, at, currency, model, effects) for model in models},
    }


def _by_channel(
    path: Sequence[Touchpoint], minor: int, at: datetime, currency: str, model: str, effects: Mapping[str, float] | None
) -> dict[str, Any]:
    credits = attribute(path, minor, at, model, effects)
    sums: dict[str, int] = {}
    for credit in credits:
        sums[credit.touchpoint.channel] = sums.get(credit.touchpoint.channel, 0) + credit.minor
    return {
        "by_channel": {channel: to_decimal_string(sums[channel], currency) for channel in sorted(sums)},
        "by_touchpoint": [to_decimal_string(credit.minor, currency) for credit in credits],
        "unattributed": to_decimal_string(minor - sum(sums.values()), currency),
    }


def _touchpoint(stored: Mapping[str, Any]) -> Touchpoint:
    return Touchpoint(stored["id"], stored["channel"] or "other", to_time(stored["at"]) or EARLIEST, stored["type"])


def refresh_effects(graph: Graph, brand: str, clock: Clock = utc_now) -> dict[str, float]:
    """Compute and keep the removal effects of the brand's channels from its customers' paths to their first order."""
    paths, conversions = [], 0
    sampled = repository.sample_paths(
        graph, brand, _SAMPLED_CUSTOMERS, (_TOUCHES_OF_PATH, DEFAULT_WINDOW_DAYS), NO_TOUCHPOINTS
    )
    for channels, converted in sampled:
        # Several events in a row on one channel are one contact.
        steps = [here for place, here in enumerate(channels) if place == 0 or here != channels[place - 1]]
        if steps:
            paths.append((steps, converted))
            conversions += converted
    effects = removal_effects(paths)
    repository.store_effects(graph, brand, effects, len(paths), conversions, clock())
    log.info("attribution_refreshed", brand=brand, paths=len(paths), conversions=conversions)
    return effects
