"""Bench `--grow`: how long one decision takes while the graph grows around it."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.benchmarks.servers import Servers
from cli.benchmarks.writers import GROUPED, WriterJob, run_writers
from core.brand import BrandSettings
from core.clock import format_time
from core.events import IncomingEvent
from graph.commit import commit_batch
from graph.driver import Graph
from graph.migrations import migrate
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event

SIZES = (10_000, 100_000, 1_000_000)
TARGET = 1.5
"""p95 at the largest size over p95 at the smallest: at most this."""
_START = datetime(2026, 7, 1, tzinfo=UTC)
_EVENTS_AT_ONCE = 50_000
# One of ten is known by a phone at the till only: the events that name it beside an e-mail merge two profiles.
_TILL = 10
_KNOWN = 4
_IDENTIFIERS_OF_TEN = (_TILL - 1) * _KNOWN + 1
# Of ten decisions: seven meet one profile, two make a new one, one merges two.
_DECISIONS = ("attached",) * 7 + ("created",) * 2 + ("merged",)


@dataclass(frozen=True, slots=True)
class GrowthPlan:
    """Numbers of identifiers at which to measure, decisions of a round and rounds at each, and before the first.

    A tenth of the decisions merges somebody known at the till, each once: the smallest size must have so many.
    """

    sizes: tuple[int, ...] = SIZES
    decisions: int = 400
    rounds: int = 3
    warm_up: int = 1_000
    seed: int = 0


@dataclass(slots=True)
class Measure:
    """Latencies of single decisions at one size, in milliseconds: medians over the rounds, and p95 by decision."""

    identifiers: int
    load_seconds: float
    p50: float
    p95: float
    p99: float
    p95_by_decision: dict[str, float] = field(default_factory=dict)


def measure_growth(plan: GrowthPlan, servers: Servers, tell: Callable[[str], None]) -> list[Measure]:
    """Load people through the group committer up to each size and time single decisions there."""
    settings = BrandSettings("bench-growth")
    source = _Source(random.Random(f"growth {plan.seed}"), settings)  # noqa: S311 (no secret)
    found: list[Measure] = []
    with Graph.connect(servers.settings) as graph:
        migrate(graph)
        for size in plan.sizes:
            began = time.perf_counter()
            for events in source.grow(size):
                run_writers(WriterJob(GROUPED, servers.settings, settings), [events])
            seconds = time.perf_counter() - began
            [row] = graph.read("bench/count_rows", brand=settings.id)
            tell(f"{row['links']:,} identifiers after {seconds:.0f} s of loading")
            if not found:
                _decide(graph, settings, source, plan.warm_up)
            rounds = [_decide(graph, settings, source, plan.decisions) for _ in range(plan.rounds)]
            found.append(_summarise(row["links"], seconds, rounds))
            tell(f"  p50 {found[-1].p50:.2f} ms, p95 {found[-1].p95:.2f} ms, p99 {found[-1].p99:.2f} ms")
    return found


def growth_markdown(found: Sequence[Measure]) -> str:
    """The growth table, and the ratio beside its target."""
    names = sorted({name for one in found for name in one.p95_by_decision})
    lines = [
        "| identifiers | p50 ms | p95 ms | p99 ms | " + " | ".join(f"p95 {name}" for name in names) + " |",
        "| --: |" + " --: |" * (3 + len(names)),
    ]
    for one in found:
        kinds = " | ".join(f"{one.p95_by_decision.get(name, 0):.2f}" for name in names)
        lines.append(f"| {one.identifiers:,} | {one.p50:.2f} | {one.p95:.2f} | {one.p99:.2f} | {kinds} |")
    ratio = found[-1].p95 / found[0].p95
    verdict = "reached" if ratio <= TARGET else "MISSED"
    lines += ["", f"p95 at the largest size / p95 at the smallest: {ratio:.2f} (at most {TARGET}: {verdict})."]
    return "\n".join(lines)


def _decide(graph: Graph, settings: BrandSettings, source: "_Source", count: int) -> list[tuple[str, float]]:
    """Decision and seconds of `count` events, each in a transaction of its own."""
    found = []
    for event in source.decisions(count):
        began = time.perf_counter()
        [result] = commit_batch(graph, settings, [event])
        found.append((result.decision, time.perf_counter() - began))
    return found


def _summarise(identifiers: int, load_seconds: float, rounds: Sequence[Sequence[tuple[str, float]]]) -> Measure:
    cuts = [statistics.quantiles([seconds for _, seconds in one], n=100, method="inclusive") for one in rounds]
    p50, p95, p99 = (1_000 * statistics.median(cut[place] for cut in cuts) for place in (49, 94, 98))
    by_decision: dict[str, list[float]] = {}
    for one in rounds:
        for decision, seconds in one:
            by_decision.setdefault(decision, []).append(seconds * 1_000)
    kinds = {
        name: statistics.quantiles(times, n=100, method="inclusive")[94]
        for name, times in by_decision.items()
        if len(times) > 1
    }
    return Measure(identifiers, load_seconds, p50, p95, p99, kinds)


@dataclass(slots=True)
class _Source:
    """Makes people with four identifiers each (one of ten with a phone only) and events about them."""

    rng: random.Random
    settings: BrandSettings
    people: int = 0
    events: int = 0
    newcomers: int = 0
    merged: set[int] = field(default_factory=set)

    def grow(self, identifiers: int) -> Iterator[list[IncomingEvent]]:
        """First events of further people until so many identifiers are there, in parts."""
        goal = identifiers * _TILL // _IDENTIFIERS_OF_TEN
        while self.people < goal:
            end = min(goal, self.people + _EVENTS_AT_ONCE)
            yield [self._event(self._all(person)) for person in range(self.people, end)]
            self.people = end

    def decisions(self, count: int) -> Iterator[IncomingEvent]:
        """Events about people all over the graph."""
        for _ in range(count):
            yield self._event(_MAKERS[self.rng.choice(_DECISIONS)](self))

    def known(self) -> dict[str, str]:
        """One or two identifiers of somebody known."""
        owned = self._all(self.rng.randrange(self.people))
        names = self.rng.sample(sorted(owned), min(len(owned), self.rng.choice((1, 2))))
        return {name: owned[name] for name in names}

    def newcomer(self) -> dict[str, str]:
        """Identifiers of somebody new."""
        self.newcomers += 1
        return {"email": f"new{self.newcomers}@mail.example", "cookie_id": f"new-{self.newcomers:08d}"}

    def link(self) -> dict[str, str]:
        """The e-mail of one and the phone of another who is known at the till only."""
        if len(self.merged) >= self.people // _TILL:
            raise ValueError("too many decisions for so few people: nobody is left to merge")
        while (till := self.rng.randrange(self.people // _TILL) * _TILL) in self.merged:
            pass
        self.merged.add(till)
        other = self.rng.randrange(self.people // _TILL) * _TILL + 1 + self.rng.randrange(_TILL - 1)
        return {**self._all(till), "email": self._all(min(other, self.people - 1)).get("email", "x@mail.example")}

    def _all(self, person: int) -> dict[str, str]:
        if person % _TILL == 0:
            return {"phone": f"+1{2_120_000_000 + person}"}
        return {
            "email": f"person{person}@mail{person % 50}.example",
            "cookie_id": f"ck-{person:08d}",
            "user_id": f"user-{person}",
            "device_id": f"device-{person:08d}",
        }

    def _event(self, identifiers: dict[str, str]) -> IncomingEvent:
        self.events += 1
        at = _START + timedelta(seconds=self.events)
        body: dict[str, Any] = {
            "type": "page_view",
            "channel": "website",
            "source": "bench",
            "occurred_at": format_time(at),
            "message_id": f"g-{self.events}",
            "identifiers": identifiers,
            "payload": {"page_url": "https://shop.example/"},
        }
        now = at + timedelta(days=1)
        return to_incoming(parse_event(body, self.settings, now), self.settings, now)


_MAKERS: dict[str, Callable[[_Source], dict[str, str]]] = {
    "attached": _Source.known,
    "created": _Source.newcomer,
    "merged": _Source.link,
}
