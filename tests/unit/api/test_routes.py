"""A route without a guard cannot be made."""

import pytest
from fastapi import APIRouter

from api.auth import Guard, guard_of, needs
from api.routes import GuardedRoute


def test_a_route_without_a_guard_is_refused_when_it_is_registered() -> None:
    router = APIRouter(route_class=GuardedRoute)

    def forgotten() -> None:
        """States no guard."""

    with pytest.raises(TypeError, match="forgotten"):
        router.get("/x")(forgotten)


def test_a_guard_is_what_the_endpoint_states() -> None:
    @needs("read")
    def endpoint() -> None:
        """States one."""

    assert guard_of(endpoint) == Guard("key", "read")
