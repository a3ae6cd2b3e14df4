"""Tells webhooks of changes: each in order from its own cursor, again with growing pauses, given up after days."""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import structlog

from core.changes import CursorExpiredError
from core.clock import Clock, format_time, utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.repositories.change_hooks import Hook, HookClaim, due_hooks, lease_hook, record_delivery
from graph.repositories.changes import ChangePage, read_changes
from ingest.changes.sending import Attempt, Message, Policy, open_client, send, signed_headers

log = structlog.get_logger(__name__)

CHANGES_TYPE = "identity.changes"
TEST_TYPE = "webhook.test"
GONE = 410
REASON_GONE = "answered_410"
REASON_EXPIRED = "cursor_expired"
_HOOKS_AT_ONCE = 50
_CHANGES_AT_ONCE = 100
# One webhook with a long backlog lets the others have their turn; the next tick goes on.
_TURN_SECONDS = 15.0
_LEASE = timedelta(seconds=90)
_MAX_DOUBLINGS = 20

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class _Turn:
    """One worker's turn with one webhook."""

    graph: Graph
    policy: Policy
    claim: HookClaim
    clock: Clock
    client: httpx.AsyncClient


def deliver_due(graph: Graph, policy: Policy, clock: Clock = utc_now) -> int:
    """Serve every webhook that has something to get, side by side; how many were served.

    Any number of callers: each webhook is claimed by one. Raises UnavailableError while Neo4j is away.
    """
    due = due_hooks(graph, clock(), _HOOKS_AT_ONCE)
    return asyncio.run(_serve_all(graph, policy, due, clock)) if due else 0


async def _serve_all(graph: Graph, policy: Policy, due: list[tuple[str, str]], clock: Clock) -> int:
    claims = [HookClaim(brand, hook_id, secrets.token_hex(16)) for brand, hook_id in due]
    served = await asyncio.gather(*(_serve(graph, policy, claim, clock) for claim in claims), return_exceptions=True)
    for claim, outcome in zip(claims, served, strict=True):
        if isinstance(outcome, BaseException):
            # One webhook must not hold up the others; its claim runs out by itself.
            log.error("webhook_broke", brand=claim.brand, webhook_id=claim.hook_id, exc_info=outcome)
    return sum(outcome is True for outcome in served)


async def _serve(graph: Graph, policy: Policy, claim: HookClaim, clock: Clock) -> bool:
    now = clock()
    try:
        hook = await asyncio.to_thread(lease_hook, graph, claim, now=now, until=now + _LEASE)
        if hook is None:
            return False
        deadline = time.monotonic() + _TURN_SECONDS
        async with open_client() as client:
            turn = _Turn(graph, policy, claim, clock, client)
            while hook is not None and time.monotonic() < deadline:
                hook = await _deliver_next(turn, hook)
        await asyncio.to_thread(record_delivery, graph, claim, {"lease_token": None, "lease_until": None})
    except UnavailableError:
        # The claim runs out by itself; what was sent and not recorded is sent again under the same id.
        log.warning("webhook_waits", brand=claim.brand, webhook_id=claim.hook_id)
        return False
    return True


async def _deliver_next(turn: _Turn, hook: Hook) -> Hook | None:
    """Send the next entries; the webhook as it stands then, None when there is nothing more to do now."""
    try:
        page = await asyncio.to_thread(_next_page, turn.graph, hook)
    except CursorExpiredError:
        await _record(turn, hook, _disabled(turn.clock(), REASON_EXPIRED))
        return None
    if not page.items:
        if page.cursor == hook.cursor:
            return None
        # Entries that its kinds pass over: the cursor has to move or they are read for ever.
        moved = await _record(turn, hook, {"cursor": page.cursor, "pending_to": None})
        return moved if page.has_more else None
    claimed = await _record(turn, hook, {"pending_to": page.cursor, "lease_until": turn.clock() + _LEASE})
    if claimed is None:
        return None
    message = changes_message(claimed, page)
    now = turn.clock()
    headers = signed_headers(message, hook.secrets(now), now)
    attempt = await send(turn.client, hook.url, headers, message.body, turn.policy)
    return await _settle(turn, claimed, page, message, attempt)


def _next_page(graph: Graph, hook: Hook) -> ChangePage:
    """The entries of the next message; those of the last try when that one did not get through."""
    page = read_changes(graph, hook.brand, hook.cursor, _CHANGES_AT_ONCE, hook.kinds)
    end = hook.pending_to
    if end is None or end >= page.cursor:
        return page
    return ChangePage([item for item in page.items if int(item["cursor"]) <= end], end, True)


async def _settle(turn: _Turn, hook: Hook, page: ChangePage, message: Message, attempt: Attempt) -> Hook | None:
    now = turn.clock()
    entry = {
        "at": format_time(now),
        "message_id": message.id,
        "from_cursor": str(hook.cursor),
        "cursor": str(page.cursor),
        "changes": len(page.items),
        "attempt": hook.failures + 1,
        **shown_attempt(attempt),
    }
    values: dict[str, Any] = {"attempts": (entry, *hook.attempts)}
    if attempt.is_delivered:
        values |= {
            "cursor": page.cursor, "pending_to": None, "failures": 0, "failing_since": None, "last_delivered_at": now,
        }  # fmt: skip
        return await _record(turn, hook, values)
    await _record(turn, hook, values | after_failure(hook, attempt, turn.policy, now))
    log.warning(
        "webhook_failed", brand=hook.brand, webhook_id=hook.id, reason=attempt.error, failures=hook.failures + 1
    )
    return None


def shown_attempt(attempt: Attempt) -> dict[str, Any]:
    """A try as the log and the test call show it."""
    return {
        "outcome": "delivered" if attempt.is_delivered else "failed",
        "status": attempt.status,
        "error": attempt.error,
        "milliseconds": attempt.milliseconds,
    }


def after_failure(hook: Hook, attempt: Attempt, policy: Policy, now: datetime) -> dict[str, Any]:
    """What a failed try leaves: when to try again, or that and why it was given up."""
    since = hook.failing_since or now
    values: dict[str, Any] = {"failures": hook.failures + 1, "failing_since": since}
    if attempt.status == GONE:
        return values | _disabled(now, REASON_GONE)
    if now - since >= policy.give_up_after:
        return values | _disabled(now, f"failing since {format_time(since)}, last: {attempt.error}")
    pause = min(policy.longest_retry, policy.first_retry * 2 ** min(hook.failures, _MAX_DOUBLINGS))
    # Jitter: receivers that fell over together must not be woken together.
    pause *= random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
    return values | {"next_at": now + max(pause, attempt.retry_after or timedelta())}


def _disabled(now: datetime, reason: str) -> dict[str, Any]:
    return {"is_active": False, "disabled_at": now, "disabled_reason": reason}


async def _record(turn: _Turn, hook: Hook, values: dict[str, Any]) -> Hook | None:
    """Write it; the webhook with it, None when the claim was lost."""
    if not await asyncio.to_thread(record_delivery, turn.graph, turn.claim, values):
        return None
    known = {name: value for name, value in values.items() if name in Hook.__dataclass_fields__}
    return replace(hook, **known)


def changes_message(hook: Hook, page: ChangePage) -> Message:
    """The message of these entries; its id follows from the webhook and the cursors, so that every try has the same."""
    name = f"{hook.id.removeprefix('whk_')}_{hook.generation}_{hook.cursor}_{page.cursor}"
    data = {
        "brand": hook.brand, "webhook_id": hook.id, "from_cursor": str(hook.cursor), "cursor": str(page.cursor),
        "changes": page.items,
    }  # fmt: skip
    return Message(f"msg_{name}", _body(CHANGES_TYPE, data))


def ping_message(hook: Hook) -> Message:
    """A message that changes nothing at the receiver."""
    data = {"brand": hook.brand, "webhook_id": hook.id}
    return Message(f"msg_test_{secrets.token_hex(12)}", _body(TEST_TYPE, data))


def _body(kind: str, data: dict[str, Any]) -> str:
    return _encoder.encode({"type": kind, "timestamp": format_time(utc_now()), "data": data}).decode()


async def send_test(hook: Hook, policy: Policy) -> Attempt:
    """Send a test message now, whether the webhook is active or not."""
    message = ping_message(hook)
    now = utc_now()
    async with open_client() as client:
        return await send(client, hook.url, signed_headers(message, hook.secrets(now), now), message.body, policy)
