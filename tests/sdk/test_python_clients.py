"""The Python client libraries of three vendors deliver everything and report no error, also over a restart."""

from collections.abc import Callable
from typing import Any

import pytest
from posthog import Posthog
from rudderstack.analytics.client import Client as RudderClient  # type: ignore[import-untyped]
from segment.analytics.client import Client as SegmentClient  # type: ignore[import-untyped]

from tests.integration.api.conftest import Tenant
from tests.sdk.conftest import ServiceProgram

EVENTS = 30
Errors = list[str]
Make = Callable[[Tenant, Errors], Any]


def segment(shop: Tenant, errors: Errors, **more: Any) -> Any:
    return SegmentClient(
        shop.created["write_key"], host=shop.url, on_error=lambda error, _: errors.append(repr(error)),
        upload_size=5, upload_interval=0.1, max_retries=100, **more,
    )  # fmt: skip


def segment_packed(shop: Tenant, errors: Errors) -> Any:
    return segment(shop, errors, gzip=True)


def rudder(shop: Tenant, errors: Errors) -> Any:
    return RudderClient(
        shop.created["write_key"], host=shop.url, on_error=lambda error, _: errors.append(repr(error)),
        upload_size=5, upload_interval=0.1, max_retries=100,
    )  # fmt: skip


def posthog(shop: Tenant, errors: Errors, **more: Any) -> Posthog:
    return Posthog(
        shop.created["write_key"], host=shop.url, on_error=lambda error, _: errors.append(repr(error)),
        flush_at=5, flush_interval=0.1, max_retries=100, **more,
    )  # fmt: skip


def posthog_packed(shop: Tenant, errors: Errors) -> Posthog:
    return posthog(shop, errors, gzip=True)


def close(client: Any) -> None:
    client.flush()
    client.shutdown()


def step(client: Any, number: int) -> None:
    properties = {"n": number}
    if isinstance(client, Posthog):
        client.capture("Step", distinct_id="u-1", properties=properties)
    else:
        client.track(user_id="u-1", event="Step", properties=properties)


def profile(shop: Tenant, kind: str, value: str) -> dict[str, Any]:
    answer = shop.client.get("/api/profiles/lookup", params={"type": kind, "value": value})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("make", [segment, segment_packed, rudder])
def test_every_call_arrives_and_the_anonymous_history_joins(shop: Tenant, make: Make) -> None:
    errors: Errors = []
    client = make(shop, errors)
    client.track(anonymous_id="a-1", event="Product Viewed", properties={"product_id": "P1"})
    client.identify(user_id="u-1", anonymous_id="a-1", traits={"email": "A@Example.com", "plan": "pro"})
    client.track(
        user_id="u-1", event="Order Completed", properties={"order_id": "A-1", "total": 89.99, "currency": "USD"}
    )
    client.page(user_id="u-1", name="Home")
    client.screen(user_id="u-1", name="Start")
    client.group(user_id="u-1", group_id="g-1", traits={"name": "Acme"})
    client.alias("u-0", "u-1")
    close(client)
    assert errors == []
    found = profile(shop, "email", "a@example.com")
    assert (found["event_count"], found["lifetime_value"], found["total_orders"]) == (7, "89.99", 1)
    assert found["traits"]["plan"] == "pro"
    assert set(found["identifiers"]["user_id"]) == {"u-0", "u-1"}


@pytest.mark.parametrize("make", [posthog, posthog_packed])
def test_every_call_of_posthog_arrives_and_an_alias_joins(shop: Tenant, make: Make) -> None:
    errors: Errors = []
    client = make(shop, errors)
    client.capture("Product Viewed", distinct_id="a-1", properties={"product_id": "P1"})
    client.capture("Signed Up", distinct_id="u-1")
    client.alias("a-1", "u-1")
    client.set(distinct_id="u-1", properties={"email": "A@Example.com", "plan": "pro"})
    client.group_identify("company", "acme", {"name": "Acme"}, distinct_id="u-1")
    client.capture(
        "Order Completed", distinct_id="u-1", properties={"order_id": "A-1", "total": 89.99, "currency": "USD"}
    )
    close(client)
    assert errors == []
    found = profile(shop, "email", "a@example.com")
    assert (found["event_count"], found["lifetime_value"], found["total_orders"]) == (6, "89.99", 1)
    assert found["traits"]["plan"] == "pro"
    assert profile(shop, "user_id", "a-1")["id"] == found["id"]


@pytest.mark.parametrize("make", [segment, segment_packed, rudder, posthog, posthog_packed])
def test_a_restart_loses_and_doubles_nothing(program: ServiceProgram, shop: Tenant, make: Make) -> None:
    errors: Errors = []
    client = make(shop, errors)
    for number in range(EVENTS // 3):
        step(client, number)
    client.flush()
    program.kill()
    try:
        for number in range(EVENTS // 3, 2 * EVENTS // 3):
            step(client, number)
    finally:
        program.start()
    for number in range(2 * EVENTS // 3, EVENTS):
        step(client, number)
    close(client)
    assert errors == []
    assert profile(shop, "user_id", "u-1")["event_count"] == EVENTS


@pytest.mark.parametrize("make", [segment, rudder, posthog])
def test_a_kill_while_it_is_sending_loses_and_doubles_nothing(
    program: ServiceProgram, shop: Tenant, make: Make
) -> None:
    errors: Errors = []
    client = make(shop, errors)
    for number in range(EVENTS):
        step(client, number)
    program.kill()
    program.start()
    close(client)
    assert errors == []
    assert profile(shop, "user_id", "u-1")["event_count"] == EVENTS
