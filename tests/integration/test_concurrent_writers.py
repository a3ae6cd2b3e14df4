"""Several writers at once leave the graph that one writer would leave, and that union-find over all events gives."""

import multiprocessing
import random
import threading
import uuid
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.rules import IdentityRules
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import list_reviews
from graph.transactions import retry_stats
from tests.factories import event, fact
from tests.histories import one_event_for_each_identifier, overlapping_history
from tests.integration.graph_state import live_profiles
from tests.integration.writer_process import Written, take_barrier, write_batches
from tests.oracle import Person, UnionFind, people_of
from tests.weak_oracle import people_with_devices

WRITERS = 8
# A try fails because another writer's went through: on average nobody loses more often than there are others.
MOST_RETRIES = WRITERS - 1


def people_in_graph(graph: Graph, brand: str) -> set[Person]:
    """Live profiles as people; the profiles of one open review count as one."""
    together = UnionFind()
    for review in list_reviews(graph, brand, Page(200), "pending")["items"]:
        together.union(review["profile_ids"])
    people: dict[object, Person] = {}
    for live in live_profiles(graph, brand):
        assert live.performed == live.event_count
        key = together.find(live.id)
        before = people.get(key, Person(frozenset(), 0, 0, 0))
        people[key] = Person(
            before.identifiers | live.identifiers,
            before.events + live.event_count,
            before.orders + live.total_orders,
            before.ltv_minor + live.ltv_minor,
        )
    return set(people.values())


def deal(history: list[IncomingEvent], seed: int, writers: int = 4) -> list[list[list[IncomingEvent]]]:
    """Batches for each writer: every event goes to two of them, each has an order and batch sizes of its own."""
    rng = random.Random(seed)
    hands: list[list[IncomingEvent]] = [[] for _ in range(writers)]
    for told in history:
        for place in rng.sample(range(writers), 2):
            hands[place].append(told)
    dealt = []
    for hand in hands:
        rng.shuffle(hand)
        batches = []
        taken = 0
        while taken < len(hand):
            size = rng.choice((1, 3, 10, 40))
            batches.append(hand[taken : taken + size])
            taken += size
        dealt.append(batches)
    return dealt


def write_at_once(graph_settings: Settings, brand: str, dealt: list[list[list[IncomingEvent]]]) -> Written:
    """What all writer processes were answered."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(dealt))
    with ProcessPoolExecutor(len(dealt), mp_context=context, initializer=take_barrier, initargs=(barrier,)) as pool:
        running = [pool.submit(write_batches, graph_settings, BrandSettings(brand), batches) for batches in dealt]
        return [answer for future in running for answer in future.result()]


def crowd(graph_settings: Settings, brand: BrandSettings, history: list[IncomingEvent], seed: int) -> Written:
    """Eight writers with a driver of their own each; no error reaches them, and they do not try for ever."""
    take_barrier(threading.Barrier(WRITERS))
    dealt = deal(history, seed, WRITERS)
    before = retry_stats.total
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [pool.submit(write_batches, graph_settings, brand, batches) for batches in dealt]
        answers = [answer for future in running for answer in future.result()]
    assert retry_stats.total - before <= MOST_RETRIES * sum(len(batches) for batches in dealt)
    return answers


@pytest.mark.parametrize("seed", [1, 2])
def test_four_writers_of_overlapping_events_end_as_union_find_does(
    graph: Graph, graph_settings: Settings, brand_id: str, seed: int
) -> None:
    history = overlapping_history(brand_id, seed, blocks=40, events=400, most=3)
    answers = write_at_once(graph_settings, brand_id, deal(history, seed))
    assert people_in_graph(graph, brand_id) == people_of(history)
    assert list_reviews(graph, brand_id, Page(200), None)["items"] == []
    assert counted_once(answers, history)


def test_profiles_of_an_open_review_count_as_one_whoever_was_first(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    # Everybody is five people at first, so that many an event meets more than three of them.
    singles = one_event_for_each_identifier(brand_id, blocks=12)
    commit_batch(graph, BrandSettings(brand_id), singles)
    history = overlapping_history(brand_id, 3, blocks=12, events=150, most=5)
    write_at_once(graph_settings, brand_id, deal(history, 3))
    assert list_reviews(graph, brand_id, Page(200), "pending")["items"]
    assert people_in_graph(graph, brand_id) == people_of([*singles, *history])


def counted_once(answers: Written, history: list[IncomingEvent]) -> bool:
    """Whether every event was answered as new exactly once."""
    return Counter(event_id for event_id, _, is_repeat in answers if not is_repeat) == {e.id: 1 for e in history}


def test_a_hot_profile_that_eight_writers_want_counts_every_event_once(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    history = overlapping_history(brand_id, 4, blocks=1, events=240, most=2)
    answers = crowd(graph_settings, BrandSettings(brand_id), history, 4)
    assert counted_once(answers, history)
    assert people_in_graph(graph, brand_id) == people_of(history)
    assert broken_invariants(graph, brand_id) == []


def test_one_address_that_eight_writers_name_in_every_event_ends_as_one_person(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    settings = BrandSettings(brand_id, rules=IdentityRules(type_limits={}, drift_limit=1000))
    rng = random.Random(5)
    history = [
        event(brand_id, "email:all@x.io", f"phone:+1415555{rng.randrange(40):04d}", key=f"{number}", minute=number)
        for number in range(160)
    ]
    # Numbers that are people before anybody says that they are that one: the writers also merge.
    known = [event(brand_id, f"phone:+1415555{number:04d}", key=f"k{number}") for number in range(0, 40, 2)]
    commit_batch(graph, settings, known)
    answers = crowd(graph_settings, settings, history, 5)
    assert counted_once(answers, history)
    assert people_in_graph(graph, brand_id) == people_of([*known, *history])
    assert broken_invariants(graph, brand_id) == []


def test_one_tablet_that_eight_writers_sign_in_on_changes_hands_as_the_rules_say(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    rng = random.Random(6)
    history = []
    for number in range(60):
        own = [f"email:p{rng.randrange(5)}@x.io"] if rng.random() < 0.6 else []
        order = fact(brand_id, f"o{number}", total=100 + number) if rng.random() < 0.3 else None
        minute = rng.randrange(30)
        history.append(event(brand_id, *own, "device_id:tablet", key=f"{number}", minute=minute, order=order))
    answers = crowd(graph_settings, BrandSettings(brand_id), history, 6)
    assert counted_once(answers, history)
    found = {
        (live.identifiers, live.event_count, live.total_orders, live.ltv_minor)
        for live in live_profiles(graph, brand_id)
        if live.performed
    }
    assert found == people_with_devices(history)
    assert broken_invariants(graph, brand_id) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 25),
    most=st.integers(1, 5),
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_any_order_and_any_batches_end_as_union_find_does(
    graph: Graph, seed: int, count: int, most: int, sizes: list[int], order: random.Random
) -> None:
    brand = f"t{uuid.uuid4().hex[:12]}"
    history = overlapping_history(brand, seed, blocks=2, events=count, most=most)
    waiting = [*history, *history[: count // 3]]
    order.shuffle(waiting)
    place = 0
    while waiting:
        size = sizes[place % len(sizes)]
        commit_batch(graph, BrandSettings(brand), waiting[:size])
        waiting = waiting[size:]
        place += 1
    assert people_in_graph(graph, brand) == people_of(history)
