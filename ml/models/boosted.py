"""Small boosted trees (LightGBM) on top of another model's score: one thread, so the same rows give the same trees."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.models.glm import Family, Sample
from ml.orders.history import Floats

if TYPE_CHECKING:
    import lightgbm

_ROUNDS = 60
_LEAST_ROWS = 200
_OBJECTIVES: dict[Family, dict[str, Any]] = {
    Family.LOGISTIC: {"objective": "binary"},
    Family.POISSON: {"objective": "poisson"},
    Family.TWEEDIE: {"objective": "tweedie", "tweedie_variance_power": 1.4},
}
_PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.04,
    "num_leaves": 8,
    "lambda_l2": 20.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "boost_from_average": False,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Boosted:
    """Trees as LightGBM's text; they add to the score that they started from."""

    names: tuple[str, ...]
    text: str

    @property
    def sha256(self) -> str:
        """Digest of the text: checked before a file of it is loaded."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def raw(self, rows: Floats) -> Floats:
        """What the trees add to the score; `rows` has the columns of `names`."""
        return np.asarray(self._booster.predict(rows, raw_score=True, num_threads=1), dtype=np.float64)

    def contributions(self, rows: Floats) -> Floats:
        """What each column adds (TreeSHAP), and in the last place the constant part."""
        return np.asarray(self._booster.predict(rows, pred_contrib=True, num_threads=1), dtype=np.float64)

    def as_dict(self) -> dict[str, Any]:
        """What identifies the trees."""
        return {"names": list(self.names), "sha256": self.sha256, "rounds": _ROUNDS, "parameters": _PARAMETERS}

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        import lightgbm  # noqa: PLC0415 - a model loaded at import would hang every forked child

        return lightgbm.Booster(model_str=self.text)


def fit_boosted(family: Family, names: Sequence[str], sample: Sample, seed: int) -> Boosted:
    """Trees that improve on the sample's offset."""
    import lightgbm  # noqa: PLC0415 - see above

    parameters = {
        **_PARAMETERS,
        **_OBJECTIVES[family],
        "seed": seed,
        "min_data_in_leaf": max(20, min(_LEAST_ROWS, len(sample.outcome) // 50)),
    }
    data = lightgbm.Dataset(
        sample.rows,
        sample.outcome,
        weight=sample.weight,
        init_score=sample.offset,
        params={"verbosity": -1, "max_bin": 63},
    )
    found = lightgbm.train(parameters, data, _ROUNDS)
    return Boosted(tuple(names), found.model_to_string(num_iteration=-1))
