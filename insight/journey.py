"""A customer's journey as a pure function over first moments: stages, score, next best action, next milestone.

Everything is told from event time, so late events, merges and unmerges correct it by themselves.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

STAGES = ("awareness", "consideration", "purchase", "retention", "advocacy")
AT_RISK = 0.70
"""Churn probability from which a customer who bought is at risk."""
ADVOCATE_ORDERS = 5
ADVOCATE_SEGMENT = "champion"
_STAGE_POINTS = {"awareness": 10, "consideration": 30, "purchase": 50, "retention": 70, "advocacy": 85}
_RECENCY_POINTS = ((timedelta(days=7), 10), (timedelta(days=30), 7), (timedelta(days=90), 3))
_BY_STAGE: dict[str | None, tuple[str, str]] = {
    None: ("welcome", "nothing is known yet"),
    "awareness": ("welcome", "known by a first touch only"),
    "consideration": ("offer_help", "looked at products, bought nothing yet"),
    "purchase": ("follow_up", "first order made, no second one yet"),
    "retention": ("cross_sell", "{orders} order(s): ready for something that goes with them"),
    "advocacy": ("ask_for_referral", "buys often and gladly: ask for a review or a referral"),
}
_MOST_CHANNELS = 5
_CHURN_POINTS = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """When something first happened, and the event or order that says so."""

    at: datetime
    cause: str
    """Event id or order key."""
    why: str
    """The sentence for people, such as `first order`."""


@dataclass(frozen=True, slots=True)
class OpenWish:
    """The strongest open product intent."""

    product_id: str
    score: int
    in_cart: bool
    name: str | None = None

    @property
    def label(self) -> str:
        """What to call the product."""
        return self.name or self.product_id


@dataclass(frozen=True, slots=True)
class JourneyFacts:
    """What the journey is folded from; `moments` maps a stage to its first moment, for the stages that have one."""

    moments: dict[str, Moment] = field(default_factory=dict)
    order_times: tuple[datetime, ...] = ()
    """The first five counted orders, oldest first."""
    total_orders: int = 0
    last_seen: datetime | None = None
    channels: int = 0
    churn: float | None = None
    segment: str | None = None
    wish: OpenWish | None = None
    may_market: bool = True
    """Whether marketing is allowed by consent."""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do next, and why."""

    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a customer stands as of a moment."""

    stage: str | None
    since: datetime | None
    at_risk: bool
    score: int
    entered: tuple[tuple[str, Moment], ...]
    """Stages entered, in order of the stages, with what moved the customer there."""
    next_action: Action
    next_milestone: str | None


def fold_journey(facts: JourneyFacts, now: datetime) -> Journey:
    """The journey as of `now`: the furthest stage with a moment, interrupted by `at_risk`.

    A champion with five orders is an advocate from the fifth order on, whatever else was told.
    """
    moments = {stage: moment for stage, moment in facts.moments.items() if moment.at <= now}
    if facts.segment == ADVOCATE_SEGMENT and len(facts.order_times) >= ADVOCATE_ORDERS:
        fifth = Moment(facts.order_times[ADVOCATE_ORDERS - 1], "", f"champion with {facts.total_orders} orders")
        known = moments.get("advocacy")
        moments["advocacy"] = fifth if known is None or fifth.at < known.at else known
    entered = tuple((stage, moments[stage]) for stage in STAGES if stage in moments)
    stage = entered[-1][0] if entered else None
    at_risk = stage in {"purchase", "retention", "advocacy"} and facts.churn is not None and facts.churn >= AT_RISK
    return Journey(
        stage=stage,
        since=entered[-1][1].at if entered else None,
        at_risk=at_risk,
        score=_score(stage, facts, now),
        entered=entered,
        next_action=next_best_action(stage, facts, at_risk=at_risk),
        next_milestone=_milestone(stage, facts),
    )


def _score(stage: str | None, facts: JourneyFacts, now: datetime) -> int:
    """Points of the stage, up to ten for recency, one for each channel up to five, less up to twenty for churn."""
    if stage is None:
        return 0
    points = _STAGE_POINTS[stage] + min(facts.channels, _MOST_CHANNELS)
    if facts.last_seen is not None:
        age = now - facts.last_seen
        points += next((more for limit, more in _RECENCY_POINTS if age <= limit), 0)
    if facts.churn is not None and facts.total_orders:
        points -= round(_CHURN_POINTS * facts.churn)
    return max(0, min(100, points))


def next_best_action(stage: str | None, facts: JourneyFacts, *, at_risk: bool) -> Action:
    """The one thing to do next; without consent for marketing only what needs none."""
    if not facts.may_market:
        return Action("serve_only", "no consent for marketing: answer and serve, send nothing else")
    if at_risk:
        return Action("win_back", f"churn risk {facts.churn:.0%} after {facts.total_orders} order(s)")
    if facts.wish is not None:
        return _for_wish(facts.wish)
    action, reason = _BY_STAGE[stage]
    return Action(action, reason.format(orders=facts.total_orders))


def _for_wish(wish: OpenWish) -> Action:
    if wish.in_cart:
        return Action("remind_cart", f"{wish.label} is in the cart (intent {wish.score})")
    return Action("recommend_product", f"interest in {wish.label} (intent {wish.score})")


def _milestone(stage: str | None, facts: JourneyFacts) -> str | None:
    """What would move the customer one stage on."""
    if stage is None or stage == "awareness":
        return "a first sign of interest in a product"
    if stage == "consideration":
        return "the first order"
    if stage == "purchase":
        return "the second order, a delivery, or a visit to a store"
    if stage == "retention":
        missing = max(0, ADVOCATE_ORDERS - facts.total_orders)
        return f"{missing} more order(s) as a champion, or a review or referral" if missing else "a review or referral"
    return None
