"""The pictures of a report: calibration of churn and of spend, and totals by month, as PNG with fixed bytes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ml.metrics import deciles
from ml.orders.history import Floats

_SIZE, _DPI = (6.0, 4.5), 110
_BLUE, _GREY, _ORANGE = "#2458a6", "#9a9a9a", "#c8641e"


def plot_churn(windows: Sequence[tuple[str, Floats, Floats]], path: Path) -> None:
    """Predicted against actual share of customers without an order, by decile, a line for each judged window."""
    figure = Figure(figsize=_SIZE, dpi=_DPI)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", label="perfect")
    for (label, probability, silent), colour in zip(windows, _colours(len(windows)), strict=True):
        points = [(probability[group].mean(), silent[group].mean()) for group in deciles(probability)]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=label)
    axes.set(xlabel="predicted churn probability", ylabel="share without an order", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("Calibration of churn by decile (judged windows)")
    axes.legend(fontsize=8)
    _save(figure, path)


def plot_spend(windows: Sequence[tuple[str, Floats, Floats]], path: Path) -> None:
    """Mean predicted against mean actual spend, by decile, a line for each judged window."""
    figure = Figure(figsize=_SIZE, dpi=_DPI)
    axes = figure.add_subplot()
    highest = 1.0
    for (label, predicted, actual), colour in zip(windows, _colours(len(windows)), strict=True):
        points = [(predicted[group].mean(), max(actual[group].mean(), 0.0)) for group in deciles(predicted)]
        highest = max(highest, *(max(point) for point in points))
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=label)
    axes.plot([0, highest], [0, highest], color=_GREY, linewidth=1, linestyle="--", label="perfect")
    axes.set(xlabel="mean predicted spend", ylabel="mean actual spend")
    axes.set_title("Calibration of spend by decile (judged windows)")
    axes.legend(fontsize=8)
    _save(figure, path)


def plot_months(labels: Sequence[str], predicted: Sequence[float], actual: Sequence[float], path: Path) -> None:
    """Predicted and actual spend of 30-day steps after a judged origin."""
    figure = Figure(figsize=_SIZE, dpi=_DPI)
    axes = figure.add_subplot()
    place = np.arange(len(labels))
    axes.bar(place - 0.2, actual, 0.4, color=_GREY, label="actual")
    axes.bar(place + 0.2, predicted, 0.4, color=_BLUE, label="predicted")
    axes.set_xticks(place, labels, rotation=30, ha="right", fontsize=8)
    axes.set_title("Spend by 30 days after the longest judged origin")
    axes.legend(fontsize=8)
    _save(figure, path)


def _colours(count: int) -> list[str]:
    return [(_BLUE, _ORANGE, "#3c8a4e", "#7a4ea3", "#555555")[number % 5] for number in range(count)]


def _save(figure: Figure, path: Path) -> None:
    """Write the picture without time or version of the program in it: the same data gives the same bytes."""
    figure.tight_layout()
    FigureCanvasAgg(figure)
    figure.savefig(str(path), format="png", metadata={"Software": None})
