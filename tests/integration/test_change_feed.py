"""The change feed on a real graph: gapless numbers, nothing lost or doubled; who follows it ends like the graph."""

import random
import signal
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis

from core.brand import BrandSettings
from core.changes import CursorExpiredError
from core.clock import utc_now
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.identifiers import Identifier
from core.settings import Settings, child_environment
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.changes import append_waiting, prune_changes, prune_feed, read_changes, waiting_brands
from ingest.changes import relay
from ingest.changes.relay import relay_changes
from ingest.stewardship import approve_review, merge_profiles, reject_review, unmerge_profile
from ingest.stewardship.linking import attach_by_hand, link_by_hand, unlink_by_hand
from tests.factories import event
from tests.integration.cutting_proxy import cutting_proxy

STEWARD = "steward"


def send(graph: Graph, brand: str, *pairs: str, **more: Any) -> str:
    [result] = commit_batch(graph, BrandSettings(brand), [event(brand, *pairs, **more)])
    return result.profile_id or ""


def drain(graph: Graph, brand: str) -> None:
    """Write everything that waits into the brand's feed."""
    while append_waiting(graph, brand, 7):
        pass


def entries(graph: Graph, brand: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """All entries of a brand, page by page."""
    drain(graph, brand)
    found: list[dict[str, Any]] = []
    cursor: int | None = None
    while True:
        page = read_changes(graph, brand, cursor, limit)
        found += page.items
        cursor = page.cursor
        if not page.has_more:
            return found


def kinds(graph: Graph, brand: str) -> list[str]:
    return [entry["kind"] for entry in entries(graph, brand)]


class Follower:
    """Another system that knows of profiles only what the feed says: it files things under ids and moves them."""

    def __init__(self) -> None:
        self.filed: dict[str, str] = {}

    def apply(self, entry: dict[str, Any], live: str = "profile_id") -> None:
        if entry["kind"] == "created":
            self.filed.setdefault(entry["profile_id"], entry["profile_id"])
        for move in entry["moves"]:
            old, new = move["old_id"], move[live]
            self.filed[old] = self.filed.get(old, old)
            for one, under in list(self.filed.items()):
                if under == old:
                    self.filed[one] = new
            self.filed[old] = new

    def partition(self) -> set[frozenset[str]]:
        groups = defaultdict(set)
        for one, under in self.filed.items():
            groups[under].add(one)
        return {frozenset(group) for group in groups.values()}


def personas(graph: Graph, brand: str) -> dict[str, str]:
    with graph.session() as session:
        rows = session.run("MATCH (c:Customer {brand: $brand}) RETURN c.id AS id, c.root_id AS root", brand=brand)
        return {row["id"]: row["root"] for row in rows}


def test_every_new_profile_and_merge_is_an_entry_with_old_and_live_id(graph: Graph, brand_id: str) -> None:
    one = send(graph, brand_id, "email:a@x.io", minute=1)
    two = send(graph, brand_id, "phone:+1", minute=2)
    [merged] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, "email:a@x.io", "phone:+1", minute=3)])
    found = entries(graph, brand_id)
    assert [(entry["cursor"], entry["kind"], entry["profile_id"]) for entry in found] == [
        ("1", "created", one), ("2", "created", two), ("3", "merged", one),
    ]  # fmt: skip
    assert found[2]["moves"] == [{"old_id": two, "profile_id": one, "live_id": one}]
    assert (found[2]["merge_id"], found[2]["reason"], found[2]["event_id"]) == (
        merged.merge_id, "identifier_match", merged.event_id,
    )  # fmt: skip
    assert found[2]["rule_version"]
    assert found[1]["live_id"] == one


def test_a_batch_that_makes_and_merges_profiles_tells_of_each(graph: Graph, brand_id: str) -> None:
    batch = [
        event(brand_id, "email:a@x.io", minute=1), event(brand_id, "phone:+1", minute=2),
        event(brand_id, "email:a@x.io", "phone:+1", minute=3),
    ]  # fmt: skip
    commit_batch(graph, BrandSettings(brand_id), batch)
    assert kinds(graph, brand_id) == ["created", "created", "merged"]


def test_events_that_change_no_identity_leave_no_entry(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, "email:a@x.io", minute=1)
    send(graph, brand_id, "email:a@x.io", minute=2)
    send(graph, brand_id, "email:a@x.io", minute=2)
    assert kinds(graph, brand_id) == ["created"]


def test_an_unmerge_names_every_persona_that_goes(graph: Graph, brand_id: str) -> None:
    one, two = send(graph, brand_id, "email:a@x.io", minute=1), send(graph, brand_id, "phone:+1", minute=2)
    settings = BrandSettings(brand_id)
    done = merge_profiles(graph, settings, one, [two], reason="Ann Smith said so", by=STEWARD)
    unmerge_profile(graph, settings, one, merge_id=done.merge_id, by=STEWARD)
    *_, merged, unmerged = entries(graph, brand_id)
    assert (merged["reason"], unmerged["kind"], unmerged["merge_id"]) == ("manual_merge", "unmerged", done.merge_id)
    assert unmerged["moves"] == [{"old_id": two, "profile_id": two, "live_id": two}]
    assert unmerged["profile_ids"] == [one, two]


def test_reviews_are_opened_and_settled_in_the_feed(graph: Graph, brand_id: str) -> None:
    names = ("email:a@x.io", "phone:+1", "loyalty_id:L", "user_id:u")
    ids = {send(graph, brand_id, name, minute=place) for place, name in enumerate(names)}
    settings = BrandSettings(brand_id)
    [held] = commit_batch(graph, settings, [event(brand_id, *names, minute=9)])
    approved = approve_review(graph, settings, held.review_id or "", reason="Ann Smith", by=STEWARD)
    opened, merged, settled = entries(graph, brand_id)[4:]
    assert (opened["kind"], set(opened["profile_ids"]), opened["rules"]) == ("review_opened", ids, ["threshold"])
    assert (merged["kind"], merged["reason"], len(merged["moves"])) == ("merged", "manual_review", 3)
    assert (settled["kind"], settled["review_id"], settled["status"], settled["merge_id"]) == (
        "review_settled", held.review_id, "merged", approved.merge_id,
    )  # fmt: skip


def test_a_rejected_review_is_settled_without_a_merge(graph: Graph, brand_id: str) -> None:
    names = ("email:a@x.io", "phone:+1", "loyalty_id:L", "user_id:u")
    for place, name in enumerate(names):
        send(graph, brand_id, name, minute=place)
    [held] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, *names, minute=9)])
    reject_review(graph, BrandSettings(brand_id), held.review_id or "", by=STEWARD)
    assert kinds(graph, brand_id)[-2:] == ["review_opened", "review_settled"]
    assert entries(graph, brand_id)[-1]["status"] == "rejected"


def test_links_by_hand_are_entries_with_the_type_and_not_the_value(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    one = send(graph, brand_id, "email:a@x.io", minute=1)
    nobodys = event(brand_id, minute=2)
    commit_batch(graph, settings, [nobodys])
    link_by_hand(graph, settings, one, Identifier("phone", "+1"), by=STEWARD)
    unlink_by_hand(graph, settings, one, Identifier("phone", "+1"), by=STEWARD)
    attach_by_hand(graph, settings, nobodys.id, one, by=STEWARD)
    _, linked, unlinked, attached = entries(graph, brand_id)
    assert [(e["kind"], e["profile_id"]) for e in (linked, unlinked)] == [("linked", one), ("unlinked", one)]
    assert linked["identifier_types"] == ["phone"]
    assert (attached["kind"], attached["event_id"]) == ("linked", nobodys.id)
    assert "+1" not in str([linked, unlinked, attached])


def test_a_weak_tie_that_falls_is_retracted(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, "email:a@x.io", "device_id:t", minute=10)
    send(graph, brand_id, "loyalty_id:L1", "device_id:t", minute=20)
    assert len(set(personas(graph, brand_id).values())) == 1
    # The second person turns out to have another address: the shared tablet no longer makes them one.
    send(graph, brand_id, "loyalty_id:L1", "email:b@x.io", minute=30)
    assert len(set(personas(graph, brand_id).values())) == 2
    found = entries(graph, brand_id)
    assert [entry["kind"] for entry in found] == ["created", "created", "merged", "retracted"]
    assert found[3]["merge_id"] == found[2]["merge_id"]
    assert found[3]["event_id"]


@pytest.mark.parametrize("kind", ["device_id", "cookie_id"])
def test_an_identifier_that_too_many_use_is_reported_once_by_its_type(graph: Graph, brand_id: str, kind: str) -> None:
    for person in range(8):
        send(graph, brand_id, f"email:p{person}@x.io", f"{kind}:t", minute=person)
    shared = [entry for entry in entries(graph, brand_id) if entry["kind"] == "shared"]
    assert [entry["identifier_types"] for entry in shared] == [[kind]]
    assert shared[0]["profile_id"] in personas(graph, brand_id)


def _act(graph: Graph, brand: str, rng: random.Random, number: int) -> None:
    """One random event, merge, unmerge or decision about a review; what makes no sense is refused."""
    settings = BrandSettings(brand)
    known = sorted(personas(graph, brand).items())
    live = sorted({root for _, root in known})
    chance = rng.random()
    try:
        if chance < 0.7 or len(live) < 2:
            names = ["email:a", "email:b", "phone:+1", "phone:+2", "loyalty_id:L", "loyalty_id:M", "device_id:t",
                     "cookie_id:c", "cookie_id:d"]  # fmt: skip
            batch = [
                event(
                    brand,
                    *rng.sample(names, rng.choice([1, 1, 2, 2, 3])),
                    key=f"{number}-{place}",
                    minute=rng.randint(0, 40),
                )
                for place in range(rng.choice([1, 1, 4]))
            ]
            commit_batch(graph, settings, batch)
        elif chance < 0.82:
            one, two = rng.sample(live, 2)
            merge_profiles(graph, settings, one, [two], by=STEWARD)
        else:
            unmerge_profile(graph, settings, rng.choice(known)[0], by=STEWARD)
    except (ConflictError, NotFoundError):
        pass


@pytest.mark.parametrize("seed", range(12))
def test_whoever_follows_the_feed_ends_with_the_people_of_the_graph(graph: Graph, brand_id: str, seed: int) -> None:
    rng = random.Random(seed)
    then, now = Follower(), Follower()
    cursor: int | None = None
    for number in range(30):
        _act(graph, brand_id, rng, number)
        if rng.random() < 0.3:
            append_waiting(graph, brand_id, rng.choice([1, 5, 100]))
        if rng.random() < 0.2:
            page = read_changes(graph, brand_id, cursor, rng.choice([1, 3, 50]))
            cursor = page.cursor
            for entry in page.items:
                then.apply(entry)
                now.apply(entry, "live_id")
    drain(graph, brand_id)
    rest = read_changes(graph, brand_id, cursor, 200)
    assert not rest.has_more
    for entry in rest.items:
        then.apply(entry)
        now.apply(entry, "live_id")
    stored = personas(graph, brand_id)
    groups = defaultdict(set)
    for one, root in stored.items():
        groups[root].add(one)
    partition = {frozenset(group) for group in groups.values()}
    assert then.filed == stored
    assert then.partition() == now.partition() == partition
    assert broken_invariants(graph, brand_id) == []


def test_eight_writers_and_two_relays_give_gapless_numbers_and_the_right_people(graph: Graph, brand_id: str) -> None:
    batches = [
        [event(brand_id, f"email:{n % 9}@x.io", f"phone:+{n % 7}", key=f"{n}", minute=n)] for n in range(80)
    ]  # fmt: skip
    with ThreadPoolExecutor(10) as threads:
        writing = [
            threads.submit(commit_batch, graph, BrandSettings(brand_id), batch, budget_seconds=60) for batch in batches
        ]
        relaying = [
            threads.submit(lambda: [append_waiting(graph, brand_id, 3) for _ in range(40)]) for _ in range(2)
        ]  # fmt: skip
        for written in writing:
            written.result()
        for relayed in relaying:
            relayed.result()
    found = entries(graph, brand_id)
    assert [entry["cursor"] for entry in found] == [str(number) for number in range(1, len(found) + 1)]
    assert len({entry["id"] for entry in found}) == len(found)
    follower = Follower()
    for entry in found:
        follower.apply(entry)
    assert follower.filed == personas(graph, brand_id)


_DYING = """
import os, signal, sys
from core.settings import load_settings
from graph.driver import Graph
from graph.repositories.changes import append_waiting
from graph.transactions import Transaction

run = Transaction.run

def dying(self, name, /, **params):
    rows = run(self, name, **params)
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows

Transaction.run = dying
with Graph.connect(load_settings()) as graph:
    append_waiting(graph, sys.argv[1], 2)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("query", ["changes/lock_feed", "changes/take_waiting", "changes/append", "after the commit"])
def test_a_relay_killed_between_two_steps_loses_and_doubles_nothing(
    graph: Graph, graph_settings: Settings, brand_id: str, query: str
) -> None:
    for number in range(5):
        send(graph, brand_id, f"email:{number}@x.io", minute=number)
    killed = subprocess.run(
        [sys.executable, "-c", _DYING, brand_id, query], env=child_environment(graph_settings), check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    found = entries(graph, brand_id)
    assert [(entry["cursor"], entry["kind"]) for entry in found] == [(str(n), "created") for n in range(1, 6)]
    assert len({entry["profile_id"] for entry in found}) == 5
    assert broken_invariants(graph, brand_id) == []


def test_a_commit_whose_answer_was_lost_gives_no_entry_twice(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    for number in range(3):
        send(graph, brand_id, f"email:{number}@x.io", minute=number)
    with cutting_proxy(graph_settings.neo4j_uri or "") as proxy:
        settings = graph_settings.model_copy(update={"neo4j_uri": f"bolt://127.0.0.1:{proxy.port}"})
        with Graph.connect(settings) as cut:
            cut.verify()
            proxy.cuts = 1
            append_waiting(cut, brand_id, 2)
        assert proxy.commits_cut == 1
    assert [entry["cursor"] for entry in entries(graph, brand_id)] == ["1", "2", "3"]
    assert broken_invariants(graph, brand_id) == []


def _come_to(graph: Graph, brand: str) -> None:
    """Work off what other tests left behind, so that this brand's turn comes: a round sees the oldest marks only."""
    for _ in range(1_000):
        waiting = waiting_brands(graph)
        if brand in waiting:
            return
        for other in waiting:
            append_waiting(graph, other, 1_000)
    raise AssertionError("the brand's turn does not come")


def test_a_mark_that_was_written_after_the_lock_waits_for_the_next_round(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, "email:a@x.io")
    _come_to(graph, brand_id)
    assert brand_id in waiting_brands(graph)
    assert [append_waiting(graph, brand_id, 10) for _ in range(2)] == [1, 0]
    assert brand_id not in waiting_brands(graph)


@pytest.fixture
def client(redis_server: Any) -> Any:
    with redis.Redis.from_url(redis_server.url, socket_timeout=5) as connection:
        yield connection


def test_the_relay_serves_every_brand_unless_another_one_works(
    graph: Graph, brand_id: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LEASE_KEY", f"test:{brand_id}")
    brands = [f"{brand_id}{number}" for number in range(3)]
    # Only these: other tests may count on theirs.
    monkeypatch.setattr(relay, "waiting_brands", lambda graph: [one for one in waiting_brands(graph) if one in brands])
    for brand in brands:
        send(graph, brand, "email:a@x.io")
    _come_to(graph, brands[-1])
    client.set(relay.LEASE_KEY, "somebody else")
    assert relay_changes(graph, client) == 0
    client.delete(relay.LEASE_KEY)
    assert relay_changes(graph, client) == 3
    for brand in brands:
        assert len(read_changes(graph, brand, None, 10).items) == 1
    assert client.get(relay.LEASE_KEY) is None


def test_pages_are_stable_and_a_kind_filter_moves_the_cursor_on(graph: Graph, brand_id: str) -> None:
    for number in range(5):
        send(graph, brand_id, f"email:{number}@x.io", minute=number)
    found = entries(graph, brand_id)
    assert [entry["id"] for entry in entries(graph, brand_id, limit=2)] == [entry["id"] for entry in found]
    assert read_changes(graph, brand_id, 2, 2).items == found[2:4]
    nothing = read_changes(graph, brand_id, None, 2, frozenset({"merged"}))
    assert (nothing.items, nothing.cursor, nothing.has_more) == ([], 5, False)
    some = read_changes(graph, brand_id, 1, 2, frozenset({"created", "merged"}))
    assert (len(some.items), some.cursor, some.has_more) == (2, 3, True)


def test_retention_removes_the_oldest_and_says_where_to_go_on(graph: Graph, brand_id: str) -> None:
    for number in range(4):
        send(graph, brand_id, f"email:{number}@x.io", minute=number)
    found = entries(graph, brand_id)
    assert prune_changes(graph, found[0]["at"] - timedelta(days=3650)) == 0
    prune_feed(graph, brand_id, found[2]["at"])
    assert broken_invariants(graph, brand_id) == []
    assert [entry["cursor"] for entry in entries(graph, brand_id)] == ["3", "4"]
    with pytest.raises(CursorExpiredError) as expired:
        read_changes(graph, brand_id, 1, 10)
    assert expired.value.extensions == {"oldest_cursor": "2"}
    assert len(read_changes(graph, brand_id, 2, 10).items) == 2
    with pytest.raises(InvalidInputError):
        read_changes(graph, brand_id, 5, 10)
    assert prune_feed(graph, brand_id, utc_now() + timedelta(days=1)) == 2
    assert read_changes(graph, brand_id, None, 10).cursor == 4
    send(graph, brand_id, "email:new@x.io")
    assert [entry["cursor"] for entry in entries(graph, brand_id)] == ["5"]


def test_brands_have_feeds_of_their_own(graph: Graph, brand_id: str) -> None:
    other = f"{brand_id}-other"
    send(graph, brand_id, "email:a@x.io")
    send(graph, other, "email:a@x.io")
    for brand in (brand_id, other):
        [entry] = entries(graph, brand)
        assert (entry["cursor"], entry["profile_id"] in personas(graph, brand)) == ("1", True)
