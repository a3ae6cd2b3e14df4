"""The garbage collector of a long-lived process: pauses stay short, and what was there at the start is left alone."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from core.collector import settle_collector

SHORT = 2_500
"""Objects that the collector may free in one pause: a millisecond or two of work."""


@pytest.fixture(autouse=True)
def own_collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def make_garbage(count: int) -> None:
    """Objects that only the collector can free, as the driver leaves them after each transaction."""
    for _ in range(count):
        ring: list[object] = []
        ring.append(ring)


def freed_at_once() -> list[int]:
    freed: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            freed.append(info["collected"])

    gc.callbacks.append(note)
    try:
        make_garbage(100_000)
    finally:
        gc.callbacks.remove(note)
    return freed


def test_garbage_is_collected_in_portions_too_small_to_be_felt() -> None:
    settle_collector()
    freed = freed_at_once()
    assert sum(freed) > 90_000
    assert max(freed) < SHORT


def test_what_was_there_at_the_start_is_never_walked_again() -> None:
    standing: list[list[object]] = [[] for _ in range(10_000)]
    settle_collector()
    assert gc.get_freeze_count() > len(standing)
    assert len(gc.get_objects()) < len(standing)


@pytest.mark.parametrize("signal", ["worker_process_init", "worker_ready"])
def test_every_process_of_a_worker_settles_its_collector(signal: str) -> None:
    lines = [
        "import gc, celery.signals, api.worker",
        "api.worker._pulse.beat = lambda: None",
        f"celery.signals.{signal}.send(sender=None)",
        f"print(gc.get_threshold()[0] <= {SHORT}, gc.get_freeze_count() > 0)",
    ]
    # Nothing listens there: nothing is sent either.
    environment = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    words = [sys.executable, "-c", "\n".join(lines)]
    answer = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["True", "True"]
