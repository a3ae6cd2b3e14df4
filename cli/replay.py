"""Command `replay`: sends what a brand has stored through the door once more, page by page, with progress."""

from collections import Counter
from typing import Annotated

import typer

from brands.onboarding import DEMO_BRAND
from cli.console import note, progress, say
from cli.options import DataDirOption, UrlOption
from cli.service import Service, ServiceClient, brand_key, find_service

_PATH = "/api/events/replay"
_STEPS = 1_000
_COUNTED = ("replayed", "already_there", "stored", "failed")


def replay(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    since: Annotated[str | None, typer.Option(help="Only those received at this time or later (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option(help="Only those received before this time.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Go on where a replay was cut off.")] = None,
    brand: Annotated[str, typer.Option(help="Brand whose events are replayed.")] = DEMO_BRAND,
    key: Annotated[str, typer.Option(help="Admin key of the brand; with --url no data directory is needed.")] = "",
    data_dir: DataDirOption = None,
    url: UrlOption = None,
) -> None:
    """Replay stored events; what is there already stays as it is. Exit status 0 when none failed."""
    target = Service(url.rstrip("/"), key) if url and key else find_service(data_dir, url)
    counts: Counter[str] = Counter()
    done = 0
    with (
        ServiceClient(target.url, key or brand_key(target, brand, data_dir)) as client,
        progress("replay", _STEPS) as advance,
    ):
        while True:
            asked = {"type": event_type, "since": since, "until": until, "cursor": cursor}
            page = client.post(_PATH, {name: value for name, value in asked.items() if value is not None})
            counts.update({name: page[name] for name in _COUNTED})
            before, done = done, max(done, round(page["progress"] * _STEPS))
            advance(done - before)
            if page["next_cursor"] is None:
                break
            cursor = page["next_cursor"]
            note(f"{counts['replayed']} events; --cursor {cursor} goes on from here")
    say(", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in _COUNTED))
    if counts["failed"]:
        raise typer.Exit(1)
