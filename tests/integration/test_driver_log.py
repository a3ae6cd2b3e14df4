"""The driver's own log: parameters are personal data, so no level of it tells what is sent to the database."""

import logging

import pytest

from core.brand import BrandSettings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.parameters import untold
from graph.repositories.profiles import find_profile_id
from tests.factories import event

SECRET = "jane.roe@mail.example"


def test_the_log_of_the_driver_tells_no_parameter_at_any_level(
    graph: Graph, brand_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "neo4j")
    commit_batch(graph, BrandSettings(brand_id), [event(brand_id, f"email:{SECRET}", "phone:+4917612345678")])
    assert find_profile_id(graph, BrandSettings(brand_id), "email", SECRET) is not None
    list(graph.stream("profiles/find_owners", brand=brand_id, keys=[f"{brand_id}|email|{SECRET}"]))
    told = caplog.text
    assert "RUN" in told
    assert SECRET not in told
    assert "4917612345678" not in told


def test_parameters_are_the_same_values_that_tell_their_sizes_only(graph: Graph) -> None:
    params: dict[str, object] = {
        "text": "äöü",
        "rows": [["a", 1, None, [True]], {"b": 2.5}],
        "map": {"k": ["v"]},
        "number": 7,
        "nothing": None,
    }
    same = untold(params)
    assert same == params
    assert repr(same) == (
        "{'text': <3 characters>, 'rows': <2 values>, 'map': <1 entries>, 'number': 7, 'nothing': None}"
    )
    with graph.session() as session:
        returned = session.run(
            "RETURN $text AS text, $rows AS rows, $map AS map, $number AS number, $nothing AS nothing", same
        )
        assert returned.single(strict=True).data() == params
