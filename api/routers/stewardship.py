"""The steward's commands: merge, unmerge, import and review decisions, carried out by `ingest/stewardship`."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.auth import needs
from api.bodies import BATCH_LIMIT
from api.idempotency import Command, CommandDep
from api.openapi import answers
from api.routes import GuardedRoute
from api.schemas.imports import ImportCommand, ImportOutcome
from api.schemas.profiles import MergeCommand, MergeOutcome, UnmergeCommand, UnmergeOutcome
from api.schemas.reviews import DecideCommand, DecidedReview, RejectCommand, SplitCommand
from core.brand import BrandSettings
from graph.repositories.reviews_read import get_review
from ingest.stewardship import (
    ReviewOutcome,
    approve_review,
    import_profiles,
    merge_profiles,
    reject_review,
    reject_some,
    split_review,
    unmerge_profile,
)

router = APIRouter(prefix="/api", route_class=GuardedRoute)

_DECIDED = answers(DecidedReview, 400, 401, 403, 404, 409, 422, 503)


@router.post(
    "/profiles/import",
    tags=["profiles"],
    summary="Bring profiles in as they are",
    operation_id="import_profiles",
    responses=answers(ImportOutcome, 400, 401, 403, 409, 413, 422, 503),
)
@needs("admin", body_limit=BATCH_LIMIT)
def post_import(body: ImportCommand, command: CommandDep) -> Response:
    """Store profiles and orders, matched like events or (`resolve: false`) each kept apart; repeats change nothing."""
    profiles = body.to_profiles()

    def work() -> dict[str, Any]:
        imported = import_profiles(command.services.ingest, _settings(command), profiles, resolve=body.resolve)
        return {"profile_ids": command.wait_for(imported)}

    return command.run(work)


@router.post(
    "/profiles/{profile_id}/merge",
    tags=["profiles"],
    summary="Join profiles",
    operation_id="merge_profiles",
    responses=answers(MergeOutcome, 400, 401, 403, 404, 409, 422, 503),
)
@needs("admin")
def post_merge(profile_id: str, body: MergeCommand, command: CommandDep) -> Response:
    """Join the profiles named with this one; the survivor is the strongest, then the oldest, then the smallest id."""

    def work() -> dict[str, Any]:
        merged = merge_profiles(
            command.services.graph,
            _settings(command),
            profile_id,
            body.profile_ids,
            reason=body.reason or "",
            by=command.actor,
        )
        return {
            "merge_id": merged.merge_id,
            "survivor_id": merged.survivor_id,
            "absorbed_ids": sorted(merged.absorbed_ids),
        }

    return command.run(work)


@router.post(
    "/profiles/{profile_id}/unmerge",
    tags=["profiles"],
    summary="Take a merge back",
    operation_id="unmerge_profile",
    responses=answers(UnmergeOutcome, 400, 401, 403, 404, 409, 422, 503),
)
@needs("admin")
def post_unmerge(profile_id: str, command: CommandDep, body: UnmergeCommand | None = None) -> Response:
    """Events, identifiers and statistics return to where they were; history keeps both."""
    asked = body or UnmergeCommand()

    def work() -> dict[str, Any]:
        profile_ids = unmerge_profile(
            command.services.graph,
            _settings(command),
            profile_id,
            merge_id=asked.merge_id,
            reason=asked.reason or "",
            by=command.actor,
        )
        return {"profile_ids": profile_ids}

    return command.run(work)


@router.post(
    "/reviews/{review_id}/approve",
    tags=["reviews"],
    summary="Merge all profiles of a review",
    operation_id="approve_review",
    responses=_DECIDED,
)
@needs("admin")
def post_approve(review_id: str, command: CommandDep, body: DecideCommand | None = None) -> Response:
    """The profiles become one; a review that is settled refuses."""
    reason = _reason(body)
    return _decide(
        command,
        lambda settings: approve_review(command.services.graph, settings, review_id, reason=reason, by=command.actor),
    )


@router.post(
    "/reviews/{review_id}/reject",
    tags=["reviews"],
    summary="Keep all profiles of a review apart",
    operation_id="reject_review",
    responses=_DECIDED,
)
@needs("admin")
def post_reject(review_id: str, command: CommandDep, body: RejectCommand | None = None) -> Response:
    """The pairs are recorded as not the same, so that they are never proposed again.

    With `profile_ids` these are told apart from all others, and the review asks about the rest (`status` stays
    pending). 409 names how many at a time where a review proposes too many profiles.
    """
    reason = (body.reason if body is not None else None) or ""
    graph, by = command.services.graph, command.actor
    if body is None or body.profile_ids is None:
        return _decide(command, lambda settings: reject_review(graph, settings, review_id, reason=reason, by=by))
    chosen = body.profile_ids
    return _decide(command, lambda settings: reject_some(graph, settings, review_id, chosen, reason=reason, by=by))


@router.post(
    "/reviews/{review_id}/split",
    tags=["reviews"],
    summary="Merge some profiles of a review",
    operation_id="split_review",
    responses=_DECIDED,
)
@needs("admin")
def post_split(review_id: str, body: SplitCommand, command: CommandDep) -> Response:
    """The profiles named become one; every other pair stays apart."""
    return _decide(
        command,
        lambda settings: split_review(
            command.services.graph,
            settings,
            review_id,
            body.profile_ids,
            reason=body.reason or "",
            by=command.actor,
        ),
    )


def _decide(command: Command, decide: Callable[[BrandSettings], ReviewOutcome]) -> Response:
    """The review as it stands after the decision."""

    def work() -> dict[str, Any]:
        outcome = decide(_settings(command))
        review = get_review(command.services.graph, command.caller.brand, outcome.review_id)
        settled = {"status": outcome.status, "merge_id": outcome.merge_id, "survivor_id": outcome.survivor_id}
        return {**review, **settled, "note": outcome.note or None}

    return command.run(work)


def _settings(command: Command) -> BrandSettings:
    return command.services.directory.settings(command.caller.brand)


def _reason(body: DecideCommand | None) -> str:
    return (body.reason if body is not None else None) or ""
