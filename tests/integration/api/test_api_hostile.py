"""Hostile input at every door: a clean 4xx that repeats nothing of it, no 5xx, and the next good event is taken."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from ingest.sources.signing import twilio_json
from tests.integration.api.conftest import Tenant
from tests.integration.api.webhook_senders import SOURCES, Sender

MARK = "private-4711"
HOLE = "@@"
CYPHER = "x' }) DETACH DELETE n //\"`; MATCH (n) SET n.brand = $brand RETURN n {.*} --"
_SIGNED_JSON = ("shopify", "woocommerce", "pos", "stripe", "zendesk")

EVENT = {"type": "identify", "identifiers": {"email": "a@example.com"}, "payload": {"note": HOLE}}
TRACK = {"type": "track", "event": "Thing Done", "userId": "u-1", "properties": {"note": HOLE}}
CAPTURED = {"event": "thing done", "distinct_id": "u-1", "properties": {"note": HOLE}}
# A body that each door takes; its one hole is where hostile things are put.
BODIES: dict[str, Any] = {
    "/api/events": EVENT,
    "/api/events/batch": {"events": [EVENT]},
    "/v1/track": TRACK,
    "/v1/identify": {"userId": "u-1", "traits": {"note": HOLE}},
    "/v1/batch": {"batch": [TRACK]},
    "/batch/": {"batch": [CAPTURED]},
    "/capture/": CAPTURED,
    "/api/profiles/import": {"profiles": [{"external_id": "c:1", "traits": {"note": HOLE}}]},
    "shopify": {"id": 1, "email": "a@example.com", "total_price": "9.99", "currency": "USD", "note": HOLE},
    "woocommerce": {
        "id": 1,
        "status": "processing",
        "total": "9.99",
        "billing": {"email": "a@example.com"},
        "note": HOLE,
    },
    "pos": {"store_id": "S1", "transaction_id": "T1", "total": "9.99", "email": "a@example.com", "note": HOLE},
    "stripe": {"id": "evt_1", "type": "customer.created", "data": {"object": {"id": "cus_1", "name": HOLE}}},
    "zendesk": {"ticket": {"id": 1, "subject": HOLE, "requester": {"email": "a@example.com"}}},
    "twilio": {"MessageSid": "SM1", "From": "whatsapp:+14155550101", "Body": HOLE, "AccountSid": "AC1"},
}
DOORS = sorted(BODIES)


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: posts bytes to it, proven as its senders prove theirs."""

    tenant: Tenant
    name: str

    def post(self, content: bytes, *, encoding: str | None = None, key: str | None = None) -> httpx.Response:
        """Post `content`; packed when `encoding` says so, the signature being over what is sent before packing."""
        headers: dict[str, str] = {}
        url = self.tenant.url + self.name
        if self.name == "twilio":
            sender = Sender(self.tenant, key)
            headers, url = twilio_json(sender.secret_of("twilio"), sender.url("twilio"), content)
        elif self.name in _SIGNED_JSON:
            sender = Sender(self.tenant, key)
            headers, url = sender.headers(self.name, content), sender.url(self.name)
        else:
            headers["Authorization"] = f"Bearer {key or self.tenant.client.headers['authorization'].split()[1]}"
        if encoding is not None:
            headers["Content-Encoding"] = encoding
            content = gzip.compress(content)
        return httpx.post(url, content=content, headers=headers, timeout=60)

    def is_open(self) -> bool:
        """Whether a good event is taken."""
        return self.post(body_with(BODIES[self.name], '"fine"')).status_code == 200


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, tenant: Tenant) -> Door:
    return Door(tenant, request.param)


def body_with(body: Any, text: str) -> bytes:
    """The body as JSON, with raw `text` in its hole."""
    return json.dumps(body).replace(json.dumps(HOLE), text).encode("utf-8", "surrogatepass")


def nested(depth: int) -> str:
    return '{"a":' * depth + f'"{MARK}"' + "}" * depth


TEXTS = {
    "NaN": "NaN", "Infinity": "-Infinity", "1e400": "1e400", "a huge whole number": "9" * 400,
    "a lone surrogate": f'"{MARK}\\ud800"', "NUL": f'"{MARK}\\u0000"', "a raw NUL": f'"{MARK}\0"',
    "nested deeply": nested(200),
    "nested very deeply": nested(50_000), "cut off": f'"{MARK}', "a control character": f'"{MARK}\x01"',
}  # fmt: skip


def check_refused(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert MARK not in answer.text


def test_what_no_json_may_hold_is_400_at_every_door(door: Door) -> None:
    for case, text in TEXTS.items():
        answer = door.post(body_with(BODIES[door.name], text))
        assert answer.status_code == 400, (case, answer.text)
        check_refused(answer, 400)
    assert door.post(b"\xff\xfe" + MARK.encode()).status_code in {400, 401}
    assert door.is_open()


def test_a_byte_order_mark_and_names_twice_are_taken(door: Door) -> None:
    good = body_with(BODIES[door.name], f'"{MARK}", "twice": 1, "twice": 2')
    marked = door.post(b"\xef\xbb\xbf" + good)
    # Twilio's JSON is told from its form by its first sign.
    assert marked.status_code == 200 or door.name == "twilio"
    assert door.post(good).status_code == 200


def test_too_much_is_413_packed_or_not(door: Door) -> None:
    bomb = body_with(BODIES[door.name], f'"{MARK}{"0" * 40_000_000}"')
    check_refused(door.post(bomb, encoding="gzip"), 413)
    check_refused(door.post(bomb[:12_000_000]), 413)
    assert door.is_open()


def test_a_hundred_megabytes_are_refused_before_they_are_sent(door: Door) -> None:
    host, port = door.tenant.url.removeprefix("http://").split(":")
    path = Sender(door.tenant).url(door.name).removeprefix(door.tenant.url) if door.name in SOURCES else door.name
    key = door.tenant.client.headers["authorization"]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Length: 104857600\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65_536)
    assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 401")), answer
    assert door.is_open()


MANY = [f"{MARK}-{number}@example.com" for number in range(10_000)]
CROWDED: dict[str, Any] = {
    "/api/events": {**EVENT, "identifiers": {"email": MANY}},
    "/api/events/batch": {"events": [{**EVENT, "identifiers": {"email": MANY}}]},
    "/v1/track": {**TRACK, "context": {"traits": {"email": MANY}}},
    "/v1/identify": {"userId": "u-1", "traits": {"email": MANY}},
    "/v1/batch": {"batch": [{**TRACK, "context": {"traits": {"email": MANY}}}]},
    "/batch/": {"batch": [{**CAPTURED, "$set": {"email": MANY}}]},
    "/capture/": {**CAPTURED, "$set": {"email": MANY}},
    "/api/profiles/import": {"profiles": [{"external_id": "c:1", "identifiers": {"email": MANY}}]},
    "shopify": {**BODIES["shopify"], "note_attributes": [{"name": "email", "value": one} for one in MANY]},
    "woocommerce": {**BODIES["woocommerce"], "meta_data": [{"key": "email", "value": one} for one in MANY]},
    "pos": {**BODIES["pos"], "email": MANY},
}


@pytest.mark.parametrize("name", sorted(CROWDED))
def test_ten_thousand_identifiers_in_one_event_are_refused(tenant: Tenant, name: str) -> None:
    door = Door(tenant, name)
    answer = door.post(json.dumps(CROWDED[name]).encode())
    assert MARK not in answer.text
    if name.startswith(("/v1", "/batch", "/capture", "/api/events/batch")):
        # What libraries send is answered 200 and kept as a dead letter; in a batch it is the item that is refused.
        assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    else:
        check_refused(answer, 413, 422)
    assert door.is_open()
    assert len(tenant.client.get("/api/profiles").json()["items"]) == 1


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(child, (*path, name))
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from leaves(child, (*path, place))
    elif isinstance(value, str):
        yield path


def changed(body: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    copy = json.loads(json.dumps(body))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return copy


def test_cypher_in_every_text_and_name_is_text(door: Door) -> None:
    witness = door.tenant.send(type="identify", identifiers={"email": "witness@example.com"})["profile_id"]

    def as_text(holder: Any, name: Any) -> None:
        holder[name] = CYPHER

    def as_name(holder: Any, name: Any) -> None:
        if isinstance(holder, dict):
            holder[CYPHER] = holder.pop(name)

    for path in leaves(BODIES[door.name]):
        for change in (as_text, as_name):
            answer = door.post(json.dumps(changed(BODIES[door.name], path, change)).encode())
            assert answer.status_code < 500, (path, answer.text)
    kept = door.tenant.client.get(f"/api/profiles/{witness}").json()
    assert (kept["brand"], kept["identifiers"]["email"]) == (door.tenant.id, ["witness@example.com"])
    assert door.is_open()


@pytest.mark.parametrize("source", SOURCES)
def test_wrong_stale_and_future_signatures_are_401_and_stored_nowhere(tenant: Tenant, source: str) -> None:
    if source == "twilio":
        content = str(httpx.QueryParams({**BODIES["twilio"], "Body": MARK})).encode()
    else:
        content = body_with(BODIES[source], f'"{MARK}"')
    check_refused(Sender(tenant, "0" * 64).post(source, content), 401)
    if source in {"pos", "stripe", "zendesk"}:
        for age in (timedelta(minutes=6), -timedelta(minutes=6)):
            check_refused(Sender(tenant, at=utc_now() - age).post(source, content), 401)
    assert tenant.client.get("/api/profiles").json()["items"] == []
    assert Sender(tenant).post(source, content).status_code == 200
