"""Scenario, third step: the facts that a step expects, each read back through the API and compared."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cli.service import RefusedError, ServiceClient

OK = "ok"
FAILED = "FAILED"
OPEN = "open"

# Facts of parts that the service does not have yet: shown, never passed.
OPEN_FACTS = frozenset({
    "automation_executions", "messages_sent",
})  # fmt: skip

_POLL_SECONDS = 0.5
_MISSING = "nothing"
_UNKNOWN = "not asked yet"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the result: where, what, expected, found, and `ok`, `FAILED` or `open`."""

    step: int
    name: str
    expected: str
    found: str
    state: str


@dataclass(slots=True)
class Reader:
    """Reads facts back for one played story."""

    client: ServiceClient
    deadline_seconds: float
    profile_id: str | None = None
    """The profile that the story is about just now."""
    review_id: str | None = None
    step: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    def take_answer(self, step: int, answer: Any) -> None:
        """Note the answer of a step: later facts are about the profile and review that it names."""
        self.step, self.answer = step, answer if isinstance(answer, dict) else {}
        self.profile_id = self.answer.get("profile_id") or self.answer.get("survivor_id") or self.profile_id
        is_review = "status" in self.answer and "profile_ids" in self.answer
        self.review_id = (
            self.answer.get("review_id") or (self.answer.get("id") if is_review else None) or self.review_id
        )

    def check(self, expect: dict[str, Any]) -> Iterator[Fact]:
        """The facts of one step, one after the other."""
        for name, expected in expect.items():
            if name in OPEN_FACTS:
                yield Fact(self.step, name, _shown(expected), _UNKNOWN, OPEN)
            elif name in _CHECKS:
                yield from self._checked(name, expected)
            else:
                yield Fact(self.step, name, _shown(expected), "no such fact is known", FAILED)

    def _checked(self, name: str, expected: Any) -> Iterator[Fact]:
        try:
            yield from _CHECKS[name](self, expected)
        except RefusedError as error:
            yield Fact(self.step, name, _shown(expected), error.detail, FAILED)

    def fact(self, name: str, expected: Any, found: Any) -> Fact:
        """`expected` beside `found`, equal or not."""
        return Fact(self.step, name, _shown(expected), _shown(found), OK if expected == found else FAILED)

    def profile(self) -> dict[str, Any]:
        """The story's profile as the service answers it."""
        found: dict[str, Any] = self.client.get(f"/api/profiles/{self.profile_id}")
        return found

    def live_id(self, profile_id: str) -> str:
        """The live profile behind an id."""
        return str(self.client.get(f"/api/profiles/{profile_id}")["id"])


def _of_answer(name: str) -> Callable[[Reader, Any], Iterator[Fact]]:
    def check(reader: Reader, expected: Any) -> Iterator[Fact]:
        yield reader.fact(name, expected, reader.answer.get(name))

    return check


def _differs_from(reader: Reader, other: str) -> Iterator[Fact]:
    found = reader.answer.get("profile_id")
    state = OK if found and found != other else FAILED
    yield Fact(reader.step, "differs_from", f"not {other}", _shown(found), state)


def _profile_of(reader: Reader, named: str) -> Iterator[Fact]:
    yield reader.fact("profile_of", reader.live_id(named), reader.answer.get("profile_id"))


def _survivor(reader: Reader, expected: str) -> Iterator[Fact]:
    yield reader.fact("survivor", expected, reader.answer.get("survivor_id"))


def _profile(reader: Reader, expected: dict[str, Any]) -> Iterator[Fact]:
    profile = reader.profile()
    merges = [
        item for item in reader.client.get(f"/api/profiles/{profile['id']}/merge-history")["items"]
        if item["reverted_at"] is None
    ]  # fmt: skip
    for name, value in expected.items():
        if name == "identifiers":
            for kind, values in value.items():
                yield reader.fact(f"profile.{kind}", values, profile["identifiers"].get(kind, []))
        elif name == "merge_count":
            yield reader.fact("profile.merge_count", value, len(merges))
        elif name == "merge_reason":
            yield reader.fact("profile.merge_reason", value, merges[0]["reason"] if merges else None)
        else:
            yield reader.fact(f"profile.{name}", value, profile.get(name))


def _review(reader: Reader, expected: dict[str, Any]) -> Iterator[Fact]:
    review = reader.client.get(f"/api/reviews/{reader.review_id}")
    for name, value in expected.items():
        found = len(review["profile_ids"]) if name == "profile_count" else review.get(name)
        yield reader.fact(f"review.{name}", value, found)


def _profiles_live(reader: Reader, expected: int) -> Iterator[Fact]:
    yield reader.fact("profiles_live", expected, sum(1 for _ in reader.client.pages("/api/profiles")))


def _open_reviews(reader: Reader, expected: int) -> Iterator[Fact]:
    found = sum(1 for _ in reader.client.pages("/api/reviews", status="pending"))
    yield reader.fact("open_reviews", expected, found)


def _lifetime_values(reader: Reader, expected: list[str]) -> Iterator[Fact]:
    found = sorted((profile["lifetime_value"] for profile in reader.client.pages("/api/profiles")), key=Decimal)
    yield reader.fact("lifetime_values_sorted", expected, found)


def _profiles_with_any_of(reader: Reader, expected: dict[str, Any]) -> Iterator[Fact]:
    wanted = set(expected["identifiers"])
    holders = []
    for profile in reader.client.pages("/api/profiles"):
        values = {value for values in profile["identifiers"].values() for value in values}
        if wanted & values:
            holders.append(profile["id"])
            wanted -= values
    yield reader.fact("profiles_with_any_of", expected["count"], len(holders))
    yield reader.fact("identifiers held by nobody", [], sorted(wanted))


def _event_types(reader: Reader, expected: dict[str, int]) -> Iterator[Fact]:
    items = reader.client.pages(f"/api/customer360/{reader.profile_id}/timeline")
    found = Counter(item["type"] for item in items if item["type"] != "merge")
    yield reader.fact("event_types", dict(sorted(expected.items())), dict(sorted(found.items())))


def _section_of(name: str) -> Callable[[Reader, Any], Iterator[Fact]]:
    """The items of a section of the 360: as many as expected, each with what is expected of it."""

    def check(reader: Reader, expected: list[dict[str, Any]]) -> Iterator[Fact]:
        found = reader.client.get(f"/api/customer360/{reader.profile_id}?include={name}")[name]
        yield reader.fact(f"{name}.count", len(expected), len(found))
        for wanted, item in zip(expected, found, strict=False):
            yield reader.fact(name, wanted, {part: item.get(part) for part in wanted})

    return check


def _journey_stage(reader: Reader, expected: str) -> Iterator[Fact]:
    journey = reader.client.get(f"/api/customer360/{reader.profile_id}?include=journey")["journey"]
    yield reader.fact("journey_stage", expected, journey["stage"])


def _features(reader: Reader, expected: dict[str, Any]) -> Iterator[Fact]:
    """Features follow by a task: asked for until they agree or the deadline passes."""
    deadline = time.monotonic() + reader.deadline_seconds
    while True:
        found = _read_features(reader)
        if all(found.get(name) == value for name, value in expected.items()) or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    for name, value in expected.items():
        yield reader.fact(f"features.{name}", value, found.get(name))


def _read_features(reader: Reader) -> dict[str, Any]:
    try:
        answer = reader.client.get(f"/api/features/{reader.profile_id}")
    except RefusedError:
        return {}
    return answer.get("features") or {}


def _prediction(reader: Reader, expected: dict[str, Any]) -> Iterator[Fact]:
    """Predictions follow by a task: asked for until all facts hold or the deadline passes."""
    deadline = time.monotonic() + reader.deadline_seconds
    while True:
        facts = list(_prediction_facts(reader, expected))
        if all(fact.state == OK for fact in facts) or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    yield from facts


def _prediction_facts(reader: Reader, expected: dict[str, Any]) -> Iterator[Fact]:
    answer = reader.client.get(f"/api/customer360/{reader.profile_id}?include=predictions")
    found = answer.get("predictions") or {}
    churn, segment = found.get("churn", {}).get("probability"), found.get("segment", {}).get("name")
    products = len(found.get("recommendations", []))
    is_current = bool(found.get("is_current"))
    tests: dict[str, tuple[Any, Callable[[Any], bool]]] = {
        "churn_at_least": (churn, lambda bound: churn is not None and churn >= bound),
        "churn_at_most": (churn, lambda bound: churn is not None and churn <= bound),
        "segment_in": (segment, lambda names: segment in names),
        "recommendations_at_least": (products, lambda least: products >= least),
    }
    for name, value in expected.items():
        if name not in tests:
            yield Fact(reader.step, f"prediction.{name}", _shown(value), "no such fact is known", FAILED)
            continue
        seen, holds = tests[name]
        state = OK if is_current and holds(value) else FAILED
        yield Fact(reader.step, f"prediction.{name}", _shown(value), _shown(seen), state)


_CHECKS: dict[str, Callable[[Reader, Any], Iterator[Fact]]] = {
    "decision": _of_answer("decision"),
    "differs_from": _differs_from,
    "profile_of": _profile_of,
    "survivor": _survivor,
    "profile": _profile,
    "review": _review,
    "profiles_live": _profiles_live,
    "open_reviews": _open_reviews,
    "lifetime_values_sorted": _lifetime_values,
    "profiles_with_any_of": _profiles_with_any_of,
    "event_types": _event_types,
    "features": _features,
    "intents": _section_of("intents"),
    "visits": _section_of("visits"),
    "journey_stage": _journey_stage,
    "prediction": _prediction,
}


def _shown(value: Any) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value) or "none"
    return str(value)
