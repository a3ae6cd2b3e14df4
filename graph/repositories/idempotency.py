"""Claims and kept answers of `Idempotency-Key` requests: `api/idempotency.py` decides, this file remembers."""

from dataclasses import dataclass
from datetime import datetime

from graph.driver import Graph


@dataclass(frozen=True, slots=True)
class Claim:
    """One request's claim on a key: `key` names it in the graph, `op` this very run."""

    key: str
    brand: str
    op: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class ClaimState:
    """What a claim met: our own run, one that still runs, or an answer of before (`status` and `answer`)."""

    is_owned: bool
    is_same_body: bool
    state: str
    status: int | None
    answer: bytes | None


def begin_request(graph: Graph, claim: Claim, *, now: datetime, lease_until: datetime, oldest: datetime) -> ClaimState:
    """Claim the key for this run, or read what became of it; answers from before `oldest` no longer count."""
    row = graph.write(
        "idempotency/begin_request",
        key=claim.key,
        brand=claim.brand,
        body_hash=claim.body_hash,
        op=claim.op,
        now=now,
        lease_until=lease_until,
        oldest=oldest,
    )[0]
    answer = row["answer"]
    return ClaimState(
        is_owned=row["owned"],
        is_same_body=row["same_body"],
        state=row["state"],
        status=row["status"],
        answer=None if answer is None else bytes(answer),
    )


def finish_request(graph: Graph, claim: Claim, *, status: int, answer: bytes) -> None:
    """Keep the answer of the run that holds the claim."""
    graph.write(
        "idempotency/finish_request",
        key=claim.key,
        brand=claim.brand,
        op=claim.op,
        status=status,
        answer=bytearray(answer),
    )


def abandon_request(graph: Graph, claim: Claim) -> None:
    """Give the claim back after a failure that a retry may heal."""
    graph.write("idempotency/abandon_request", key=claim.key, brand=claim.brand, op=claim.op)
