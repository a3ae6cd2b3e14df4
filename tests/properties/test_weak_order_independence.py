"""Histories with devices and cookies end as the oracle says, in any order and batching, by any number of writers."""

import random
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import list_reviews
from tests.factories import event, fact
from tests.integration.graph_state import live_profiles, placed_sales, stored_sales, what_redrawing_changes
from tests.oracle import UnionFind
from tests.weak_oracle import Person, people_with_devices

_PEOPLE = (("email:a@x.io", "phone:+14155550101"), ("email:b@x.io",), ("phone:+14155550103", "loyalty_id:L3"))
_WEAK = ("cookie_id:c", "cookie_id:d", "device_id:t")


def _history(brand: str, rng: random.Random) -> list[IncomingEvent]:
    events = []
    for number in range(rng.randint(3, 16)):
        pairs = rng.sample(_WEAK, rng.choice([0, 1, 1, 1, 2]))
        if not pairs or rng.random() < 0.5:
            who = rng.choice(_PEOPLE)
            pairs = [*rng.sample(who, rng.randint(1, len(who))), *pairs]
        lines = f'[{{"category":"{rng.choice(("Apparel", "Footwear"))}","product_id":"P"}}]'
        order = fact(brand, f"o{number}", total=100 + number, lines=lines) if rng.random() < 0.25 else None
        channel = rng.choice(("website", "store"))
        events.append(event(brand, *pairs, key=f"{number}", minute=rng.randint(0, 12), order=order, channel=channel))
    return events


def _send(graph: Graph, settings: BrandSettings, events: list[IncomingEvent], rng: random.Random) -> None:
    """Shuffled (every third history as it happened), partly repeated, in batches of a random size, by up to three."""
    again = [*events, *rng.sample(events, len(events) // 4)]
    rng.shuffle(again)
    if len(events) % 3 == 0:
        again.sort(key=lambda one: one.occurred_at)
    size = rng.choice([1, 3, len(again)])
    batches = [again[start : start + size] for start in range(0, len(again), size)]
    with ThreadPoolExecutor(rng.choice([1, 1, 3])) as writers:
        list(writers.map(lambda batch: commit_batch(graph, settings, batch, budget_seconds=60), batches))


def _found(graph: Graph, brand: str) -> set[Person]:
    return {
        (live.identifiers, live.event_count, live.total_orders, live.ltv_minor)
        for live in live_profiles(graph, brand)
        if live.performed
    }


def _check(graph: Graph, seed: int, brand: str) -> None:
    rng = random.Random(seed)
    events = _history(brand, rng)
    # Every third history has devices and cookies that two people may use and no third.
    limit = 2 if seed % 3 == 0 else 5
    limits = {**IdentityRules().shared_limits, "device_id": limit, "cookie_id": limit}
    settings = BrandSettings(brand, rules=IdentityRules(shared_limits=limits))
    _send(graph, settings, events, rng)
    assert _found(graph, brand) == people_with_devices(events, shared_limit=limit), seed
    assert broken_invariants(graph, brand) == []
    assert what_redrawing_changes(graph, settings) == [], seed
    assert stored_sales(graph, brand) == placed_sales(graph, brand), seed


@hypothesis_settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_devices_and_cookies_end_as_the_oracle_says_however_they_arrive(graph: Graph, brand_id: str, seed: int) -> None:
    _check(graph, seed, f"{brand_id}-{seed}")


_HOUSEHOLD = "phone:+14155550100"
_MEMBERS = tuple((f"loyalty_id:L{n}", f"email:m{n}@x.io") for n in range(1, 5))


def _household(brand: str, rng: random.Random) -> list[IncomingEvent]:
    """Up to four people with a card each and one phone for all; they use cookies and a tablet, too."""
    events = []
    for number in range(rng.randint(4, 14)):
        card, mail = rng.choice(_MEMBERS)
        pairs = rng.choice([[_HOUSEHOLD], [card], [card, _HOUSEHOLD], [card, _HOUSEHOLD], [card, mail]])
        if card in pairs or rng.random() < 0.2:
            pairs = [*pairs, *rng.sample(_WEAK, rng.choice([0, 0, 1, 2]))] if card in pairs else [rng.choice(_WEAK)]
        order = fact(brand, f"o{number}", total=100 + number) if rng.random() < 0.25 else None
        events.append(event(brand, *pairs, key=f"{number}", minute=rng.randint(0, 12), order=order))
    return events


def _found_as_one(graph: Graph, brand: str) -> set[Person]:
    """As `_found`, profiles of a pending review counted as one."""
    together = UnionFind()
    for review in list_reviews(graph, brand, Page(200), "pending")["items"]:
        together.union(review["profile_ids"])
    people: dict[object, tuple[frozenset[str], int, int, int]] = {}
    for live in live_profiles(graph, brand):
        held, events, orders, money = people.get(together.find(live.id), (frozenset(), 0, 0, 0))
        people[together.find(live.id)] = (
            held | live.identifiers, events + live.event_count, orders + live.total_orders, money + live.ltv_minor,
        )  # fmt: skip
    return {person for person in people.values() if person[1]}


def _check_household(graph: Graph, seed: int, brand: str, limit: int) -> None:
    rng = random.Random(seed)
    events = _household(brand, rng)
    limits = {**IdentityRules().shared_limits, "phone": limit}
    _send(graph, BrandSettings(brand, rules=IdentityRules(shared_limits=limits)), events, rng)
    assert _found_as_one(graph, brand) == people_with_devices(events, crowded=_HOUSEHOLD, crowd_limit=limit), seed
    assert broken_invariants(graph, brand) == [], seed


@hypothesis_settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), limit=st.sampled_from([1, 2, 10]))
@example(seed=591, limit=1)  # three people at the moment at which the phone becomes shared
def test_a_phone_of_too_many_people_ends_as_the_oracle_says_however_they_arrive(
    graph: Graph, brand_id: str, seed: int, limit: int
) -> None:
    _check_household(graph, seed, f"{brand_id}-{seed}-{limit}", limit)
