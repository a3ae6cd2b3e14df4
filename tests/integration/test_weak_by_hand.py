"""Where a person's commands meet weak identifiers: merges, unmerges, links made and taken away, in any order."""

from core.brand import BrandSettings
from core.identifiers import Identifier
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.links import list_links
from ingest.stewardship import approve_review, merge_profiles, unmerge_profile
from ingest.stewardship.linking import link_by_hand, unlink_by_hand
from tests.factories import event, fact
from tests.integration.graph_state import by_identifier, live_profiles
from tests.integration.test_weak_links import send, state


def test_what_a_person_took_away_is_no_evidence_when_links_are_drawn_anew(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    [[owner], _] = (
        commit_batch(graph, settings, [one])
        for one in (
            event(brand_id, "email:a@x.io", "cookie_id:c", minute=1),
            event(brand_id, "cookie_id:c", "device_id:t", minute=2),
        )
    )
    for taken in (Identifier("cookie_id", "c"), Identifier("device_id", "t")):
        unlink_by_hand(graph, settings, owner.profile_id or "", taken, by="test")
    send(
        graph, brand_id,
        event(brand_id, "email:b@x.io", "device_id:t", minute=3),
        event(brand_id, "email:c@x.io", "device_id:t", minute=4),
    )  # fmt: skip
    assert by_identifier(graph, brand_id, "device_id:t").identifiers == frozenset({"email:c@x.io", "device_id:t"})
    assert by_identifier(graph, brand_id, "email:a@x.io").event_count == 2


def test_a_contested_tablet_survives_a_merge_by_hand_and_its_unmerge(graph: Graph, brand_id: str) -> None:
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "device_id:t", minute=1),
        event(brand_id, "email:b@x.io", "device_id:t", minute=3),
        event(brand_id, "device_id:t", minute=4),
    )  # fmt: skip
    before = state(graph, brand_id)
    settings = BrandSettings(brand_id)
    first, second = sorted(live.id for live in live_profiles(graph, brand_id))
    merged = merge_profiles(graph, settings, first, [second], by="test")
    assert len(live_profiles(graph, brand_id)) == 1
    unmerge_profile(graph, settings, merged.survivor_id, by="test")
    assert state(graph, brand_id) == before
    send(graph, brand_id, event(brand_id, "email:a@x.io", "device_id:t", minute=6))
    assert by_identifier(graph, brand_id, "email:a@x.io").event_count == 2
    assert broken_invariants(graph, brand_id) == []


def test_what_a_merge_by_hand_gave_a_person_stays_when_a_stranger_signs_in_later(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", minute=0),
        event(brand_id, "cookie_id:c", minute=1, order=fact(brand_id, "o1", total=700)),
        event(brand_id, "cookie_id:c", minute=2),
    )  # fmt: skip
    known, visitor = (by_identifier(graph, brand_id, one).id for one in ("email:a@x.io", "cookie_id:c"))
    merge_profiles(graph, settings, known, [visitor], by="test")
    send(
        graph, brand_id,
        event(brand_id, "email:b@x.io", "cookie_id:c", minute=100),
        event(brand_id, "cookie_id:c", minute=101),
        event(brand_id, "cookie_id:c", minute=50),
    )  # fmt: skip
    expected = {
        (frozenset({"email:a@x.io"}), 4, 1, 700),
        (frozenset({"email:b@x.io", "cookie_id:c"}), 2, 0, 0),
    }
    assert state(graph, brand_id) == expected
    send(graph, brand_id, event(brand_id, "email:a@x.io", "cookie_id:c", minute=200))
    send(graph, brand_id, event(brand_id, "email:b@x.io", "cookie_id:c", minute=150))
    expected = {
        (frozenset({"email:a@x.io", "cookie_id:c"}), 5, 1, 700),
        (frozenset({"email:b@x.io"}), 3, 0, 0),
    }
    assert state(graph, brand_id) == expected
    assert broken_invariants(graph, brand_id) == []


def test_what_an_approved_review_gave_a_person_stays_when_a_stranger_signs_in_later(
    graph: Graph, brand_id: str
) -> None:
    settings = BrandSettings(brand_id)
    cookies = [f"cookie_id:c{number}" for number in range(1, 5)]
    visits = [
        event(brand_id, cookie, minute=place, order=fact(brand_id, f"o{place}", total=100))
        for place, cookie in enumerate(cookies, start=1)
    ]
    asked = commit_batch(graph, settings, [*visits, event(brand_id, "email:a@x.io", *cookies, minute=10)])[-1]
    approve_review(graph, settings, asked.review_id or "", by="test")
    send(graph, brand_id, event(brand_id, "email:b@x.io", "cookie_id:c1", minute=100))
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io", *cookies[1:]}), 5, 4, 400),
        (frozenset({"email:b@x.io", "cookie_id:c1"}), 1, 0, 0),
    }
    assert broken_invariants(graph, brand_id) == []


def test_a_merge_taken_back_leaves_a_shared_cookie_as_if_it_had_never_been(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    send(graph, brand_id, event(brand_id, "email:a@x.io", minute=0), event(brand_id, "email:b@x.io", minute=1))
    first, second = (by_identifier(graph, brand_id, one).id for one in ("email:a@x.io", "email:b@x.io"))
    merged = merge_profiles(graph, settings, first, [second], by="test")
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=10),
        event(brand_id, "email:b@x.io", "cookie_id:c", minute=20),
        event(brand_id, "cookie_id:c", minute=25, order=fact(brand_id, "o1", total=700)),
    )  # fmt: skip
    assert sorted(unmerge_profile(graph, settings, merged.survivor_id, by="test")) == sorted((first, second))
    send(graph, brand_id, event(brand_id, "cookie_id:c", minute=26), event(brand_id, "cookie_id:c", minute=15))
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io"}), 3, 0, 0),
        (frozenset({"email:b@x.io", "cookie_id:c"}), 4, 1, 700),
    }
    assert broken_invariants(graph, brand_id) == []


def test_a_weak_tie_taken_back_leaves_the_cookie_with_the_last_to_sign_in(graph: Graph, brand_id: str) -> None:
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=10),
        event(brand_id, "phone:+14155550101", "cookie_id:c", minute=20),
        event(brand_id, "cookie_id:c", minute=25, order=fact(brand_id, "o1", total=700)),
    )  # fmt: skip
    root = by_identifier(graph, brand_id, "email:a@x.io").id
    assert len(unmerge_profile(graph, BrandSettings(brand_id), root, by="test")) == 2
    send(graph, brand_id, event(brand_id, "cookie_id:c", minute=26), event(brand_id, "cookie_id:c", minute=15))
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io"}), 2, 0, 0),
        (frozenset({"phone:+14155550101", "cookie_id:c"}), 3, 1, 700),
    }
    assert broken_invariants(graph, brand_id) == []


def test_nobody_has_a_contested_cookie_from_when_a_person_took_it_away(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=1),
        event(brand_id, "email:b@x.io", "cookie_id:c", minute=10),
        event(brand_id, "cookie_id:c", minute=15),
    )  # fmt: skip
    second = by_identifier(graph, brand_id, "email:b@x.io").id
    unlink_by_hand(graph, settings, second, Identifier("cookie_id", "c"), by="test")
    long_after = 1_000_000
    send(
        graph, brand_id,
        event(brand_id, "cookie_id:c", minute=long_after + 2),
        event(brand_id, "cookie_id:c", minute=long_after + 1),
    )  # fmt: skip
    known = {(frozenset({"email:a@x.io"}), 1, 0, 0), (frozenset({"email:b@x.io"}), 2, 0, 0)}
    assert state(graph, brand_id) == known | {(frozenset({"cookie_id:c"}), 2, 0, 0)}
    send(graph, brand_id, event(brand_id, "email:d@x.io", "cookie_id:c", minute=long_after + 3))
    assert state(graph, brand_id) == known | {(frozenset({"cookie_id:c", "email:d@x.io"}), 3, 0, 0)}
    send(graph, brand_id, event(brand_id, "email:e@x.io", "cookie_id:c", minute=long_after + 5))
    assert by_identifier(graph, brand_id, "cookie_id:c").identifiers == frozenset({"cookie_id:c", "email:e@x.io"})
    known.add((frozenset({"email:d@x.io"}), 3, 0, 0))
    assert state(graph, brand_id) == known | {(frozenset({"cookie_id:c", "email:e@x.io"}), 1, 0, 0)}
    assert broken_invariants(graph, brand_id) == []


def test_a_late_sign_in_from_before_a_cookie_was_taken_away_keeps_it(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=1),
        event(brand_id, "email:b@x.io", "cookie_id:c", minute=10),
    )  # fmt: skip
    second = by_identifier(graph, brand_id, "email:b@x.io").id
    unlink_by_hand(graph, settings, second, Identifier("cookie_id", "c"), by="test")
    send(graph, brand_id, event(brand_id, "email:d@x.io", "cookie_id:c", minute=20))
    send(graph, brand_id, event(brand_id, "cookie_id:c", minute=1_000_000))
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io"}), 1, 0, 0),
        (frozenset({"email:b@x.io"}), 1, 0, 0),
        (frozenset({"email:d@x.io", "cookie_id:c"}), 2, 0, 0),
    }
    assert broken_invariants(graph, brand_id) == []


def test_a_link_by_hand_ends_where_another_person_signs_in_and_stays_as_history(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    send(graph, brand_id, event(brand_id, "email:a@x.io", minute=1), event(brand_id, "email:b@x.io", minute=2))
    first = by_identifier(graph, brand_id, "email:a@x.io").id
    link_by_hand(graph, settings, first, Identifier("cookie_id", "c"), by="test", reason="seen at the till")
    long_after = 1_000_000
    send(
        graph, brand_id,
        event(brand_id, "email:b@x.io", "cookie_id:c", minute=long_after + 9),
        event(brand_id, "cookie_id:c", minute=long_after),
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=long_after + 5),
        event(brand_id, "cookie_id:c", minute=long_after + 10),
    )  # fmt: skip
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io"}), 3, 0, 0),
        (frozenset({"email:b@x.io", "cookie_id:c"}), 3, 0, 0),
    }
    [link] = [one for one in list_links(graph, brand_id, first) if one["type"] == "cookie_id"]
    assert (link["linked_by"], link["reason"], link["source"]) == ("test", "seen at the till", "by_hand")
    assert link["until"] is not None
    second = by_identifier(graph, brand_id, "email:b@x.io").id
    assert {one["source"] for one in list_links(graph, brand_id, second)}.isdisjoint({"by_hand", ""})
    assert broken_invariants(graph, brand_id) == []


def test_a_visitor_parted_from_a_person_goes_to_the_stranger_who_signed_in_meanwhile(
    graph: Graph, brand_id: str
) -> None:
    settings = BrandSettings(brand_id)
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", minute=0),
        event(brand_id, "cookie_id:c", minute=1, order=fact(brand_id, "o1", total=700)),
    )  # fmt: skip
    known, visitor = (by_identifier(graph, brand_id, one).id for one in ("email:a@x.io", "cookie_id:c"))
    merged = merge_profiles(graph, settings, known, [visitor], by="test")
    send(graph, brand_id, event(brand_id, "email:b@x.io", "cookie_id:c", minute=100))
    unmerge_profile(graph, settings, merged.survivor_id, by="test")
    assert [(live.identifiers, live.ltv_minor) for live in sorted(
        live_profiles(graph, brand_id), key=lambda live: live.ltv_minor
    )] == [(frozenset({"email:a@x.io"}), 0), (frozenset({"email:b@x.io", "cookie_id:c"}), 700)]  # fmt: skip
    assert broken_invariants(graph, brand_id) == []
