"""Stories as data: times from the start of the run, values saved by earlier steps, and the copies of the reference."""

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from cli.scenarios.facts import OPEN, OPEN_FACTS, Reader
from cli.scenarios.stories import fill_saved, fill_times, load_story, read_path, story_names
from cli.service import ServiceClient
from core.errors import InvalidInputError

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
REFERENCE = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0d", "2026-11-01T12:00:00Z"),
        ("-45d", "2026-09-17T12:00:00Z"),
        ("-3d+45m", "2026-10-29T12:45:00Z"),
        ("-1d-2h", "2026-10-31T10:00:00Z"),
        ("ORD-12345", "ORD-12345"),
        ("30d trial", "30d trial"),
    ],
)
def test_only_whole_offsets_become_times(text: str, expected: str) -> None:
    assert fill_times({"at": [text]}, START) == {"at": [expected]}


def test_saved_values_are_filled_in_by_name_and_place() -> None:
    saved = {"p": ["a", "b"], "review": "r"}
    assert fill_saved({"path": "/x/{{review}}", "ids": ["{{p.1}}"]}, saved) == {"path": "/x/r", "ids": ["b"]}


def test_a_value_that_nobody_saved_is_an_error() -> None:
    with pytest.raises(InvalidInputError):
        fill_saved("{{p}}", {})


def test_a_path_into_an_answer_finds_nothing_where_nothing_is() -> None:
    assert read_path({"a": {"b": [1, 2]}}, "$.a.b.1") == 2
    assert read_path({"a": None}, "$.a.b") is None


def test_the_four_stories_are_the_reference_ones() -> None:
    assert story_names() == sorted(path.stem for path in REFERENCE.glob("*.json"))
    assert len(story_names()) == 4
    for name in story_names():
        assert load_story(name) == json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


def test_an_unknown_story_names_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="omnichannel"):
        load_story("../omnichannel")


def test_facts_of_parts_to_come_are_open_and_never_passed() -> None:
    with ServiceClient("http://127.0.0.1:1", "unused") as client:
        facts = list(Reader(client, 0).check(dict.fromkeys(sorted(OPEN_FACTS), "anything")))
    assert [fact.state for fact in facts] == [OPEN] * len(OPEN_FACTS)


def test_an_unknown_fact_fails() -> None:
    with ServiceClient("http://127.0.0.1:1", "unused") as client:
        [fact] = Reader(client, 0).check({"horoscope": "good"})
    assert fact.state == "FAILED"


def test_stories_ship_with_the_package() -> None:
    assert resources.files("cli.scenarios").joinpath("stories").is_dir()
