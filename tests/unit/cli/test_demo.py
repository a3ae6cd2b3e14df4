"""The demo repeats by its seed, ends at its moment, and is understood without a warning."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.demo_brand.diary import Event
from cli.demo_brand.history import history
from cli.demo_brand.memory import recall_moments
from cli.demo_brand.moments import encounters, presence
from cli.demo_brand.people import FEWEST, STAR, Cast, make_people
from core.brand import BrandSettings
from core.clock import parse_time
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event

UNTIL = datetime(2026, 11, 26, 15, tzinfo=UTC)
BRAND = BrandSettings("b")


def everything(customers: int, seed: int = 0) -> list[Event]:
    people = make_people(customers, seed)
    told = [event for person in people for event in history(person, UNTIL)]
    return told + encounters(people, UNTIL) + presence(people, UNTIL)


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    random.seed(1)
    first = everything(60)
    random.seed(2)
    assert everything(60) == first
    assert {event["message_id"] for event in everything(60, 1)}.isdisjoint(event["message_id"] for event in first)


def test_nobody_of_one_seed_is_reached_like_anybody_of_another() -> None:
    def reached(seed: int) -> Counter[str]:
        people = make_people(300, seed)
        return Counter(way for one in people for way in (one.email, one.phone, one.loyalty, *one.cookies) if way)

    assert set(reached(0).values()) == {1}
    assert reached(0).keys().isdisjoint(reached(1))


def test_every_event_has_an_id_of_its_own_and_nothing_happens_after_the_end() -> None:
    events = everything(200)
    assert len({event["message_id"] for event in events}) == len(events)
    times = [parse_time(event["occurred_at"]) for event in events]
    assert max(at for at in times if at) <= UNTIL
    assert min(at for at in times if at) < UNTIL - timedelta(days=300)


def test_every_event_is_taken_without_a_warning() -> None:
    for event in everything(120):
        assert to_incoming(parse_event(event, BRAND, UNTIL), BRAND, UNTIL).warnings == (), event


def test_every_channel_and_kind_of_a_shops_day_is_there() -> None:
    events = everything(300)
    assert {event["channel"] for event in events} == {
        "website", "mobile_app", "store", "email", "sms", "whatsapp", "other", "crm",
    }  # fmt: skip
    assert {event["type"] for event in events} >= {
        "purchase", "pos_transaction", "refund", "order_cancelled", "order_updated", "ticket_created", "store_visit",
        "consent_changed", "unsubscribed", "search", "wishlist_add", "cart_add", "product_reviewed", "campaign_sent",
    }  # fmt: skip


@pytest.mark.parametrize("customers", [FEWEST, 400, 2_000])
def test_those_with_a_part_of_their_own_are_different_people(customers: int) -> None:
    cast = Cast(customers)
    numbers = [STAR, 1, 2, *(number for group in cast.reviews for number in group), *cast.mistaken]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < customers
    people = make_people(customers, 0)
    joined = [event for event in encounters(people, UNTIL) if len(event["identifiers"]["email"]) == 4]
    assert len(joined) == max(1, customers // 400)


def test_a_larger_brand_has_the_customers_of_a_smaller_one() -> None:
    assert make_people(500, 3)[:40] == make_people(40, 3)


def test_a_demo_sent_again_ends_when_it_did_and_hours_later_only_now_moves(tmp_path: Path) -> None:
    def recalled(**later: Any) -> tuple[datetime, datetime]:
        found = recall_moments(tmp_path, "demo-0-40", UNTIL + timedelta(**later))
        return found.until, found.now

    assert recalled() == recalled(minutes=110) == (UNTIL, UNTIL)
    assert recalled(days=3) == (UNTIL, UNTIL + timedelta(days=3))
    assert recalled(days=3, hours=1) == (UNTIL, UNTIL + timedelta(days=3))
    (tmp_path / "demos" / "demo-0-40.json").write_text("{")
    assert recalled(days=4) == (UNTIL + timedelta(days=4), UNTIL + timedelta(days=4))
