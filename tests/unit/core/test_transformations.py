"""Steps on payloads and traits: each op by itself, lists, selectors, and what a step may not be."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.transformations import hashed, steps_from_data, steps_to_data, transform

KEY = "k"


def done(step: dict[str, Any], payload: dict[str, Any], traits: dict[str, Any] | None = None) -> dict[str, Any]:
    [parsed] = steps_from_data([step])
    payload = copy.deepcopy(payload)
    transform(parsed, payload, traits if traits is not None else {}, KEY)
    return payload


CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"op": "rename", "field": "payload.a", "to": "payload.b"}, {"a": 1, "c": 2}, {"b": 1, "c": 2}),
    ({"op": "rename", "field": "payload.a", "to": "payload.b.c"}, {"a": 1}, {"b": {"c": 1}}),
    ({"op": "rename", "field": "payload.a.b", "to": "payload.c"}, {"a": {"b": 1}}, {"a": {}, "c": 1}),
    ({"op": "rename", "field": "payload.a.b", "to": "payload.a.c"}, {"a": {"b": 1}}, {"a": {"c": 1}}),
    ({"op": "rename", "field": "payload.x", "to": "payload.b"}, {"a": 1}, {"a": 1}),
    ({"op": "rename", "field": "payload.a", "to": "payload.b.c"}, {"a": 1, "b": 5}, {"a": 1, "b": 5}),
    (
        {"op": "rename", "field": "payload.items[].sku", "to": "payload.items[].product.id"},
        {"items": [{"sku": "A"}, {"x": 1}, 7]},
        {"items": [{"product": {"id": "A"}}, {"x": 1}, 7]},
    ),
    ({"op": "map", "field": "payload.a", "values": {"x": "y", "1": 2, "true": None}}, {"a": "x"}, {"a": "y"}),
    ({"op": "map", "field": "payload.a", "values": {"x": "y", "1": 2, "true": None}}, {"a": 1}, {"a": 2}),
    ({"op": "map", "field": "payload.a", "values": {"x": "y", "1": 2, "true": None}}, {"a": True}, {"a": None}),
    ({"op": "map", "field": "payload.a", "values": {"x": "y"}}, {"a": "z"}, {"a": "z"}),
    ({"op": "map", "field": "payload.a", "values": {"x": "y"}, "default": "d"}, {"a": "z"}, {"a": "d"}),
    ({"op": "map", "field": "payload.a", "values": {"x": "y"}, "default": "d"}, {}, {}),
    ({"op": "map", "field": "payload.a", "values": {"x": "y"}, "default": "d"}, {"a": {"x": 1}}, {"a": {"x": 1}}),
    ({"op": "drop", "field": "payload.a.b"}, {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
    ({"op": "drop", "field": "payload.items[].note"}, {"items": [{"note": 1, "q": 2}, {"q": 3}]},
     {"items": [{"q": 2}, {"q": 3}]}),
    ({"op": "drop", "field": "payload.a.b"}, {"a": [1]}, {"a": [1]}),
    ({"op": "hash", "field": "payload.a"}, {"a": "x"}, {"a": hashed("x", KEY)}),
    ({"op": "hash", "field": "payload.a"}, {"a": None}, {"a": None}),
    ({"op": "hash", "field": "payload.a"}, {"a": {"b": 1}}, {"a": hashed({"b": 1}, KEY)}),
]  # fmt: skip


@pytest.mark.parametrize(("step", "before", "after"), CASES)
def test_a_step_changes_what_it_names_and_nothing_else(
    step: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert done(step, before) == after


@pytest.mark.parametrize(("step", "before", "after"), CASES)
def test_steps_come_back_as_they_were_written(
    step: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert steps_to_data(steps_from_data([step])) == [step]


def test_a_trait_is_changed_wherever_senders_put_it() -> None:
    traits = {"tax": "1", "city": "Rome"}
    payload: dict[str, Any] = {
        "tax": "kept", "traits": {"tax": "1"}, "context": {"traits": {"tax": "1"}},
        "_message": {"traits": {"tax": "1"}, "context": {"traits": {"tax": "1"}}},
    }  # fmt: skip
    changed = done({"op": "drop", "field": "traits.tax"}, payload, traits)
    assert traits == {"city": "Rome"}
    assert changed == {
        "tax": "kept", "traits": {}, "context": {"traits": {}}, "_message": {"traits": {}, "context": {"traits": {}}},
    }  # fmt: skip


def test_hashes_of_two_brands_have_nothing_in_common() -> None:
    assert hashed("a", "one") == hashed("a", "one") != hashed("a", "two")


@pytest.mark.parametrize(
    ("source", "event_type", "concerns"),
    [("shop", "purchase", True), ("shop", "refund", False), ("pos", "purchase", False)],
)
def test_source_and_type_choose_the_events(source: str, event_type: str, concerns: bool) -> None:
    [step] = steps_from_data([{"op": "drop", "field": "payload.a", "source": "shop", "type": "purchase"}])
    assert step.concerns(source, event_type) is concerns


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("drop", "steps[0]"),
        ({"op": "explode", "field": "payload.a"}, "steps[0].op"),
        ({"op": "drop"}, "steps[0].field"),
        ({"op": "drop", "field": "a"}, "steps[0].field"),
        ({"op": "drop", "field": "payload"}, "steps[0].field"),
        ({"op": "drop", "field": "payload..a"}, "steps[0].field"),
        ({"op": "drop", "field": "payload.a[]"}, "steps[0].field"),
        ({"op": "drop", "field": "payload.a.b.c.d.e.f.g"}, "steps[0].field"),
        ({"op": "drop", "field": "identifiers.shoe"}, "steps[0].field"),
        ({"op": "hash", "field": "identifiers.email"}, "steps[0].field"),
        ({"op": "drop", "field": "payload.a", "to": "payload.b"}, "steps[0]"),
        ({"op": "rename", "field": "payload.a"}, "steps[0].to"),
        ({"op": "rename", "field": "payload.a", "to": "traits.a"}, "steps[0].to"),
        ({"op": "rename", "field": "payload.a", "to": "payload.a"}, "steps[0].to"),
        ({"op": "rename", "field": "payload.a", "to": "payload.a.b"}, "steps[0].to"),
        ({"op": "rename", "field": "payload.l[].a", "to": "payload.a"}, "steps[0].to"),
        ({"op": "rename", "field": "payload.a", "to": "payload.l[].a"}, "steps[0].to"),
        ({"op": "map", "field": "payload.a"}, "steps[0].values"),
        ({"op": "map", "field": "payload.a", "values": {}}, "steps[0].values"),
        ({"op": "map", "field": "payload.a", "values": {"x": {}}}, "steps[0].values"),
        ({"op": "map", "field": "payload.a", "values": {"x": 1}, "default": []}, "steps[0].default"),
        ({"op": "drop", "field": "payload.a", "source": 5}, "steps[0].source"),
    ],
)
def test_a_step_that_does_not_fit_is_named(step: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        steps_from_data([step])
    assert caught.value.field == field


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    payload=st.dictionaries(st.sampled_from("ab"), _VALUES, max_size=2),
    path=st.sampled_from(["a", "a.b", "a[].b", "a.b[].a"]),
    op=st.sampled_from(["drop", "hash", "map", "rename"]),
)
def test_no_payload_breaks_a_step(payload: dict[str, Any], path: str, op: str) -> None:
    head, mark, _ = path.rpartition("[]")
    target = f"payload.{head}{mark}.z" if mark else "payload.z"
    more: dict[str, dict[str, Any]] = {"map": {"values": {"x": 1}}, "rename": {"to": target}}
    step = {"op": op, "field": f"payload.{path}", **more.get(op, {})}
    before = copy.deepcopy(payload)
    done(step, payload)
    assert payload == before
