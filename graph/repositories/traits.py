"""Reads the traits of live profiles: every value that was given, and the one that the brand's strategy chooses."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from core.clock import format_time, from_micros
from core.errors import InvalidInputError, NotFoundError
from graph.driver import Graph
from graph.values import parse_json
from resolver.traits import SOURCE_PRIORITY, STRATEGIES, TraitStrategy, TraitValue, choose, combine, strategy_for

_MAX_STRATEGIES = 500


def strategies_from(data: Any) -> dict[str, TraitStrategy]:
    """Strategies by trait name (`*` for all others); raises InvalidInputError naming what is wrong."""
    if not isinstance(data, dict) or len(data) > _MAX_STRATEGIES:
        raise InvalidInputError("Must be an object of trait names and strategies.", field="strategies")
    found = {}
    for place, (name, stated) in enumerate(data.items()):
        field = f"strategies[{place}]"
        if not isinstance(stated, dict) or stated.get("strategy") not in STRATEGIES:
            raise InvalidInputError(f"strategy must be one of: {', '.join(STRATEGIES)}.", field=f"{field}.strategy")
        sources = stated.get("sources", [])
        if not isinstance(sources, list) or any(not isinstance(one, str) for one in sources):
            raise InvalidInputError("sources must be a list of source names.", field=f"{field}.sources")
        if stated["strategy"] == SOURCE_PRIORITY and not sources:
            raise InvalidInputError("source_priority needs its sources, best first.", field=f"{field}.sources")
        found[name] = TraitStrategy(stated["strategy"], tuple(sources))
    return found


def strategies_to_dict(strategies: dict[str, TraitStrategy]) -> dict[str, Any]:
    """Strategies as plain data."""
    return {name: {"strategy": one.strategy, "sources": list(one.sources)} for name, one in sorted(strategies.items())}


def read_strategies(graph: Graph, brand: str) -> dict[str, TraitStrategy]:
    """The brand's strategies."""
    rows = graph.read("brands/get_trait_strategies", brand=brand)
    return strategies_from(parse_json(rows[0]["strategies"], {})) if rows else {}


def save_strategies(graph: Graph, brand: str, strategies: dict[str, TraitStrategy]) -> None:
    """Replace the brand's strategies."""
    text = json.dumps(strategies_to_dict(strategies), sort_keys=True)
    graph.write("brands/set_trait_strategies", brand=brand, strategies=text)


def trait_values(rows: Iterable[Sequence[Any]]) -> list[TraitValue]:
    """Values out of rows of name, value (JSON), source, first, last (microseconds), count.

    A value that is counted anew while it is read is a row of nulls: the next read has it again.
    """
    return [TraitValue(*row) for row in rows if None not in row]


def chosen_traits(rows: Iterable[list[Any]], strategies_json: str | None) -> dict[str, Any]:
    """One value for each trait; `rows` as name, value (JSON), source, first, last (microseconds), count."""
    strategies = strategies_from(parse_json(strategies_json, {}))
    by_name = combine(trait_values(rows))
    return {name: json.loads(choose(values, strategy_for(name, strategies)).value) for name, values in by_name.items()}


def list_traits(graph: Graph, brand: str, profile_id: str) -> list[dict[str, Any]]:
    """Every trait with its chosen value, its strategy and all values ever given; raises NotFoundError."""
    rows = graph.read("profiles/list_traits", brand=brand, id=profile_id)
    if not rows:
        raise NotFoundError("No such profile.")
    strategies = read_strategies(graph, brand)
    items = []
    for name, values in combine(trait_values(rows[0]["traits"])).items():
        strategy = strategy_for(name, strategies)
        items.append({
            "name": name,
            "value": json.loads(choose(values, strategy).value),
            "strategy": strategy.strategy,
            "values": [_shown(one) for one in sorted(values, key=lambda one: (-one.last_at, one.source, one.value))],
        })  # fmt: skip
    return items


def _shown(one: TraitValue) -> dict[str, Any]:
    return {
        "value": json.loads(one.value),
        "source": one.source,
        "first_at": format_time(from_micros(one.first_at)),
        "last_at": format_time(from_micros(one.last_at)),
        "count": one.count,
    }
