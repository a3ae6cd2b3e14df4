"""Command `serve`: the API of a deployment whose databases are named by NEO4J_URI and REDIS_URL."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import connection_settings
from core.settings import child_environment


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of API processes.")] = 1,
    data_dir: Annotated[
        Path | None, typer.Option(help="Take the addresses of the `up` that runs on this folder.")
    ] = None,
) -> None:
    """Serve the API alone; run `constintel migrate` before the first start and after each upgrade."""
    words = ["uvicorn", "api.app:create_app", "--factory", "--host", host, "--port", str(port)]
    words += ["--workers", str(workers), "--no-access-log", "--timeout-graceful-shutdown", "20"]
    replace_by_module(words, data_dir)


def replace_by_module(words: list[str], data_dir: Path | None) -> None:
    """Become `python -m WORDS…` with the addresses in its environment: signals reach it directly."""
    settings = connection_settings(data_dir)
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-P", "-m", *words], child_environment(settings))  # noqa: S606
