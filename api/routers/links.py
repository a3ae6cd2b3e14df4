"""Linking by hand: identifiers of a profile with their history, events that nobody owns."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import Command, CommandDep
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.links import AttachCommand, LinkCommand, Linked, LinkList
from core.brand import BrandSettings
from graph.repositories.links import list_links
from ingest.stewardship.linking import attach_by_hand, identifier_from, link_by_hand, unlink_by_hand

router = APIRouter(prefix="/api", tags=["identity"], route_class=GuardedRoute)

_LINKED = answers(Linked, 400, 401, 403, 404, 409, 422, 503)


@router.get(
    "/profiles/{profile_id}/links",
    summary="Identifiers of a profile with their history",
    operation_id="list_links",
    responses=answers(LinkList, 401, 403, 404, 503),
)
@needs("read")
def read_links(profile_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Every link, ended ones included: since when, until when, by which event or person."""
    return JsonAnswer({"items": list_links(services.graph, caller.brand, profile_id)})


@router.post(
    "/profiles/{profile_id}/identifiers",
    summary="Link an identifier",
    operation_id="link_identifier",
    responses=_LINKED,
)
@needs("admin")
def post_link(profile_id: str, body: LinkCommand, command: CommandDep) -> Response:
    """The profile takes an identifier that nobody holds."""
    brand = _brand(command)
    identifier = identifier_from(body.type, body.value, brand)

    def work() -> dict[str, Any]:
        graph = command.services.graph
        return {
            "profile_id": link_by_hand(graph, brand, profile_id, identifier, reason=body.reason or "", by=command.actor)
        }

    return command.run(work)


@router.post(
    "/profiles/{profile_id}/identifiers/unlink",
    summary="Unlink an identifier",
    operation_id="unlink_identifier",
    responses=_LINKED,
)
@needs("admin")
def post_unlink(profile_id: str, body: LinkCommand, command: CommandDep) -> Response:
    """The profile's link ends; its history stays, its events stay."""
    brand = _brand(command)
    identifier = identifier_from(body.type, body.value, brand)

    def work() -> dict[str, Any]:
        graph = command.services.graph
        return {
            "profile_id": unlink_by_hand(
                graph, brand, profile_id, identifier, reason=body.reason or "", by=command.actor
            )
        }

    return command.run(work)


@router.post("/events/{event_id}/attach", summary="Attach an event", operation_id="attach_event", responses=_LINKED)
@needs("admin")
def post_attach(event_id: str, body: AttachCommand, command: CommandDep) -> Response:
    """An event that nobody owns, and its order, go to the profile."""
    brand = _brand(command)

    def work() -> dict[str, Any]:
        graph = command.services.graph
        return {
            "profile_id": attach_by_hand(
                graph, brand, event_id, body.profile_id, reason=body.reason or "", by=command.actor
            )
        }

    return command.run(work)


def _brand(command: Command) -> BrandSettings:
    return command.services.directory.settings(command.caller.brand)
