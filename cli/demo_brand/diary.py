"""Demo, how a customer's events are written down: in order, with ids that are the same in every run."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cli.demo_brand.people import Person
from core.clock import format_time

Event = dict[str, Any]
_SOURCES = {"website": "webshop", "mobile_app": "app", "store": "pos", "email": "mailer", "sms": "mailer",
            "whatsapp": "twilio", "other": "zendesk", "crm": "crm"}  # fmt: skip


@dataclass(slots=True)
class Diary:
    """The events of one customer; `until` is the moment that the brand's history ends."""

    person: Person
    until: datetime
    name: str = "story"
    rng: random.Random = field(init=False)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"demo {self.name} {self.person.seed} {self.person.number}")  # noqa: S311 (no secret)

    def day(self, days_ago: float, hour: float | None = None) -> datetime:
        """A moment on the day so many days before the end, at least one, in waking hours unless `hour` says when."""
        midnight = self.until.replace(hour=0, minute=0, second=0, microsecond=0)
        at = self.rng.uniform(9, 22) if hour is None else hour
        return midnight - timedelta(days=max(1, int(days_ago))) + timedelta(minutes=int(at * 60))

    def chance(self, share: float) -> bool:
        """Whether something with this probability happens."""
        return self.rng.random() < share

    def tell(self, kind: str, at: datetime, who: dict[str, Any], channel: str, payload: dict[str, Any]) -> None:
        """Write down one event; nothing happens after the end."""
        number = len(self.events)
        self.events.append({
            "type": kind, "channel": channel, "source": _SOURCES[channel],
            "occurred_at": format_time(min(at, self.until)),
            "message_id": f"demo-{self.person.seed}-{self.name}-{self.person.number}-{number}",
            "identifiers": who, "payload": payload,
        })  # fmt: skip
