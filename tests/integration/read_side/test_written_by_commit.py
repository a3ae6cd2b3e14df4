"""What commits write is what the read side shows: the whole walk from events to features, without HTTP."""

from datetime import timedelta

from core.clock import utc_now
from core.events import IncomingEvent, OrderFact
from core.identifiers import Identifier
from core.visits import VisitSign
from graph.commit import commit_batch
from graph.commit_write import MARK_PROFILES_CHANGED
from graph.repositories.events_read import get_event
from graph.repositories.profiles import Page, get_profile, list_merges, list_profiles, lookup_profile
from graph.repositories.reviews_read import list_reviews
from ingest.stewardship import merge_profiles, unmerge_profile
from insight.identity_graph import get_identity_graph
from insight.profile360 import get_profile360
from insight.timeline import list_timeline
from ml.features.store import get_features
from ml.serving.active import ActiveModels
from ml.serving.store import refresh_profiles
from ml.tasks import work_off_marks

NOW = utc_now()
MAIL, PHONE = Identifier("email", "sarah@example.com"), Identifier("phone", "+14155550101")


def event(small, name, days_ago, *identifiers, **more):
    at = NOW - timedelta(days=days_ago)
    facts = {"type": "page_view", "channel": "website", "source": "shop", "payload": "{}", **more}
    return IncomingEvent(
        id=small.name(name), brand=small.brand.id, occurred_at=at, received_at=NOW, identifiers=identifiers, **facts
    )


def sale(small, name, days_ago, minor, category, *identifiers, **more):
    lines = f'[{{"product_id":"P","category":"{category}","quantity":1}}]'
    fact = OrderFact(f"{small.brand.id}|shop|{name}", "sale", name, minor, "USD", lines=lines)
    return event(small, name, days_ago, *identifiers, order=fact, **{"type": "purchase", **more})


def omnichannel(small):
    """An online order by e-mail, a message by phone, then a till sale that ties both."""
    batch = [
        sale(small, "e1", 5, 8999, "Apparel", MAIL),
        event(small, "e2", 4, PHONE, type="whatsapp_message", channel="whatsapp", payload='{"Body": "When?"}'),
        sale(small, "e3", 3, 12550, "Footwear", MAIL, PHONE, type="pos_transaction", channel="store"),
    ]
    return commit_batch(small.graph, small.brand, batch)


def test_merged_customer_is_read_back_whole(small):
    created, other, merged = omnichannel(small)
    live = merged.profile_id
    absorbed = merged.merged_profile_ids[0]
    assert {live, absorbed} == {created.profile_id, other.profile_id}
    profile = get_profile(small.graph, small.brand.id, absorbed)
    assert (profile["id"], profile["answered_for"], profile["absorbed_ids"]) == (live, absorbed, [absorbed])
    assert (profile["lifetime_value"], profile["total_orders"], profile["event_count"]) == ("215.49", 2, 3)
    assert profile["identifiers"] == {"email": [MAIL.value], "phone": [PHONE.value]}
    assert lookup_profile(small.graph, small.brand, "phone", "(415) 555-0101")["id"] == live
    assert [item["id"] for item in list_profiles(small.graph, small.brand, Page())["items"]] == [live]
    [merge] = list_merges(small.graph, small.brand.id, live)
    assert (merge["merge_id"], merge["survivor_id"], merge["absorbed_ids"]) == (merged.merge_id, live, [absorbed])
    assert merge["before"][0]["first_seen"].endswith("Z")
    assert merge["after"]["lifetime_value"] == "89.99"


def test_360_and_timeline_follow_from_what_was_committed(small):
    live = omnichannel(small)[2].profile_id
    whole = get_profile360(small.graph, small.brand.id, live)
    assert whole["statistics"]["purchases"] == {"total": 2, "online": 1, "store": 1}
    assert whole["statistics"]["category_affinity"] == {"Apparel": 1, "Footwear": 1}
    assert [(item["type"], item["count"]) for item in whole["identifiers"]] == [("phone", 2), ("email", 2)]
    shown = [item["type"] for item in list_timeline(small.graph, small.brand.id, live, Page())["items"]]
    assert shown == ["merge", "pos_transaction", "whatsapp_message", "purchase"]
    assert len(get_identity_graph(small.graph, small.brand.id, live)["nodes"]) == 4


def test_timeline_pages_go_on_exactly_where_they_stopped(small):
    batch = [event(small, f"e{n}", n % 3, MAIL) for n in range(9)]
    live = commit_batch(small.graph, small.brand, batch)[0].profile_id or ""
    for limit in (1, 2, 4):
        cursor, shown = None, []
        while True:
            page = list_timeline(small.graph, small.brand.id, live, Page(limit, cursor))
            shown += [item["event_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert shown == [small.name(f"e{n}") for n in (6, 3, 0, 7, 4, 1, 8, 5, 2)]


def test_features_of_the_reference_customer(small, tmp_path):
    created, other, _ = omnichannel(small)
    both = [created.profile_id, other.profile_id]
    refresh_profiles(small.graph, ActiveModels(tmp_path), small.brand.id, both, utc_now())
    found = get_features(small.graph, small.brand.id, created.profile_id)["features"]
    assert (found["frequency"], found["monetary"]) == (2, "215.49")
    assert found["category_affinity"] == {"Apparel": 1, "Footwear": 1}
    assert found["store_orders"] == 1


def visit(small, name, days_ago, *identifiers):
    sign = VisitSign("S1", NOW - timedelta(days=days_ago), "checkin")
    return event(small, name, days_ago, *identifiers, type="store_visit", channel="store", visit=sign)


def work_off(small):
    """Do what the marks left since the last call ask for; the profiles that they name."""
    query = "MATCH (m:Mark {kind: $kind}) WHERE m.brand = $brand RETURN m.id, m.profile_ids"
    with small.graph.session() as session:
        marks = dict(session.run(query, kind=MARK_PROFILES_CHANGED, brand=small.brand.id).values())
    work_off_marks(small.graph, list(marks), lambda: NOW)
    return {profile_id for ids in marks.values() for profile_id in ids}


def days_in_stores(small, *profiles):
    shown = [get_features(small.graph, small.brand.id, profile)["features"] for profile in profiles]
    return [(found["store_visit_days"], found["last_store_visit_days"]) for found in shown]


def test_days_in_stores_follow_visits_merges_and_unmerges_by_their_marks(small):
    first = [visit(small, "v1", 1, MAIL), visit(small, "v2", 2, MAIL), event(small, "e1", 1, PHONE)]
    one, _, two = (str(result.profile_id) for result in commit_batch(small.graph, small.brand, first))
    assert work_off(small) == {one, two}
    assert days_in_stores(small, one, two) == [(2, 1.0), (0, None)]
    commit_batch(small.graph, small.brand, [visit(small, "v3", 5, PHONE), visit(small, "v4", 100, PHONE)])
    assert work_off(small) == {two}
    assert days_in_stores(small, one, two) == [(2, 1.0), (1, 5.0)]
    survivor = merge_profiles(small.graph, small.brand, one, [two], by="test").survivor_id
    assert survivor in work_off(small)
    assert days_in_stores(small, one, two) == [(3, 1.0)] * 2
    unmerge_profile(small.graph, small.brand, survivor, by="test")
    assert {one, two} <= work_off(small)
    assert days_in_stores(small, one, two) == [(2, 1.0), (1, 5.0)]


def test_review_and_event_are_read_back(small):
    mails = [Identifier("email", f"p{n}@example.com") for n in range(4)]
    batch = [event(small, f"e{n}", 4, mail) for n, mail in enumerate(mails)]
    results = commit_batch(small.graph, small.brand, [*batch, event(small, "tie", 1, *mails)])
    [review] = list_reviews(small.graph, small.brand.id, Page(), "pending")["items"]
    assert review["id"] == results[-1].review_id
    assert review["profile_ids"] == sorted(result.profile_id or "" for result in results[:4])
    assert review["reason"] == "Auto-merge blocked: 4 profiles exceed threshold of 3"
    stored = get_event(small.graph, small.brand.id, small.name("tie"))
    assert (stored["decision"], stored["review_id"], stored["profile_id"]) == (
        "review",
        review["id"],
        results[-1].profile_id,
    )
