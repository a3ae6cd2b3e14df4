"""Command `evaluate`: predictions from an order file, without a service, with backtests that say how good they are."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.console import note, say
from core.errors import InvalidInputError

_BAD_INPUT = 2
_COLUMNS = (
    "Order lines: customer_id, order_id, ordered_at, amount; optionally product_id, category, quantity, currency."
)


def evaluate(
    orders: Annotated[
        Path,
        typer.Argument(
            metavar="ORDERS.csv",
            help=_COLUMNS,
        ),
    ],
    cutoff: Annotated[str, typer.Option(help="Date from which on nothing is known, as 2025-03-01 (00:00 UTC).")],
    horizon: Annotated[int, typer.Option(min=1, max=3660, help="Days after the cutoff to predict.")],
    out: Annotated[Path, typer.Option(help="Folder for predictions.csv, recommendations.csv, model.json, report.md.")],
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same file and seed give the same bytes.")] = 0,
) -> None:
    """Train on what the file knows before the cutoff and predict the horizon after it: churn, orders, spend."""
    # Figures must not depend on how many cores share a sum.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    from ml.evaluation.run import evaluate_file  # noqa: PLC0415 - numpy reads those variables when it is loaded
    from ml.orders.read import check_cutoff  # noqa: PLC0415

    try:
        summary = evaluate_file(orders, check_cutoff(cutoff), horizon, out, seed, note)
    except InvalidInputError as error:
        note(f"constintel: {error.detail}")
        raise typer.Exit(_BAD_INPUT) from error
    except OSError as error:
        note(f"constintel: {error.filename or orders}: {error.strerror}.")
        raise typer.Exit(_BAD_INPUT) from error
    training = summary.training
    say(f"{summary.customers} customers, {summary.orders} orders; confidence {training.graded.confidence}")
    for reason in training.graded.reasons:
        say(f"  {reason}")
    for target, choice in training.choices.items():
        say(f"{target.value}: {choice.candidate} ({choice.reason})")
    if training.bundle.is_day_one:
        say("predictions come from the day-one model: too little history to learn from")
    say(f"written to {out}: {', '.join(summary.files)}")
