"""Consent by purpose and channel as a pure fold over what events say, in event time: the 360's `consent` section.

Nothing but the events is stored, so it follows late events, merges and unmerges by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import from_micros
from core.consent import EVERY_CHANNEL, GRANTED, MARKETING, PENDING, Statement, read_statements
from graph.values import parse_json, to_time_text

_VERBS = {GRANTED: "Agreed to", PENDING: "Was asked about"}
_BY = {"email": "by e-mail", "sms": "by SMS", "whatsapp": "on WhatsApp", "push": "by push", EVERY_CHANNEL: ""}


@dataclass(frozen=True, slots=True)
class Told:
    """What one event says about consent."""

    event_id: str
    at: datetime
    source: str | None
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that stands for a purpose and channel, and the event that gave it."""

    status: str
    at: datetime
    source: str | None
    event_id: str


Consents = dict[str, dict[str, Answer]]
"""Purpose → channel → answer; channel `all` for every channel that has no answer of its own since."""


def told_by(rows: Iterable[Sequence[Any]]) -> list[Told]:
    """Stored rows [id, type, at (microseconds), channel, source, payload (JSON)] as what they say."""
    return [
        Told(id_, from_micros(at), source, read_statements(kind, channel, parse_json(payload, {})))
        for id_, kind, at, channel, source, payload in rows
    ]


def fold_consent(told: Iterable[Told], now: datetime) -> Consents:
    """The answers that stand at `now`: for each purpose and channel the latest; one for all channels replaces all."""
    found: Consents = {}
    for one in sorted((one for one in told if one.at <= now), key=lambda one: (one.at, one.event_id)):
        for said in one.statements:
            channels = found.setdefault(said.purpose, {})
            if said.channel == EVERY_CHANNEL:
                channels.clear()
            channels[said.channel] = Answer(said.status, one.at, one.source, one.event_id)
    return found


def may_market(consents: Consents) -> bool:
    """Whether anything may be sent for marketing: some channel said yes, or nobody ever asked."""
    answers = consents.get(MARKETING, {})
    return not answers or any(answer.status == GRANTED for answer in answers.values())


def consent_section(consents: Consents) -> dict[str, dict[str, dict[str, str | None]]]:
    """Consent as the API shows it, purposes and channels in order of their names."""
    return {
        purpose: {
            channel: {
                "status": answer.status, "at": to_time_text(answer.at), "source": answer.source,
                "event_id": answer.event_id,
            }
            for channel, answer in sorted(channels.items())
        }
        for purpose, channels in sorted(consents.items())
    }  # fmt: skip


def consent_summary(statements: Sequence[Statement]) -> str:
    """The line of a consent event; empty when it says nothing that is understood."""
    lines: dict[str, list[str]] = {}
    for said in statements:
        by = _BY.get(said.channel, f"by {said.channel.replace('_', ' ')}")
        what = f"{said.purpose.replace('_', ' ')} {by}".strip()
        lines.setdefault(_VERBS.get(said.status, "Said no to"), []).append(what)
    parts = [f"{verb} {_listed(told)}" for verb, told in lines.items()]
    return "; ".join(parts[:1] + [part[0].lower() + part[1:] for part in parts[1:]])


def _listed(told: list[str]) -> str:
    told = list(dict.fromkeys(told))
    if len(told) > 3:  # noqa: PLR2004 (more makes the line too long)
        return f"{', '.join(told[:3])} and {len(told) - 3} more"
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
