"""One run of the suggestions, start to end: reads profiles into the table, learns, scores, proposes the likeliest.

What it has done stands in the graph: a run that another worker takes over reads and scores again and finds its earlier
proposals made. Records live in DuckDB alone; one page of profiles and one page of pairs are in memory.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from types import TracebackType
from typing import Any, Self

import structlog

from core.brand import BrandSettings
from core.clock import Clock, utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.proposals import Outcome, Proposal, open_pairs, propose
from graph.repositories.brands import find_brand
from graph.repositories.suggestion_runs import (
    CANCELLED,
    DONE,
    FAILED,
    QUEUED,
    RunClaim,
    claim_run,
    finish_run,
    is_cancelled,
    renew_run,
)
from graph.repositories.suggestions import count_profiles, page_profiles
from ml.suggestions.listing import record_of
from ml.suggestions.model import Model
from ml.suggestions.records import TRAIT_NAMES
from ml.suggestions.scoring import ScoredPair, score_blocked, train
from ml.suggestions.table import RecordTable, open_database

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
_PAIRS_AT_ONCE = 200


class RunLostError(Exception):
    """The run is no longer this worker's, or a person stopped it."""


@dataclass(slots=True)
class _Progress:
    """How far the run has come, as its signs of life tell it."""

    stage: str = "starting"
    profiles_total: int = 0
    profiles_read: int = 0
    pairs: int = 0
    known: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    made: int = 0
    """Proposals and merges of this attempt."""

    def as_dict(self) -> dict[str, Any]:
        """The counters that are stored as they are."""
        names = ("stage", "profiles_total", "profiles_read", "pairs", "known")
        return {name: getattr(self, name) for name in names}


class _Heart(threading.Thread):
    """Renews the lease while the run computes: one query of Splink may take longer than a lease."""

    def __init__(self, graph: Graph, claim: RunClaim, progress: _Progress, lease: timedelta) -> None:
        super().__init__(name="suggestions-lease", daemon=True)
        self._graph, self._claim, self._progress, self._lease = graph, claim, progress, lease
        self._is_over = threading.Event()
        self._is_lost = threading.Event()
        self._lives_until = utc_now() + lease

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Beat a few times in each lease, until the run is over or lost."""
        while not self._is_over.wait(self._lease.total_seconds() / 4):
            try:
                self.beat()
            except UnavailableError:
                # The lease outlasts a short outage; past its end somebody else may have begun.
                if utc_now() > self._lives_until:
                    self._is_lost.set()
            if self._is_lost.is_set():
                return

    def beat(self) -> None:
        """Tell the graph now; raises UnavailableError."""
        until = utc_now() + self._lease
        if renew_run(self._graph, self._claim, self._progress.as_dict(), until=until):
            self._lives_until = until
        else:
            self._is_lost.set()

    def check(self) -> None:
        """Raises RunLostError when the run is not this worker's any more."""
        if self._is_lost.is_set() or utc_now() > self._lives_until:
            raise RunLostError

    def enter(self, stage: str) -> None:
        """A new stage begins: say so at once; raises RunLostError, UnavailableError."""
        self._progress.stage = stage
        self.beat()
        self.check()


@dataclass(frozen=True, slots=True)
class _Run:
    """What the steps of a run work with."""

    graph: Graph
    brand: BrandSettings
    claim: RunClaim
    stored: dict[str, Any]
    progress: _Progress
    heart: _Heart


def run_suggestions(
    graph: Graph, brand_id: str, run_id: str, *, clock: Clock = utc_now, lease: timedelta = LEASE
) -> str | None:
    """Carry out a run that waits, or one whose worker died; its state at the end, None when somebody else has it.

    Raises whatever broke it, after writing that into the run; while Neo4j is away the run waits for another worker.
    """
    stored = claim_run(graph, brand_id, run_id, now=clock(), lease=lease)
    if stored is None:
        return None
    claim = RunClaim(brand_id, run_id, stored["lease_token"])
    brand = find_brand(graph, brand_id)
    if brand is None:
        finish_run(graph, claim, FAILED, now=clock(), error="The brand is gone.")
        return FAILED
    progress = _Progress()
    try:
        with _Heart(graph, claim, progress, lease) as heart:
            facts = _carry_out(_Run(graph, brand, claim, stored, progress, heart))
            heart.beat()
    except RunLostError:
        state = CANCELLED if is_cancelled(graph, claim) else None
        if state is not None:
            finish_run(graph, claim, state, now=clock())
        return state
    except UnavailableError:
        finish_run(graph, claim, QUEUED, now=clock())
        raise
    except Exception as error:
        # Whatever broke it breaks it again: the run says so, and the worker's log has the rest.
        finish_run(graph, claim, FAILED, now=clock(), error=f"The run broke: {type(error).__name__}.")
        raise
    finish_run(graph, claim, DONE, now=clock(), facts=facts)
    log.info("suggestions_done", brand=brand_id, run_id=run_id, made=progress.made, pairs=progress.pairs)
    return DONE


def _carry_out(run: _Run) -> dict[str, str]:
    progress, heart = run.progress, run.heart
    with _filled_table(run) as table:
        heart.enter("learning")
        model = train(table, lambda stage: heart.enter(f"learning: {stage}"))
        heart.enter("scoring")
        _propose_all(run, model, score_blocked(table, model, run.stored["min_match_weight"]))
        return {
            "model": json.dumps(model.as_dict(), ensure_ascii=False),
            "crowded": json.dumps(table.crowded),
            "by_rule": json.dumps(dict(sorted(progress.by_rule.items()))),
        }


@contextmanager
def _filled_table(run: _Run) -> Iterator[RecordTable]:
    """The brand's live profiles as records in a database of this run."""
    run.progress.profiles_total = count_profiles(run.graph, run.brand.id)
    run.heart.enter("reading")
    with open_database() as database:
        table = RecordTable(database)
        for page in page_profiles(run.graph, run.brand.id, TRAIT_NAMES):
            table.add(map(record_of, page))
            run.progress.profiles_read += len(page)
            run.heart.check()
        table.drop_crowded_keys()
        yield table


def _propose_all(run: _Run, model: Model, scored: Iterator[ScoredPair]) -> None:
    """Propose what nothing speaks against, the likeliest first, up to the run's limit over all its attempts.

    Profiles that this run merged take no further part in it: they are compared anew by the next one.
    """
    left = run.stored["max_proposals"] - run.stored["proposed"] - run.stored["merged"]
    merged: set[str] = set()
    while left > 0 and (page := list(islice(scored, _PAIRS_AT_ONCE))):
        run.heart.enter("proposing")
        run.progress.pairs += len(page)
        run.progress.by_rule.update(one.rule for one in page if one.rule is not None)
        open_ones = open_pairs(run.graph, run.brand.id, [(one.left, one.right) for one in page])
        for one in page:
            run.heart.check()
            if left > 0 and (one.left, one.right) in open_ones and merged.isdisjoint((one.left, one.right)):
                outcome = _propose(run, model, one)
                left -= outcome in {Outcome.PROPOSED, Outcome.MERGED}
                run.progress.made += outcome in {Outcome.PROPOSED, Outcome.MERGED}
                run.progress.known += outcome is Outcome.KNOWN
                if outcome is Outcome.MERGED:
                    merged |= {one.left, one.right}
            else:
                run.progress.known += (one.left, one.right) not in open_ones


def _propose(run: _Run, model: Model, scored: ScoredPair) -> Outcome:
    proposal = Proposal(
        left_id=scored.left,
        right_id=scored.right,
        weight=scored.weight,
        probability=scored.probability,
        starting_weight=model.starting_weight,
        comparison=[{"field": o.field, "level": o.level, "weight": round(o.weight, 2)} for o in scored.comparison],
        blocking_rule=scored.rule or "",
        run_id=run.claim.run_id,
    )
    return propose(run.graph, run.brand, proposal, auto_merge_weight=run.stored.get("auto_merge_weight"))
