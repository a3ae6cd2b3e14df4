"""Alerts and the page of a store over HTTP, with the task that follows a commit run on the same graph."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from core.clock import utc_now
from insight import shop_floor
from tests.integration.api.conftest import Tenant
from tests.integration.api.test_api_stores import ago, check_in

pytestmark = pytest.mark.usefixtures("own_shop_marks")


def put_in_cart(tenant: Tenant, email: str, product: str = "P1", **more: Any) -> dict[str, Any]:
    return tenant.send(
        type="cart_add", channel="website", identifiers={"email": email}, payload={"product_id": product}, **more
    )


def alerts(tenant: Tenant, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tenant.client.get(f"/api/store/alerts?{query}").json()["items"]
    return found


def counted(tenant: Tenant) -> dict[str, tuple[int, int, int]]:
    """Views, carts and purchases of each product over all days, without those that are all zero."""
    with tenant.graph.session() as session:
        rows = session.run(
            "MATCH (d:ProductDay {brand: $brand}) RETURN d.product_id AS id, sum(d.views) AS v, sum(d.carts) AS c, "
            "sum(d.purchases) AS p",
            brand=tenant.id,
        ).data()
    found = {row["id"]: (row["v"], row["c"], row["p"]) for row in rows}
    return {product: counts for product, counts in found.items() if any(counts)}


def test_a_check_in_of_somebody_who_wants_something_is_told_to_staff_once(tenant: Tenant) -> None:
    put_in_cart(tenant, "a@example.com")
    visit = check_in(tenant, "a@example.com")
    assert visit["intents"] == [{"product_id": "P1", "product_name": None, "score": 70, "high": True}]
    assert alerts(tenant) == []
    shop_floor.work_off(tenant.graph)
    [alert] = alerts(tenant, "store_id=S1&state=pending&kind=product_intent")
    expected = {
        "product_id": "P1", "score": 70, "profile_id": visit["profile_id"], "visit_id": visit["visit_id"],
        "reason": "stock is not counted", "delivered_at": None,
    }  # fmt: skip
    assert expected.items() <= alert.items()
    check_in(tenant, "a@example.com")
    shop_floor.work_off(tenant.graph)
    assert alerts(tenant) == [alert]
    assert alerts(tenant, "store_id=S2") == alerts(tenant, "kind=churn_risk") == []


def test_a_till_sale_of_a_known_customer_raises_alerts_about_what_was_not_bought(tenant: Tenant) -> None:
    for product in ("P1", "P2"):
        put_in_cart(tenant, "a@example.com", product, occurred_at=ago(hours=1))
    sale = {
        "store_id": "S9", "store_name": "Harbour", "transaction_id": "T-1", "total": "12.00", "currency": "USD",
        "email": "a@example.com", "items": [{"product_id": "P1", "quantity": 1, "price": "12.00"}],
    }  # fmt: skip
    assert tenant.client.post("/api/integrations/pos", json=sale).status_code == 200
    shop_floor.work_off(tenant.graph)
    assert [(alert["store_id"], alert["product_id"]) for alert in alerts(tenant)] == [("S9", "P2")]
    assert tenant.client.get("/api/store/stores/S9").json()["name"] == "Harbour"


def test_a_visit_of_long_ago_raises_nothing(tenant: Tenant) -> None:
    put_in_cart(tenant, "a@example.com", occurred_at=ago(days=3))
    check_in(tenant, "a@example.com", at=ago(hours=5))
    shop_floor.work_off(tenant.graph)
    assert alerts(tenant) == []


def test_the_best_customers_are_told_where_enough_have_bought(tenant: Tenant) -> None:
    for number in range(10):
        tenant.send(
            type="purchase", identifiers={"email": f"p{number}@example.com"},
            payload={"order_id": f"A-{number}", "total": f"{10 + number}.00", "currency": "USD"},
        )  # fmt: skip
    for number in (0, 9):
        check_in(tenant, f"p{number}@example.com")
    shop_floor.work_off(tenant.graph)
    [alert] = alerts(tenant)
    best = tenant.client.get("/api/profiles/lookup?type=email&value=p9@example.com").json()["id"]
    assert (alert["kind"], alert["profile_id"]) == ("high_value_customer", best)


def test_a_late_event_that_moves_the_visit_does_not_tell_staff_again(tenant: Tenant) -> None:
    put_in_cart(tenant, "a@example.com")
    check_in(tenant, "a@example.com", at=ago(minutes=10))
    shop_floor.work_off(tenant.graph)
    check_in(tenant, "a@example.com", at=ago(minutes=20))
    shop_floor.work_off(tenant.graph)
    assert len(alerts(tenant)) == 1


def test_an_alert_goes_from_pending_to_delivered_to_viewed_to_dismissed_and_never_back(tenant: Tenant) -> None:
    put_in_cart(tenant, "a@example.com")
    check_in(tenant, "a@example.com")
    shop_floor.work_off(tenant.graph)
    [alert] = alerts(tenant)

    def move(state: str, **body: str) -> tuple[int, str | None]:
        answer = tenant.client.post(f"/api/store/alerts/{alert['id']}/{state}", json=body)
        return answer.status_code, answer.json().get("state")

    assert move("delivered", channel="carrier_pigeon")[0] == move("delivered", channel="sms")[0] == 422
    assert move("delivered", channel="pos_screen") == move("delivered") == (200, "delivered")
    assert move("viewed") == (200, "viewed")
    assert move("delivered")[0] == 409
    assert move("dismissed") == move("dismissed") == (200, "dismissed")
    assert move("viewed")[0] == 409
    [moved] = alerts(tenant, "state=dismissed")
    assert moved["channel"] == "pos_screen"
    assert moved["delivered_at"] <= moved["viewed_at"] <= moved["dismissed_at"]
    assert tenant.client.post("/api/store/alerts/alr_x/viewed").status_code == 404


@pytest.mark.parametrize("query", ["state=lost", "kind=weather", "cursor=x"])
def test_a_list_of_alerts_refuses_what_does_not_fit(tenant: Tenant, query: str) -> None:
    assert tenant.client.get(f"/api/store/alerts?{query}").status_code == 422


def test_alerts_come_in_pages(tenant: Tenant) -> None:
    for product in ("P1", "P2", "P3"):
        put_in_cart(tenant, "a@example.com", product)
    check_in(tenant, "a@example.com")
    shop_floor.work_off(tenant.graph)
    found, cursor = [], ""
    while cursor is not None:
        page = tenant.client.get(f"/api/store/alerts?limit=2&cursor={cursor}").json()
        found += page["items"]
        cursor = page["next_cursor"]
    assert sorted(alert["product_id"] for alert in found) == ["P1", "P2", "P3"]


def test_the_page_of_a_store_says_who_is_here_what_they_want_and_what_to_say(tenant: Tenant) -> None:
    put_in_cart(tenant, "a@example.com")
    tenant.send(type="identify", identifiers={"email": "a@example.com"}, payload={"traits": {"name": "Ada Lovelace"}})
    visit = check_in(tenant, "a@example.com", store_name="Downtown", at=ago(minutes=5))
    gone = check_in(tenant, "b@example.com", at=ago(minutes=30))
    tenant.client.post(f"/api/store/visits/{gone['visit_id']}/check-out")
    shop_floor.work_off(tenant.graph)
    page = tenant.client.get("/api/store/dashboard?store_id=S1").json()
    [here] = page["here"]
    assert (page["store"]["name"], here["profile_id"], here["visit"]["visit_id"]) == (
        "Downtown", visit["profile_id"], visit["visit_id"],
    )  # fmt: skip
    assert [(want["product_id"], want["score"], want["high"]) for want in here["wants"]] == [("P1", 70, True)]
    assert here["say"] == {"action": "remind_cart", "reason": "P1 is in the cart (intent 70)"}
    assert [alert["product_id"] for alert in page["alerts"]] == ["P1"]
    assert tenant.client.get("/api/store/dashboard?store_id=S2").status_code == 404
    assert tenant.client.get("/api/store/dashboard").status_code == 422


def test_today_begins_at_midnight_of_the_stores_own_time_zone(tenant: Tenant) -> None:
    assert tenant.client.put("/api/store/stores/S1", json={"timezone": "Mars/Base"}).status_code == 422
    tenant.client.put("/api/store/stores/S1", json={"timezone": "Asia/Tokyo"})
    check_in(tenant, "a@example.com")
    check_in(tenant, "b@example.com", at=ago(days=2))
    today = tenant.client.get("/api/store/dashboard?store_id=S1").json()["today"]
    assert today["since"].endswith("T15:00:00Z")
    assert (today["visitors"], len(today["newest"])) == (1, 1)


def test_products_are_counted_once_for_each_event_however_often_the_task_runs(tenant: Tenant) -> None:
    for _ in range(2):
        put_in_cart(tenant, "a@example.com", message_id="m-1")
    tenant.send(type="product_view", identifiers={"email": "a@example.com"}, payload={"product_id": "P1"})
    order = {
        "order_id": "A-1", "total": "20.00", "currency": "USD",
        "items": [{"product_id": "P1", "quantity": 2, "price": "5.00"}, {"product_id": "P2", "price": "10.00"}],
    }  # fmt: skip
    tenant.send(type="purchase", identifiers={"email": "a@example.com"}, payload=order)
    runs = [threading.Thread(target=shop_floor.work_off, args=(tenant.graph,)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert counted(tenant) == {"P1": (1, 1, 1), "P2": (0, 0, 1)}
    tenant.send(type="order_updated", identifiers={}, payload={"order_id": "A-1", "status": "shipped"})
    shop_floor.work_off(tenant.graph)
    assert counted(tenant) == {"P1": (1, 1, 1), "P2": (0, 0, 1)}
    tenant.send(type="order_cancelled", identifiers={}, payload={"order_id": "A-1"})
    shop_floor.work_off(tenant.graph, lambda: utc_now() + timedelta(hours=1))
    assert counted(tenant) == {"P1": (1, 1, 0)}
