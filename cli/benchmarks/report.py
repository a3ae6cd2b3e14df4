"""Bench, last step: the result as a Markdown table for people and as JSON for programs."""

import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from cli.benchmarks.measure import KINDS, Measured
from cli.benchmarks.rounds import BenchResult, Ratio


def to_json(result: BenchResult) -> dict[str, Any]:
    """The whole result as plain data: rates, latencies in ms, memory in MB, every round."""
    return {
        "machine": _machine(),
        "mix": asdict(result.mix),
        "medians": {letter: _medians(result, letter) for letter in _letters(result)},
        "ratios": [{**asdict(ratio), "is_reached": ratio.is_reached} for ratio in result.ratios],
        "rounds": [
            {letter: {**asdict(found), "rate": found.rate} for letter, found in sorted(measured.items())}
            for measured in result.rounds
        ],
    }


def to_markdown(result: BenchResult) -> str:
    """Table of medians, ratios beside their targets, what the mix was and whether all wrote the same rows."""
    lines = [
        "| measurement | events/s | p50 ms | p95 ms | p99 ms | retries | refused | Neo4j MB | API MB |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for letter in _letters(result):
        found = _medians(result, letter)
        lines.append(
            f"| ({letter}) {KINDS[letter].title} | {found['rate']:,.0f} | {found['p50']:.1f} | {found['p95']:.1f} "
            f"| {found['p99']:.1f} | {_shown(found['retries'])} | {found['refused']} | {_shown(found['neo4j_mb'])} "
            f"| {_shown(found['api_mb'])} |"
        )
    lines += ["", "| ratio | median | lowest | highest | target | |", "| --- | --: | --: | --: | --: | --- |"]
    lines += [_ratio_line(ratio) for ratio in result.ratios]
    lines += ["", _mix_line(result), _rows_line(result), _machine_line()]
    return "\n".join(lines)


def _letters(result: BenchResult) -> list[str]:
    return sorted(result.rounds[0]) if result.rounds else []


def _medians(result: BenchResult, letter: str) -> dict[str, Any]:
    """Medians over the rounds; retries and refusals are summed."""
    found = [measured[letter] for measured in result.rounds]

    def median(value: Callable[[Measured], float | None]) -> float | None:
        values = [number for one in found if (number := value(one)) is not None]
        return round(statistics.median(values), 2) if values else None

    retries = [sum(one.retries.values()) for one in found if one.retries is not None]
    return {
        "rate": median(lambda one: one.rate),
        "p50": median(lambda one: one.p50),
        "p95": median(lambda one: one.p95),
        "p99": median(lambda one: one.p99),
        "retries": sum(retries) if retries else None,
        "refused": sum(one.refused for one in found),
        "neo4j_mb": median(lambda one: one.neo4j_mb),
        "api_mb": median(lambda one: one.api_mb),
    }


def _ratio_line(ratio: Ratio) -> str:
    verdict = "reached" if ratio.is_reached else "MISSED"
    return (
        f"| ({ratio.over}) / ({ratio.under}) | {ratio.value:.2f} | {ratio.low:.2f} | {ratio.high:.2f} "
        f"| {ratio.target:.2f} | {verdict} |"
    )


def _mix_line(result: BenchResult) -> str:
    mix = result.mix
    decided = ", ".join(f"{count / mix.events:.1%} {name}" for name, count in mix.decisions.items())
    shape = f"{mix.identifiers_per_event} identifiers an event, {mix.known_share:.0%} meet a known profile"
    return f"Mix: {shape} ({decided})."


def _rows_line(result: BenchResult) -> str:
    """Whether every measurement wrote as many rows for each event as the others did."""
    shares = []
    for letter in _letters(result):
        found = result.rounds[-1][letter]
        rows = {name: count / found.events for name, count in found.rows.items()}
        shares.append(f"({letter}) " + ", ".join(f"{count:.2f} {name}" for name, count in rows.items()))
    return "Rows written for each event: " + "; ".join(shares) + "."


def _machine() -> dict[str, Any]:
    return {"system": platform.system(), "processor": platform.machine(), "python": platform.python_version()}


def _machine_line() -> str:
    machine = _machine()
    name = f"{machine['system']} {machine['processor']}, Python {machine['python']}"
    return f"Server and clients share one machine ({name})."


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
