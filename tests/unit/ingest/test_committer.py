"""Group commit: who shares a transaction, who waits for whom, and what a bad event costs the others."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import PoisonedEventError, TimedOutError, TimedOutEventError, UnavailableError
from core.events import IncomingEvent
from graph.commit import PartlyStoredError
from ingest.committer import GroupCommitter, commit_halving
from tests.factories import event

BRAND = BrandSettings("b")


def stored(events: Sequence[IncomingEvent]) -> list[EventResult]:
    return [EventResult(one.id, "attached", profile_id=f"cus_{one.identifiers[0].value}") for one in events]


class Gate:
    """A commit that holds its first batch until it is opened, and notes every batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.opened = threading.Event()
        self.entered = threading.Event()

    def __call__(self, _: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
        self.batches.append([one.id for one in events])
        if len(self.batches) == 1:
            self.entered.set()
            assert self.opened.wait(10)
        return stored(events)


def one(name: str, *pairs: str) -> IncomingEvent:
    return event("b", *pairs, key=name)


async def run_behind(gate: Gate, later: list[IncomingEvent], writers: int) -> list[str]:
    committer = GroupCommitter(gate, max_events=10, writers=writers)
    first = committer.submit(BRAND, [one("first", "email:a")])
    await asyncio.to_thread(gate.entered.wait, 10)
    futures = [committer.submit(BRAND, [item]) for item in later]
    if writers > 1:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    gate.opened.set()
    answers = await asyncio.gather(first, *futures)
    await asyncio.to_thread(committer.close)
    return [answer.event_id for [answer] in answers if isinstance(answer, EventResult)]


def test_waiting_requests_share_one_transaction() -> None:
    gate = Gate()
    later = [one(f"e{n}", f"email:{n}") for n in range(5)]
    answered = asyncio.run(run_behind(gate, later, writers=1))
    assert answered == ["evt_b_first", *[item.id for item in later]]
    assert gate.batches == [["evt_b_first"], [item.id for item in later]]


def test_what_shares_an_identifier_with_a_transaction_under_way_waits_and_keeps_its_order() -> None:
    gate = Gate()
    later = [one("same", "email:a", "cookie_id:c"), one("behind", "cookie_id:c"), one("free", "email:z")]
    asyncio.run(run_behind(gate, later, writers=2))
    assert gate.batches == [["evt_b_first"], ["evt_b_free"], ["evt_b_same", "evt_b_behind"]]


def test_a_bad_event_stands_alone_and_the_others_are_stored() -> None:
    def commit(_: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
        if any(item.id == "evt_b_bad" for item in events):
            raise ValueError
        return stored(events)

    async def send() -> list[object]:
        committer = GroupCommitter(commit, max_events=10, writers=1)
        answer = await committer.submit(BRAND, [one(name, f"email:{name}") for name in ("x", "bad", "y", "z")])
        await asyncio.to_thread(committer.close)
        return list(answer)

    answers = asyncio.run(send())
    assert [type(answer) for answer in answers] == [EventResult, PoisonedEventError, EventResult, EventResult]


def test_too_much_waiting_is_refused_at_once() -> None:
    async def send() -> None:
        gate = Gate()
        committer = GroupCommitter(gate, max_events=1, writers=1, max_waiting=2)
        waiting = [committer.submit(BRAND, [one("first", "email:a")])]
        await asyncio.to_thread(gate.entered.wait, 10)
        waiting += [committer.submit(BRAND, [one(f"w{n}", f"email:{n}")]) for n in range(2)]
        with pytest.raises(UnavailableError):
            committer.submit(BRAND, [one("more", "email:m")])
        gate.opened.set()
        await asyncio.gather(*waiting)
        await asyncio.to_thread(committer.close)

    asyncio.run(send())


def test_closing_commits_what_is_waiting() -> None:
    async def send() -> int:
        committer = GroupCommitter(lambda _, events: stored(events), max_events=3, writers=2)
        futures = [committer.submit(BRAND, [one(f"c{n}", f"email:{n % 4}")]) for n in range(50)]
        await asyncio.to_thread(committer.close)
        return len(await asyncio.gather(*futures))

    assert asyncio.run(send()) == 50


def test_an_event_that_takes_too_long_by_itself_is_told_apart_from_bad_data() -> None:
    def commit(_: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
        if any(item.id == "evt_b_slow" for item in events):
            raise TimedOutError("too long")
        return stored(events)

    outcomes = commit_halving(commit, BRAND, [one(name, f"email:{name}") for name in ("x", "slow", "y")])
    assert [type(outcome) for outcome in outcomes] == [EventResult, TimedOutEventError, EventResult]


@pytest.mark.parametrize("cause", [ValueError("bad"), UnavailableError("away")])
def test_what_was_stored_before_something_stopped_the_batch_keeps_its_answer(cause: Exception) -> None:
    def commit(_: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
        names = [item.id for item in events]
        if "evt_b_stop" in names:
            if names.index("evt_b_stop"):
                raise PartlyStoredError(stored(events[: names.index("evt_b_stop")])) from cause
            raise type(cause)("again")
        return stored(events)

    outcomes = commit_halving(commit, BRAND, [one(name, f"email:{name}") for name in ("x", "y", "stop", "z")])
    assert outcomes[:2] == stored([one("x", "email:x"), one("y", "email:y")])
    last = (PoisonedEventError, EventResult) if isinstance(cause, ValueError) else (UnavailableError, UnavailableError)
    assert all(isinstance(outcome, kind) for outcome, kind in zip(outcomes[2:], last, strict=True))


def test_requests_that_waited_too_long_are_given_up_and_what_no_writer_took_is_not_stored() -> None:
    gate = Gate()

    async def send() -> tuple[list[object], int]:
        committer = GroupCommitter(gate, max_events=1, writers=1)
        futures = [committer.submit(BRAND, [one("first", "email:a")])]
        await asyncio.to_thread(gate.entered.wait, 10)
        futures += [committer.submit(BRAND, [one(f"w{n}", f"email:{n}")]) for n in range(3)]
        assert committer.oldest_seconds() > 0
        assert committer.give_up(3600, with_taken=True) == 0
        assert committer.give_up(0.0, with_taken=False) == 3
        assert committer.give_up(0.0, with_taken=True) == 1
        answers = await asyncio.gather(*futures)
        waiting = committer.waiting_events
        assert committer.oldest_seconds() == 0.0
        gate.opened.set()
        later = await committer.submit(BRAND, [one("later", "email:z")])
        await asyncio.to_thread(committer.close)
        return [type(outcome) for answer in [*answers, later] for outcome in answer], waiting

    answers, waiting = asyncio.run(send())
    assert answers == [UnavailableError] * 4 + [EventResult]
    assert waiting == 0
    assert gate.batches == [["evt_b_first"], ["evt_b_later"]]
