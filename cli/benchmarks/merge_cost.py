"""Bench `--merge-cost`: whether merging and unmerging two profiles depends on how many events they have."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli.benchmarks.servers import Servers
from core.brand import BrandSettings
from core.clock import format_time
from core.events import IncomingEvent
from graph.commit import commit_batch
from graph.driver import Graph
from graph.migrations import migrate
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event
from ingest.stewardship.merging import merge_profiles, unmerge_profile

SIZES = (50, 5_000, 50_000)
TARGET = 2.0
"""Cost at the largest size over cost at the smallest: at most this."""
_START = datetime(2026, 7, 1, tzinfo=UTC)
_BATCH = 500
_BUDGET_SECONDS = 60.0
_EVENTS_PER_ORDER = 10
_WARM_PAIRS = 10


@dataclass(frozen=True, slots=True)
class MergeCostPlan:
    """Events of each profile, and how often each pair is merged and unmerged; some more times warm up."""

    sizes: tuple[int, ...] = SIZES
    cycles: int = 30
    warm_ups: int = 10


@dataclass(frozen=True, slots=True)
class MergeCost:
    """Milliseconds for two profiles of `events` events each: by an event (once), by hand and back (medians, p95)."""

    events: int
    automatic: float
    merge: float
    merge_p95: float
    unmerge: float
    unmerge_p95: float


def measure_merge_cost(plan: MergeCostPlan, servers: Servers, tell: Callable[[str], None]) -> list[MergeCost]:
    """Load a pair of profiles for each size, then merge and unmerge all pairs in turn."""
    settings = BrandSettings("bench-merges")
    with Graph.connect(servers.settings) as graph:
        migrate(graph)
        pairs = {}
        for size in plan.sizes:
            pairs[size] = tuple(_load(graph, settings, f"{side}{size}", size) for side in ("left", "right"))
            tell(f"two profiles of {size:,} events")
        # The first merge of all pays for plans that the server makes once.
        for name in map(str, range(1, 1 + _WARM_PAIRS)):
            left, _ = (_load(graph, settings, f"{side}{name}", 2) for side in ("left", "right"))
            _merge_by_event(graph, settings, name)
            unmerge_profile(graph, settings, left, by="bench")
        automatic = {}
        for size, (left, _) in pairs.items():
            automatic[size] = _merge_by_event(graph, settings, str(size))
            unmerge_profile(graph, settings, left, by="bench")
        merges: dict[int, list[float]] = {size: [] for size in plan.sizes}
        unmerges: dict[int, list[float]] = {size: [] for size in plan.sizes}
        for cycle in range(plan.warm_ups + plan.cycles):
            for size, (left, right) in pairs.items():
                spent = _cycle(graph, settings, left, right)
                if cycle >= plan.warm_ups:
                    merges[size].append(spent[0])
                    unmerges[size].append(spent[1])
    return [
        MergeCost(
            size, automatic[size],
            statistics.median(merges[size]), _p95(merges[size]),
            statistics.median(unmerges[size]), _p95(unmerges[size]),
        )
        for size in plan.sizes
    ]  # fmt: skip


def merge_cost_markdown(found: Sequence[MergeCost]) -> str:
    """The table of costs, and the two ratios beside their target."""
    lines = [
        "| events of each profile | merge by an event ms | merge by hand ms | p95 | unmerge ms | p95 |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {one.events:,} | {one.automatic:.1f} | {one.merge:.1f} | {one.merge_p95:.1f} | {one.unmerge:.1f} "
        f"| {one.unmerge_p95:.1f} |"
        for one in found
    ]
    for name, ratio in (
        ("merge", found[-1].merge / found[0].merge),
        ("unmerge", found[-1].unmerge / found[0].unmerge),
    ):
        verdict = "reached" if ratio <= TARGET else "MISSED"
        lines += ["", f"{name}, most events / fewest: {ratio:.2f} (at most {TARGET}: {verdict})."]
    return "\n".join(lines)


def _cycle(graph: Graph, settings: BrandSettings, left: str, right: str) -> tuple[float, float]:
    began = time.perf_counter()
    outcome = merge_profiles(graph, settings, left, [right], by="bench")
    between = time.perf_counter()
    unmerge_profile(graph, settings, outcome.survivor_id, by="bench")
    return (between - began) * 1_000, (time.perf_counter() - between) * 1_000


def _merge_by_event(graph: Graph, settings: BrandSettings, name: str) -> float:
    """Milliseconds of an event that names both sides."""
    identifiers = {"email": f"left{name}@mail.example", "phone": _phone(f"right{name}")}
    event = _event(settings, f"both-{name}", 0, identifiers)
    began = time.perf_counter()
    [result] = commit_batch(graph, settings, [event], budget_seconds=_BUDGET_SECONDS)
    spent = (time.perf_counter() - began) * 1_000
    if result.decision != "merged":
        raise RuntimeError(f"the event that names both profiles was {result.decision}")
    return spent


def _load(graph: Graph, settings: BrandSettings, name: str, count: int) -> str:
    """A profile with `count` events, one of ten a purchase; its id."""
    identifiers = {"email": f"{name}@mail.example"} if name.startswith("left") else {"phone": _phone(name)}
    profile = ""
    for batch in _batches(settings, name, count, identifiers):
        results = commit_batch(graph, settings, batch, budget_seconds=_BUDGET_SECONDS)
        profile = results[-1].profile_id or ""
    return profile


def _batches(
    settings: BrandSettings, name: str, count: int, identifiers: dict[str, str]
) -> Iterator[list[IncomingEvent]]:
    for start in range(0, count, _BATCH):
        yield [
            _event(settings, f"{name}-{place}", place, identifiers)
            for place in range(start, min(count, start + _BATCH))
        ]


def _event(settings: BrandSettings, key: str, place: int, identifiers: dict[str, str]) -> IncomingEvent:
    at = _START + timedelta(seconds=place)
    is_order = place % _EVENTS_PER_ORDER == 1
    body = {
        "type": "purchase" if is_order else "page_view",
        "channel": "website",
        "source": "bench",
        "occurred_at": format_time(at),
        "message_id": key,
        "identifiers": identifiers,
        "payload": {"order_id": key, "total": "12.50", "currency": "USD"} if is_order else {"page_url": "/"},
    }
    now = at + timedelta(days=1)
    return to_incoming(parse_event(body, settings, now), settings, now)


def _phone(name: str) -> str:
    digits = "".join(one for one in name if one.isdigit()) or "1"
    return f"+1212{2_000_000 + int(digits)}"


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[94]
