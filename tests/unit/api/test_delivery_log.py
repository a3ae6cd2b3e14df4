"""The log of deliveries never stands in the way: without Redis, or with one that does not answer."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from api.delivery_log import DeliveryLog, refused, taken
from core.decisions import EventResult
from core.errors import ConstIntelError, InvalidInputError, UnavailableError

REFUSED = refused(InvalidInputError("id: missing", field="id"), "orders/create", 0.0042)


def test_without_redis_nothing_is_kept_and_nothing_fails() -> None:
    async def run() -> list[dict[str, Any]]:
        log = DeliveryLog(None)
        log.add("demo", "shopify", REFUSED)
        await log.close()
        return await log.last("demo", "shopify", 10)

    assert asyncio.run(run()) == []


def test_a_redis_that_is_away_costs_entries_and_no_delivery() -> None:
    async def run() -> dict[str, dict[str, Any] | None]:
        client = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1)
        log = DeliveryLog(client)
        log.add("demo", "shopify", REFUSED)
        await log.close()
        with pytest.raises(UnavailableError):
            await log.last("demo", "shopify", 10)
        newest = await log.newest("demo", ["shopify"])
        await client.aclose()
        return newest

    assert asyncio.run(run()) == {"shopify": None}


def test_an_outcome_counts_what_was_taken_known_and_refused() -> None:
    outcomes: list[EventResult | ConstIntelError] = [
        EventResult("evt_1", "created"),
        EventResult("evt_2", "attached", duplicate=True),
        InvalidInputError("total: must be text", field="total"),
    ]
    told = taken(outcomes, {"decision": "created"}, "transactions", 0.01)
    assert (told.status, told.outcome, told.events, told.duplicates, told.rejected) == (200, "created", 2, 1, 1)
    assert (told.field, told.event_ids, told.milliseconds) == ("total", ("evt_1", "evt_2"), 10.0)
    assert (REFUSED.status, REFUSED.outcome, REFUSED.field, REFUSED.milliseconds) == (422, "invalid_input", "id", 4.2)
