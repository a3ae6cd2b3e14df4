"""Splink at work: learns the model's numbers from a table of records, scores the pairs that blocking joins."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_level_library import CustomLevel, ElseLevel
from splink.comparison_library import CustomComparison

from ml.suggestions.blocking import RULES
from ml.suggestions.fields import ELSE, FIELDS, Field
from ml.suggestions.model import LevelNumbers, Model, learn_m, learn_u, prior_model
from ml.suggestions.table import FREQUENCIES, RecordTable

SEED = 1
_FEWEST_RECORDS = 200
_RANDOM_PAIRS = 500_000
_SESSIONS = ("birthday", "full_name")
"""Columns on which EM blocks; each teaches the fields that do not read it."""
_FEWEST_PAIRS = 200
_MOST_PAIRS = 2_000_000
_AT_ONCE = 500
_NOT_COMPARED = "not known on both sides"

Progress = Callable[[str], None]
"""Told the name of each stage as it begins."""

# Splink explains itself at length, and what matters of it is in the model that every run stores.
logging.getLogger("splink").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class FieldScore:
    """One row of the comparison table."""

    field: str
    left: str | None
    right: str | None
    level: str
    weight: float

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        weight = round(self.weight, 2)
        return {"field": self.field, "left": self.left, "right": self.right, "level": self.level, "weight": weight}


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two records, how likely they are one person, and why; `rule` is the first blocking rule that joined them."""

    left: str
    right: str
    weight: float
    probability: float
    comparison: tuple[FieldScore, ...]
    rule: str | None = None


def train(table: RecordTable, progress: Progress = lambda _: None) -> Model:
    """The model for these records: priors, blended with what random sampling and EM find where there is enough."""
    model = prior_model(table.count)
    if table.count < _FEWEST_RECORDS:
        return model
    progress("strangers")
    linker = _linker(table, model, [])
    linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=SEED)
    pairs = min(_RANDOM_PAIRS, table.count * (table.count - 1) / 2)
    model = learn_u(model, _probabilities(linker, "u_probability"), pairs)
    sessions = []
    for column in _SESSIONS:
        shared = table.pairs_that_share(column)
        if _FEWEST_PAIRS <= shared <= _MOST_PAIRS:
            progress(f"same persons by {column}")
            sessions.append(_expect_and_maximise(table, model, column, shared))
    return learn_m(model, [session for session in sessions if session is not None])


def _expect_and_maximise(
    table: RecordTable, model: Model, column: str, pairs: int
) -> tuple[dict[str, Sequence[float | None]], float] | None:
    linker = _linker(table, model, [])
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        block_on(column), estimate_without_term_frequencies=True
    )
    matches = pairs * session.core_model_settings.probability_two_random_records_match
    if not math.isfinite(matches):
        return None
    learnt = {comparison.output_column_name for comparison in session.core_model_settings.comparisons}
    found = _probabilities(linker, "m_probability")
    return {name: shares for name, shares in found.items() if name in learnt}, matches


def score_blocked(table: RecordTable, model: Model, least_weight: float) -> Iterator[ScoredPair]:
    """Every pair that a blocking rule joins and that reaches `least_weight`, the likeliest first."""
    rules = [block_on(rule.column, arrays_to_explode=[rule.column]) for rule in RULES]
    return _predict(table, model, rules, least_weight)


def score_given(table: RecordTable, model: Model, frequencies: RecordTable) -> Iterator[ScoredPair]:
    """The pairs that share a `pair_id`, all of them; `frequencies` is the table that tells rare names."""
    return _predict(table, model, [block_on("pair_id")], None, frequencies)


def _predict(
    table: RecordTable,
    model: Model,
    rules: list[Any],
    least_weight: float | None,
    frequencies: RecordTable | None = None,
) -> Iterator[ScoredPair]:
    if table.count < 2:  # noqa: PLR2004 (a pair)
        return
    linker = _linker(table, model, rules, frequencies)
    found = linker.inference.predict(threshold_match_weight=least_weight)  # type: ignore[arg-type]  # None: all pairs
    columns = ["id_l", "id_r", "match_weight", "match_probability", "match_key"]
    for field in FIELDS:
        columns += [f"gamma_{field.name}", f"bf_{field.name}", _frequency_column(field)]
    cursor = table.connection.cursor().execute(
        f"SELECT {', '.join(columns)} FROM {found.physical_name} ORDER BY match_weight DESC, id_l, id_r"  # noqa: S608 (own names)
    )
    is_blocked = frequencies is None
    try:
        while rows := cursor.fetchmany(_AT_ONCE):
            shown = table.shown([row[side] for row in rows for side in (0, 1)])
            for row in rows:
                yield _scored(row, shown, RULES[int(row[4])].name if is_blocked else None)
    finally:
        cursor.close()


def _scored(row: Sequence[Any], shown: dict[str, dict[str, str]], rule: str | None) -> ScoredPair:
    left, right, weight, probability = row[:4]
    comparison = []
    for place, field in enumerate(FIELDS):
        gamma, factor, adjustment = row[5 + 3 * place : 8 + 3 * place]
        comparison.append(
            FieldScore(
                field.name,
                shown[left].get(field.name),
                shown[right].get(field.name),
                _NOT_COMPARED if gamma < 0 else field.levels[len(field.levels) - 1 - gamma].words,
                0.0 if gamma < 0 else math.log2(factor * adjustment),
            )
        )
    return ScoredPair(left, right, weight, probability, tuple(comparison), rule)


def _frequency_column(field: Field) -> str:
    has_one = any(level.frequency_of for level in field.levels)
    return f"bf_tf_adj_{field.name}" if has_one else "CAST(1 AS DOUBLE)"


def _linker(table: RecordTable, model: Model, rules: list[Any], frequencies: RecordTable | None = None) -> Linker:
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        probability_two_random_records_match=model.chance,
        comparisons=[_comparison(field, model.numbers[field.name]) for field in FIELDS],
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(table.name, settings, DuckDBAPI(table.connection), set_up_basic_logging=False)
    for column in FREQUENCIES:
        lookup = table.connection.sql((frequencies or table).frequencies(column))
        linker.table_management.register_term_frequency_lookup(lookup, column, overwrite=True)  # type: ignore[no-untyped-call]
    return linker


def _comparison(field: Field, numbers: Sequence[LevelNumbers]) -> CustomComparison:
    levels: list[Any] = [CustomLevel(field.missing, "missing").configure(is_null_level=True)]
    for level, number in zip(field.levels, numbers, strict=True):
        stated: Any = ElseLevel() if level.condition == ELSE else CustomLevel(level.condition, level.words)
        stated = stated.configure(m_probability=number.m, u_probability=number.u)
        levels.append(stated.configure(tf_adjustment_column=level.frequency_of) if level.frequency_of else stated)
    return CustomComparison(comparison_levels=levels, output_column_name=field.name)


def _probabilities(linker: Linker, which: str) -> dict[str, Sequence[float | None]]:
    """Field → what Splink found for each of its levels, None where it never saw one."""
    stated = linker.misc.save_model_to_json()
    found: dict[str, Sequence[float | None]] = {}
    for comparison in stated["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        numbers = [level.get(which) for level in levels]
        found[comparison["output_column_name"]] = [one if isinstance(one, float) else None for one in numbers]
    return found
