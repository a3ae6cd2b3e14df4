"""Bench `--read`: what each important read costs over HTTP, one request at a time on a connection that stays open."""

import random
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cli.benchmarks.http_load import run_load
from cli.benchmarks.read_brand import BUSY_COOKIE, BUSY_EMAIL, STORE_ID, ReadBrand, ReadPlan

_CUT = 100
_P50, _P95 = 49, 94


@dataclass(frozen=True, slots=True)
class EndpointCost:
    """Milliseconds of one kind of request: medians over the rounds."""

    name: str
    path: str
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class _Endpoint:
    name: str
    shown: str
    """The path for people."""
    path: Callable[[dict[str, Any]], str]
    """The path for one usual profile: {id, type, value}."""


def measure_endpoints(plan: ReadPlan, url: str, brand: ReadBrand) -> tuple[list[EndpointCost], int]:
    """Costs of each endpoint, and how many requests were not answered 200; endpoints take turns in every round."""
    endpoints = _endpoints(brand)
    rounds: list[dict[str, list[float]]] = []
    refused = 0
    for number in range(plan.rounds + 1):
        rng = random.Random(f"{plan.seed} {number} endpoints")  # noqa: S311 (no secret)
        turns = [(one, one.path(rng.choice(brand.usual))) for one in endpoints for _ in range(plan.reads)]
        rng.shuffle(turns)
        report = run_load(url, [get_request(url, path, brand.key) for _, path in turns], 1, batched=False)
        refused += report.refused
        found: dict[str, list[float]] = {one.name: [] for one in endpoints}
        # One connection asks in order: the times stand beside the requests.
        for (one, _), seconds in zip(turns, report.seconds, strict=True):
            found[one.name].append(seconds * 1_000)
        if number:
            rounds.append(found)
    return [_cost(one, [found[one.name] for found in rounds]) for one in endpoints], refused


def _cost(endpoint: _Endpoint, rounds: Sequence[list[float]]) -> EndpointCost:
    cuts = [statistics.quantiles(times, n=_CUT, method="inclusive") for times in rounds]
    p50, p95 = (statistics.median(cut[place] for cut in cuts) for place in (_P50, _P95))
    return EndpointCost(endpoint.name, endpoint.shown, p50, p95)


def _endpoints(brand: ReadBrand) -> list[_Endpoint]:
    busy = brand.busy_id
    whole = "/api/customer360"
    why = urlencode({"a": f"email:{BUSY_EMAIL}", "b": f"cookie_id:{BUSY_COOKIE}"})
    return [
        _Endpoint("profile", "/api/profiles/{id}", lambda one: f"/api/profiles/{one['id']}"),
        _Endpoint("lookup", "/api/profiles/lookup", lambda one: f"/api/profiles/lookup?{_identifier(one)}"),
        _Endpoint("search", "/api/profiles?q=", lambda one: f"/api/profiles?limit=10&q={quote(str(one['value'])[:9])}"),
        _Endpoint("360", f"{whole}/{{id}}", lambda one: f"{whole}/{one['id']}"),
        _Endpoint("360 by identifier", f"{whole}/lookup", lambda one: f"{whole}/lookup?{_identifier(one)}"),
        _Endpoint("360, busy customer", f"{whole}/{{id}}", lambda _: f"{whole}/{busy}"),
        _Endpoint(
            "360 as of a moment", f"{whole}/{{id}}?at=", lambda one: f"{whole}/{one['id']}?at=2026-10-01T00:00:00Z"
        ),
        _Endpoint("timeline page", f"{whole}/{{id}}/timeline", lambda one: f"{whole}/{one['id']}/timeline"),
        _Endpoint("timeline page, busy customer", f"{whole}/{{id}}/timeline", lambda _: f"{whole}/{busy}/timeline"),
        _Endpoint("journey", f"{whole}/{{id}}/journey", lambda one: f"{whole}/{one['id']}/journey"),
        _Endpoint("journey, busy customer", f"{whole}/{{id}}/journey", lambda _: f"{whole}/{busy}/journey"),
        _Endpoint("graph", f"{whole}/{{id}}/graph", lambda one: f"{whole}/{one['id']}/graph"),
        _Endpoint("why, busy customer", f"{whole}/{{id}}/why", lambda _: f"{whole}/{busy}/why?{why}"),
        _Endpoint("sessions", "/api/sessions?profile_id=", lambda one: f"/api/sessions?profile_id={one['id']}"),
        *_of_the_brand(),
    ]


def _of_the_brand() -> list[_Endpoint]:
    """Lists over all customers."""
    paths = {
        "profiles page": "/api/profiles",
        "high intents": "/api/intent/product-intents",
        "high intents of a store": f"/api/intent/product-intents?store_id={STORE_ID}",
        "store dashboard": f"/api/store/dashboard?store_id={STORE_ID}",
        "visits of a store": f"/api/store/visits?store_id={STORE_ID}",
        "demand signals": "/api/inventory/demand-signals",
        "reviews that wait": "/api/reviews?status=pending",
        "change feed": "/api/identity/changes",
    }
    return [_Endpoint(name, re.sub("=.*", "=", path), partial(_same, path)) for name, path in paths.items()]


def _same(path: str, _: dict[str, Any]) -> str:
    return path


def _identifier(one: dict[str, Any]) -> str:
    return urlencode({"type": one["type"], "value": one["value"]})


def get_request(url: str, path: str, key: str) -> bytes:
    """A whole HTTP/1.1 GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def endpoints_markdown(costs: Sequence[EndpointCost], read_p95: float) -> str:
    """The table of endpoints beside the hand-written read's p95 (milliseconds)."""
    lines = ["| over HTTP | route | p50 ms | p95 ms | p95 / read |", "| --- | --- | --: | --: | --: |"]
    lines += [
        f"| {one.name} | `{one.path}` | {one.p50:.1f} | {one.p95:.1f} | {one.p95 / read_p95:.1f} |" for one in costs
    ]
    return "\n".join(lines)
