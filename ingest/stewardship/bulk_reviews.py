"""One decision about many reviews: each in its own transaction, each answered with what happened to it.

A batch is kept in the graph and carried out in steps: some by the request itself, the rest by a worker; whoever dies on
the way, another one goes on, for a review's command follows from the batch and is carried out once.
"""

import hashlib
import time
import uuid
from datetime import datetime, timedelta

import structlog

from core.brand import BrandSettings
from core.clock import now_micros, utc_now
from core.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from graph.driver import Graph
from graph.repositories.brands import find_brand
from graph.repositories.review_batches import (
    BulkDecision,
    BulkOutcome,
    ClaimedBatch,
    claim_batch,
    create_batch,
    list_waiting_batches,
    record_outcomes,
    release_batch,
)
from graph.repositories.reviews_read import Cause, find_group, get_review
from graph.stewardship import Command
from ingest.stewardship.reviewing import Decide, ReviewSettledError, approving, rejecting, settle

log = structlog.get_logger(__name__)

MAX_REVIEWS = 5_000
DONE, ALREADY_SETTLED, NOT_FOUND, CONFLICT, FAILED = "done", "already_settled", "not_found", "conflict", "failed"
APPROVE, REJECT = "approve", "reject"
_DIGEST_BYTES = 16
_STEP = 20
# Longer than a step can take: each review of it has at most the budget of a command.
_LEASE = timedelta(minutes=5)
_BATCHES_AT_ONCE = 20


def reviews_of_cause(graph: Graph, brand: str, cause: Cause, *, as_of: datetime | None) -> tuple[list[str], int]:
    """The pending reviews of a group, and how many are left out because they changed since `as_of`.

    Raises InvalidInputError when there are more than one request may decide.
    """
    found = find_group(graph, brand, cause, as_of=as_of, limit=MAX_REVIEWS)
    if found.total > MAX_REVIEWS:
        raise InvalidInputError(f"The group has more than {MAX_REVIEWS} reviews: decide a part by ids.", field="group")
    return found.ids, found.changed


def start_batch(graph: Graph, brand: str, bulk: BulkDecision, request_key: str | None = None) -> str:
    """Keep the decision and answer its id; with a `request_key` a second try of the request is the same batch.

    Raises InvalidInputError for too many reviews or an unknown decision.
    """
    if len(bulk.review_ids) > MAX_REVIEWS:
        raise InvalidInputError(f"Name at most {MAX_REVIEWS} reviews.", field="review_ids")
    if bulk.decision not in (APPROVE, REJECT):
        raise InvalidInputError(f"decision must be {APPROVE} or {REJECT}.", field="decision")
    batch_id = "bulk_" + (uuid.uuid4().hex if request_key is None else _digest(brand, request_key))
    create_batch(graph, brand, batch_id, bulk, now=utc_now())
    return batch_id


def run_batch(graph: Graph, brand: BrandSettings, batch_id: str, *, seconds: float) -> None:
    """Go on with a batch for about so long; nothing when it is done or somebody else has it.

    Raises UnavailableError when the graph went away: what was decided until then stays decided, and is not lost.
    """
    deadline = time.monotonic() + seconds
    now = utc_now()
    batch = claim_batch(graph, brand.id, batch_id, holder=uuid.uuid4().hex, now=now, lease_until=now + _LEASE)
    if batch is None:
        return
    position, is_open = batch.position, True
    while is_open and time.monotonic() < deadline:
        outcomes = []
        for review_id in batch.bulk.review_ids[position : position + _STEP]:
            outcomes.append(_decide(graph, brand, batch, review_id))
            if time.monotonic() > deadline:
                break
        now = utc_now()
        is_open = record_outcomes(graph, batch, position, outcomes, times=(now, now + _LEASE))
        position += len(outcomes)
    if is_open:
        release_batch(graph, batch, now=utc_now())


def run_waiting_batches(graph: Graph, *, seconds: float) -> int:
    """Go on with what requests have left to the workers, for about so long; how many batches were touched."""
    deadline = time.monotonic() + seconds
    touched = 0
    for batch_id, brand_id in list_waiting_batches(graph, utc_now(), _BATCHES_AT_ONCE):
        brand = find_brand(graph, brand_id)
        left = deadline - time.monotonic()
        if brand is not None and left > 0:
            run_batch(graph, brand, batch_id, seconds=left)
            touched += 1
    return touched


def _decide(graph: Graph, brand: BrandSettings, batch: ClaimedBatch, review_id: str) -> BulkOutcome:
    bulk = batch.bulk
    decide: Decide = approving(may_end_marks=False) if bulk.decision == APPROVE else rejecting
    prefix = "mrg" if bulk.decision == APPROVE else "rej"
    command = Command(brand, f"{prefix}_{_digest(batch.id, review_id)}", bulk.by, now_micros(), bulk.reason)
    try:
        done = settle(graph, command, review_id, decide)
    except NotFoundError:
        return BulkOutcome(NOT_FOUND, review_id)
    except ReviewSettledError:
        stored = get_review(graph, brand.id, review_id)
        return BulkOutcome(
            ALREADY_SETTLED, review_id, stored["status"], stored["merge_id"], stored["survivor_id"], stored["note"]
        )
    except ConflictError as error:
        return BulkOutcome(CONFLICT, review_id, "pending", note=error.detail)
    except UnavailableError:
        # Others hold its profiles. When it is the graph that is away, writing this down fails too and nothing is lost.
        return BulkOutcome(FAILED, review_id, "pending", note="It could not be decided in time; decide it again.")
    except Exception as error:  # one bad review never stops the rest; it stays pending and is named
        log.exception("bulk_review_failed", brand=brand.id, review_id=review_id, reason=type(error).__name__)
        return BulkOutcome(FAILED, review_id, "pending", note="It could not be decided; decide it by itself.")
    return BulkOutcome(DONE, review_id, done.status, done.merge_id, done.survivor_id, done.note or None)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("|".join(parts).encode(), digest_size=_DIGEST_BYTES).hexdigest()
