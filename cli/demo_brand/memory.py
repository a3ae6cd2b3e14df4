"""Demo, side step: remembers when a demo began, so that sending it again sends the same."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import format_time, parse_time

_FOLDER = "demos"
_NOW_LASTS = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Moments:
    """Where the history ends, and the moment that "in the store now" is told from."""

    until: datetime
    now: datetime


def recall_moments(data_dir: Path, name: str, now: datetime) -> Moments:
    """The moments of the demo `name`: those of its first run; "now" is renewed when it is hours old."""
    path = data_dir / _FOLDER / f"{name}.json"
    now = now.replace(second=0, microsecond=0)
    known = _read(path)
    found = known or Moments(now, now)
    if now - found.now >= _NOW_LASTS:
        found = Moments(found.until, now)
    if found != known:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({"until": format_time(found.until), "now": format_time(found.now)}), encoding="utf-8"
        )
    return found


def _read(path: Path) -> Moments | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        until, now = parse_time(stored["until"]), parse_time(stored["now"])
    except (OSError, ValueError, KeyError, TypeError):
        # Without the record the events have the same ids all the same: what is stored already stays as it is.
        return None
    return Moments(until, now) if until is not None and now is not None else None
