"""Signals of `up`: a request that comes while a child is born counts after it is on the list."""

import os
import signal
from collections.abc import Iterator

import pytest

from cli.supervisor import Signals, StopRequestedError

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@pytest.fixture
def signals() -> Iterator[Signals]:
    """The handlers of `up`, taken away again after the test."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    with Signals() as installed:
        yield installed
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_request_while_a_child_is_born_counts_after_it_is_on_the_list(signals: Signals) -> None:
    born = []

    def bear() -> None:
        with signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
            born.append("child")

    with pytest.raises(StopRequestedError):
        bear()
    assert (signals.requests, born) == (1, ["child"])


def test_without_a_request_interrupts_are_allowed_again(signals: Signals) -> None:
    with signals.held():
        assert signals.interrupts is False
    assert signals.interrupts is True
