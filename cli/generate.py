"""Command `generate`: made-up histories with known true identities, sent and scored."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from cli.console import progress, say
from cli.generator.score import score, true_identities
from cli.options import DataDirOption, UrlOption
from cli.sending import Target, send_events
from cli.service import Service, ServiceClient, brand_key, find_service, new_brand
from core.brand import BrandSettings
from core.clock import parse_time, utc_now
from core.errors import InvalidInputError
from ingest.generator import HistoryPlan, TrueEvent, make_histories

NEW_BRAND = "new"


def generate(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    orders: Annotated[int, typer.Option(min=1, help="Orders to make; the events around them come with them.")] = 500,
    days: Annotated[int, typer.Option(min=1, help="Days that the histories span.")] = 90,
    seed: Annotated[int, typer.Option(help="The same seed, sizes and day give the same events.")] = 0,
    brand: Annotated[str, typer.Option(help="Brand that takes the events, or `new` for one of its own.")] = NEW_BRAND,
    profiles: Annotated[int | None, typer.Option(min=1, help="People; by default half as many as orders.")] = None,
    shared_device_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of people who use another's.")] = 0.02,
    until: Annotated[str | None, typer.Option(help="Last day of the histories (date); default today.")] = None,
    connections: Annotated[int, typer.Option(min=1, help="Connections used at once.")] = 4,
    data_dir: DataDirOption = None,
    url: UrlOption = None,
) -> None:
    """Send believable histories and print how well the service told the people apart."""
    plan = HistoryPlan(_last_day(until), orders, days, seed, profiles, shared_device_rate)
    events = make_histories(plan)
    service = find_service(data_dir, url)
    with _open_brand(service, brand, data_dir) as (brand_id, api_key):
        target = Target(service.url, api_key, connections)
        with progress("generate", len(events)) as advance:
            sent = send_events(target, [event.body for event in events], advance)
        say(f"brand {brand_id}: {_content(events)}")
        say(
            f"sent in {sent.seconds:.1f} s: {len(events) / sent.seconds:,.0f} events/s; "
            f"{sent.duplicates} repeats, {sent.rejected} refused"
        )
        _report(target, events, brand_id)
    if sent.rejected:
        say(f"first refusal: {sent.first_problem}")
        raise typer.Exit(1)


def _report(target: Target, events: list[TrueEvent], brand_id: str) -> None:
    people = true_identities(events, BrandSettings(brand_id))
    with ServiceClient(target.url, target.api_key) as client:
        profiles = list(client.pages("/api/profiles"))
        waiting = sum(1 for _ in client.pages("/api/reviews", status="pending"))
    found = score(people, profiles)
    say(f"people: {len(people)}, profiles: {len(profiles)}, reviews that wait: {waiting}")
    say(
        f"identifier pairs: {found.true_pairs} true, {found.found_pairs} found, {found.right_pairs} right, "
        f"{found.found_pairs - found.right_pairs} wrong, {found.true_pairs - found.right_pairs} missed"
    )
    say(f"precision {found.precision:.4f}, recall {found.recall:.4f}, F1 {found.f1:.4f}")


def _content(events: list[TrueEvent]) -> str:
    types = Counter(str(event.body["type"]) for event in events)
    told = ", ".join(f"{count} {name}" for name, count in types.most_common())
    return f"{len(events)} events of {len({event.person for event in events})} people ({told})"


def _last_day(text: str | None) -> datetime:
    """Midnight UTC at the end of the histories; raises InvalidInputError."""
    if text is None:
        return datetime.combine(utc_now().date(), time(), UTC)
    at = parse_time(text)
    if at is None:
        raise InvalidInputError("until is no date such as 2026-11-01.", field="until")
    return at


@contextmanager
def _open_brand(service: Service, brand: str, data_dir: Path | None) -> Iterator[tuple[str, str]]:
    """Id and key of the brand that takes the events."""
    if brand == NEW_BRAND:
        with new_brand(service, "generated") as (access, _):
            yield access.id, access.api_key
    else:
        yield brand, brand_key(service, brand, data_dir)
