"""What staff should hear about a customer who is in the store: a pure function over what is known of the customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from core.strict_json import canonical_json
from insight.intents import Intent

PRODUCT_INTENT, HIGH_VALUE, CHURN_RISK = "product_intent", "high_value_customer", "churn_risk"
KINDS = (PRODUCT_INTENT, HIGH_VALUE, CHURN_RISK)
CHURN_FROM = 0.70
CHAMPION = "champion"
FEWEST_BUYERS = 10
"""With fewer customers who bought, a top tenth says nothing."""
MOST_PRODUCTS = 3
FRESH = timedelta(hours=4)
"""Nobody is told of a visit whose last sign is older: imports of history raise nothing."""
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a product is in this store and elsewhere; None where nobody counts it."""

    here: int | None = None
    elsewhere: int | None = None

    @property
    def is_gone(self) -> bool:
        """Whether it is counted and there is none anywhere."""
        counted = [amount for amount in (self.here, self.elsewhere) if amount is not None]
        return bool(counted) and max(counted) <= 0


@dataclass(frozen=True, slots=True)
class Visitor:
    """What alerts are told from: money in minor units of the brand's currency."""

    intents: Sequence[Intent]
    stock: Mapping[str, Stock]
    ltv_minor: int = 0
    top_decile_minor: int | None = None
    """Lifetime value from which a customer is among the brand's top tenth; None while there are too few buyers."""
    segment: str | None = None
    churn: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One alert: its kind, the sentence for staff, and the product where it is about one."""

    kind: str
    reason: str
    product_id: str = ""
    score: int | None = None


def alerts_for(visitor: Visitor) -> list[Told]:
    """The alerts of one visit: strong intents that are to be had, a customer of value, a customer about to leave."""
    wanted = [one for one in visitor.intents if one.is_high]
    to_be_had = [one for one in wanted if not visitor.stock.get(one.product_id, Stock()).is_gone]
    told = [
        Told(PRODUCT_INTENT, _where(visitor.stock.get(one.product_id, Stock())), one.product_id, one.score)
        for one in to_be_had[:MOST_PRODUCTS]
    ]
    if visitor.segment == CHAMPION:
        told.append(Told(HIGH_VALUE, "champion: buys often, lately and much"))
    elif visitor.top_decile_minor is not None and visitor.ltv_minor >= max(1, visitor.top_decile_minor):
        told.append(Told(HIGH_VALUE, "among the top tenth of customers by lifetime value"))
    if visitor.churn is not None and visitor.churn >= CHURN_FROM:
        told.append(Told(CHURN_RISK, f"churn risk {visitor.churn:.0%}"))
    return told


def alert_id(brand: str, visit_id: str, told: Told) -> str:
    """One id for each visit, kind and product: raising it again changes nothing."""
    name = canonical_json([brand, visit_id, told.kind, told.product_id])
    return f"alr_{blake2b(name, digest_size=_ID_BYTES).hexdigest()}"


def _where(stock: Stock) -> str:
    if stock.here is not None and stock.here > 0:
        return f"{stock.here} in this store"
    if stock.elsewhere is not None and stock.elsewhere > 0:
        return f"not in this store, {stock.elsewhere} elsewhere"
    return "stock is not counted"
