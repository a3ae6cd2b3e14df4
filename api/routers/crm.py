"""CRM systems: connections with secrets that are never shown, syncs as tasks with progress and history."""

import re
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.crm import (
    CancelSyncCommand,
    ConnectionCommand,
    ConnectionDeleted,
    ConnectionList,
    ConnectionShape,
    SyncCommand,
    SyncList,
    SyncShape,
)
from core.clock import utc_now
from core.errors import ConflictError, InvalidInputError, NotFoundError
from graph.repositories import crm as repository
from graph.repositories.crm import CrmSync, NewSync
from graph.repositories.csv_imports import DONE
from ingest.crm.connections import Reach, read_connection, shown_connection

router = APIRouter(prefix="/api/integrations/crm", tags=["integrations"], route_class=GuardedRoute)

MAX_CONNECTIONS = 20
_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,62}")


@router.put(
    "/connections/{name}",
    summary="Set a CRM up",
    operation_id="put_crm_connection",
    responses=answers(ConnectionShape, 400, 401, 403, 409, 422, 503),
)
@needs("admin")
def put_connection(name: str, body: ConnectionCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """The name is the source of its events and scopes the ids of its records: `salesforce:003…`.

    Secrets are taken and never shown; without `auth` those that are stored stay, unless the address changes.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError("name: must be small letters, digits, - and _, at most 63", field="name")
    now = utc_now()
    known = next((one for one in repository.list_connections(services.graph, caller.brand) if one.name == name), None)
    if known is None and len(repository.list_connections(services.graph, caller.brand)) >= MAX_CONNECTIONS:
        raise ConflictError(f"A brand has at most {MAX_CONNECTIONS} CRM connections.")
    reach = Reach(services.settings.crm_private_addresses, now)
    stated = body.model_dump(exclude_none=True)
    new, keeps_secrets = read_connection(caller.brand, name, stated, known, reach)
    stored = repository.set_connection(services.graph, new, keeps_secrets=keeps_secrets, at=now)
    return JsonAnswer(shown_connection(stored))


@router.get(
    "/connections",
    summary="CRM connections",
    operation_id="list_crm_connections",
    responses=answers(ConnectionList, 401, 403, 503),
)
@needs("admin")
def list_connections(caller: CallerDep, services: ServicesDep) -> Response:
    """All of the brand by name, without their secrets."""
    items = [shown_connection(one) for one in repository.list_connections(services.graph, caller.brand)]
    return JsonAnswer({"items": items, "next_cursor": None})


@router.get(
    "/connections/{name}",
    summary="One CRM connection",
    operation_id="get_crm_connection",
    responses=answers(ConnectionShape, 401, 403, 404, 503),
)
@needs("admin")
def get_connection(name: str, caller: CallerDep, services: ServicesDep) -> Response:
    """What is read how and when next, and up to which time it was read."""
    return JsonAnswer(shown_connection(repository.get_connection(services.graph, caller.brand, name)))


@router.delete(
    "/connections/{name}",
    summary="Take a CRM connection away",
    operation_id="delete_crm_connection",
    responses=answers(ConnectionDeleted, 401, 403, 404, 503),
)
@needs("admin")
def delete_connection(name: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Its secrets are forgotten and a sync at work ends; what it brought stays."""
    repository.delete_connection(services.graph, caller.brand, name)
    return JsonAnswer({"deleted": True})


@router.post(
    "/sync",
    status_code=202,
    summary="Read a CRM now",
    operation_id="sync_crm",
    responses=answers(
        SyncShape, 400, 401, 403, 404, 409, 422, 503, status=202, description="It waits for its turn or runs."
    ),
)
@needs("ingest")
def post_sync(body: SyncCommand, command: CommandDep) -> Response:
    """Reads what changed since the last sync; `id` asks for its progress. One that waits or runs is answered instead.

    A record is known by its id and the time of its change: what was read before counts nothing twice.
    """
    graph, brand = command.services.graph, command.caller.brand
    if command.caller.is_write_key:
        raise NotFoundError("No such connection.")
    new = NewSync(f"syn_{uuid.uuid4().hex}", body.connection, command.actor, utc_now(), body.full)

    def work() -> dict[str, Any]:
        job = repository.create_sync(graph, brand, new)
        if body.full and not job.is_full:
            raise ConflictError("A sync of what changed is under way: wait for its end or cancel it.")
        return _shown(job)

    return command.run(work, status=202)


@router.get("/syncs", summary="Syncs of CRMs", operation_id="list_crm_syncs",
            responses=answers(SyncList, 401, 403, 422, 503))  # fmt: skip
@needs("read")
def list_syncs(
    page: PageDep,
    caller: CallerDep,
    services: ServicesDep,
    connection: Annotated[str | None, Query(max_length=63, description="Only those of one connection.")] = None,
) -> Response:
    """All of the brand, newest first."""
    items, cursor = repository.list_syncs(services.graph, caller.brand, page, connection)
    return JsonAnswer({"items": [_shown(job) for job in items], "next_cursor": cursor})


@router.get("/syncs/{sync_id}", summary="How far a sync is", operation_id="get_crm_sync",
            responses=answers(SyncShape, 401, 403, 404, 503))  # fmt: skip
@needs("read")
def get_sync(sync_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """`state` is queued, running, done, failed or cancelled; counts are exact at any time."""
    return JsonAnswer(_shown(repository.get_sync(services.graph, caller.brand, sync_id)))


@router.post("/syncs/{sync_id}/cancel", summary="End a sync", operation_id="cancel_crm_sync",
             responses=answers(SyncShape, 400, 401, 403, 404, 409, 422, 503))  # fmt: skip
@needs("ingest")
def post_cancel(
    sync_id: str, caller: CallerDep, services: ServicesDep, body: CancelSyncCommand | None = None
) -> Response:
    """It stops after the page it is at; what is stored stays, and the next sync goes on there. 409 when it is over."""
    if repository.get_sync(services.graph, caller.brand, sync_id).is_over:
        raise ConflictError("The sync is over.")
    return JsonAnswer(_shown(repository.cancel_sync(services.graph, caller.brand, sync_id, utc_now())))


def _shown(job: CrmSync) -> dict[str, Any]:
    """A sync as callers see it."""
    counts = job.counts
    return {
        "id": job.id,
        "connection": job.connection,
        "kind": job.kind,
        "state": job.state,
        "full": job.is_full,
        "progress": _progress(job),
        "read": counts.read,
        "accepted": counts.accepted,
        "duplicates": counts.duplicates,
        "rejected": counts.rejected,
        "skipped": counts.skipped,
        "objects": counts.objects,
        "warnings": counts.warnings,
        "problems": list(counts.problems),
        "push": {name: counts.push[name] for name in ("pushed", "unchanged", "refused")} if counts.push else None,
        "waits_for": None if job.is_over else job.waits_for,
        "next_attempt_at": job.lease_until if job.waits_for is not None and not job.is_over else None,
        "error": job.error,
        "created_by": job.created_by,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def _progress(job: CrmSync) -> float | None:
    """The share of all records that are read, None where a CRM does not say how many there are."""
    if job.state == DONE:
        return 1.0
    objects = job.counts.objects.values()
    if not objects or any("total" not in one for one in objects):
        return None
    total: int = sum(one["total"] for one in objects)
    return round(min(1.0, job.counts.read / max(1, total)), 4)
