"""Computes the traits of many live profiles at once and attaches them: a few reads and one write for each chunk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.clock import EARLIEST, from_micros, to_micros
from core.money import minor_digits
from core.trait_definitions import EVENTS, ORDERS, TraitDefinition, TraitType
from graph.driver import Graph
from graph.repositories import computed_traits as repository
from graph.repositories.computed_traits import VALUE
from graph.repositories.trait_definitions import TraitSet, find_set
from insight.computed_traits.fold import Computed, TraitFold
from insight.computed_traits.rows import EventRow, OrderRow, Row

log = structlog.get_logger(__name__)

# Events of this many profiles are streamed at once; only what the folds keep of them stays in memory.
_CHUNK = 250
_DUE_AT_ONCE = 500
# A profile that was taken and not computed is tried again after this.
_DUE_AGAIN = timedelta(minutes=10)
_PAYLOAD = "payload"
_MOST_INTEGER = 2**63 - 1

Build = Callable[[str], Row]
"""Makes a row of what was read, for a profile's currency: what cannot be read fails here, for that profile alone."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What of events or orders the definitions need: since when, which types, and whose payloads; None: all."""

    from_at: datetime
    types: list[str] | None
    payload_types: list[str] | None


@dataclass(slots=True)
class _Profile:
    """A live profile and its folds by where their rows come from."""

    id: str
    version: int
    currency: str
    is_cluster: bool
    folds: dict[str, dict[str, TraitFold]] = field(default_factory=dict)


def refresh_traits(graph: Graph, brand: str, profile_ids: Iterable[str], now: datetime) -> set[str]:
    """Compute and store all computed traits of the live profiles behind `profile_ids`; ids of those that failed."""
    return compute_traits(graph, find_set(graph, brand), profile_ids, now)


def refresh_due(graph: Graph, now: datetime) -> int:
    """Compute anew what changes by itself by now (windows move on, days pass); how many profiles, 0: nothing is due."""
    due = repository.take_due(graph, now, now + _DUE_AGAIN, _DUE_AT_ONCE)
    for brand, ids in due.items():
        compute_traits(graph, find_set(graph, brand), ids, now)
    return sum(len(ids) for ids in due.values())


def compute_traits(graph: Graph, traits: TraitSet, profile_ids: Iterable[str], now: datetime) -> set[str]:
    """The same with definitions that were read before; without any, values that are there go."""
    ids = sorted(set(profile_ids))
    failed: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        if not traits.definitions:
            if traits.version:
                repository.remove_values(graph, traits.brand, chunk, traits.version, even_live=True)
            continue
        profiles, broken = _fold(graph, traits, chunk, now)
        failed |= broken
        rows = [_stored(traits, profile, now) for profile in profiles.values() if profile.id not in broken]
        if rows:
            repository.store_values(graph, traits.brand, rows)
        clusters = [profile.id for profile in profiles.values() if profile.is_cluster]
        if clusters:
            repository.remove_absorbed(graph, traits.brand, clusters)
        gone = [id_ for id_ in chunk if id_ not in profiles]
        if gone:
            # Erased, or absorbed by a survivor that is computed here.
            repository.remove_values(graph, traits.brand, gone, traits.version, even_live=False)
    return failed


def values_of(graph: Graph, brand: str, definition: TraitDefinition, profile_id: str, now: datetime) -> dict[str, Any]:
    """What the live profile behind `profile_id` would have of one definition: profile_id, value (a stored property).

    Empty for an unknown profile. Nothing is stored.
    """
    profiles, _ = _fold(graph, TraitSet(brand, definitions=(definition,)), [profile_id], now)
    for profile in profiles.values():
        computed = profile.folds[definition.source][definition.name].result()
        value = to_property(computed, definition.type, profile.currency)
        return {"profile_id": profile.id, "value": value, "currency": profile.currency}
    return {}


def _fold(graph: Graph, traits: TraitSet, ids: Sequence[str], now: datetime) -> tuple[dict[str, _Profile], set[str]]:
    """The profiles with their folds fed. Versions are read first: what comes later makes them older than they are."""
    profiles: dict[str, _Profile] = {}
    micros = to_micros(now)
    for row in repository.read_profiles(graph, traits.brand, ids):
        currency = row["currency"] or "USD"
        profile = _Profile(row["id"], row["version"], currency, row["personas"] > 1)
        for definition in traits.definitions:
            folds = profile.folds.setdefault(definition.source, {})
            folds[definition.name] = TraitFold(definition, micros, currency)
        profiles[profile.id] = profile
    failed: set[str] = set()
    for source, rows in _sources(graph, traits, list(profiles), now):
        for root, build in rows:
            profile = profiles[root]
            try:
                built = build(profile.currency)
                for fold in profile.folds[source].values():
                    fold.add(built)
            except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
                # One unreadable customer must not keep the others of its chunk from their traits.
                if root not in failed:
                    log.error("computed_traits_failed", profile_id=root, reason=type(error).__name__)
                failed.add(root)
    return profiles, failed


def _sources(
    graph: Graph, traits: TraitSet, ids: list[str], now: datetime
) -> Iterator[tuple[str, Iterator[tuple[str, Build]]]]:
    """For events and orders, where a definition needs them: pairs of the profile and what makes its row."""
    if ids and (question := _question(traits, EVENTS, now)):
        found = repository.stream_events(
            graph, traits.brand, ids, question.from_at, question.types, question.payload_types
        )
        yield EVENTS, ((values[0], _event(values)) for values in found)
    if ids and (question := _question(traits, ORDERS, now)):
        found = repository.stream_orders(graph, traits.brand, ids, question.from_at)
        yield ORDERS, ((values[0], _order(values)) for values in found)


def _event(values: list[Any]) -> Build:
    _, at, id_, type_, channel, source, products, payload = values

    def build(_: str) -> Row:
        facts = {"type": type_, "channel": channel, "source": source}
        return EventRow((at, id_), facts, list(products or ()), payload)

    return build


def _order(values: list[Any]) -> Build:
    _, at, key, minor, currency, channel, status, order_id, lines = values

    def build(brand_currency: str) -> Row:
        facts = {"channel": channel, "status": status, "order_id": order_id}
        return OrderRow((at, key), minor or 0, currency or "", brand_currency, facts, lines or "")

    return build


def _question(traits: TraitSet, source: str, now: datetime) -> _Question | None:
    wanted = tuple(definition for definition in traits.definitions if definition.source == source)
    if not wanted:
        return None
    days = [definition.days for definition in wanted]
    longest = None if None in days else max(day for day in days if day is not None)
    with_payload = [one for one in wanted if any(path[0] == _PAYLOAD for path in one.paths)]
    return _Question(
        EARLIEST if longest is None else now - timedelta(days=longest),
        _types(wanted),
        _types(with_payload),
    )


def _types(definitions: Sequence[TraitDefinition]) -> list[str] | None:
    """The event types that the definitions are limited to; None when one is not."""
    types: set[str] = set()
    for definition in definitions:
        own = definition.values_of("type")
        if own is None:
            return None
        types.update(own)
    return sorted(types)


def _stored(traits: TraitSet, profile: _Profile, now: datetime) -> dict[str, Any]:
    """A row of `store_values`."""
    types = {definition.name: definition.type for definition in traits.definitions}
    computed = {name: fold.result() for folds in profile.folds.values() for name, fold in folds.items()}
    due = [one.due for one in computed.values() if one.due is not None]
    guard = {"set_version": traits.version, "version": profile.version, "computed_at": now}
    properties = {
        "id": profile.id,
        "brand": traits.brand,
        "currency": profile.currency,
        **guard,
        **({"due_at": from_micros(min(due))} if due else {}),
        **{f"{VALUE}{name}": to_property(one, types[name], profile.currency) for name, one in computed.items()},
    }
    return {"id": profile.id, **guard, "properties": properties}


def to_property(computed: Computed, type_: TraitType, currency: str) -> Any:
    """A value as a node's property: money in minor units, whole numbers as integers, times as times; None: no value."""
    value = computed.value
    if value is None or isinstance(value, (bool, int, str, datetime)):
        return value
    if type_ is TraitType.MONEY:
        return int(value.scaleb(minor_digits(currency)))
    if value == value.to_integral_value() and abs(value) <= _MOST_INTEGER:
        return int(value)
    return float(value)
