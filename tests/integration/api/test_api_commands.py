"""Commands with an idempotency key run once; brands are made by HTTP as by the command line."""

import asyncio
import json
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from brands.directory import BrandDirectory
from brands.onboarding import WEBHOOK_SOURCES, ensure_demo_brand
from core.clock import utc_now
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.idempotency import Claim, begin_request, finish_request
from tests.integration.api.conftest import Service, Tenant, client_of


def key_header() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def test_a_repeated_command_gets_the_first_answer_and_runs_once(tenant: Tenant) -> None:
    first, second = tenant.profiles(2)
    headers = key_header()

    def merge() -> httpx.Response:
        return tenant.client.post(f"/api/profiles/{first}/merge", json={"profile_ids": [second]}, headers=headers)

    once, again = merge(), merge()
    assert (once.status_code, once.content) == (again.status_code, again.content)
    assert (once.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    without = tenant.client.post(f"/api/profiles/{first}/merge", json={"profile_ids": [second]})
    assert without.status_code == 409


def test_the_same_key_with_another_body_or_address_is_422(tenant: Tenant) -> None:
    first, second, third = tenant.profiles(3)
    headers = key_header()
    body = {"profile_ids": [second]}
    assert tenant.client.post(f"/api/profiles/{first}/merge", json=body, headers=headers).status_code == 200
    other_body = tenant.client.post(f"/api/profiles/{first}/merge", json={"profile_ids": [third]}, headers=headers)
    other_address = tenant.client.post(f"/api/profiles/{third}/merge", json=body, headers=headers)
    for answer in (other_body, other_address):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_refusal_is_kept_as_the_answer(tenant: Tenant) -> None:
    first, second = tenant.profiles(2)
    headers = key_header()
    body = {"profile_ids": [second, "cus_none"]}
    answers = [tenant.client.post(f"/api/profiles/{first}/merge", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["content-type"] == "application/problem+json"


def test_of_many_requests_at_once_one_runs_and_the_others_wait_or_replay(tenant: Tenant) -> None:
    headers = key_header()
    body = {"profiles": [{"external_id": "crm:1", "identifiers": {"email": "a@example.com"}}]}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: tenant.client.post("/api/profiles/import", json=body, headers=headers), range(8))
        )
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1


def test_a_run_that_died_is_taken_over_after_its_lease(graph: Graph, brand_id: str) -> None:
    now = utc_now()
    key = uuid.uuid4().hex

    def begin(op: str, at: timedelta, body: str = "b") -> Any:
        claim = Claim(key, brand_id, op, body)
        lease = now + at + timedelta(seconds=60)
        return begin_request(graph, claim, now=now + at, lease_until=lease, oldest=now + at - timedelta(hours=48))

    assert begin("one", timedelta()).is_owned
    waiting = begin("two", timedelta(seconds=59))
    assert (waiting.is_owned, waiting.state) == (False, "running")
    assert not begin("three", timedelta(seconds=61), "other body").is_same_body
    assert begin("four", timedelta(seconds=61)).is_owned
    finish_request(graph, Claim(key, brand_id, "one", "b"), status=200, answer=b"late")
    finish_request(graph, Claim(key, brand_id, "four", "b"), status=200, answer=b"{}")
    done = begin("five", timedelta(hours=47))
    assert (done.is_owned, done.status, done.answer) == (False, 200, b"{}")
    assert begin("six", timedelta(hours=50)).is_owned


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none_is_422(tenant: Tenant, key: str) -> None:
    answer = tenant.client.post("/api/profiles/x/merge", json={"profile_ids": ["y"]}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


def test_a_brand_made_by_http_works_at_once(service: Service, tenant: Tenant) -> None:
    brand = f"t{uuid.uuid4().hex[:12]}"
    headers = key_header()
    body = {"id": brand, "name": "Acme", "region": "DE", "currency": "EUR"}
    answer = tenant.client.post("/api/admin/brands", json=body, headers=headers)
    assert answer.status_code == 201
    created = answer.json()
    assert created.keys() == {"id", "api_key", "write_key", "webhook_secrets", "webhook_urls"}
    assert created["webhook_secrets"].keys() == created["webhook_urls"].keys() == set(WEBHOOK_SOURCES)
    with client_of(service.url, created["api_key"]) as client:
        sent = client.post("/api/events", json={"type": "identify", "identifiers": {"phone": "030 901820"}}).json()
        profile = client.get(f"/api/profiles/{sent['profile_id']}").json()
    assert (profile["brand"], profile["currency"]) == (brand, "EUR")
    assert profile["identifiers"]["phone"] == ["+4930901820"]
    again = tenant.client.post("/api/admin/brands", json=body, headers=headers)
    assert (again.status_code, again.content) == (201, answer.content)
    assert tenant.client.post("/api/admin/brands", json=body).status_code == 409


def test_secrets_of_keys_are_not_in_the_graph(tenant: Tenant, graph: Graph) -> None:
    brand = f"t{uuid.uuid4().hex[:12]}"
    headers = key_header()
    created = tenant.client.post("/api/admin/brands", json={"id": brand}, headers=headers).json()
    with graph.session() as session:
        keys = session.run("MATCH (n:ApiKey {brand: $brand}) RETURN properties(n) AS p", brand=brand).values()
        kept = session.run("MATCH (n:IdempotencyKey {brand: $brand}) RETURN n.answer", brand=tenant.id).values()
    assert len(keys) == 2
    for name in ("api_key", "write_key"):
        secret = created[name][16:].encode()
        assert secret.decode() not in str(keys)
        assert all(secret not in bytes(row[0]) for row in kept)


def test_the_command_line_prints_the_same_json(tenant: Tenant, service_settings: Settings, tmp_path: Path) -> None:
    brand = f"t{uuid.uuid4().hex[:12]}"
    assert service_settings.neo4j_password is not None
    (tmp_path / "credentials.json").write_text(
        json.dumps(
            {
                "neo4j": {
                    "uri": service_settings.neo4j_uri,
                    "user": service_settings.neo4j_user,
                    "password": service_settings.neo4j_password.get_secret_value(),
                },
                "redis": {"url": service_settings.redis_url},
            }
        )
    )

    assert service_settings.secret_key is not None
    environment = {"PYTHONPATH": ".", "CONSTINTEL_SECRET_KEY": service_settings.secret_key.get_secret_value()}

    def run(*arguments: str, data_dir: Path = tmp_path) -> "subprocess.CompletedProcess[str]":
        program = "from cli.brands import app; app(prog_name='brands')"
        return subprocess.run(
            [sys.executable, "-c", program, *arguments, "--data-dir", str(data_dir)],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip

    created = run("create", brand, "--currency", "EUR")
    assert created.returncode == 0, created.stderr
    assert json.loads(created.stdout).keys() == tenant.created.keys()
    again = run("create", brand)
    assert (again.returncode, again.stdout) == (1, "")
    assert "Traceback" not in again.stderr
    listed = [json.loads(line) for line in run("list").stdout.splitlines()]
    assert [(one["id"], one["currency"]) for one in listed if one["id"] == brand] == [(brand, "EUR")]
    nowhere = run("list", data_dir=tmp_path / "none")
    assert nowhere.returncode == 1
    assert "constintel up" in nowhere.stderr


def test_the_demo_brand_keeps_its_good_key_and_gets_a_new_one_for_a_bad(graph: Graph) -> None:
    key = ensure_demo_brand(graph)
    assert ensure_demo_brand(graph, key) == key
    new = ensure_demo_brand(graph, key[:-4] + "AAAA")
    assert new != key
    directory = BrandDirectory(graph)
    assert {asyncio.run(directory.caller(one)).brand for one in (key, new)} == {"demo"}


def test_only_the_operators_key_makes_brands(service: Service, tenant: Tenant) -> None:
    brand = f"t{uuid.uuid4().hex[:12]}"
    with client_of(service.url, tenant.created["api_key"]) as own:
        assert own.post("/api/admin/brands", json={"id": brand}).status_code == 403
    assert tenant.client.post("/api/admin/brands", json={"id": brand}).status_code == 201
