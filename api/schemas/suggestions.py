"""Suggestions: likely same persons with their comparison, the jobs that find them, what a brand sets."""

from decimal import Decimal
from typing import Any

from api.schemas.base import Command, Shape, example
from api.schemas.profiles import OTHER_ID, PROFILE_ID

_JOB_ID = "sug_2f1d8a0c6b7e4c1f9d3a5b6c7d8e9f01"
_SETTINGS: dict[str, Any] = {
    "min_match_weight": 5.0, "auto_merge_weight": None, "max_proposals": 1000, "every_hours": 24,
}  # fmt: skip
_BLOCKING = [{"name": "near_email", "description": "e-mail addresses of one domain that differ in one character"}]
_ITEM: dict[str, Any] = {
    "id": "rev_9a3c0f7e5b1d4c2a8e6f7b9d0c1a2b3e",
    "status": "pending",
    "left_id": PROFILE_ID,
    "right_id": OTHER_ID,
    "match_weight": 18.17,
    "match_probability": 0.999997,
    "starting_weight": -13.29,
    "comparison": [
        {
            "field": "email",
            "left": "sarah.miller@example.com",
            "right": "sarah.miler@example.com",
            "level": "one character typed otherwise",
            "weight": 11.45,
        },
    ],
    "blocking_rule": "near_email",
    "rules": ["suggestion"],
    "job_id": _JOB_ID,
    "created_at": "2026-11-01T12:00:00Z",
}
_JOB: dict[str, Any] = {
    "id": _JOB_ID,
    "state": "running",
    "stage": "proposing",
    "progress": {
        "profiles_total": 1200, "profiles_read": 1200, "pairs": 200, "known": 12, "proposed": 31, "merged": 0,
    },
    "settings": {"min_match_weight": 5.0, "auto_merge_weight": None, "max_proposals": 1000},
    "attempts": 1,
    "error": None,
    "created_at": "2026-11-01T11:59:00Z",
}  # fmt: skip

Weight = int | Decimal


class SuggestionSettingsCommand(Command):
    """What is to change, the rest stays; `null` switches the automatic merge or the schedule off."""

    model_config = example({"min_match_weight": 8, "auto_merge_weight": 20.5, "every_hours": 24})

    min_match_weight: Weight | None = None
    auto_merge_weight: Weight | None = None
    max_proposals: int | None = None
    every_hours: int | None = None


class SuggestionSettingsShape(Shape):
    """What holds for the brand, and the rules that decide which pairs are looked at."""

    model_config = example({**_SETTINGS, "blocking_rules": _BLOCKING})

    min_match_weight: float
    auto_merge_weight: float | None
    max_proposals: int
    every_hours: int | None
    blocking_rules: list[dict[str, str]]


class SuggestionPage(Shape):
    """One page of suggestions, the likeliest first; the rows of a comparison and the starting weight add up."""

    model_config = example({"items": [_ITEM], "next_cursor": None, "blocking_rules": _BLOCKING})

    items: list[dict[str, Any]]
    next_cursor: str | None
    blocking_rules: list[dict[str, str]]


class SuggestionJob(Shape):
    """A run of the suggestions; `state` is queued, running, done, failed or cancelled."""

    model_config = example(_JOB)

    id: str
    state: str
    stage: str
    progress: dict[str, int]
    settings: dict[str, Any]
    attempts: int
    error: str | None
    created_at: str


class SuggestionJobPage(Shape):
    """One page of jobs, newest first."""

    model_config = example({"items": [_JOB], "next_cursor": None})

    items: list[SuggestionJob]
    next_cursor: str | None
