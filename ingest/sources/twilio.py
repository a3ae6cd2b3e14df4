"""Source Twilio: WhatsApp and SMS messages that people write, and what became of the messages we sent."""

from collections.abc import Sequence
from typing import Any

from twilio.request_validator import RequestValidator, get_signature_algorithm  # type: ignore[import-untyped]

from core.brand import BrandSettings
from core.errors import MalformedBodyError
from core.events import RawEvent
from core.strict_json import parse_json_object
from ingest.sources.signing import FormFields
from ingest.sources.webhook import Source, WebhookRequest, parse_form, required_id, wrong_signature
from ingest.steps.extract import Pairs, whatsapp_identifiers
from ingest.steps.fields import read_text
from ingest.steps.identify_event import event_id

NAME = "twilio"
_PREFIX = "whatsapp:"
# How far each status is on a message's way: callbacks overtake each other, the furthest one counts.
RANKS = {
    "accepted": 0, "scheduled": 0, "queued": 1, "receiving": 1, "sending": 2, "sent": 3, "received": 3, "canceled": 4,
    "failed": 4, "undelivered": 4, "partially_delivered": 5, "delivered": 6, "read": 7,
}  # fmt: skip


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check X-Twilio-Signature over the public address and the form, or the body's digest; raises UnauthorizedError."""
    given = request.header("x-twilio-signature").strip()
    if not given.isascii() or not given:
        raise wrong_signature()
    try:
        signed: FormFields | str = request.body.decode() if _is_json(request) else FormFields(parse_form(request.body))
    except (UnicodeDecodeError, MalformedBodyError) as error:
        raise wrong_signature() from error
    algorithm = get_signature_algorithm(request.header("x-twilio-webhooks-signature-settings"))
    fits = False
    for secret in secrets:
        fits |= _fits(secret, request.url, signed, (given, algorithm))
    if not fits:
        raise wrong_signature()


def _fits(secret: str, url: str, signed: FormFields | str, proof: tuple[str, str]) -> bool:
    given, algorithm = proof
    try:
        return bool(RequestValidator(secret).validate(url, signed, given, algorithm))
    except (TypeError, ValueError):
        # The validator takes a JSON body for form fields when the address carries no bodySHA256.
        return False


def parse(request: WebhookRequest, settings: BrandSettings) -> list[RawEvent]:
    """The message or status change in a delivery."""
    body = _body(request)
    message_sid = required_id(body, "MessageSid" if "MessageSid" in body else "SmsSid")
    status = _status(body)
    is_inbound = status == "received"
    address = body.get("From") if is_inbound else body.get("To")
    is_whatsapp = _is_whatsapp(body)
    channel = "whatsapp" if is_whatsapp else "sms"
    return [
        RawEvent(
            type=f"{channel}_message" if is_inbound else f"{channel}_status",
            channel=channel,
            source=NAME,
            identifiers=_identifiers(body, address, is_inbound=is_inbound, is_whatsapp=is_whatsapp),
            payload=body,
            idempotency_key=_key(message_sid, status),
            way=NAME,
            source_instance=_account(request),
            traits=_traits(body) if is_inbound else {},
        )
    ]


def ignored(request: WebhookRequest) -> str | None:
    """Every delivery is read."""
    return None


def _is_json(request: WebhookRequest) -> bool:
    return request.body.lstrip()[:1] == b"{"


def _body(request: WebhookRequest) -> dict[str, Any]:
    if _is_json(request):
        return parse_json_object(request.body)
    form = parse_form(request.body)
    return {name: values[0] if len(values) == 1 else values for name, values in form.items()}


def _status(body: dict[str, Any]) -> str:
    """Where the message stands; a callback repeats one sid with every status, an inbound message says `received`."""
    stated = read_text(body.get("MessageStatus"), "MessageStatus", longest=64)
    return (stated or read_text(body.get("SmsStatus"), "SmsStatus", longest=64) or "received").lower()


def _is_whatsapp(body: dict[str, Any]) -> bool:
    named = (body.get("From"), body.get("To"))
    return body.get("ChannelPrefix") == "whatsapp" or any(
        isinstance(address, str) and address.lower().startswith(_PREFIX) for address in named
    )


def _identifiers(body: dict[str, Any], address: Any, *, is_inbound: bool, is_whatsapp: bool) -> Pairs:
    """The person's side: who wrote to us, or whom we wrote to; the other number is the brand's."""
    pairs: Pairs = []
    if isinstance(address, str) and address.strip():
        pairs.append(("whatsapp" if is_whatsapp else "phone", address))
    if is_inbound and is_whatsapp:
        pairs += whatsapp_identifiers({"WaId": body.get("WaId")})
    return pairs


def _traits(body: dict[str, Any]) -> dict[str, Any]:
    name = body.get("ProfileName")
    return {"name": name} if isinstance(name, str) and name.strip() else {}


def _account(request: WebhookRequest) -> str:
    return read_text(_body(request).get("AccountSid"), "AccountSid", longest=64) or ""


def _topic(request: WebhookRequest) -> str:
    return _status(_body(request))


def status_event_ids(brand: str, account: str, message_sid: str) -> dict[str, str]:
    """Event id → status, for every status that a message can have: each was an event with a key of its own."""
    found = {}
    for status in RANKS:
        told = RawEvent(
            type="",
            channel="",
            source=NAME,
            identifiers=[],
            payload={},
            idempotency_key=_key(message_sid, status),
            way=NAME,
            source_instance=account,
        )
        found[event_id(told, brand, "")] = status
    return found


def _key(message_sid: str, status: str) -> str:
    return f"{message_sid}|{status}"


TWILIO = Source(NAME, verify, parse, ignored, account=_account, topic=_topic)
