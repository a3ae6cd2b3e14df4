"""The 360, the timeline and the identity graph of small clusters."""

from datetime import timedelta

import pytest

from core.errors import InvalidInputError, NotFoundError
from graph.repositories.profiles import Page
from insight.identity_graph import get_identity_graph
from insight.profile360 import SECTIONS, etag, get_profile360, parse_include
from insight.timeline import TimelineFilter, list_timeline
from tests.integration.read_side.conftest import START

APPAREL = '[{"product_id": "P1", "name": "Shirt", "category": "Apparel", "quantity": 1, "price_minor": 8999}]'
FOOTWEAR = '[{"product_id": "P2", "name": "Sneakers", "category": "Footwear", "quantity": 1}]'


@pytest.fixture
def sarah(small):
    """Two personas of one person: an online purchase, a message, a till sale, a view; one merge."""
    small.customer("a", ltv_minor=21549, total_orders=2, event_count=4, persona_count=2, merge_count=1, version=5)
    small.customer("b", root="a", hours=1)
    mail = small.link("a", "email", "sarah@example.com", trust="declared")
    phone = small.link("b", "phone", "+15550123")
    online = small.order("o1", "a", 8999, lines=APPAREL)
    till = small.order("o2", "b", 12550, minutes=60, lines=FOOTWEAR, channel="store")
    small.order("o3", "b", 0, minutes=90, counts=False, lines=FOOTWEAR, refunded_minor=500)
    sale = {"amount_minor": 8999, "currency": "USD"}
    small.event(
        "e1", "a", keys=(mail,), type="purchase", order_key=online, payload='{"items": [{"name": "Shirt"}]}', **sale
    )
    small.event(
        "e2", "b", keys=(phone,), minutes=30, type="whatsapp_message", channel="whatsapp", payload='{"Body": "Hi"}'
    )
    small.event("e3", "b", keys=(phone,), minutes=60, type="pos_transaction", channel="store", order_key=till)
    small.event("e4", "a", keys=(mail,), minutes=120, channel="website")
    small.merge("m", "a", "b", minutes=45, reason="manual", identifiers=["phone:+15550123"])
    small.save()
    return small


def test_360_has_every_section_in_one_answer(sarah):
    whole = get_profile360(sarah.graph, sarah.brand.id, sarah.name("b"))
    assert set(whole) == {"id", "brand", "answered_for", "version", "recomputing", *SECTIONS}
    assert (whole["id"], whole["answered_for"]) == (sarah.name("a"), sarah.name("b"))
    assert whole["overview"]["average_order_value"] == "107.75"
    assert whole["merges"]["count"] == 1
    assert whole["merges"]["last"]["merge_id"] == sarah.name("m")
    assert (whole["predictions"], whole["intents"], whole["consent"]) == (None, [], {})
    assert whole["journey"]["stage"] == whole["overview"]["stage"] == "retention"
    assert etag(whole) == f'W/"{sarah.name("a")}-5"'


def test_360_identifiers_carry_tier_trust_and_how_often(sarah):
    found = get_profile360(sarah.graph, sarah.brand.id, sarah.name("a"))["identifiers"]
    assert found[0] == {
        "type": "phone", "value": "+15550123", "tier": 1, "trust": "transaction", "first_seen": "2026-11-01T12:00:00Z",
        "last_seen": "2026-11-01T12:00:00Z", "count": 2, "sources": ["shop"], "flags": [],
    }  # fmt: skip
    assert [(item["type"], item["trust"]) for item in found] == [("phone", "transaction"), ("email", "declared")]


def test_360_statistics_tell_online_from_store(sarah):
    found = get_profile360(sarah.graph, sarah.brand.id, sarah.name("a"), {"statistics"})["statistics"]
    assert found["purchases"] == {"total": 2, "online": 1, "store": 1}
    assert found["preferred_channel"] == "website"
    assert found["channel_shares"] == {"website": 0.5, "store": 0.25, "whatsapp": 0.25}
    assert found["category_affinity"] == {"Apparel": 1, "Footwear": 1}
    assert found["category_affinity_by_channel"] == {"store": {"Footwear": 1}, "website": {"Apparel": 1}}
    assert found["spend_by_month"] == [{"month": "2026-11", "spend": "215.49", "orders": 2}]


def test_360_sections_can_be_chosen(sarah):
    some = get_profile360(sarah.graph, sarah.brand.id, sarah.name("a"), parse_include("overview, merges"))
    assert set(some) == {"id", "brand", "answered_for", "version", "recomputing", "overview", "merges"}
    with pytest.raises(InvalidInputError) as caught:
        parse_include("overview,secrets")
    assert caught.value.field == "include"


@pytest.mark.parametrize(
    "read", [get_profile360, get_identity_graph, lambda graph, brand, id_: list_timeline(graph, brand, id_, Page())]
)
def test_unknown_and_foreign_profiles_are_not_found(sarah, read):
    for brand, profile_id in ((sarah.brand.id, "nobody"), ("otherbrand", sarah.name("a"))):
        with pytest.raises(NotFoundError):
            read(sarah.graph, brand, profile_id)


def test_an_empty_profile_has_empty_statistics(small):
    a = small.customer("a", version=1)
    small.save()
    found = get_profile360(small.graph, small.brand.id, a)
    assert found["statistics"]["purchases"] == {"total": 0, "online": 0, "store": 0}
    assert (found["statistics"]["preferred_channel"], found["overview"]["average_order_value"]) == (None, None)
    assert found["merges"] == {"count": 0, "last": None}
    assert list_timeline(small.graph, small.brand.id, a, Page()) == {"items": [], "next_cursor": None}


def timeline(small, limit=50, **where):
    cursor, found = None, []
    while True:
        page = list_timeline(
            small.graph,
            small.brand.id,
            small.name("a"),
            Page(limit, cursor),
            TimelineFilter(**where) if where else None,
        )
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_timeline_is_newest_first_over_all_personas_with_merges_in_it(sarah, limit):
    items = timeline(sarah, limit)
    assert [item["event_id"] for item in items] == [sarah.name(name) for name in ("e4", "e3", "m", "e2", "e1")]
    assert items[2]["type"] == "merge"
    assert set(items[0]) >= {"event_id", "type", "channel", "occurred_at", "summary", "amount", "identifiers"}
    assert (items[4]["summary"], items[4]["amount"]) == ("Bought Shirt online for 89.99 USD", "89.99")
    assert items[3]["summary"] == "Wrote on WhatsApp: “Hi”"
    assert items[3]["identifiers"] == items[2]["identifiers"] == {"phone": ["+15550123"]}


def test_events_of_the_same_moment_come_once_each(small):
    small.customer("a")
    for number in range(5):
        small.event(f"e{number}", "a")
    small.save()
    shown = [item["event_id"] for item in timeline(small, 2)]
    assert shown == [small.name(f"e{number}") for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"channels": ("store", "whatsapp")}, ["e3", "e2"]),
        ({"types": ("merge", "purchase")}, ["m", "e1"]),
        ({"types": ("page_view",)}, ["e4"]),
        ({"from_at": START + timedelta(minutes=45), "to_at": START + timedelta(minutes=60)}, ["e3", "m"]),
    ],
)
def test_timeline_can_be_limited(sarah, where, names):
    for limit in (1, 50):
        assert [item["event_id"] for item in timeline(sarah, limit, **where)] == [sarah.name(name) for name in names]


def test_unknown_channel_and_backward_span_are_refused(sarah):
    for where, field in (
        (TimelineFilter(channels=("fax",)), "channel"),
        (TimelineFilter(from_at=START + timedelta(1), to_at=START), "from"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            list_timeline(sarah.graph, sarah.brand.id, sarah.name("a"), Page(), where)
        assert caught.value.field == field


def test_graph_shows_the_cluster_and_what_touches_it(sarah):
    sarah.customer("c", hours=3)
    sarah.link("c", "email", "sarah@example.com")
    sarah.refusal("c", "b")
    review = sarah.review("r", "a", "c")
    sarah.save()
    drawn = get_identity_graph(sarah.graph, sarah.brand.id, sarah.name("b"))
    nodes = {node["id"]: node for node in drawn["nodes"]}
    assert set(nodes) == {
        sarah.name("a"), sarah.name("b"), sarah.name("c"), "email:sarah@example.com", "phone:+15550123", review,
    }  # fmt: skip
    assert (nodes[sarah.name("a")]["flags"], nodes[sarah.name("c")]["flags"]) == (["survivor"], ["other_profile"])
    kinds = sorted(edge["type"] for edge in drawn["edges"])
    assert kinds == ["HAS_IDENTIFIER"] * 3 + ["MERGED_INTO", "NOT_SAME", "PROPOSES"]
    merged = next(edge for edge in drawn["edges"] if edge["type"] == "MERGED_INTO")
    assert (merged["source"], merged["target"], merged["rule"]) == (sarah.name("b"), sarah.name("a"), "manual")
    assert set(merged) == {"id", "source", "target", "type", "rule", "trust", "since", "state"}
    assert drawn["truncated"] is False


def test_graph_is_bounded_and_says_so(small):
    a = small.customer("a")
    for number in range(12):
        small.link("a", "cookie_id", f"c{number:02}")
    small.save()
    drawn = get_identity_graph(small.graph, small.brand.id, a, limit=10)
    assert (len(drawn["nodes"]), drawn["truncated"]) == (10, True)
    ends = {node["id"] for node in drawn["nodes"]}
    assert all({edge["source"], edge["target"]} <= ends for edge in drawn["edges"])
