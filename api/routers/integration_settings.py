"""Integrations under their brand's hand: addresses and secrets, accounts, field mappings, last deliveries, messages."""

import secrets as tokens
from asyncio import to_thread
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.delivery_log import KEPT
from api.idempotency import CommandDep
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.integrations import (
    AccountCommand,
    DeliveryList,
    Integration,
    IntegrationList,
    MappingCommand,
    MessageState,
    RotatedSecret,
    RotateSecretCommand,
)
from api.wiring import Services
from core.clock import format_time, utc_now
from core.errors import InvalidInputError, NotFoundError, UnavailableError
from graph.repositories.endpoints import ChangeOver, change_over, list_endpoints, set_account, set_mapping
from graph.repositories.events_read import list_events_by_id
from ingest.sources import SOURCES
from ingest.sources.mapping import check_mapping
from ingest.sources.twilio import NAME as TWILIO
from ingest.sources.twilio import RANKS, status_event_ids
from ingest.steps.fields import label

router = APIRouter(prefix="/api/integrations", tags=["integrations"], route_class=GuardedRoute)

_MAPPED = frozenset({"pos"})
_SECRET_BYTES = 32
_ID_BYTES = 16


@router.get(
    "", summary="Sources of events", operation_id="list_integrations", responses=answers(IntegrationList, 401, 403, 503)
)
@needs("admin")
async def read_integrations(caller: CallerDep, services: ServicesDep) -> Response:
    """Every source with its address, account, mapping and newest delivery; secrets are not shown."""
    items = await _integrations(services, caller.brand)
    return JsonAnswer({"items": items, "next_cursor": None})


@router.get(
    "/{source}",
    summary="One source of events",
    operation_id="get_integration",
    responses=answers(Integration, 401, 403, 404, 503),
)
@needs("admin")
async def read_integration(source: str, caller: CallerDep, services: ServicesDep) -> Response:
    """A source with its address, account, mapping and newest delivery."""
    return JsonAnswer(await _integration(services, caller.brand, _known(source)))


@router.post(
    "/{source}/rotate",
    summary="Another secret, or another address too",
    operation_id="rotate_integration",
    responses=answers(RotatedSecret, 400, 401, 403, 404, 409, 422, 503),
)
@needs("admin")
def post_rotation(source: str, command: CommandDep, body: RotateSecretCommand | None = None) -> Response:
    """The new secret is in this answer and in no other; the old one still works for `overlap_hours`."""
    _known(source)
    wish = body or RotateSecretCommand()
    services, brand = command.services, command.caller.brand
    secret = wish.secret or tokens.token_hex(_SECRET_BYTES)
    new_id = tokens.token_hex(_ID_BYTES) if wish.new_address else None

    def work() -> dict[str, Any]:
        now = utc_now()
        until = now + timedelta(hours=wish.overlap_hours)
        change_over(services.graph, brand, ChangeOver(source, secret, until, new_id), at=now)
        # The secret is said here or never: it stands, whatever this process can read again just now.
        with suppress(UnavailableError):
            services.directory.forget_endpoints(brand, source)
        path = _shown(services, _endpoints(services, brand, source))["webhook_path"]
        return {
            "source": source,
            "secret": secret,
            "webhook_path": path,
            "webhook_url": services.settings.public_url.rstrip("/") + path,
            "old_works_until": format_time(until),
        }

    return command.run(work, is_secret=True)


@router.put(
    "/{source}/account",
    summary="Whose shop or account it is",
    operation_id="put_integration_account",
    responses=answers(Integration, 400, 401, 403, 404, 422, 503),
)
@needs("admin")
async def put_account(source: str, body: AccountCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Register the shop domain or account sid that may use the shared address; its signature still decides.

    It is the source's main account: the external ids of its customers carry no account name. Further shops of a brand
    send to the brand's own address.
    """
    account = body.account.strip() if body.account is not None else None
    if account is not None and source in {"shopify", "woocommerce"}:
        account = account.lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if account == "":
        raise InvalidInputError("account: must not be blank", field="account")
    await to_thread(set_account, services.graph, caller.brand, _known(source), account)
    await to_thread(services.directory.forget_endpoints, caller.brand, source)
    return JsonAnswer(await _integration(services, caller.brand, source))


@router.put(
    "/{source}/mapping",
    summary="What a till calls its fields",
    operation_id="put_integration_mapping",
    responses=answers(Integration, 400, 401, 403, 404, 422, 503),
)
@needs("admin")
async def put_mapping(source: str, body: MappingCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Our name of a field to where the sender's body holds it; holds for deliveries from now on, within seconds."""
    if _known(source) not in _MAPPED:
        raise InvalidInputError("source: only tills (pos) have fields of their own", field="source")
    await to_thread(set_mapping, services.graph, caller.brand, source, check_mapping(body.mapping))
    await to_thread(services.directory.forget_endpoints, caller.brand, source)
    return JsonAnswer(await _integration(services, caller.brand, source))


@router.get(
    "/{source}/deliveries",
    summary="The last deliveries",
    operation_id="list_deliveries",
    responses=answers(DeliveryList, 401, 403, 404, 422, 503),
)
@needs("admin")
async def read_deliveries(
    source: str,
    caller: CallerDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=KEPT, description="Newest first.")] = 50,
) -> Response:
    """What became of the newest deliveries, refused signatures at the brand's own address included; no bodies."""
    return JsonAnswer({"items": await services.deliveries.last(caller.brand, _known(source), limit)})


@router.get(
    "/twilio/messages/{message_id}",
    summary="How far a message came",
    operation_id="get_message_state",
    responses=answers(MessageState, 401, 403, 404, 422, 503),
)
@needs("read")
def read_message_state(
    message_id: str,
    caller: CallerDep,
    services: ServicesDep,
    account: Annotated[str | None, Query(max_length=64, description="The account sid; the main one without.")] = None,
) -> Response:
    """The furthest of all statuses that were told: callbacks overtake each other."""
    brand = caller.brand
    account = account or services.directory.settings(brand).main_instances.get(TWILIO, "")
    statuses = status_event_ids(brand, account, message_id)
    told = list_events_by_id(services.graph, brand, list(statuses))
    if not told:
        raise NotFoundError("No such message.")
    told.sort(key=lambda event: (RANKS[statuses[event["id"]]], event["occurred_at"]))
    furthest = told[-1]
    return JsonAnswer({
        "message_id": message_id,
        "account": account,
        "channel": furthest["channel"],
        "status": statuses[furthest["id"]],
        "error_code": label(furthest["payload"].get("ErrorCode")),
        "states": [
            {"status": statuses[event["id"]], "event_id": event["id"], "at": event["occurred_at"]} for event in told
        ],
    })  # fmt: skip


def _known(source: str) -> str:
    if source not in SOURCES:
        raise NotFoundError("No webhooks of this source are read.")
    return source


async def _integrations(services: Services, brand: str) -> list[dict[str, Any]]:
    stored = await to_thread(list_endpoints, services.graph, brand)
    newest = await services.deliveries.newest(brand, list(SOURCES))
    found = []
    for source in SOURCES:
        own = [endpoint for endpoint in stored if endpoint["source"] == source]
        if own:
            found.append({**_shown(services, own), "last_delivery": newest[source]})
    return found


async def _integration(services: Services, brand: str, source: str) -> dict[str, Any]:
    own = await to_thread(_endpoints, services, brand, source)
    return {**_shown(services, own), "last_delivery": (await services.deliveries.newest(brand, [source]))[source]}


def _endpoints(services: Services, brand: str, source: str) -> list[dict[str, Any]]:
    own = [endpoint for endpoint in list_endpoints(services.graph, brand) if endpoint["source"] == source]
    if not own:
        raise NotFoundError("The brand has no address for this source.")
    return own


def _shown(services: Services, own: list[dict[str, Any]]) -> dict[str, Any]:
    """The address in use, and those that were replaced and still work."""
    now = utc_now()
    current = next(endpoint for endpoint in own if endpoint["until"] is None)
    ending = [endpoint for endpoint in own if endpoint["until"] is not None and endpoint["until"] > now]
    old_until = current["old_until"]
    path = _path(current)
    return {
        "source": current["source"],
        "webhook_path": path,
        "webhook_url": services.settings.public_url.rstrip("/") + path,
        "account": current["account"],
        "mapping": current["mapping"],
        "created_at": current["created_at"],
        "rotated_at": current["rotated_at"],
        "old_secret_until": format_time(old_until) if old_until is not None and old_until > now else None,
        "old_addresses": [{"webhook_path": _path(one), "until": format_time(one["until"])} for one in ending],
    }


def _path(endpoint: dict[str, Any]) -> str:
    return f"/api/integrations/{endpoint['source']}/webhook/{endpoint['id']}"
