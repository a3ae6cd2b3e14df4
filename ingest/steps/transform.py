"""Step transform: does a brand's own steps on an event, then reads again what follows from the changed payload."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.brand import BrandSettings
from core.events import RawEvent, RawOrder
from core.transformations import DROP, IDENTIFIERS, Transformation, transform
from ingest.steps.extract import extract_identifiers, extract_traits
from ingest.steps.orders import order_in, read_order

ReadOrder = Callable[[str, dict[str, Any], list[str]], RawOrder | None]

# Of these the payload says everything, of the tracking APIs what there is about an order; what webhooks say of orders
# stands in fields of their own.
_NATIVE_WAYS = frozenset({"api", "csv"})
_TRACKING_WAYS = frozenset({"segment", "posthog"})


def transformed(raw: RawEvent, settings: BrandSettings) -> RawEvent:
    """The event after the steps that concern it; `raw` itself when there are none. Raises InvalidInputError.

    Its id is made from the event as it came, so a changed set of steps makes no second event of a repeat.
    """
    steps = [step for step in settings.transformations if step.concerns(raw.source, raw.type)]
    return apply_steps(raw, steps, settings.hash_key) if steps else raw


def apply_steps(raw: RawEvent, steps: list[Transformation], hash_key: str) -> RawEvent:
    """A changed copy of `raw`."""
    payload, traits = copy.deepcopy(raw.payload), copy.deepcopy(raw.traits)
    for step in steps:
        transform(step, payload, {}, hash_key)
    if raw.way in _NATIVE_WAYS:
        return _without_dropped(_read_again(raw, payload), steps)
    changed = replace(raw, payload=payload)
    if raw.way in _TRACKING_WAYS:
        changed = _with_order(raw, payload, order_in)
    for step in steps:
        if step.path[0] == "traits":
            transform(step, {}, traits, hash_key)
    return _without_dropped(replace(changed, traits=traits), steps)


def _read_again(raw: RawEvent, payload: dict[str, Any]) -> RawEvent:
    """Identifiers, traits and the order of a native event, read out of its changed payload."""
    from_payload = len(extract_identifiers(raw.payload, raw.source))
    stated = raw.identifiers[: len(raw.identifiers) - from_payload]
    return replace(
        _with_order(raw, payload, read_order),
        identifiers=[*stated, *extract_identifiers(payload, raw.source)],
        traits=extract_traits(raw.type, payload),
    )


def _with_order(raw: RawEvent, payload: dict[str, Any], read: ReadOrder) -> RawEvent:
    """The event with another payload, and with what that says about an order."""
    old_warnings: list[str] = []
    read(raw.type, raw.payload, old_warnings)
    warnings = [text for text in raw.warnings if text not in old_warnings]
    order = read(raw.type, payload, warnings)
    return replace(raw, payload=payload, order=order, warnings=warnings)


def _without_dropped(raw: RawEvent, steps: list[Transformation]) -> RawEvent:
    dropped = {step.path[1] for step in steps if step.op == DROP and step.path[0] == IDENTIFIERS}
    if not dropped:
        return raw
    return replace(raw, identifiers=[pair for pair in raw.identifiers if pair[0] not in dropped])
