"""Command `evaluate-matching`: precision and recall of the suggestions on a labelled file, without a service."""

import csv
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from phonenumbers import SUPPORTED_REGIONS

from cli.console import note, say, show_table
from cli.generator.people import write_people
from core.errors import InvalidInputError
from ml.suggestions.evaluate import Evaluation, Quality, Take, describe, evaluate_pairs, evaluate_records
from ml.suggestions.scoring import ScoredPair
from ml.suggestions.settings import DEFAULT_MIN_WEIGHT

_TABLE = (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 20.0)
_BAD_INPUT = 2


def evaluate_matching(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    file: Annotated[Path, typer.Argument(help="CSV of labelled pairs (left_…, right_…, is_match).")],
    records: Annotated[bool, typer.Option(help="FILE has records instead: record_id, entity_id and fields.")] = False,
    threshold: Annotated[float, typer.Option(help="Match weight from which a pair is proposed.")] = DEFAULT_MIN_WEIGHT,
    out: Annotated[Path | None, typer.Option(help="Folder for scored.csv and model.json.")] = None,
    region: Annotated[str, typer.Option(help="Country of phone numbers without a country code.")] = "US",
    generate: Annotated[int | None, typer.Option(min=2, help="First write FILE: records of so many people.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 0,
) -> None:
    """Print precision, recall and F1 of the suggestions on labelled pairs or records; nothing is sent anywhere.

    FILE is CSV in UTF-8. A row of pairs has is_match (1 or 0) and both sides: left_first_name, right_first_name and so
    on. A row of records has record_id, entity_id (who it is) and the fields without a side. Fields: first_name,
    last_name or name, birthday, address, city, postcode, country, email, phone; several e-mails or phones are parted
    by a semicolon. Bad input ends with status 2.
    """
    try:
        _check(threshold, region.upper())
        if generate is not None:
            note(f"{file}: {write_people(file, generate, seed)} records of {generate} people")
        evaluation = _evaluate(file, region.upper(), out, is_records=records or generate is not None)
    except InvalidInputError as error:
        note(f"constintel: {error.detail}")
        raise typer.Exit(_BAD_INPUT) from error
    except OSError as error:
        note(f"constintel: {error.filename}: {error.strerror}.")
        raise typer.Exit(_BAD_INPUT) from error
    _report(evaluation, threshold)
    if out is not None:
        say(f"written: {out / 'scored.csv'}, {out / 'model.json'}")


def _check(threshold: float, region: str) -> None:
    if not math.isfinite(threshold):
        raise InvalidInputError("--threshold must be a number.", field="threshold")
    if region not in SUPPORTED_REGIONS:
        raise InvalidInputError("--region is not an ISO 3166 country code such as US.", field="region")


def _evaluate(file: Path, region: str, out: Path | None, *, is_records: bool) -> Evaluation:
    evaluate = evaluate_records if is_records else evaluate_pairs
    stages = _Stages()
    with _scored_file(out) as take:
        evaluation = evaluate(file, region, take, stages)
    stages.end()
    if out is not None:
        text = json.dumps(evaluation.model.as_dict(), indent=2, ensure_ascii=False)
        (out / "model.json").write_text(text + "\n", encoding="utf-8")
    return evaluation


class _Stages:
    """Shows how far each stage has come, on standard error."""

    _EVERY = 20_000

    def __init__(self) -> None:
        self._stage = ""
        self._done = 0

    def __call__(self, stage: str, count: int) -> None:
        if stage != self._stage:
            self.end()
            self._stage, self._done = stage, 0
            if not count:
                note(stage)
        before = self._done // self._EVERY
        self._done += count
        if self._done // self._EVERY > before:
            note(f"{stage}: {self._done}")

    def end(self) -> None:
        """Say how many the stage did in all."""
        if self._done:
            note(f"{self._stage}: {self._done}")
        self._done = 0


@contextmanager
def _scored_file(out: Path | None) -> Iterator[Take]:
    """Takes scored pairs into `scored.csv`; written beside and moved into place when all are in."""
    if out is None:
        yield lambda _scored, _is_match: None
        return
    out.mkdir(parents=True, exist_ok=True)
    part = out / "scored.csv.part"
    with part.open("w", encoding="utf-8", newline="") as file:
        writer: csv.DictWriter[str] | None = None

        def take(scored: ScoredPair, is_match: bool) -> None:
            nonlocal writer
            row = describe(scored, is_match=is_match)
            if writer is None:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow(row)

        yield take
    part.replace(out / "scored.csv")


def _report(evaluation: Evaluation, threshold: float) -> None:
    model = evaluation.model
    learnt = "from these records" if model.learnt_u else "priors: too few records to learn from"
    for column, count in sorted(evaluation.unread.items()):
        note(f"left out as unreadable: {count} value(s) of {column}")
    say(f"records: {evaluation.records}, pairs scored: {evaluation.pairs}, same person: {evaluation.true_pairs}")
    fields = ", ".join(model.learnt_m) or "no field"
    say(f"model: {learnt}; starting weight {model.starting_weight:.1f}; same-person shares learnt for: {fields}")
    say(f"brought together by blocking: {evaluation.joined} of {evaluation.true_pairs} same-person pairs")
    rows = [_row(evaluation.at(step)) for step in sorted({*_TABLE, threshold})]
    show_table("by match weight", ("weight >=", "found", "right", "precision", "recall", "F1"), rows)
    at = evaluation.at(threshold)
    say(f"threshold {threshold:g}: precision {_share(at.precision)}, recall {_share(at.recall)}, F1 {_share(at.f1)}")


def _row(quality: Quality) -> list[str]:
    numbers = [f"{quality.threshold:g}", str(quality.found), str(quality.right)]
    return [*numbers, _share(quality.precision), _share(quality.recall), _share(quality.f1)]


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
