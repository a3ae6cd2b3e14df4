"""Command `demo`: a believable brand with history on every channel, sent through the HTTP doors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from brands.api_keys import ADMIN_SCOPES
from brands.onboarding import DEMO_BRAND
from cli.console import Advance, note, progress, say
from cli.demo_brand.history import history
from cli.demo_brand.memory import Moments, recall_moments
from cli.demo_brand.moments import encounters, presence
from cli.demo_brand.people import FEWEST, Person, make_people
from cli.demo_brand.shelf import STORES, TRAITS, stock
from cli.demo_brand.tour import counted, show, take_back_mistake, wait_for_tasks
from cli.options import DataDirOption, UrlOption
from cli.sending import Sent, Target, send_events
from cli.service import Service, ServiceClient, brand_key, find_service
from core.clock import utc_now
from core.settings import load_settings


@dataclass(frozen=True, slots=True)
class _Demo:
    people: Sequence[Person]
    moments: Moments
    seed: int


def demo(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    customers: Annotated[int, typer.Option(min=FEWEST, max=100_000, help="Customers of the brand.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, max=999, help="Another seed makes other customers.")] = 0,
    brand: Annotated[str, typer.Option(help="Brand that takes them; it has to exist.")] = DEMO_BRAND,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for what follows by tasks.")] = 60.0,
    connections: Annotated[int, typer.Option(min=1, help="Connections used at once.")] = 4,
    data_dir: DataDirOption = None,
    url: UrlOption = None,
) -> None:
    """Fill a brand with customers on every channel: site, app, stores, mail, chat, returns, tickets, reviews, stock.

    The same seed makes the same customers, with dates up to now. Run again it changes nothing, but hours later it
    tells anew who is in the stores. Ends with the customers and lists worth a look.
    """
    service = find_service(data_dir, url)
    key = brand_key(service, brand, data_dir, ADMIN_SCOPES)
    moments = recall_moments(data_dir or load_settings().data_dir, f"{brand}-{seed}", utc_now())
    plan = _Demo(make_people(customers, seed), moments, seed)
    with ServiceClient(service.url, key) as client:
        sent = _fill(client, Target(service.url, key, connections), plan)
        take_back_mistake(client, plan.people)
        _tell(client, service, plan, sent, wait)
    if sent.rejected:
        say(f"{sent.rejected} events were refused; the first: {sent.first_problem}")
        raise typer.Exit(1)


def _fill(client: ServiceClient, target: Target, plan: _Demo) -> Sent:
    """What the brand is, then what people did, then what names several of them and who is in the stores."""
    _found(client)
    events = [event for person in plan.people for event in history(person, plan.moments.until)]
    events.sort(key=lambda event: str(event["occurred_at"]))
    late = encounters(plan.people, plan.moments.until) + presence(plan.people, plan.moments.now)
    levels = stock(plan.seed)
    note(f"{len(events) + len(late)} events of {len(plan.people)} customers, {len(levels)} stock levels")
    with progress("demo", len(events) + len(late) + len(levels)) as advance:
        _stock(client, plan.seed, advance)
        first = send_events(target, events, advance)
        # Only now everybody is known whom these events name.
        second = send_events(Target(target.url, target.api_key, 1), late, advance)
    return _both(first, second)


def _found(client: ServiceClient) -> None:
    """Stores and computed traits, where they are not there yet."""
    named = {store["store_id"] for store in client.pages("/api/store/stores") if store["name"]}
    for store in STORES:
        if store.id not in named:
            about = {"name": store.name, "city": store.city, "country": "US", "timezone": store.timezone}
            client.put(f"/api/store/stores/{store.id}", about)
    defined = {trait["name"] for trait in client.get("/api/traits/computed")["items"]}
    for trait in TRAITS:
        if trait["name"] not in defined:
            client.post("/api/traits/computed", trait)


def _stock(client: ServiceClient, seed: int, advance: Advance) -> None:
    for product, store, amount in stock(seed):
        movement = {
            "product_id": product.id, "location_id": store.id, "delta": amount, "title": product.name,
            "reason": "delivered", "movement_id": f"demo-{seed}-{product.id}-{store.id}",
        }  # fmt: skip
        client.post("/api/inventory/movements", movement)
        advance(1)


def _both(one: Sent, two: Sent) -> Sent:
    return Sent(
        one.accepted + two.accepted,
        one.rejected + two.rejected,
        one.duplicates + two.duplicates,
        one.seconds + two.seconds,
        one.first_problem or two.first_problem,
    )


def _tell(client: ServiceClient, service: Service, plan: _Demo, sent: Sent, wait: float) -> None:
    is_done = wait_for_tasks(client, wait)
    found = counted(client)
    say(
        f"{len(plan.people)} customers: {sent.accepted} events in {sent.seconds:.1f} s ({sent.duplicates} were there "
        f"already), {found['profiles']} profiles, {found['reviews']} reviews that wait"
    )
    if not is_done:
        say("Predictions and lists of the whole brand are still being computed; they come by themselves.")
    show(client, service.url, plan.people)
    say(f"Send the API key with each call (Authorization: Bearer …); all calls: {service.url}/docs")
