"""Computed traits as the 360 and the API show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.money import to_decimal_string
from core.trait_definitions import TraitType
from graph.repositories.computed_traits import VALUE
from graph.values import to_time_text


def computed_section(
    names: Sequence[str] | None, stored: Mapping[str, Any] | None, version: int
) -> dict[str, dict[str, Any]]:
    """Name → value of every trait that the brand defines; `names` are the set's entries, `stored` the profile's node.

    A value of an older definition is none. `is_current` tells whether it knows the profile's version `version`.
    """
    section = {}
    known = stored or {}
    for entry in sorted(names or ()):
        name, defined, type_ = entry.split("|")
        is_computed = known.get("set_version", 0) >= int(defined)
        value = known.get(f"{VALUE}{name}") if is_computed else None
        currency = known.get("currency", "USD")
        section[name] = {
            "value": shown_value(value, type_, currency),
            "type": type_,
            **({"currency": currency} if type_ == TraitType.MONEY and value is not None else {}),
            "computed_at": to_time_text(known.get("computed_at")) if is_computed else None,
            "is_current": is_computed and known.get("version", 0) >= version,
        }
    return section


def shown_value(value: Any, type_: str, currency: str) -> Any:
    """A stored value for people: money as decimal text, times as RFC 3339."""
    if value is None:
        return None
    if type_ == TraitType.MONEY:
        return to_decimal_string(value, currency)
    return to_time_text(value) if type_ == TraitType.TIME else value
