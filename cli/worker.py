"""Commands `worker` and `beat`: the Celery processes of a deployment, also the words that `up` starts them with."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.serve import replace_by_module
from core.settings import load_settings

_POOL = {"all": "prefork", "default": "prefork", "ml": "solo"}
"""Learning runs by itself: LightGBM hangs in a child of a process that used it before the fork."""
_QUEUES = {"all": "default,ml"}
DataDir = Annotated[Path | None, typer.Option(help="Take the addresses of the `up` that runs on this folder.")]


class Queue(StrEnum):
    """Whose tasks a worker takes."""

    ALL = "all"
    DEFAULT = "default"
    ML = "ml"


def worker_words(concurrency: int, log_level: str, queue: Queue = Queue.ALL) -> list[str]:
    """What follows `python -m` for a worker; one of the queue `ml` works in one thread, whatever the concurrency."""
    queues = _QUEUES.get(queue, queue.value)
    words = ["celery", "--app", "api.worker", "--quiet", "worker", "--queues", queues, "--loglevel", log_level]
    pool = ["--pool", _POOL[queue], "--concurrency", str(1 if queue is Queue.ML else concurrency)]
    return [*words, *pool, "--hostname", f"{queue.value}@%h", "--without-gossip", "--without-mingle"]


def beat_words(schedule: Path, log_level: str) -> list[str]:
    """What follows `python -m` for the beat; it remembers its last runs in `schedule`."""
    words = ["celery", "--app", "api.worker", "--quiet", "beat", "--loglevel", log_level]
    return [*words, "--pidfile", "", "--schedule", str(schedule)]


def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Tasks at the same time.")] = 2,
    queue: Annotated[
        Queue, typer.Option(help="`ml` trains and scores, one thing at a time; `default` does everything else.")
    ] = Queue.ALL,
    data_dir: DataDir = None,
) -> None:
    """Run a Celery worker; any number of them on any number of machines."""
    replace_by_module(worker_words(concurrency, load_settings().log_level, queue), data_dir)


def beat(data_dir: DataDir = None) -> None:
    """Run the Celery beat, which sends the periodic tasks; run exactly one for an installation."""
    settings = load_settings()
    folder = (data_dir or settings.data_dir).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    replace_by_module(beat_words(folder / "beat-schedule", settings.log_level), data_dir)
