"""Scenario, the conductor: plays a story step by step into a brand, and once more to show that nothing changes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.scenarios.facts import FAILED, Fact, Reader
from cli.scenarios.senders import Sender
from cli.scenarios.stories import fill_saved, fill_times, load_story, read_path
from cli.service import BrandAccess, RefusedError, ServiceClient


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a story is played: the brand, a client with its key, the service's address, and when the run began."""

    client: ServiceClient
    brand: BrandAccess
    url: str
    started_at: datetime
    deadline_seconds: float = 30.0


@dataclass(slots=True)
class Played:
    """What came of a story."""

    story: str
    brand: str
    facts: list[Fact] = field(default_factory=list)
    saved: dict[str, Any] = field(default_factory=dict)
    """What the steps saved: ids that later requests name."""

    @property
    def has_failed(self) -> bool:
        """Whether any fact is wrong."""
        return any(fact.state == FAILED for fact in self.facts)


def play(name: str, stage: Stage) -> Played:
    """Play story `name` from its first step to its last and compare every fact."""
    story = load_story(name)
    reader = Reader(stage.client, stage.deadline_seconds)
    played = Played(name, stage.brand.id)
    for number, step, answer in _sent(story, stage, played.saved):
        for key, path in step.get("save", {}).items():
            played.saved[key] = read_path(answer, path)
        if isinstance(answer, RefusedError):
            played.facts.append(Fact(number, "the step is taken", "success", answer.detail, FAILED))
            return played
        reader.take_answer(number, answer)
        played.facts.extend(reader.check(fill_saved(step.get("expect", {}), played.saved)))
    return played


def replay(name: str, stage: Stage, saved: dict[str, Any]) -> list[str]:
    """Send the same requests once more, comparing nothing; the steps that the service refused, as text.

    `saved` is from the first time: an answer of now may name a survivor where the first one named its own profile.
    """
    return [
        f"step {number}: {answer.detail}"
        for number, _, answer in _sent(load_story(name), stage, saved)
        if isinstance(answer, RefusedError)
    ]


def _sent(story: dict[str, Any], stage: Stage, saved: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any], Any]]:
    """Each step with its answer, None when it sends nothing; the first refusal is the last answer."""
    sender = Sender(stage.client, stage.brand, stage.url, story["name"])
    for number, step in enumerate(story["steps"], start=1):
        answer: Any = None
        if "send" in step:
            request = fill_saved(fill_times(step["send"], stage.started_at), saved)
            try:
                answer = sender.send(request, number)
            except RefusedError as error:
                yield number, step, error
                return
        yield number, step, answer
