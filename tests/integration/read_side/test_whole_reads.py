"""Reads while merges come and go: every answer is of one state, never of half a merge."""

import threading

from core.brand import BrandSettings
from graph.commit import commit_batch
from graph.driver import Graph
from ingest.stewardship.merging import merge_profiles, unmerge_profile
from insight.profile360 import get_profile360
from tests.factories import event, fact

ROUNDS = 25
MAIL, PHONE = "email:a@x.io", "phone:+14155550101"


def _summary(whole) -> tuple:
    """What must fit together: events, orders, channels, identifiers, intents, absorbed."""
    return (
        whole["overview"]["event_count"],
        whole["overview"]["total_orders"],
        sum(whole["statistics"]["events_by_channel"].values()),
        whole["statistics"]["purchases"]["total"],
        tuple(sorted(one["type"] for one in whole["identifiers"])),
        tuple(sorted(one["product_id"] for one in whole["intents"])),
        len(whole["overview"]["absorbed_ids"]),
    )


def test_no_read_shows_half_a_merge(graph: Graph, brand_id: str) -> None:
    brand = BrandSettings(brand_id)
    left = [
        event(brand_id, MAIL, order=fact(brand_id, "o1")),
        event(brand_id, MAIL, minute=1, signal="cart", products=("P1",)),
    ]
    right = [
        event(brand_id, PHONE, minute=40000 - minute, channel="store", signal="view", products=("P2",))
        for minute in range(3)
    ]
    [one, *_, two] = [result.profile_id or "" for result in commit_batch(graph, brand, [*left, *right])]
    alone = {_summary(get_profile360(graph, brand_id, profile)) for profile in (one, two)}
    merged = merge_profiles(graph, brand, one, [two], by="ann").survivor_id
    together = _summary(get_profile360(graph, brand_id, merged))
    unmerge_profile(graph, brand, merged, by="ann")
    seen: set[tuple] = set()
    done = threading.Event()
    failures: list[BaseException] = []

    def read(profile: str) -> None:
        try:
            while not done.is_set():
                seen.add(_summary(get_profile360(graph, brand_id, profile)))
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            failures.append(error)

    readers = [threading.Thread(target=read, args=(profile,)) for profile in (one, two)]
    for reader in readers:
        reader.start()
    for _ in range(ROUNDS):
        survivor = merge_profiles(graph, brand, one, [two], by="ann").survivor_id
        unmerge_profile(graph, brand, survivor, by="ann")
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert seen <= {*alone, together}
