"""Command `bench`: measures the raw limit, the naive way, our resolver and the HTTP doors in one run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.benchmarks.growth import GrowthPlan, growth_markdown, measure_growth
from cli.benchmarks.measure import KINDS
from cli.benchmarks.merge_cost import MergeCostPlan, measure_merge_cost, merge_cost_markdown
from cli.benchmarks.ml import MlPlan, measure_ml, ml_markdown
from cli.benchmarks.read_brand import ReadPlan
from cli.benchmarks.reads import measure_reads, reads_markdown
from cli.benchmarks.report import to_json, to_markdown
from cli.benchmarks.rounds import BenchPlan, run_bench
from cli.benchmarks.scoring import ScorePlan, measure_scoring, scoring_markdown
from cli.benchmarks.servers import bench_servers
from cli.benchmarks.soak import SoakPlan, is_good, run_soak, soak_markdown
from cli.benchmarks.soak import to_json as soak_json
from cli.console import note, say
from core.logs import configure_logs

_HTTP = frozenset({"d", "e"})


def bench(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    seconds: Annotated[float, typer.Option(help="Seconds that each measurement takes in each round.")] = 5.0,
    events: Annotated[int | None, typer.Option(help="Events of each measurement, or of --read's brand.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count; two more warm up.")] = 3,
    only: Annotated[str, typer.Option(help="Letters of the measurements to run.")] = "a,b,c,d,e",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole result here as JSON.")] = None,
    grow: Annotated[
        bool, typer.Option("--grow", help="Time single decisions at 10 K, 100 K and 1 M identifiers instead.")
    ] = False,
    merge_cost: Annotated[
        bool, typer.Option("--merge-cost", help="Time merge and unmerge of profiles with 50 to 50,000 events instead.")
    ] = False,
    protection: Annotated[
        bool, typer.Option("--protection", help="Compare (c) with (f), the same without merge protection, instead.")
    ] = False,
    read: Annotated[bool, typer.Option("--read", help="Time every kind of read beside a hand-written one.")] = False,
    ml: Annotated[bool, typer.Option("--ml", help="Measure features, evaluate and scoring runs instead.")] = False,
    customers: Annotated[
        int, typer.Option(min=1_000, help="Customers of --ml features; evaluate takes a fifth.")
    ] = 1_000_000,
    profiles: Annotated[
        int, typer.Option(min=0, help="Profiles that the last part of --ml scores; 0 leaves it out.")
    ] = 100_000,
    soak: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="MINUTES", help="Send half the measured limit for so long (15 tells enough)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the event mix.")] = 0,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the bench's servers keep their data while it runs; default a temporary one."),
    ] = None,
) -> None:
    """Measure the write path against a Neo4j, Redis and API of the bench's own; prints a Markdown report."""
    configure_logs(level="WARNING", as_json=False)
    if soak is not None:
        _soak(SoakPlan(soak, seed), json_file=json_file, data_dir=data_dir)
        return
    if ml:
        learning = MlPlan(customers, max(customers // 5, 1_000), rounds, seed)
        _learning(learning, ScorePlan(profiles, rounds, seed), json_file, data_dir)
        return
    if grow or merge_cost or read:
        chosen = {name for name, on in (("grow", grow), ("merge_cost", merge_cost), ("read", read)) if on}
        _special(chosen, ReadPlan(events or 20_000, rounds=rounds, seed=seed), json_file, data_dir)
        return
    only = "c,f" if protection else only
    letters = tuple(letter for letter in KINDS if letter in only)
    if not letters or set(only) - set(KINDS) - set(", "):
        raise typer.BadParameter(f"name some of {','.join(KINDS)}", param_hint="--only")
    plan = BenchPlan(letters, rounds=rounds, seconds=seconds, events=events, seed=seed)
    with bench_servers(with_api=bool(_HTTP & set(letters)), folder=data_dir) as servers:
        result = run_bench(plan, servers, note)
    if json_file is not None:
        json_file.write_text(json.dumps(to_json(result), indent=2) + "\n", encoding="utf-8")
    say(to_markdown(result))
    if any(found.refused for measured in result.rounds for found in measured.values()):
        raise typer.Exit(1)


def _soak(plan: SoakPlan, *, json_file: Path | None, data_dir: Path | None) -> None:
    with bench_servers(with_api=True, with_worker=True, folder=data_dir) as servers:
        result = run_soak(plan, servers, note)
    if json_file is not None:
        json_file.write_text(json.dumps(soak_json(result), indent=2) + "\n", encoding="utf-8")
    say(soak_markdown(result))
    if not is_good(result):
        raise typer.Exit(1)


def _learning(plan: MlPlan, scoring: ScorePlan, json_file: Path | None, data_dir: Path | None) -> None:
    """Features and evaluate, which need no servers, then scoring, which does."""
    measured = measure_ml(plan, note)
    found = measured.as_dict()
    say(ml_markdown(measured))
    if scoring.profiles:
        with bench_servers(with_api=True, folder=data_dir) as servers:
            scored = measure_scoring(scoring, servers, note)
        found["scoring"] = scored.as_dict()
        say(f"\n{scoring_markdown(scored)}")
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _special(chosen: set[str], reads: ReadPlan, json_file: Path | None, data_dir: Path | None) -> None:
    """The measurements that are no rates."""
    found: dict[str, Any] = {}
    with bench_servers(with_api="read" in chosen, folder=data_dir) as servers:
        if "grow" in chosen:
            grown = measure_growth(GrowthPlan(), servers, note)
            found["growth"] = [asdict(one) for one in grown]
            say(growth_markdown(grown))
        if "merge_cost" in chosen:
            costs = measure_merge_cost(MergeCostPlan(), servers, note)
            found["merge_cost"] = [asdict(one) for one in costs]
            say(merge_cost_markdown(costs))
        if "read" in chosen:
            result = measure_reads(reads, servers, note)
            found["read"] = asdict(result)
            say(reads_markdown(result))
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(bench)
