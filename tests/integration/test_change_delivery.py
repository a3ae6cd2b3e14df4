"""Webhooks of the change feed against a real HTTP server that checks signatures as a receiver would."""

import asyncio
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from core.brand import BrandSettings
from core.clock import utc_now
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.change_hooks import Hook, create_hook, due_hooks, get_hook, update_hook
from graph.repositories.changes import append_waiting, prune_feed, read_changes
from ingest.changes import delivery
from ingest.changes.delivery import deliver_due, send_test
from ingest.changes.sending import Policy, new_secret
from ingest.stewardship import merge_profiles
from tests.factories import event

POLICY = Policy(timeout_seconds=5.0, allow_private=True)


@dataclass
class Receiver:
    """A receiver on a real port: keeps what it took and answers as told."""

    secret: str = ""
    answers: list[int] = field(default_factory=list)
    """Statuses of the next answers; 204 when there are none left."""
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    hold: threading.Event | None = None
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        if self.hold is not None:
            self.hold.wait(30)
        message = Webhook(self.secret).verify(body, headers)
        self.hosts.append(headers["host"])
        status = self.answers.pop(0) if self.answers else 204
        if 200 <= status < 300:
            self.taken.append((headers["webhook-id"], message))
        else:
            self.refused.append(headers["webhook-id"])
        return status

    def cursors(self) -> list[int]:
        return [int(change["cursor"]) for _, message in self.taken for change in message["data"]["changes"]]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver(secret=new_secret())

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks?token=t"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            if receiver.hold is not None:
                receiver.hold.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def subscribe(graph: Graph, brand_id: str) -> Iterator[Callable[..., str]]:
    """Sets webhooks of this test's brand up; they are switched off afterwards: other tests deliver too."""
    made: list[str] = []

    def make(receiver: Receiver, **more: Any) -> str:
        now = utc_now()
        hook = Hook(f"whk_{brand_id}_{len(made)}", brand_id, receiver.url, receiver.secret, 0, now, now)
        assert create_hook(graph, replace(hook, **more), 20)
        made.append(hook.id)
        return hook.id

    yield make
    for hook_id in made:
        update_hook(graph, brand_id, hook_id, {"is_active": False}, release=True)


@pytest.fixture(autouse=True)
def own_webhooks_only(monkeypatch: pytest.MonkeyPatch, brand_id: str) -> None:
    """Other tests have webhooks at the same time: each delivers to its own."""
    serve_only(monkeypatch, brand_id)


def serve_only(monkeypatch: pytest.MonkeyPatch, brand: str) -> None:
    def own(graph: Graph, now: datetime, limit: int) -> list[tuple[str, str]]:
        return [found for found in due_hooks(graph, now, 1_000) if found[0] == brand][:limit]

    monkeypatch.setattr(delivery, "due_hooks", own)


def happen(graph: Graph, brand: str, *names: str) -> list[str]:
    """One new profile for each name, written into the feed."""
    ids = []
    for name in names:
        [result] = commit_batch(graph, BrandSettings(brand), [event(brand, f"email:{name}@x.io", key=name)])
        ids.append(result.profile_id or "")
    while append_waiting(graph, brand, 100):
        pass
    return ids


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def test_changes_arrive_signed_in_order_and_once(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    one, two = happen(graph, brand_id, "a", "b")
    merge_profiles(graph, BrandSettings(brand_id), one, [two], by="steward")
    happen(graph, brand_id)
    deliver_due(graph, POLICY)
    [(message_id, message)] = receiver.taken
    assert (message["type"], message["data"]["brand"], message["data"]["webhook_id"]) == (
        "identity.changes", brand_id, hook_id,
    )  # fmt: skip
    assert [change["kind"] for change in message["data"]["changes"]] == ["created", "created", "merged"]
    assert message["data"]["changes"][2]["moves"] == [{"old_id": two, "profile_id": one, "live_id": one}]
    assert message_id.startswith("msg_")
    deliver_due(graph, POLICY)
    happen(graph, brand_id, "c")
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [1, 2, 3, 4]
    assert receiver.hosts[0] == receiver.url.split("/")[2]
    hook = get_hook(graph, brand_id, hook_id)
    assert (hook.cursor, hook.failures, hook.pending_to) == (4, 0, None)
    assert [(a["outcome"], a["status"], a["changes"]) for a in hook.attempts] == [
        ("delivered", 204, 1), ("delivered", 204, 3),
    ]  # fmt: skip


def test_a_failed_message_comes_again_later_with_the_same_id_and_content(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")
    receiver.answers = [500]
    start = utc_now()
    deliver_due(graph, POLICY, at(start))
    failed = get_hook(graph, brand_id, hook_id)
    assert (failed.failures, failed.failing_since, failed.cursor) == (1, start, 0)
    assert timedelta(seconds=2) < failed.next_at - start <= timedelta(seconds=5)
    happen(graph, brand_id, "b")
    deliver_due(graph, POLICY, at(start))
    assert receiver.taken == []
    deliver_due(graph, POLICY, at(failed.next_at))
    assert receiver.cursors() == [1, 2]
    assert receiver.taken[0][0] == receiver.refused[0]
    healed = get_hook(graph, brand_id, hook_id)
    assert (healed.failures, healed.failing_since) == (0, None)


def test_pauses_grow_up_to_an_hour_and_the_receivers_own_wish_counts(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")
    receiver.answers = [503] * 14
    now = utc_now()
    pauses = []
    for _ in range(12):
        deliver_due(graph, POLICY, at(now))
        pauses.append((get_hook(graph, brand_id, hook_id).next_at - now).total_seconds())
        update_hook(graph, brand_id, hook_id, {"next_at": now})
    for place, pause in enumerate(pauses):
        longest = min(3600, 5 * 2**place)
        assert longest / 2 <= pause <= longest
    receiver.headers = {"Retry-After": "3600"}
    deliver_due(graph, POLICY, at(now))
    assert get_hook(graph, brand_id, hook_id).next_at - now == timedelta(hours=1)


def test_days_of_failure_switch_it_off_and_say_why(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")
    receiver.answers = [500, 500]
    now = utc_now()
    deliver_due(graph, POLICY, at(now))
    update_hook(graph, brand_id, hook_id, {"failing_since": now - timedelta(days=5), "next_at": now})
    deliver_due(graph, POLICY, at(now))
    hook = get_hook(graph, brand_id, hook_id)
    assert (hook.is_active, hook.disabled_at) == (False, now)
    assert "status_500" in (hook.disabled_reason or "")
    assert (brand_id, hook_id) not in due_hooks(graph, now + timedelta(days=6), 1000)


def test_410_switches_it_off_at_once(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")
    receiver.answers = [410]
    deliver_due(graph, POLICY)
    hook = get_hook(graph, brand_id, hook_id)
    assert (hook.is_active, hook.disabled_reason) == (False, "answered_410")


def test_a_redirect_is_not_followed(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")
    receiver.answers, receiver.headers = [307], {"Location": receiver.url}
    deliver_due(graph, POLICY)
    assert receiver.taken == []
    assert get_hook(graph, brand_id, hook_id).attempts[0]["error"] == "status_307"


def test_a_receiver_that_never_answers_costs_its_timeout_and_holds_up_nobody(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    with receiving() as stuck:
        stuck.hold = threading.Event()
        slow, fast = subscribe(stuck), subscribe(receiver)
        happen(graph, brand_id, "a")
        deliver_due(graph, replace(POLICY, timeout_seconds=0.2))
        assert get_hook(graph, brand_id, slow).attempts[0]["error"] == "timeout"
        assert receiver.cursors() == [1]
        assert get_hook(graph, brand_id, fast).failures == 0


@pytest.mark.parametrize(
    ("url", "error"),
    [("http://127.0.0.1:9/x", "connection_failed"), ("http://no-such-host.invalid/x", "name_not_found")],
)
def test_what_goes_wrong_on_the_way_is_named(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str], url: str, error: str
) -> None:
    hook_id = subscribe(receiver, url=url)
    happen(graph, brand_id, "a")
    deliver_due(graph, POLICY)
    assert get_hook(graph, brand_id, hook_id).attempts[0]["error"] == error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_an_inside_address_is_refused_whatever_its_spelling(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str], host: str
) -> None:
    hook_id = subscribe(receiver, url=receiver.url.replace("127.0.0.1", host))
    happen(graph, brand_id, "a")
    deliver_due(graph, replace(POLICY, allow_private=False))
    assert (receiver.taken, receiver.refused) == ([], [])
    assert get_hook(graph, brand_id, hook_id).attempts[0]["error"] == "address_refused"


def test_two_workers_at_once_send_nothing_twice(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    subscribe(receiver)
    happen(graph, brand_id, *(f"p{n}" for n in range(30)))
    with ThreadPoolExecutor(4) as workers:
        for done in [workers.submit(deliver_due, graph, POLICY) for _ in range(8)]:
            done.result()
    assert receiver.cursors() == list(range(1, 31))


def test_a_backlog_goes_out_in_several_messages_in_order(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    subscribe(receiver)
    batch = [event(brand_id, f"email:{n}@x.io", key=f"b{n}", minute=n) for n in range(250)]
    commit_batch(graph, BrandSettings(brand_id), batch)
    happen(graph, brand_id)
    deliver_due(graph, POLICY)
    assert receiver.cursors() == list(range(1, 251))
    assert [len(message["data"]["changes"]) for _, message in receiver.taken] == [100, 100, 50]


def test_only_the_kinds_asked_for_are_sent_and_the_cursor_passes_the_others(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver, kinds=frozenset({"merged"}))
    one, two = happen(graph, brand_id, "a", "b")
    deliver_due(graph, POLICY)
    assert (receiver.taken, get_hook(graph, brand_id, hook_id).cursor) == ([], 2)
    merge_profiles(graph, BrandSettings(brand_id), one, [two], by="steward")
    happen(graph, brand_id, "c")
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [3]
    assert get_hook(graph, brand_id, hook_id).cursor == 4


def test_a_claim_that_was_taken_away_stops_the_worker(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a", "b")
    receiver.hold = threading.Event()
    with ThreadPoolExecutor(1) as workers:
        working = workers.submit(deliver_due, graph, POLICY)
        pause = threading.Event()
        while get_hook(graph, brand_id, hook_id).pending_to is None:
            pause.wait(0.01)
        update_hook(graph, brand_id, hook_id, {"cursor": 1, "pending_to": None, "generation": 1}, release=True)
        receiver.hold.set()
        working.result()
    assert get_hook(graph, brand_id, hook_id).cursor == 1
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [1, 2, 2]
    assert len({message_id for message_id, _ in receiver.taken}) == 2


def test_a_worker_that_died_after_sending_sends_the_same_message_again(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("ingest.changes.delivery._settle", die)
        with pytest.raises(SystemExit):
            deliver_due(graph, POLICY)
    happen(graph, brand_id, "b")
    deliver_due(graph, POLICY)
    assert len(receiver.taken) == 1
    deliver_due(graph, POLICY, at(utc_now() + timedelta(minutes=3)))
    first, again, rest = receiver.taken
    assert first[0] == again[0]
    assert [change["id"] for change in first[1]["data"]["changes"]] == [c["id"] for c in again[1]["data"]["changes"]]
    assert [change["cursor"] for change in rest[1]["data"]["changes"]] == ["2"]
    assert get_hook(graph, brand_id, hook_id).cursor == 2


def test_both_secrets_sign_until_the_overlap_ends(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    until = utc_now() + timedelta(minutes=2)
    newer = new_secret()
    hook_id = subscribe(receiver)
    update_hook(graph, brand_id, hook_id, {"secret": newer, "old_secret": receiver.secret, "old_secret_until": until})
    happen(graph, brand_id, "a")
    deliver_due(graph, POLICY)
    receiver.secret = newer
    happen(graph, brand_id, "b")
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [1, 2]
    assert get_hook(graph, brand_id, hook_id).secrets(until) == (newer,)


def test_a_cursor_that_retention_overtook_switches_it_off(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    hook_id = subscribe(receiver)
    happen(graph, brand_id, "a")
    prune_feed(graph, brand_id, utc_now() + timedelta(minutes=1))
    happen(graph, brand_id, "b")
    deliver_due(graph, POLICY)
    hook = get_hook(graph, brand_id, hook_id)
    assert (hook.is_active, hook.disabled_reason, receiver.taken) == (False, "cursor_expired", [])


def test_whoever_listens_to_the_webhook_knows_what_the_feed_says(
    graph: Graph, brand_id: str, receiver: Receiver, subscribe: Callable[..., str]
) -> None:
    subscribe(receiver)
    ids = happen(graph, brand_id, *"abcdef")
    receiver.answers = [500, 204, 502]
    moment = utc_now()
    for one, two in zip(ids[::2], ids[1::2], strict=True):
        merge_profiles(graph, BrandSettings(brand_id), one, [two], by="steward")
        happen(graph, brand_id)
        deliver_due(graph, POLICY, at(moment))
        moment += timedelta(minutes=1)
    deliver_due(graph, POLICY, at(moment))
    stored = [item["id"] for item in read_changes(graph, brand_id, None, 100).items]
    assert [change["id"] for _, message in receiver.taken for change in message["data"]["changes"]] == stored


def test_tls_is_checked_against_the_name_and_not_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | bytes | None] = []
    wrap = ssl.SSLContext.wrap_bio

    def spy(self: ssl.SSLContext, *args: Any, **more: Any) -> ssl.SSLObject:
        seen.append(more["server_hostname"])
        return wrap(self, *args, **more)

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", spy)
    with receiving() as plain:
        url = plain.url.replace("http://127.0.0.1", "https://localhost")
        hook = Hook("whk_x", "b", url, plain.secret, 0, utc_now(), utc_now())
        attempt = asyncio.run(send_test(hook, replace(POLICY, timeout_seconds=2.0)))
    assert (attempt.is_delivered, attempt.error) == (False, "connection_failed")
    assert seen in (["localhost"], [b"localhost"])
