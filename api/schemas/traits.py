"""Traits of a profile and how a brand chooses among their values."""

from typing import Any

from api.schemas.base import Command, Shape, example

STRATEGIES_EXAMPLE: dict[str, Any] = {"city": {"strategy": "source_priority", "sources": ["crm", "shop"]}}


class StrategiesCommand(Command):
    """The strategy of each trait, `*` for all others."""

    model_config = example({"strategies": STRATEGIES_EXAMPLE})

    strategies: dict[str, Any]


class Strategies(Shape):
    """The strategy of each trait."""

    model_config = example({"strategies": STRATEGIES_EXAMPLE})

    strategies: dict[str, Any]


class TraitList(Shape):
    """Every trait of a profile with all values that were given."""

    model_config = example({"items": [{"name": "city", "value": "Pune", "strategy": "latest", "values": []}]})

    items: list[dict[str, Any]]
