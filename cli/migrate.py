"""Command `migrate`: brings the graph's schema up to date; `up` does the same at every start."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import connection_settings
from graph.driver import Graph
from graph.migrations import migrate as run_migrations


def migrate(
    data_dir: Annotated[
        Path | None, typer.Option(help="Take the addresses of the `up` that runs on this folder.")
    ] = None,
) -> None:
    """Apply the migrations that the database does not have yet; safe to repeat."""
    with Graph.connect(connection_settings(data_dir)) as graph:
        graph.verify()
        names = run_migrations(graph)
    typer.echo(f"applied: {', '.join(names)}" if names else "the schema is up to date")
