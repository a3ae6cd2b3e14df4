"""Webhooks of the change feed: set up, changed, tested, sent again from a cursor, with a secret that is shown once."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.changes import (
    HookChanges,
    HookCommand,
    HookDeleted,
    HookList,
    HookShape,
    HookTested,
    HookWithSecret,
    PingCommand,
    RedeliverCommand,
    RotateCommand,
)
from core.changes import parse_cursor, parse_kinds
from core.clock import utc_now
from core.errors import ConflictError, NotFoundError
from graph.repositories import change_hooks as hooks
from graph.repositories.change_hooks import Hook
from graph.repositories.changes import check_cursor, read_feed
from ingest.changes.addresses import check_url
from ingest.changes.delivery import send_test, shown_attempt
from ingest.changes.sending import new_secret, policy_from

router = APIRouter(prefix="/api/identity/changes/webhooks", tags=["identity"], route_class=GuardedRoute)

MAX_HOOKS = 20


@router.post(
    "",
    status_code=201,
    summary="Be told of changes",
    operation_id="create_change_webhook",
    responses=answers(HookWithSecret, 400, 401, 403, 409, 410, 422, 503, status=201, description="Set up."),
)
@needs("admin")
def post_hook(body: HookCommand, command: CommandDep) -> Response:
    """Messages follow Standard Webhooks; the secret that signs them is in this answer and in no other."""
    graph, brand, settings = command.services.graph, command.caller.brand, command.services.settings
    url = check_url(body.url, allow_private=settings.webhook_private_addresses)
    kinds = parse_kinds(body.kinds, "kinds")
    hook_id = f"whk_{uuid.uuid4().hex}"

    def work() -> dict[str, Any]:
        feed, now = read_feed(graph, brand), utc_now()
        cursor = feed.newest if body.cursor is None else check_cursor(feed, parse_cursor(body.cursor))
        hook = Hook(hook_id, brand, url, new_secret(), cursor, now, now, kinds, body.active, newest=feed.newest)
        if not hooks.create_hook(graph, hook, MAX_HOOKS):
            raise ConflictError(f"A brand has at most {MAX_HOOKS} webhooks for its changes.")
        return {**_shown(hook), "secret": hook.secret}

    return command.run(work, status=201, is_secret=True)


@router.get(
    "",
    summary="Webhooks of the change feed",
    operation_id="list_change_webhooks",
    responses=answers(HookList, 401, 403, 503),
)
@needs("admin")
def list_hooks(caller: CallerDep, services: ServicesDep) -> Response:
    """All of the brand, oldest first."""
    return JsonAnswer({"items": [_shown(hook) for hook in hooks.list_hooks(services.graph, caller.brand)]})


@router.get(
    "/{webhook_id}",
    summary="One webhook with its last deliveries",
    operation_id="get_change_webhook",
    responses=answers(HookShape, 401, 403, 404, 503),
)
@needs("admin")
def get_hook(webhook_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """`attempts` has the last deliveries, newest first, with their status and no bodies."""
    hook = hooks.get_hook(services.graph, caller.brand, webhook_id)
    return JsonAnswer({**_shown(hook), "attempts": hook.attempts})


@router.patch(
    "/{webhook_id}",
    summary="Change a webhook",
    operation_id="update_change_webhook",
    responses=answers(HookShape, 400, 401, 403, 404, 410, 422, 503),
)
@needs("admin")
def patch_hook(webhook_id: str, caller: CallerDep, services: ServicesDep, body: HookChanges | None = None) -> Response:
    """Switched on it goes on where it stopped; where retention removed that, redeliver from a cursor still there."""
    graph, brand = services.graph, caller.brand
    hook = hooks.get_hook(graph, brand, webhook_id)
    values: dict[str, Any] = {}
    if body is not None and body.url is not None:
        values["url"] = check_url(body.url, allow_private=services.settings.webhook_private_addresses)
    if body is not None and body.kinds is not None:
        values |= {"kinds": parse_kinds(body.kinds, "kinds"), "pending_to": None}
    if body is not None and body.active is not None:
        values["is_active"] = body.active
        if body.active:
            check_cursor(read_feed(graph, brand), hook.cursor)
            values |= _healthy()
    if values:
        hooks.update_hook(graph, brand, webhook_id, values, release=True)
    return JsonAnswer(_shown(hooks.get_hook(graph, brand, webhook_id)))


@router.delete(
    "/{webhook_id}",
    summary="Take a webhook away",
    operation_id="delete_change_webhook",
    responses=answers(HookDeleted, 401, 403, 404, 503),
)
@needs("admin")
def delete_hook(webhook_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """It gets nothing any more, and its secret is forgotten."""
    if not hooks.delete_hook(services.graph, caller.brand, webhook_id):
        raise NotFoundError("No such webhook.")
    return JsonAnswer({"deleted": True})


@router.post(
    "/{webhook_id}/rotate",
    summary="A new secret",
    operation_id="rotate_change_webhook",
    responses=answers(HookWithSecret, 400, 401, 403, 404, 409, 422, 503),
)
@needs("admin")
def post_rotation(webhook_id: str, body: RotateCommand, command: CommandDep) -> Response:
    """Messages carry the signatures of both secrets until the overlap ends."""
    graph, brand = command.services.graph, command.caller.brand

    def work() -> dict[str, Any]:
        hook = hooks.get_hook(graph, brand, webhook_id)
        values = {
            "secret": new_secret(), "old_secret": hook.secret,
            "old_secret_until": utc_now() + timedelta(hours=body.overlap_hours),
        }  # fmt: skip
        hooks.update_hook(graph, brand, webhook_id, values)
        shown = replace(hook, old_secret_until=values["old_secret_until"])  # type: ignore[arg-type]
        return {**_shown(shown), "secret": values["secret"]}

    return command.run(work, is_secret=True)


@router.post(
    "/{webhook_id}/test",
    summary="Send a test message",
    operation_id="ping_change_webhook",
    responses=answers(HookTested, 400, 401, 403, 404, 409, 422, 503),
)
@needs("admin")
def post_test(webhook_id: str, command: CommandDep, body: PingCommand | None = None) -> Response:
    """A signed message of the type `webhook.test`, sent now; it moves no cursor."""
    graph, brand = command.services.graph, command.caller.brand
    policy = policy_from(command.services.settings)

    def work() -> dict[str, Any]:
        hook = hooks.get_hook(graph, brand, webhook_id)
        return shown_attempt(command.wait_for(send_test(hook, policy)))

    return command.run(work)


@router.post(
    "/{webhook_id}/redeliver",
    summary="Send again from a cursor",
    operation_id="redeliver_change_webhook",
    responses=answers(HookShape, 400, 401, 403, 404, 409, 410, 422, 503),
)
@needs("admin")
def post_redelivery(webhook_id: str, body: RedeliverCommand, command: CommandDep) -> Response:
    """Everything after the cursor goes out again, in new messages; entries keep their ids."""
    graph, brand = command.services.graph, command.caller.brand

    def work() -> dict[str, Any]:
        hook = hooks.get_hook(graph, brand, webhook_id)
        cursor = check_cursor(read_feed(graph, brand), parse_cursor(body.cursor))
        values = {"cursor": cursor, "pending_to": None, "generation": hook.generation + 1, **_healthy()}
        hooks.update_hook(graph, brand, webhook_id, values, release=True)
        return _shown(hooks.get_hook(graph, brand, webhook_id))

    return command.run(work)


def _healthy() -> dict[str, Any]:
    """What a fresh start forgets."""
    return {
        "failures": 0, "failing_since": None, "next_at": utc_now(), "disabled_at": None, "disabled_reason": None,
    }  # fmt: skip


def _shown(hook: Hook) -> dict[str, Any]:
    """A webhook as callers see it: no secret."""
    return {
        "id": hook.id,
        "url": hook.url,
        "kinds": sorted(hook.kinds),
        "active": hook.is_active,
        "cursor": str(hook.cursor),
        "behind": max(0, hook.newest - hook.cursor),
        "created_at": hook.created_at,
        "failures": hook.failures,
        "failing_since": hook.failing_since,
        "next_attempt_at": hook.next_at if hook.is_active and hook.failures else None,
        "last_delivered_at": hook.last_delivered_at,
        "disabled_at": hook.disabled_at,
        "disabled_reason": hook.disabled_reason,
        "old_secret_until": hook.old_secret_until,
    }
