"""What an event says about consent: purpose, channel and answer; ingest marks such events, the 360 folds them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

GRANTED, DENIED, PENDING = "granted", "denied", "pending"
MARKETING = "marketing"
EVERY_CHANNEL = "all"
"""The channel of an answer that names none: it holds for all of them."""
CONSENT_TYPES: Mapping[str, str | None] = {
    "consent_changed": None,
    "consent_given": GRANTED,
    "consent_withdrawn": DENIED,
    "opt_in": GRANTED,
    "opt_out": DENIED,
    "unsubscribed": DENIED,
}
"""Event types that tell of consent, with the answer that the type itself gives."""
MOST_STATEMENTS = 50
_LONGEST_NAME = 40
_REACHED_BY = frozenset({"email", "sms", "whatsapp"})
_MESSAGES = frozenset({"whatsapp_message", "sms_message"})
_WORDS = {
    GRANTED: ("granted", "given", "subscribed", "opted_in", "opt_in", "allowed", "accepted", "yes", "true"),
    DENIED: ("denied", "withdrawn", "revoked", "unsubscribed", "not_subscribed", "opted_out", "opt_out", "refused",
             "rejected", "redacted", "no", "false"),
    PENDING: ("pending",),
}  # fmt: skip
_ANSWERS = {word: answer for answer, words in _WORDS.items() for word in words}
_ANSWER_NAMES = ("granted", "status", "state", "consent", "value")
# Words that a whole message may consist of, as operators of text messages understand them.
_STOP_WORDS = {"STOP": DENIED, "STOPALL": DENIED, "UNSUBSCRIBE": DENIED, "OPTOUT": DENIED,
               "START": GRANTED, "UNSTOP": GRANTED}  # fmt: skip
_SHOP_FIELDS = {"email_marketing_consent": "email", "sms_marketing_consent": "sms"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One answer: whether a purpose may use a channel."""

    purpose: str
    channel: str
    status: str


def read_statements(event_type: str, channel: str | None, payload: object) -> tuple[Statement, ...]:
    """The answers that an event gives, in the order told, none for most events; `payload` may be anything.

    Understood: `{purpose, channel, granted | status}` flat, `consents` as a list of such or as a map of purposes to an
    answer or to channels and answers, Shopify's marketing consents, and a message such as STOP.
    """
    told = payload if isinstance(payload, dict) else {}
    if event_type in _MESSAGES:
        found = _from_message(channel, told)
    elif event_type in CONSENT_TYPES:
        found = _from_fields(CONSENT_TYPES[event_type], channel, told)
    else:
        return ()
    return tuple(islice(found, MOST_STATEMENTS))


def _from_message(channel: str | None, told: Mapping[str, Any]) -> Iterator[Statement]:
    said = told.get("OptOutType") or told.get("Body") or told.get("body") or told.get("text")
    status = _STOP_WORDS.get(said.strip().upper()) if isinstance(said, str) else None
    if status is not None:
        yield Statement(MARKETING, _reach(channel), status)


def _from_fields(implied: str | None, channel: str | None, told: Mapping[str, Any]) -> Iterator[Statement]:
    shop = [(reached, told[name]) for name, reached in _SHOP_FIELDS.items() if isinstance(told.get(name), dict)]
    for reached, fields in shop:
        yield from _statements(MARKETING, [reached], _answer(fields) or implied)
    consents = told.get("consents")
    if isinstance(consents, list):
        for entry in consents:
            if isinstance(entry, dict):
                yield from _flat(entry, implied, channel)
    elif isinstance(consents, dict):
        for purpose, value in consents.items():
            yield from _of_purpose(purpose, value, channel)
    elif not shop:
        yield from _flat(told, implied, channel)


def _flat(entry: Mapping[str, Any], implied: str | None, channel: str | None) -> Iterator[Statement]:
    channels = _names(entry.get("channel") or entry.get("channels")) or [_reach(channel)]
    for purpose in _names(entry.get("purpose") or entry.get("purposes")) or [MARKETING]:
        yield from _statements(purpose, channels, _answer(entry) or implied)


def _of_purpose(purpose: object, value: object, channel: str | None) -> Iterator[Statement]:
    """`{"analytics": false}` or `{"marketing": {"email": true, "sms": "denied"}}`."""
    for name in _names(purpose):
        if not isinstance(value, dict):
            yield from _statements(name, [_reach(channel)], _read_answer(value))
        elif (answer := _answer(value)) is not None:
            yield from _statements(name, _names(value.get("channel")) or [_reach(channel)], answer)
        else:
            for reached, said in value.items():
                yield from _statements(name, _names(reached), _read_answer(said))


def _statements(purpose: str, channels: Iterable[str], status: str | None) -> Iterator[Statement]:
    if status is not None:
        for channel in channels:
            yield Statement(purpose, channel, status)


def _answer(entry: Mapping[str, Any]) -> str | None:
    return next((answer for name in _ANSWER_NAMES if (answer := _read_answer(entry.get(name))) is not None), None)


def _read_answer(value: object) -> str | None:
    if isinstance(value, bool):
        return GRANTED if value else DENIED
    return _ANSWERS.get("_".join(value.strip().lower().split())) if isinstance(value, str) else None


def _names(value: object) -> list[str]:
    """Names of purposes or channels in lower case with underscores; what is none is left out."""
    texts = value if isinstance(value, list) else [value]
    names = ["_".join(text.strip().lower().replace("-", "_").split()) for text in texts if isinstance(text, str)]
    return [name for name in names if 0 < len(name) <= _LONGEST_NAME]


def _reach(channel: str | None) -> str:
    """The channel meant by an answer that names none: the one it came by when that reaches people, else all."""
    return channel if channel in _REACHED_BY else EVERY_CHANNEL
