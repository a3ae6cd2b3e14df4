"""Serving: what scores a brand's profiles; the trained models with what they need to know of the brand, or day one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml.features.purchases import PurchaseFeatures
from ml.models.bundle import DAY_ONE_VERSION, Bundle, Part
from ml.models.choose import DAY_ONE
from ml.models.day_one import HORIZON
from ml.models.intervals import fit_spread
from ml.models.segments import Rfm, RfmScale
from ml.models.targets import Target
from ml.serving.products import NOTHING_ONCE, BoughtOnce, Shelf


@dataclass(frozen=True)
class ServingModel:
    """Everything that scores the profiles of one brand; `id` of the ModelVersion, `version` as it is shown."""

    id: str
    version: str
    confidence: str
    bundle: Bundle
    usual_score: float = 0.0
    """Mean log odds of an order by the order rhythm alone."""
    shelf: Shelf = field(default_factory=Shelf)
    once: BoughtOnce = NOTHING_ONCE
    """A setting of the brand, not of the version."""

    @property
    def horizon(self) -> int:
        """Days that are predicted."""
        return self.bundle.horizon

    def rfm(self, features: PurchaseFeatures) -> Rfm:
        """Scores of recency, frequency and money."""
        return self.bundle.scale.scores(features)

    def as_dict(self) -> dict[str, Any]:
        """As JSON, without the texts of trees."""
        return {
            "bundle": self.bundle.as_dict(),
            "confidence": self.confidence,
            "usual_score": self.usual_score,
            "shelf": self.shelf.as_dict(),
        }

    @classmethod
    def from_dict(cls, id_: str, version: str, stored: Mapping[str, Any], texts: Mapping[str, str]) -> "ServingModel":
        """From what `as_dict` and the bundle's `texts` gave; raises InvalidInputError for texts that are others."""
        return cls(
            id_,
            version,
            stored["confidence"],
            Bundle.from_dict(stored["bundle"], texts),
            stored["usual_score"],
            Shelf.from_dict(stored["shelf"]),
        )


def day_one_model(brand: str) -> ServingModel:
    """The fixed formulas, which answer while the brand has no model of its own."""
    parts = {target: Part(DAY_ONE, 0.0) for target in Target}
    bundle = Bundle(int(HORIZON), None, parts, fit_spread([]), RfmScale())
    return ServingModel(f"{brand}|{DAY_ONE_VERSION}", DAY_ONE_VERSION, "low", bundle)
