"""Demo, last step: scores the customers worth a look and says where to find them."""

import time
from collections.abc import Sequence
from typing import Any

from cli.console import note, say
from cli.demo_brand.people import LEAVING, STAR, VISITOR, Cast, Person
from cli.service import RefusedError, ServiceClient

_POLL_SECONDS = 2.0


def wait_for_tasks(client: ServiceClient, seconds: float) -> bool:
    """Whether the tasks after the commits were done in time; predictions and lists of the whole brand follow them."""
    deadline = time.monotonic() + seconds
    said = False
    while True:
        marks = client.get("/api/monitoring/queues")["marks"]
        waiting = sum(one["marks"] for one in marks.values()) if marks is not None else 0
        if marks is not None and waiting == 0:
            return True
        if time.monotonic() >= deadline:
            return False
        if not said:
            note("features, predictions and lists are being computed")
            said = True
        time.sleep(_POLL_SECONDS)


def find(client: ServiceClient, person: Person) -> str:
    """Id of the live profile of a customer."""
    return str(client.get("/api/profiles/lookup", type="email", value=person.email)["id"])


def take_back_mistake(client: ServiceClient, people: Sequence[Person]) -> None:
    """Part the two who were joined by mistake; nothing when that was done before."""
    mistaken = [people[number] for number in Cast(len(people)).mistaken]
    both = {f"email:{person.email}" for person in mistaken}
    profile = find(client, mistaken[0])
    for merge in client.get(f"/api/profiles/{profile}/merge-history")["items"]:
        if both <= set(merge["identifiers"]) and merge["reverted_at"] is None:
            body = {"merge_id": merge["merge_id"], "reason": "two people who live at one address"}
            client.post(f"/api/profiles/{profile}/unmerge", body)


def show(client: ServiceClient, url: str, people: Sequence[Person]) -> None:
    """Print links to customers, a store, a list and a review, with a word why each is worth a look."""
    cast = Cast(len(people))
    chosen = [
        ("of great value, in a store right now", people[STAR]),
        ("about to leave", people[LEAVING]),
        ("in a store right now, with something in the cart", people[VISITOR]),
        ("named with others in one event: waits for a review", people[cast.reviews[0][0]]),
        ("joined with somebody by mistake and parted again", people[cast.mistaken[0]]),
    ]
    ids = {person.number: find(client, person) for _, person in chosen}
    client.post("/api/predictions/score", {"profile_ids": sorted(set(ids.values()))})
    say("Worth a look:")
    for why, person in chosen:
        say(f"  {person.name}, {why}")
        say(f"    {url}/api/customer360/{ids[person.number]}")
    star = ids[STAR]
    say(f"    and of {people[STAR].name} also {url}/api/customer360/{star}/timeline and …/journey and …/graph")
    say(f"  the page of {people[VISITOR].store.name}, who is there and what they want")
    say(f"    {url}/api/store/dashboard?store_id={people[VISITOR].store.id}")
    say(f"  strong intents of its customers: {url}/api/intent/product-intents?store_id={people[VISITOR].store.id}")
    review = _review_of(client, ids[cast.reviews[0][0]])
    if review is not None:
        say(f"  what waits for a decision: {url}/api/reviews/{review} (and …/preview)")
    say(f"  what to move from where to where: {url}/api/inventory/store-recommendations")
    say(f"  what is wanted more than before: {url}/api/inventory/trending")


def _review_of(client: ServiceClient, profile: str) -> str | None:
    try:
        items = client.get("/api/reviews", status="pending", profile_id=profile, limit=1)["items"]
    except RefusedError:
        return None
    return str(items[0]["id"]) if items else None


def counted(client: ServiceClient) -> dict[str, Any]:
    """How many live profiles and waiting reviews the brand has."""
    return {
        "profiles": sum(1 for _ in client.pages("/api/profiles")),
        "reviews": sum(1 for _ in client.pages("/api/reviews", status="pending")),
    }
