"""What the test of all failures is made of: databases that can be killed, clients that never give up."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from core.brand import BrandSettings
from core.clock import format_time
from core.events import IncomingEvent
from embedded.neo4j import Neo4jOptions, Neo4jServer, start_neo4j
from embedded.neo4j_conf import TEST_SIZES
from embedded.process import free_port
from embedded.redis import RedisServer, start_redis
from ingest.sources.segment import parse_message
from ingest.sources.tracking import Upload
from ingest.steps import parse_event, to_incoming
from tests.house.installation import RunningUp, wait_until
from tests.integration.cutting_proxy import CuttingProxy, cutting_proxy

PEOPLE = 40
_PAUSE = 0.02
_START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Databases:
    """Neo4j behind a proxy that can lose commits, and Redis; each can be killed and comes back on its old port."""

    folder: Path
    neo4j: Neo4jServer
    redis: RedisServer
    proxy: CuttingProxy

    @property
    def addresses(self) -> dict[str, str]:
        """Where an installation finds them."""
        return {
            "NEO4J_URI": f"bolt://127.0.0.1:{self.proxy.port}",
            "NEO4J_USER": self.neo4j.user,
            "NEO4J_PASSWORD": self.neo4j.password,
            "REDIS_URL": self.redis.url,
        }

    def kill_neo4j(self) -> None:
        self.neo4j.process.kill_group()

    def start_neo4j(self) -> None:
        self.neo4j = start_neo4j(_options(self.folder, self.neo4j.bolt_port, self.neo4j.http_port))
        self.neo4j.wait_until_started()

    def kill_redis(self) -> None:
        self.redis.process.kill_group()

    def start_redis(self) -> None:
        self.redis = start_redis(self.folder / "redis", self.redis.port)
        self.redis.wait_until_started()


def _options(folder: Path, bolt_port: int, http_port: int) -> Neo4jOptions:
    return Neo4jOptions(folder / "neo4j", bolt_port, http_port, sizes=TEST_SIZES)


@contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    """Started servers of this test alone."""
    neo4j, redis = start_neo4j(_options(folder, free_port(), free_port())), start_redis(folder / "redis", free_port())
    neo4j.wait_until_started()
    redis.wait_until_started()
    try:
        with cutting_proxy(neo4j.uri) as proxy:
            opened = Databases(folder, neo4j, redis, proxy)
            try:
                yield opened
            finally:
                neo4j, redis = opened.neo4j, opened.redis
    finally:
        neo4j.process.kill_group()
        redis.stop()


@dataclass
class Clients:
    """Senders of the API and of tracking libraries: each sends again until it is told 200, sometimes even then."""

    url: str
    key: str
    brand: str
    seed: int
    sent: dict[str, IncomingEvent] = field(default_factory=dict)
    """Event id as acknowledged → what was sent."""
    queued: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, count: int) -> None:
        for number in range(count):
            thread = threading.Thread(target=self._send_all, args=(number,))
            thread.start()
            self._threads.append(thread)

    def wait_for_more(self, before: int) -> None:
        """Until more events are acknowledged than `before`."""
        wait_until(lambda: len(self.sent) > before, "events are taken")

    def stop(self) -> None:
        """Send nothing new; returns when everything begun is acknowledged."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self, number: int) -> None:
        chance = random.Random(f"{self.seed}-{number}")
        step = 0
        with httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=20) as client:
            while not self._stopping.wait(_PAUSE):
                way = chance.choice(("single", "batch", "track"))
                bodies = [self._event(chance, f"{number}-{step}-{place}") for place in range(chance.randint(2, 6))]
                step += 1
                for _ in range(1 + (chance.random() < 0.2)):
                    self._deliver(client, way, bodies if way == "batch" else bodies[:1])

    def _event(self, chance: random.Random, name: str) -> dict[str, Any]:
        """Something that one of some people did, under the e-mail address, the phone, or both."""
        person = chance.randrange(PEOPLE)
        known = {"email": f"p{person}@{self.brand}.example", "phone": f"+1415555{1000 + person}"}
        kept = chance.choice((("email",), ("phone",), ("email", "phone")))
        event: dict[str, Any] = {
            "type": "page_view",
            "message_id": name,
            "occurred_at": format_time(_START + timedelta(seconds=chance.randrange(10**6))),
            "identifiers": {kind: known[kind] for kind in kept},
        }
        if chance.random() < 0.5:
            total = f"{chance.randrange(1, 20000) / 100:.2f}"
            event |= {"type": "purchase", "payload": {"order_id": name, "total": total, "currency": "USD"}}
        return event

    def _deliver(self, client: httpx.Client, way: str, events: list[dict[str, Any]]) -> None:
        path, body = _PATHS[way], _BODIES[way](events)
        while True:
            try:
                answer = client.post(path, json=body)
            except httpx.TransportError:
                # Killed in the middle: nobody knows whether it was taken.
                time.sleep(_PAUSE)
                continue
            if answer.status_code == 200:
                break
            if answer.status_code not in {429, 503}:
                self.refused.append(f"{answer.status_code} {answer.text[:300]}")
                return
            time.sleep(_PAUSE)
        results = answer.json()["results"] if way != "single" else [answer.json()]
        with self._guard:
            for event, result in zip(events, results, strict=True):
                if "error" in result:
                    self.refused.append(str(result["error"]))
                    continue
                self.sent[result["event_id"]] = _incoming(way, event, self.brand)
                if result.get("decision") == "queued":
                    self.queued.add(result["event_id"])


_PATHS = {"single": "/api/events", "batch": "/api/events/batch", "track": "/v1/batch"}
_BODIES: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "single": lambda events: events[0],
    "batch": lambda events: {"events": events},
    "track": lambda events: {"batch": [_message(event) for event in events]},
}


def _message(event: dict[str, Any]) -> dict[str, Any]:
    """The event as a tracking library says it."""
    is_order = event["type"] == "purchase"
    return {
        "type": "track",
        "event": "Order Completed" if is_order else "Looked Around",
        "messageId": event["message_id"],
        "timestamp": event["occurred_at"],
        "properties": event.get("payload", {}),
        "context": {"traits": event["identifiers"]},
    }


def _incoming(way: str, event: dict[str, Any], brand: str) -> IncomingEvent:
    """What the service has to make of it, without the service."""
    settings, now = BrandSettings(brand), datetime.now(UTC)
    raw = parse_message(_message(event), None, Upload(now)) if way == "track" else parse_event(event, settings, now)
    return to_incoming(raw, settings, now)


def kill(up: RunningUp, part: str) -> None:
    """Kill one process of `up` and wait until another stands in its place."""
    pids = up.credentials()["pids"]
    before = pids["api"][0] if part == "api" else pids["workers"][0]
    os.kill(before, signal.SIGKILL)

    def is_replaced() -> bool:
        now = up.credentials()["pids"]
        return bool((now["api"][0] if part == "api" else now["workers"][0]) != before)

    wait_until(is_replaced, f"{part} has a new process")
