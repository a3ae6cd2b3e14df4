"""Source Zendesk: tickets and their people, from subscriptions to events or from triggers with a body of one's own."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from core.brand import BrandSettings
from core.clock import parse_time
from core.events import CHANNELS, RawEvent
from core.strict_json import parse_json_object
from ingest.sources.signing import zendesk_signature
from ingest.sources.webhook import Source, WebhookRequest, check_age, check_signature, required_id, wrong_signature
from ingest.steps.extract import Pairs, contact_identifiers, scoped_id, source_scope
from ingest.steps.fields import as_object, first_present, label, read_text, read_time, refuse

NAME = "zendesk"
_EVENT = re.compile(r"zen:event-type:(?P<of>ticket|messaging_ticket|user)\.(?P<what>[a-z_]{1,80})", re.ASCII)
_TICKET_TYPE = re.compile(r"ticket_[a-z_]{1,80}", re.ASCII)
_CUSTOMER_ROLE = "end-user"
_CHANNELS = {"web": "website", "web_service": "website", "mobile": "mobile_app", "mobile_sdk": "mobile_app"}
_LONGEST_ID = 255


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check the signature over timestamp and raw body, five minutes either way; raises UnauthorizedError."""
    timestamp = request.header("x-zendesk-webhook-signature-timestamp").strip()
    signed_at = parse_time(timestamp)
    if signed_at is None or not timestamp.isascii():
        raise wrong_signature()
    check_age(request, signed_at.astimezone(UTC).timestamp())
    given = request.header("x-zendesk-webhook-signature")
    check_signature(given, [zendesk_signature(secret, request.body, timestamp) for secret in secrets])


def parse(request: WebhookRequest, settings: BrandSettings) -> list[RawEvent]:
    """The event in a delivery; none for kinds that tell nothing of a customer."""
    if ignored(request):
        return []
    body = parse_json_object(request.body)
    scope = source_scope(NAME, account(request), settings)
    kind = _kind(body)
    if kind is None:
        event = _trigger_event(body, request, scope)
    else:
        detail = body.get("detail")
        if not isinstance(detail, dict):
            raise refuse("detail", "must be a JSON object")
        read = _user_event if kind["of"] == "user" else _ticket_event
        event = read(kind["what"], body, detail, scope)
    event.way = NAME
    event.source_instance = account(request)
    return [event]


def ignored(request: WebhookRequest) -> str | None:
    """Why a delivery holds no event."""
    body = parse_json_object(request.body)
    kind = _kind(body)
    if kind is None:
        stated = body.get("type")
        is_other = isinstance(stated, str) and stated.startswith("zen:")
        return "this type of event is not read" if is_other else None
    role = as_object(body.get("detail")).get("role")
    is_staff = kind["of"] == "user" and isinstance(role, str) and role != _CUSTOMER_ROLE
    return "it is about an agent, who is no customer" if is_staff else None


def account(request: WebhookRequest) -> str:
    """The Zendesk account, from its header or the body."""
    stated = request.header("x-zendesk-account-id").strip()
    return stated[:64] if stated else label(parse_json_object(request.body).get("account_id"), 64) or ""


def topic(request: WebhookRequest) -> str:
    """The type of event, or `trigger`."""
    kind = _kind(parse_json_object(request.body))
    return "trigger" if kind is None else f"{kind['of']}.{kind['what']}"


def _kind(body: dict[str, Any]) -> re.Match[str] | None:
    stated = body.get("type")
    return _EVENT.fullmatch(stated) if isinstance(stated, str) else None


def _ticket_event(what: str, body: dict[str, Any], detail: dict[str, Any], scope: str) -> RawEvent:
    """Something that happened to a ticket, of the person who asked for help."""
    required_id(detail, "id")
    return RawEvent(
        type=f"ticket_{what}",
        channel=_channel(detail.get("via")),
        source=NAME,
        identifiers=_person_id(detail.get("requester_id"), "detail.requester_id", scope),
        payload=body,
        occurred_at=_moment(body.get("time"), "time"),
        idempotency_key=required_id(body, "id"),
    )


def _user_event(what: str, body: dict[str, Any], detail: dict[str, Any], scope: str) -> RawEvent:
    """A customer of the help desk who was made or changed."""
    types = {"created": "identify", "deleted": "customer_deleted"}
    required_id(detail, "id")
    return RawEvent(
        type=types.get(what, "profile_update"),
        channel="other",
        source=NAME,
        identifiers=_person_id(detail["id"], "detail.id", scope) + contact_identifiers(detail),
        payload=body,
        occurred_at=_moment(body.get("time"), "time"),
        idempotency_key=required_id(body, "id"),
        traits=_name(detail),
    )


def _trigger_event(body: dict[str, Any], request: WebhookRequest, scope: str) -> RawEvent:
    """A ticket in the words of the brand's own trigger: nested under `ticket` or flat with `ticket_` before names."""
    ticket = as_object(body.get("ticket")) or {
        name.removeprefix("ticket_"): value for name, value in body.items() if name != "ticket"
    }
    requester = as_object(ticket.get("requester")) or as_object(body.get("requester"))
    if not requester:
        requester = {
            name.removeprefix("requester_"): value
            for holder in (body, ticket)
            for name, value in holder.items()
            if name.startswith("requester_")
        }
    ticket_id = read_text(ticket.get("id"), "ticket.id", longest=_LONGEST_ID)
    if ticket_id is None:
        raise refuse("ticket.id", "missing, and so is ticket_id")
    name, moment = first_present(ticket, ("updated_at", "created_at"))
    stated = body.get("event_type") or body.get("type")
    invocation = request.header("x-zendesk-webhook-invocation-id").strip()[:_LONGEST_ID]
    version = invocation or sha256(request.body).hexdigest()
    return RawEvent(
        type=stated if isinstance(stated, str) and _TICKET_TYPE.fullmatch(stated) else "ticket_updated",
        channel=_channel(ticket.get("via")),
        source=NAME,
        identifiers=_person_id(requester.get("id"), "requester.id", scope) + contact_identifiers(requester),
        payload=body,
        occurred_at=_moment(moment, f"ticket.{name}"),
        idempotency_key=f"trigger|{ticket_id}|{version}",
        traits=_name(requester),
    )


def _person_id(value: Any, field: str, scope: str) -> Pairs:
    found = read_text(value, field, longest=_LONGEST_ID)
    return [("external_id", scoped_id(found, scope))] if found is not None and found != "0" else []


def _name(fields: dict[str, Any]) -> dict[str, Any]:
    name = fields.get("name")
    return {"name": name} if isinstance(name, str) and name.strip() else {}


def _channel(via: Any) -> str:
    stated = as_object(via).get("channel") if isinstance(via, dict) else via
    name = stated.strip().lower() if isinstance(stated, str) else ""
    return _CHANNELS.get(name, name if name in CHANNELS else "other")


def _moment(value: Any, field: str) -> datetime | None:
    return read_time(value if value != "" else None, field)


ZENDESK = Source(NAME, verify, parse, ignored, account=account, topic=topic)
