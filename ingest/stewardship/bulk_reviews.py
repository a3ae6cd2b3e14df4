"""One decision about many reviews: each in its own transaction, each answered with what happened to it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from core.brand import BrandSettings
from core.clock import now_micros
from core.errors import ConflictError, InvalidInputError, NotFoundError
from graph.driver import Graph
from graph.repositories.reviews_read import get_review
from graph.stewardship import Command
from ingest.stewardship.merging import new_command
from ingest.stewardship.reviewing import Decide, ReviewSettledError, approving, rejecting, settle

MAX_REVIEWS = 500
DONE, ALREADY_SETTLED, NOT_FOUND, CONFLICT = "done", "already_settled", "not_found", "conflict"
APPROVE, REJECT = "approve", "reject"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class BulkDecision:
    """What is decided, why and by whom; with a `request_key` a second try of the request answers as the first."""

    decision: str
    by: str
    reason: str = ""
    request_key: str | None = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What happened to one review of a bulk decision."""

    review_id: str
    outcome: str
    status: str | None = None
    merge_id: str | None = None
    survivor_id: str | None = None
    note: str | None = None


def decide_reviews(
    graph: Graph, brand: BrandSettings, review_ids: Sequence[str], bulk: BulkDecision
) -> list[BulkOutcome]:
    """Approve or reject each of these reviews once, in the order named.

    An approval does not end what a person marked as not the same: such a review answers `conflict`. Raises
    InvalidInputError for too many reviews or an unknown decision, UnavailableError when the graph went away: what was
    decided until then stays decided.
    """
    if len(review_ids) > MAX_REVIEWS:
        raise InvalidInputError(f"Name at most {MAX_REVIEWS} reviews.", field="review_ids")
    if bulk.decision not in (APPROVE, REJECT):
        raise InvalidInputError(f"decision must be {APPROVE} or {REJECT}.", field="decision")
    decide = approving(may_end_marks=False) if bulk.decision == APPROVE else rejecting
    return [_decide(graph, _command(brand, bulk, one), one, decide) for one in dict.fromkeys(review_ids)]


def _decide(graph: Graph, command: Command, review_id: str, decide: Decide) -> BulkOutcome:
    try:
        done = settle(graph, command, review_id, decide)
    except NotFoundError:
        return BulkOutcome(review_id, NOT_FOUND)
    except ReviewSettledError:
        stored = get_review(graph, command.brand.id, review_id)
        return BulkOutcome(
            review_id, ALREADY_SETTLED, stored["status"], stored["merge_id"], stored["survivor_id"], stored["note"]
        )
    except ConflictError as error:
        return BulkOutcome(review_id, CONFLICT, "pending", note=error.detail)
    return BulkOutcome(review_id, DONE, done.status, done.merge_id, done.survivor_id, done.note or None)


def _command(brand: BrandSettings, bulk: BulkDecision, review_id: str) -> Command:
    """One review's command; its id follows from the request's key, so that a repeat is the same command."""
    prefix = "mrg" if bulk.decision == APPROVE else "rej"
    if bulk.request_key is None:
        return new_command(brand, prefix, bulk.by, bulk.reason)
    name = f"{brand.id}|{bulk.request_key}|{bulk.decision}|{review_id}"
    digest = hashlib.blake2b(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return Command(brand, f"{prefix}_{digest}", bulk.by, now_micros(), bulk.reason)
