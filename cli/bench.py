"""Command `bench`: measures the raw limit, the naive way, our resolver and the HTTP doors in one run."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.benchmarks.measure import KINDS
from cli.benchmarks.report import to_json, to_markdown
from cli.benchmarks.rounds import BenchPlan, run_bench
from cli.benchmarks.servers import bench_servers

_HTTP = frozenset({"d", "e"})


def bench(
    seconds: Annotated[float, typer.Option(help="Seconds that each measurement takes in each round.")] = 5.0,
    events: Annotated[int | None, typer.Option(help="Events of each measurement instead of a time.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count; one more is the warm-up.")] = 3,
    only: Annotated[str, typer.Option(help="Letters of the measurements to run.")] = "a,b,c,d,e",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole result here as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the event mix.")] = 0,
) -> None:
    """Measure the write path against a Neo4j, Redis and API of the bench's own; prints a Markdown report."""
    letters = tuple(letter for letter in KINDS if letter in only)
    if not letters or set(only) - set(KINDS) - set(", "):
        raise typer.BadParameter(f"name some of {','.join(KINDS)}", param_hint="--only")
    progress = Console(stderr=True)
    with bench_servers(with_api=bool(_HTTP & set(letters))) as servers:
        result = run_bench(BenchPlan(letters, rounds, seconds, events, seed), servers, progress.print)
    if json_file is not None:
        json_file.write_text(json.dumps(to_json(result), indent=2) + "\n", encoding="utf-8")
    typer.echo(to_markdown(result))
    if any(found.refused for measured in result.rounds for found in measured.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(bench)
