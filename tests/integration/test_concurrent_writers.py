"""Several writers at once leave the graph that one writer would leave, and that union-find over all events gives."""

import multiprocessing
import random
import uuid
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import list_reviews
from tests.histories import one_event_for_each_identifier, overlapping_history
from tests.integration.graph_state import live_profiles
from tests.integration.writer_process import take_barrier, write_batches
from tests.oracle import Person, UnionFind, people_of

WRITERS = 4


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


def deal(history: list[IncomingEvent], seed: int) -> list[list[list[IncomingEvent]]]:
    """Batches for each writer: every event goes to two of them, each has an order and batch sizes of its own."""
    rng = random.Random(seed)
    hands: list[list[IncomingEvent]] = [[] for _ in range(WRITERS)]
    for event in history:
        for place in rng.sample(range(WRITERS), 2):
            hands[place].append(event)
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


def write_at_once(
    graph_settings: Settings, brand: str, dealt: list[list[list[IncomingEvent]]]
) -> list[tuple[str, str | None, bool]]:
    """What all writer processes were answered."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WRITERS)
    with ProcessPoolExecutor(WRITERS, mp_context=context, initializer=take_barrier, initargs=(barrier,)) as pool:
        running = [pool.submit(write_batches, graph_settings, brand, batches) for batches in dealt]
        return [answer for future in running for answer in future.result()]


@pytest.mark.parametrize("seed", [1, 2])
def test_four_writers_of_overlapping_events_end_as_union_find_does(
    graph: Graph, graph_settings: Settings, brand_id: str, seed: int
) -> None:
    history = overlapping_history(brand_id, seed, blocks=40, events=400, most=3)
    answers = write_at_once(graph_settings, brand_id, deal(history, seed))
    assert people_in_graph(graph, brand_id) == people_of(history)
    assert list_reviews(graph, brand_id, Page(200), None)["items"] == []
    first_answers = Counter(event_id for event_id, _, is_repeat in answers if not is_repeat)
    assert first_answers == {event.id: 1 for event in history}


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


def test_a_hot_profile_that_all_writers_want_counts_every_event_once(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    history = overlapping_history(brand_id, 4, blocks=1, events=200, most=2)
    write_at_once(graph_settings, brand_id, deal(history, 4))
    assert people_in_graph(graph, brand_id) == people_of(history)


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
