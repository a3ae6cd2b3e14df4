"""Scenario, first step: the stories as data, with their times and saved values filled in."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from core.clock import format_time
from core.errors import InvalidInputError

Step = dict[str, Any]

# `-45d`, `0d`, `-3d+45m`: days, and minutes or hours, from the start of the run.
_OFFSET = re.compile(r"([+-]?\d+)d(?:([+-]\d+)([mh]))?")
_SAVED = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def story_names() -> list[str]:
    """Names of all stories, in alphabetical order."""
    folder = resources.files("cli.scenarios").joinpath("stories")
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


def load_story(name: str) -> dict[str, Any]:
    """The story `name`: {name, story, steps}; raises InvalidInputError when there is none."""
    if name not in story_names():
        raise InvalidInputError(
            f"There is no scenario of this name; there are {', '.join(story_names())}.", field="name"
        )
    path = resources.files("cli.scenarios").joinpath("stories", f"{name}.json")
    story: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return story


def fill_times(value: Any, start: datetime) -> Any:
    """`value` with every relative time in it replaced by RFC 3339."""
    return _map_text(value, lambda text: _absolute(text, start))


def fill_saved(value: Any, saved: Mapping[str, Any]) -> Any:
    """`value` with every `{{name}}` or `{{name.0}}` replaced by what an earlier step saved."""
    return _map_text(value, lambda text: _SAVED.sub(lambda match: str(_look_up(match[1], saved)), text))


def read_path(answer: Any, path: str) -> Any:
    """The value at a path such as `$.a.0.b`; None where there is nothing."""
    value = answer
    for part in path.removeprefix("$").split("."):
        if part:
            value = _child(value, part)
    return value


def _map_text(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_text(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _map_text(item, change) for name, item in value.items()}
    return value


def _absolute(text: str, start: datetime) -> str:
    match = _OFFSET.fullmatch(text)
    if match is None:
        return text
    days, amount, unit = match.groups()
    offset = timedelta(days=int(days))
    if amount is not None:
        offset += timedelta(minutes=int(amount)) if unit == "m" else timedelta(hours=int(amount))
    return format_time(start + offset)


def _look_up(name: str, saved: Mapping[str, Any]) -> Any:
    first, _, rest = name.partition(".")
    value = read_path(saved.get(first), rest)
    if value is None:
        raise InvalidInputError("The story names a value that no earlier step saved.", field=name)
    return value


def _child(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and part.isdigit() and int(part) < len(value):
        return value[int(part)]
    return None
