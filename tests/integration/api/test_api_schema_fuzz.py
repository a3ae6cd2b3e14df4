"""Every operation of the OpenAPI document, with requests that its schema allows and such that it does not: no 5xx.

The same requests each time; half of the ids in addresses are those of things that are there.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Err

from api.app import create_app
from brands.api_keys import PLATFORM_SCOPES
from brands.onboarding import NewBrand, add_key, create_brand
from core.settings import load_settings
from graph.driver import Graph
from tests.integration.api.conftest import Service, Tenant, client_of


def _operations() -> Iterator[Any]:
    """All operations of the document; raises what is wrong with it."""
    for result in DOCUMENT.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        yield result.ok()


EXAMPLES = 12
_SECONDS = 60
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
DOCUMENT = schemathesis.openapi.from_dict(create_app(load_settings()).openapi())
OPERATIONS = {operation.label: operation for operation in _operations()}
FIXED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def tried(service: Service, graph: Graph) -> Iterator[Tenant]:
    """One brand that all of these requests go to."""
    created = create_brand(graph, NewBrand(f"t{uuid.uuid4().hex[:12]}")).as_dict()
    with client_of(service.url, add_key(graph, created["id"], PLATFORM_SCOPES)) as client:
        yield Tenant(created["id"], created, service.url, client, graph)


@pytest.fixture(scope="session")
def there(tried: Tenant) -> dict[str, str]:
    """Names of parts of addresses and ids that are there."""
    review_id, profile_ids = tried.review()
    event = tried.send(
        type="purchase", identifiers={"email": "there@example.com"}, payload={"order_id": "1", "total": "5"}
    )
    return {
        "profile_id": profile_ids[0],
        "review_id": review_id,
        "event_id": event["event_id"],
        "source": "shopify",
        "endpoint_id": tried.created["webhook_urls"]["shopify"].rpartition("/")[2],
        "version": "built-in",
    }


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_request_makes_the_service_fail(tried: Tenant, there: dict[str, str], label: str) -> None:
    operation = OPERATIONS[label]
    failed: list[str] = []

    @FIXED
    @given(st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES)), st.booleans())
    def send(case: Any, is_there: bool) -> None:
        if is_there:
            known = {name: there[name] for name in case.path_parameters or {} if name in there}
            case.path_parameters = {**(case.path_parameters or {}), **known}
        if label.endswith("/stream"):
            # Without this it would never end.
            case.query = {**(case.query or {}), "follow": "false"}
        headers = {"Authorization": tried.client.headers["authorization"]}
        answer = case.call(base_url=tried.url, headers=headers, timeout=_SECONDS)
        if answer.status_code >= 500:
            failed.append(f"{answer.status_code} {case.as_curl_command()}")

    send()
    assert failed == []
