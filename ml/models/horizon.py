"""How many days a brand's models foretell: as long as nearly all who come back take to come back."""

import numpy as np

from ml.models.day_one import HORIZON
from ml.orders.history import History

STEPS = (30, 60, 90, 120, 180, 365)
_SHARE = 0.9
_LEAST_GAPS = 100
_WINDOWS = 3


def horizon_of(history: History) -> int:
    """The first of `STEPS` that nine of ten gaps between a customer's order days fit into.

    At most a third of the history, so that three windows of that length can be judged; 90 days below 100 gaps.
    """
    ordered = history.orders > 0
    who, day = history.customer[ordered], history.day[ordered]
    gaps = np.diff(day)[np.diff(who) == 0]
    if len(gaps) < _LEAST_GAPS:
        return int(HORIZON)
    usual = float(np.quantile(gaps, _SHARE))
    most = (int(day.max()) - int(day.min())) / _WINDOWS
    fitting = [step for step in STEPS if step <= most] or list(STEPS[:1])
    return next((step for step in fitting if step >= usual), fitting[-1])
