"""The 360 as of a moment: a device that changed hands, ties and merges that came later, money up to then."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import NotFoundError
from core.events import IncomingEvent
from core.identifiers import Identifier
from graph.commit import commit_batch
from graph.driver import Graph
from graph.past import find_past_holder
from ingest.stewardship import merge_profiles
from insight.past360 import get_past360
from tests.factories import T0, event, fact


def at(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def send(graph: Graph, brand: str, events: list[IncomingEvent], seed: int | None = None) -> None:
    if seed is not None:
        random.Random(seed).shuffle(events)
    for one in events:
        commit_batch(graph, BrandSettings(brand), [one])


def whole_of(graph: Graph, brand: str, holder: str, moment: datetime) -> dict[str, Any]:
    """The 360 of whoever held `type:value` at that moment."""
    persona = find_past_holder(graph, BrandSettings(brand), Identifier(*holder.split(":", 1)), moment)
    assert persona is not None, holder
    return get_past360(graph, BrandSettings(brand), persona, moment)


def shown(graph: Graph, brand: str, holder: str, moment: datetime) -> tuple[set[str], int, int, str]:
    """Identifiers, events, orders and money of whoever held `type:value` at that moment."""
    whole = whole_of(graph, brand, holder, moment)
    head = whole["overview"]
    assert sum(month["orders"] for month in whole["statistics"]["spend_by_month"]) == head["total_orders"]
    held = {f"{item['type']}:{item['value']}" for item in whole["identifiers"]}
    return held, head["event_count"], head["total_orders"], head["lifetime_value"]


def _tablet(brand: str) -> list[IncomingEvent]:
    return [
        event(brand, "email:a@x.io", "device_id:t", key="1", minute=1),
        event(brand, "device_id:t", key="2", minute=2, order=fact(brand, "o1", total=500)),
        event(brand, "email:b@x.io", "device_id:t", key="4", minute=4),
        event(brand, "device_id:t", key="5", minute=5, order=fact(brand, "o2", total=700)),
        event(brand, "email:a@x.io", key="6", minute=6, order=fact(brand, "o1", "refund", 200, refund_id="r")),
    ]


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_tablet_belongs_to_whoever_signed_in_last_before_that_moment(
    graph: Graph, brand_id: str, seed: int | None
) -> None:
    send(graph, brand_id, _tablet(brand_id), seed)
    assert shown(graph, brand_id, "device_id:t", at(1)) == ({"email:a@x.io", "device_id:t"}, 1, 0, "0.00")
    assert shown(graph, brand_id, "device_id:t", at(3)) == ({"email:a@x.io", "device_id:t"}, 2, 1, "5.00")
    assert shown(graph, brand_id, "device_id:t", at(4)) == ({"email:b@x.io", "device_id:t"}, 1, 0, "0.00")
    assert shown(graph, brand_id, "email:a@x.io", at(5)) == ({"email:a@x.io"}, 2, 1, "5.00")
    assert shown(graph, brand_id, "email:a@x.io", at(7)) == ({"email:a@x.io"}, 3, 1, "3.00")
    assert shown(graph, brand_id, "email:b@x.io", at(7)) == ({"email:b@x.io", "device_id:t"}, 2, 1, "7.00")
    assert find_past_holder(graph, BrandSettings(brand_id), Identifier("email", "b@x.io"), at(3)) is None
    later = find_past_holder(graph, BrandSettings(brand_id), Identifier("email", "b@x.io"), at(4))
    with pytest.raises(NotFoundError):
        get_past360(graph, BrandSettings(brand_id), str(later), at(0))


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_visitor_is_nobody_in_particular_before_the_first_sign_in(
    graph: Graph, brand_id: str, seed: int | None
) -> None:
    events = [
        event(brand_id, "cookie_id:c", key="1", minute=1),
        event(brand_id, "cookie_id:c", key="2", minute=2),
        event(brand_id, "email:a@x.io", "cookie_id:c", key="5", minute=5, traits='{"name": "Ada"}'),
    ]
    send(graph, brand_id, events, seed)
    assert shown(graph, brand_id, "cookie_id:c", at(3)) == ({"cookie_id:c"}, 2, 0, "0.00")
    assert whole_of(graph, brand_id, "cookie_id:c", at(3))["overview"]["name"] is None
    assert shown(graph, brand_id, "cookie_id:c", at(5)) == ({"cookie_id:c", "email:a@x.io"}, 3, 0, "0.00")
    assert whole_of(graph, brand_id, "cookie_id:c", at(5))["overview"]["name"] == "Ada"


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_cores_that_a_later_event_joined_were_apart_until_then(graph: Graph, brand_id: str, seed: int | None) -> None:
    events = [
        event(brand_id, "email:a@x.io", "cookie_id:c", key="1", minute=1),
        event(brand_id, "email:b@x.io", "cookie_id:c", key="2", minute=2),
        event(brand_id, "cookie_id:c", key="3", minute=3, order=fact(brand_id, "o1", total=900)),
    ]
    send(graph, brand_id, events, seed)
    # Last: were it the first, one persona would hold both from the beginning.
    send(graph, brand_id, [event(brand_id, "email:a@x.io", "email:b@x.io", key="9", minute=9)])
    assert shown(graph, brand_id, "cookie_id:c", at(4)) == ({"email:b@x.io", "cookie_id:c"}, 2, 1, "9.00")
    assert shown(graph, brand_id, "email:a@x.io", at(4)) == ({"email:a@x.io"}, 1, 0, "0.00")
    both = {"email:a@x.io", "email:b@x.io", "cookie_id:c"}
    assert shown(graph, brand_id, "email:a@x.io", at(9)) == (both, 4, 1, "9.00")
    assert whole_of(graph, brand_id, "email:a@x.io", at(4))["merges"]["count"] == 0
    assert whole_of(graph, brand_id, "email:a@x.io", at(9))["merges"]["last"]["reason"] == "identifier_match"


def test_a_merge_by_hand_stands_from_when_it_was_made(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, [event(brand_id, "email:a@x.io"), event(brand_id, "phone:+14155550101", minute=1)])
    ids = [find_past_holder(graph, BrandSettings(brand_id), who, utc_now()) for who in _BOTH]
    merged = merge_profiles(graph, BrandSettings(brand_id), str(ids[0]), [str(ids[1])], by="test")
    before, now = at(30), utc_now()
    assert shown(graph, brand_id, "phone:+14155550101", before) == ({"phone:+14155550101"}, 1, 0, "0.00")
    whole = get_past360(graph, BrandSettings(brand_id), str(ids[1]), now)
    assert (whole["id"], len(whole["identifiers"])) == (merged.survivor_id, 2)
    assert whole["merges"]["last"]["merge_id"] == merged.merge_id


_BOTH = (Identifier("email", "a@x.io"), Identifier("phone", "+14155550101"))


def test_what_is_asked_for_now_is_what_the_graph_says_now(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, _tablet(brand_id))
    assert shown(graph, brand_id, "device_id:t", utc_now() + timedelta(days=900)) == (
        {"email:b@x.io", "device_id:t"}, 2, 1, "7.00",
    )  # fmt: skip
