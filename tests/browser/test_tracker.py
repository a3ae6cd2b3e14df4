"""The tracker in a real browser, on pages of another origin than the service: what arrives, and what must not."""

import gzip
import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import Shop
from tests.house.installation import wait_until
from tests.integration.api.conftest import Tenant

COOKIE, QUEUE = "_ci_id", "_ci_queue"
MAX_BYTES = 5_000


def page_text(tenant: Tenant, options: str = "", body: str = "", early: str = "") -> str:
    return (
        f"<!doctype html><title>Shoes</title>{early}"
        f'<script src="{tenant.url}/tracker.js" data-key="{tenant.created["write_key"]}" {options}></script>{body}'
    )


def open_page(visit: BrowserContext, shop: Shop, path: str = "/", before: str = "") -> Page:
    page = visit.new_page()
    if before:
        page.add_init_script(before)
    page.goto(shop.url + path)
    return page


def cookie(visit: BrowserContext) -> str | None:
    return next((str(one["value"]) for one in visit.cookies() if one["name"] == COOKIE), None)


def waiting(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page.evaluate(f"localStorage.getItem('{QUEUE}')") or "[]")
    return found


def history(tenant: Tenant, kind: str, value: str) -> list[dict[str, Any]]:
    answer = tenant.client.get("/api/profiles/lookup", params={"type": kind, "value": value})
    if answer.status_code == 404:
        return []
    items: list[dict[str, Any]] = tenant.client.get(f"/api/customer360/{answer.json()['id']}/timeline").json()["items"]
    return items


def types(tenant: Tenant, kind: str, value: str) -> list[str]:
    return sorted(item["type"] for item in history(tenant, kind, value))


def test_a_visit_becomes_the_history_of_a_person_without_a_preflight(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.pages["/shoes"] = page_text(tenant)
    page = visit.new_page()
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))
    page.goto(f"{shop.url}/shoes?utm_source=mail&utm_campaign=spring")
    page.evaluate("""() => {
        constintel.productView({product_id: "P1", name: "Boot", category: "Shoes", price: 89.99});
        constintel.cartAdd({product_id: "P1", quantity: 2});
        constintel.cartRemove({product_id: "P1", quantity: 1});
        constintel.track("Size Chosen", {size: 42});
        constintel.identify("u-1", {email: "visitor@example.com", first_name: "Vera"});
    }""")
    visitor = cookie(visit)
    assert visitor is not None
    expected = ["cart_add", "cart_remove", "identify", "page_view", "product_view", "size_chosen"]
    wait_until(lambda: types(tenant, "cookie_id", visitor) == expected, "all six events are stored")
    assert types(tenant, "email", "visitor@example.com") == expected
    assert types(tenant, "user_id", "u-1") == expected
    assert "OPTIONS" not in methods
    view = next(item for item in history(tenant, "cookie_id", visitor) if item["type"] == "page_view")
    stored = tenant.client.get(f"/api/events/{view['event_id']}").json()
    assert (stored["channel"], stored["trust"]) == ("website", "declared")
    assert stored["payload"]["title"] == "Shoes"
    context = stored["payload"]["_message"]["context"]
    assert context["campaign"] == {"source": "mail", "name": "spring"}
    assert tenant.created["write_key"] not in json.dumps(stored)
    wait_until(lambda: waiting(page) == [], "nothing waits any more")


def test_the_visitor_is_the_same_on_the_next_page_and_another_after_reset(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.pages["/"] = page_text(tenant)
    open_page(visit, shop)
    first = cookie(visit)
    page = open_page(visit, shop)
    assert cookie(visit) == first
    wait_until(lambda: types(tenant, "cookie_id", str(first)) == ["page_view"] * 2, "both pages are stored")
    page.evaluate("constintel.reset(); constintel.track('After')")
    assert cookie(visit) != first
    wait_until(lambda: types(tenant, "cookie_id", str(cookie(visit))) == ["after"], "the new visitor is stored")


def test_calls_before_the_script_is_there_are_not_lost(tenant: Tenant, shop: Shop, visit: BrowserContext) -> None:
    early = "<script>(window.constintel = window.constintel || []).push(['track', 'Early', {n: 1}])</script>"
    shop.pages["/"] = page_text(tenant, early=early)
    open_page(visit, shop)
    wait_until(lambda: types(tenant, "cookie_id", str(cookie(visit))) == ["early", "page_view"], "both are stored")


@pytest.mark.parametrize(
    "signal",
    [
        "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})",
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})",
    ],
)
def test_a_browser_that_signals_no_is_neither_marked_nor_followed_whatever_the_page_says(
    tenant: Tenant, shop: Shop, visit: BrowserContext, signal: str
) -> None:
    shop.pages["/"] = page_text(tenant, f'data-url="{shop.url}/v1/batch"')
    page = open_page(visit, shop, before=signal)
    page.evaluate("""async () => {
        constintel.optIn();
        constintel.track("Secret");
        constintel.identify("u-9", {email: "secret@example.com"});
        await constintel.flush();
    }""")
    page.goto("about:blank")
    assert shop.bodies == []
    assert cookie(visit) is None
    page.goto(shop.url)
    assert page.evaluate("[constintel.isTracking(), localStorage.length]") == [False, 0]


def test_without_the_consent_that_a_page_requires_nothing_is_kept_and_with_it_everything(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.service_url = tenant.url
    shop.pages["/"] = page_text(tenant, f'data-consent="required" data-url="{shop.url}/v1/batch"')
    page = open_page(visit, shop)
    page.evaluate("constintel.track('Before'); constintel.flush()")
    assert (visit.cookies(), page.evaluate("localStorage.length"), shop.bodies) == ([], 0, [])
    page.evaluate("constintel.optIn(); constintel.track('After')")
    visitor = str(cookie(visit))
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["after", "page_view"], "what came after is stored")
    page.evaluate("constintel.optOut(); constintel.track('Again')")
    assert (cookie(visit), page.evaluate("localStorage.length")) == (None, 0)
    page = open_page(visit, shop)
    assert page.evaluate("constintel.isTracking()") is False


@pytest.mark.parametrize("status", [503, 429, 500])
def test_what_the_service_could_not_take_is_sent_again_and_counts_once(
    tenant: Tenant, shop: Shop, visit: BrowserContext, status: int
) -> None:
    shop.service_url, shop.refusals = tenant.url, [status]
    shop.pages["/"] = page_text(tenant, f'data-url="{shop.url}/v1/batch"')
    page = open_page(visit, shop)
    wait_until(lambda: len(shop.bodies) == 1, "it was refused")
    assert len(waiting(page)) == 1
    page.reload()
    visitor = str(cookie(visit))
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["page_view"] * 2, "both pages are stored, each once")


def test_what_the_service_will_never_take_is_dropped(tenant: Tenant, shop: Shop, visit: BrowserContext) -> None:
    shop.refusals = [401]
    shop.pages["/"] = page_text(tenant, f'data-url="{shop.url}/v1/batch"')
    page = open_page(visit, shop)
    wait_until(lambda: shop.bodies and waiting(page) == [], "it is dropped")


def test_offline_events_wait_in_the_browser_and_go_when_it_is_online(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.pages["/"] = page_text(tenant)
    page = open_page(visit, shop)
    visitor = str(cookie(visit))
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["page_view"], "the page is stored")
    visit.set_offline(True)
    page.evaluate("constintel.track('Offline'); constintel.flush()")
    assert [message["event"] for message in waiting(page)] == ["Offline"]
    visit.set_offline(False)
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["offline", "page_view"], "it has arrived")


def test_what_happens_while_the_visitor_leaves_arrives_once(tenant: Tenant, shop: Shop, visit: BrowserContext) -> None:
    shop.pages["/"] = page_text(tenant, body='<a href="/next" onclick="constintel.track(\'Left\')">go</a>')
    shop.pages["/next"] = "<!doctype html><title>without a tracker</title>"
    page = open_page(visit, shop)
    visitor = str(cookie(visit))
    page.click("a")
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["left", "page_view"], "it has arrived")
    # Nobody heard the answer, so the next page with a tracker sends it again: it is known.
    page = open_page(visit, shop)
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["left", "page_view", "page_view"], "nothing is doubled")


def test_pages_of_an_application_in_one_page_are_seen_when_asked_for(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.pages["/"] = page_text(tenant, "data-spa")
    page = open_page(visit, shop)
    page.evaluate("history.pushState({}, '', '/inside'); history.pushState({}, '', '/inside')")
    visitor = str(cookie(visit))
    wait_until(lambda: types(tenant, "cookie_id", visitor) == ["page_view"] * 2, "both views are stored")


def test_many_events_go_in_requests_that_a_leaving_page_may_send(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.service_url = tenant.url
    shop.pages["/"] = page_text(tenant, f'data-page="false" data-url="{shop.url}/v1/batch"')
    page = open_page(visit, shop)
    page.evaluate("for (let n = 0; n < 120; n++) constintel.track('Many', {n, text: 'ä'.repeat(1000)})")
    page.evaluate("constintel.track('Huge', {text: 'x'.repeat(40000)})")
    visitor = str(cookie(visit))

    def taken() -> int:
        found = tenant.client.get("/api/profiles/lookup", params={"type": "cookie_id", "value": visitor})
        return int(found.json().get("event_count") or 0)

    wait_until(lambda: taken() == 120, "all are stored")
    assert max(map(len, shop.bodies)) < 64_000


def test_a_page_may_send_to_the_native_door_with_a_write_key_and_read_its_problems(
    tenant: Tenant, shop: Shop, visit: BrowserContext
) -> None:
    shop.pages["/"] = "<!doctype html>"
    page = open_page(visit, shop)
    send = """async ([url, key, body]) => {
        const answer = await fetch(url, {method: "POST", body: JSON.stringify(body),
            headers: {Authorization: `Bearer ${key}`, "Content-Type": "application/json"}});
        return [answer.status, await answer.json()];
    }"""
    event = {"type": "page_view", "identifiers": {"cookie_id": "native-1"}}
    for path, body in (("/api/events", event), ("/api/events/batch", {"events": [event]})):
        status, _ = page.evaluate(send, [tenant.url + path, tenant.created["write_key"], body])
        assert status == 200
        status, problem = page.evaluate(send, [tenant.url + path, "wk_wrong", body])
        assert (status, problem["code"]) == (401, "unauthorized")


def test_the_script_is_small_is_kept_and_names_its_version(tenant: Tenant) -> None:
    first = httpx.get(f"{tenant.url}/tracker.js")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < MAX_BYTES
    assert len(gzip.compress(first.content)) < MAX_BYTES
    assert first.headers.get_list("cache-control") == ["public, max-age=3600, stale-while-revalidate=86400"]
    etag = first.headers["etag"]
    for known in (etag, f'W/{etag}, "other"', "*"):
        again = httpx.get(f"{tenant.url}/tracker.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert httpx.get(f"{tenant.url}/tracker.js", headers={"If-None-Match": '"old"'}).status_code == 200
    assert httpx.head(f"{tenant.url}/tracker.js").headers["etag"] == etag
    plain = httpx.get(f"{tenant.url}/tracker.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == first.content
