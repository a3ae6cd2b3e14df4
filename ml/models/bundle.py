"""Everything that predicts for one brand, together: what training makes, the registry keeps and scoring calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InvalidInputError
from ml.features.purchases import PurchaseFeatures
from ml.models.boosted import Boosted
from ml.models.btyd import Btyd
from ml.models.candidates import Fitted, blend
from ml.models.choose import DAY_ONE
from ml.models.day_one import day_one_scores
from ml.models.glm import Glm
from ml.models.intervals import HIGH, LOW, Foretold, Spread
from ml.models.segments import RfmScale, segment_names
from ml.models.snapshots import Known, Snapshot
from ml.models.targets import Target, to_value
from ml.orders.history import Floats

DAY_ONE_VERSION = "day-one-1"


@dataclass(frozen=True)
class Part:
    """What answers for one target: a candidate, how far its scores are moved, and the models behind it."""

    candidate: str
    shift: float
    fitted: Fitted | None = None

    def score(self, target: Target, snapshot: Snapshot) -> Floats:
        """Log odds of an order, or log of the mean, for each customer of the snapshot."""
        if self.candidate == DAY_ONE or self.fitted is None:
            return day_one_scores(snapshot.known.features, snapshot.length)[target.value]
        return blend(self.fitted.scores(snapshot), self.candidate) + self.shift

    def as_dict(self) -> dict[str, Any]:
        """As JSON; trees are kept as texts of their own."""
        models = None if self.fitted is None else self.fitted.as_dict()
        return {"candidate": self.candidate, "shift": self.shift, "models": models}


@dataclass(frozen=True)
class Predictions:
    """What is foretold of customers, in the order of the features; spend in currency."""

    foretold: Foretold
    low: Floats
    high: Floats
    segments: list[str]


def combine(scores: Mapping[Target, Floats]) -> Foretold:
    """The scores of the three targets as predictions that agree: nobody orders less often than at all."""
    values = {target: to_value(target, score) for target, score in scores.items()}
    silence = np.clip(values[Target.CHURN], 1e-4, 1.0 - 1e-4)
    return Foretold(silence, np.maximum(values[Target.ORDERS], 1.0 - silence), values[Target.SPEND])


@dataclass(frozen=True)
class Bundle:
    """Models of one brand for one horizon; another horizon is refused."""

    horizon: int
    btyd: Btyd | None
    parts: Mapping[Target, Part]
    spread: Spread
    scale: RfmScale

    @property
    def is_day_one(self) -> bool:
        """Whether the fixed formulas answer."""
        return self.btyd is None

    def foretell(self, snapshot: Snapshot) -> Foretold:
        """Probability of no order, expected orders and spend of the snapshot's window."""
        return combine({target: part.score(target, snapshot) for target, part in self.parts.items()})

    def predict(self, features: PurchaseFeatures, horizon: int) -> Predictions:
        """Predictions for customers as of the features' day; raises InvalidInputError for another horizon."""
        if horizon != self.horizon:
            raise InvalidInputError(f"The models were trained for {self.horizon} days.", field="horizon")
        known = Known(features, self.btyd) if self.btyd is not None else Known.without_model(features)
        foretold = self.foretell(Snapshot(features.as_of, horizon, known))
        low, high = self.spread.quantile(foretold, LOW), self.spread.quantile(foretold, HIGH)
        return Predictions(foretold, low, high, segment_names(features, self.scale))

    def as_dict(self) -> dict[str, Any]:
        """As JSON, without the texts of trees."""
        return {
            "horizon_days": self.horizon,
            "btyd": None if self.btyd is None else self.btyd.as_dict(),
            "targets": {target.value: part.as_dict() for target, part in self.parts.items()},
            "spread": self.spread.as_dict(),
            "rfm_percentiles": self.scale.percentiles,
        }

    def texts(self) -> dict[str, str]:
        """File name → LightGBM text, for every target with trees."""
        trees = {target: part.fitted.trees for target, part in self.parts.items() if part.fitted is not None}
        return {f"{target.value}.lightgbm.txt": found.text for target, found in trees.items() if found is not None}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], texts: Mapping[str, str]) -> "Bundle":
        """From what `as_dict` and `texts` gave; raises InvalidInputError when a text is not the one named."""
        parts = {Target(name): _part(Target(name), kept, texts) for name, kept in stored["targets"].items()}
        btyd = None if stored["btyd"] is None else Btyd.from_dict(stored["btyd"])
        scale = RfmScale(stored["rfm_percentiles"])
        return cls(int(stored["horizon_days"]), btyd, parts, Spread.from_dict(stored["spread"]), scale)


def _part(target: Target, stored: Mapping[str, Any], texts: Mapping[str, str]) -> Part:
    models = stored["models"]
    if models is None:
        return Part(stored["candidate"], stored["shift"])
    glm = None if models["glm"] is None else Glm.from_dict(models["glm"])
    trees = None
    if models["boosted"] is not None:
        name = f"{target.value}.lightgbm.txt"
        trees = Boosted(tuple(models["boosted"]["names"]), texts.get(name, ""))
        if trees.sha256 != models["boosted"]["sha256"]:
            raise InvalidInputError(f"{name} is not the file that the model names.", field=name)
    return Part(stored["candidate"], stored["shift"], Fitted(target, glm, trees))
