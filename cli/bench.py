"""Command `bench`: measures the raw limit, the naive way, our resolver and the HTTP doors in one run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.benchmarks.measure import KINDS
from cli.benchmarks.report import to_json, to_markdown
from cli.benchmarks.rounds import BenchPlan, run_bench
from cli.benchmarks.servers import bench_servers
from cli.console import note, say
from core.logs import configure_logs

_HTTP = frozenset({"d", "e"})


def bench(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    seconds: Annotated[float, typer.Option(help="Seconds that each measurement takes in each round.")] = 5.0,
    events: Annotated[int | None, typer.Option(help="Events of each measurement instead of a time.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count; two more warm up.")] = 3,
    only: Annotated[str, typer.Option(help="Letters of the measurements to run.")] = "a,b,c,d,e",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole result here as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the event mix.")] = 0,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the bench's servers keep their data while it runs; default a temporary one."),
    ] = None,
) -> None:
    """Measure the write path against a Neo4j, Redis and API of the bench's own; prints a Markdown report."""
    letters = tuple(letter for letter in KINDS if letter in only)
    if not letters or set(only) - set(KINDS) - set(", "):
        raise typer.BadParameter(f"name some of {','.join(KINDS)}", param_hint="--only")
    configure_logs(level="WARNING", as_json=False)
    plan = BenchPlan(letters, rounds=rounds, seconds=seconds, events=events, seed=seed)
    with bench_servers(with_api=bool(_HTTP & set(letters)), folder=data_dir) as servers:
        result = run_bench(plan, servers, note)
    if json_file is not None:
        json_file.write_text(json.dumps(to_json(result), indent=2) + "\n", encoding="utf-8")
    say(to_markdown(result))
    if any(found.refused for measured in result.rounds for found in measured.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(bench)
