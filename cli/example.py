"""`constintel example`: real public data through the running service, checked to the cent."""

from typing import Annotated

import typer

from cli.console import progress, say
from cli.examples.cdnow import (
    CUSTOMERS,
    PURCHASES,
    Purchase,
    expected_totals,
    load_purchases,
    read_totals,
    shuffle_with_repeats,
    to_event,
)
from cli.options import DataDirOption, UrlOption
from cli.sending import Target, send_events
from cli.service import Service, find_service, new_brand
from core.errors import ConfigurationError

app = typer.Typer(help="Public data sets sent through the running service and checked.", no_args_is_help=True)

_DIFFERENCES_SHOWN = 10


@app.callback()
def _group() -> None:
    """Public data sets sent through the running service and checked."""


@app.command("cdnow")
def cdnow(
    connections: Annotated[int, typer.Option(min=1, help="Connections used at once.")] = 4,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Events of one request.")] = 500,
    shuffled: Annotated[
        bool | None, typer.Option("--shuffled/--in-order", help="Only one of the two runs; both without it.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows of the file.")] = None,
    data_dir: DataDirOption = None,
    url: UrlOption = None,
) -> None:
    """Send 69,659 purchases of 23,570 customers, in file order and shuffled with 5 % repeats; compare all."""
    service = find_service(data_dir, url)
    purchases = load_purchases(limit)
    if limit is None and (len(purchases) != PURCHASES or len(expected_totals(purchases)) != CUSTOMERS):
        raise ConfigurationError(f"The file has not the expected {PURCHASES} purchases of {CUSTOMERS} customers.")
    runs = {"in file order": purchases, "shuffled with 5 % repeats": shuffle_with_repeats(purchases)}
    names = [name for name in runs if shuffled is None or shuffled == name.startswith("shuffled")]
    results = [_run(service, name, purchases, runs[name], (connections, batch)) for name in names]
    if not all(results):
        raise typer.Exit(1)


def _run(
    service: Service, name: str, purchases: list[Purchase], sent_as: list[Purchase], shape: tuple[int, int]
) -> bool:
    """One run in a brand of its own; whether everything came back right."""
    connections, batch = shape
    with new_brand(service, "cdnow") as (access, client):
        target = Target(service.url, access.api_key, connections, batch)
        with progress(f"cdnow {name}", len(sent_as)) as advance:
            sent = send_events(target, [to_event(purchase) for purchase in sent_as], advance)
        profiles, found = read_totals(client)
    expected = expected_totals(purchases)
    wrong = sorted(customer for customer in expected if found.get(customer) != expected[customer])
    say(f"cdnow {name} (brand {access.id}, {connections} connections, batches of {batch})")
    say(
        f"  sent {len(sent_as)} events in {sent.seconds:.1f} s: {len(sent_as) / sent.seconds:,.0f} events/s; "
        f"{sent.duplicates} repeats, {sent.rejected} refused"
    )
    say(f"  profiles: expected {len(expected)}, found {profiles}")
    say(f"  order count and LTV right to the cent: {len(expected) - len(wrong)} of {len(expected)}")
    for customer in wrong[:_DIFFERENCES_SHOWN]:
        say(f"  customer {customer}: expected {expected[customer]}, found {found.get(customer)}")
    if sent.first_problem:
        say(f"  first refusal: {sent.first_problem}")
    is_right = (
        not wrong
        and profiles == len(expected) == len(found)
        and sent.rejected == 0
        and sent.duplicates == len(sent_as) - len(purchases)
    )
    say(f"  {'ok' if is_right else 'FAILED'}")
    return is_right
