"""Command `scenario`: plays reference stories against the running service and prints expected beside found."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.console import say, show_table
from cli.options import DataDirOption, UrlOption
from cli.scenarios.end_state import graph_digest, story_digest
from cli.scenarios.facts import OPEN
from cli.scenarios.memory import Remembered, recall, remember
from cli.scenarios.player import Played, Stage, play, replay
from cli.scenarios.stories import load_story, story_names
from cli.service import Service, ServiceClient, find_service, new_brand
from core.clock import utc_now
from core.settings import load_settings

_COLUMNS = ("step", "fact", "expected", "found", "result")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class _Run:
    """What one call of the command was asked for."""

    service: Service
    data_dir: Path
    prefix: str
    deadline_seconds: float


def scenario(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    name: Annotated[str, typer.Argument(help=f"{', '.join(story_names())} or {_ALL}.")] = _ALL,
    twice: Annotated[bool, typer.Option(help="Play each in a second new brand too and compare the ends.")] = False,
    replay_too: Annotated[
        bool, typer.Option("--replay", help="Send each once more to its brand: nothing may change.")
    ] = False,
    again: Annotated[
        str | None, typer.Option(metavar="BRAND", help="Only send a played brand's story once more.")
    ] = None,
    brand_prefix: Annotated[str, typer.Option(help="New brands are called PREFIX-STORY-….")] = "scenario",
    wait: Annotated[float, typer.Option(help="Seconds to wait for what follows by a task.")] = 30.0,
    data_dir: DataDirOption = None,
    url: UrlOption = None,
) -> None:
    """Play reference stories, each in a new brand; exit status 0 only when no fact failed."""
    run = _Run(find_service(data_dir, url), data_dir or load_settings().data_dir, brand_prefix, wait)
    if again is not None:
        results = [_send_once_more(run, recall(run.data_dir, again))]
    else:
        stories = story_names() if name == _ALL else [str(load_story(name)["name"])]
        results = [_play_story(run, story, twice=twice, replay_too=replay_too) for story in stories]
    if not all(results):
        raise typer.Exit(1)


def _play_story(run: _Run, story: str, *, twice: bool, replay_too: bool) -> bool:
    """Play one story as often as asked for; whether everything was right."""
    first, record, end = _play_once(run, story)
    good = not first.has_failed
    if twice:
        second, _, other_end = _play_once(run, story)
        is_same = end == other_end
        say(f"{story}: the second brand {'ends the same' if is_same else 'ENDS DIFFERENTLY'}")
        good = good and not second.has_failed and is_same
    if replay_too:
        good = _send_once_more(run, record) and good
    return good


def _play_once(run: _Run, story: str) -> tuple[Played, Remembered, str]:
    with new_brand(run.service, f"{run.prefix}-{story}") as (brand, client):
        stage = Stage(client, brand, run.service.url, utc_now(), run.deadline_seconds)
        played = play(story, stage)
        end = story_digest(client)
    record = Remembered(story, brand, stage.started_at, played.saved)
    remember(run.data_dir, record)
    _show(played)
    return played, record, end


def _send_once_more(run: _Run, record: Remembered) -> bool:
    """Send a played story to the same brand again; whether the graph stayed as it was."""
    with ServiceClient(run.service.url, record.brand.api_key) as client:
        stage = Stage(client, record.brand, run.service.url, record.started_at)
        before = graph_digest(client)
        refused = replay(record.story, stage, record.saved)
        after = graph_digest(client)
    for text in refused:
        say(f"{record.story}: refused when sent once more: {text}")
    outcome = "nothing changed" if before == after else "THE GRAPH CHANGED"
    say(f"{record.story}: sent once more to {record.brand.id}, {outcome}")
    return before == after and not refused


def _show(played: Played) -> None:
    rows = [(str(fact.step), fact.name, fact.expected, fact.found, fact.state) for fact in played.facts]
    show_table(f"{played.story} (brand {played.brand})", _COLUMNS, rows)
    counts = Counter(fact.state for fact in played.facts)
    told = ", ".join(f"{counts[state]} {state}" for state in ("ok", "FAILED", OPEN) if counts[state])
    say(f"{played.story}: {told}")
