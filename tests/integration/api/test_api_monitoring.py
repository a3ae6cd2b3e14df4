"""Health tells the truth while dependencies come and go; the OpenAPI document describes every route."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from pydantic import SecretStr

from api.health import WORKER_KEY
from core.settings import Settings
from tests.integration.api.conftest import Service, serving

_WORKER_SECONDS = 60.0
# Anybody may ask these.
OPEN = ("/api/monitoring/health", "/browser/", "/metrics", "/tracker.js")
# What they are to do stands in their address.
WITHOUT_BODY = (
    "{letter_id}/replay",
    "{letter_id}/discard",
    "{job_id}/cancel",
    "{model_run_id}/cancel",
    "/suggestions/run",
)


def test_health_is_open_and_names_each_dependency(service: Service) -> None:
    answer = httpx.get(f"{service.url}/api/monitoring/health")
    assert answer.status_code == 200
    checks = answer.json()["checks"]
    assert checks.keys() == {"neo4j", "redis", "worker"}
    assert (checks["neo4j"]["status"], checks["redis"]["status"]) == ("ok", "ok")
    assert httpx.get(f"{service.url}/api/monitoring/health/ready").status_code == 200


def test_without_neo4j_the_process_lives_and_is_not_ready() -> None:
    settings = Settings(
        neo4j_uri="bolt://127.0.0.1:1", neo4j_password=SecretStr("x"), redis_url="redis://127.0.0.1:1/0"
    )
    with serving(settings) as running, httpx.Client(base_url=running.url) as client:
        started = time.monotonic()
        health = client.get("/api/monitoring/health")
        assert health.status_code == 200
        assert health.json()["status"] == "degraded"
        assert {check["status"] for check in health.json()["checks"].values()} == {"down"}
        ready = client.get("/api/monitoring/health/ready")
        assert ready.status_code == 503
        assert ready.headers["retry-after"]
        assert time.monotonic() - started < 5


def test_a_dependency_that_never_answers_is_down_within_seconds(service_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings = service_settings.model_copy(
            update={"neo4j_uri": f"bolt://127.0.0.1:{port}", "redis_url": f"redis://127.0.0.1:{port}/0"}
        )
        with serving(settings) as running, httpx.Client(base_url=running.url) as client:
            started = time.monotonic()
            checks = client.get("/api/monitoring/health").json()["checks"]
            assert time.monotonic() - started < 3
    assert {check["status"] for check in checks.values()} == {"down"}


def test_a_running_worker_is_seen_by_health(service: Service, service_settings: Settings, tmp_path: Path) -> None:
    assert service_settings.redis_url is not None
    assert service_settings.neo4j_uri is not None
    assert service_settings.neo4j_password is not None
    client: Any = redis.Redis.from_url(service_settings.redis_url)
    client.delete(WORKER_KEY)
    env = {
        **os.environ,
        "REDIS_URL": service_settings.redis_url,
        "NEO4J_URI": service_settings.neo4j_uri,
        "NEO4J_USER": service_settings.neo4j_user,
        "NEO4J_PASSWORD": service_settings.neo4j_password.get_secret_value(),
        "CONSTINTEL_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "celery", "-A", "api.worker:app", "worker", "-P", "solo", "-Q", "test-pulse"]
    worker = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        waiting = threading.Event()
        deadline = time.monotonic() + _WORKER_SECONDS
        while time.monotonic() < deadline and worker.poll() is None:
            if httpx.get(f"{service.url}/api/monitoring/health").json()["checks"]["worker"]["status"] == "ok":
                break
            waiting.wait(0.2)
        assert httpx.get(f"{service.url}/api/monitoring/health").json()["status"] == "ok"
        assert 0 < client.ttl(WORKER_KEY) <= 30
    finally:
        worker.terminate()
        worker.wait(30)
        client.close()


def test_openapi_describes_every_operation(service: Service) -> None:
    answer = httpx.get(f"{service.url}/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"].keys() == {"bearer", "api_key", "write_key"}
    ids = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            ids.append(operation["operationId"])
            assert operation["summary"], where
            assert operation["tags"], where
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert all("example" in shown for shown in good["content"].values()), where
            if path.startswith(OPEN):
                continue
            assert {"401"} <= operation["responses"].keys(), where
            assert "/integrations/" in path or operation["security"], where
            if method == "post" and not path.endswith(WITHOUT_BODY):
                assert "example" in json.dumps(operation["requestBody"]) or "$ref" in json.dumps(operation), where
    assert len(ids) == len(set(ids))
    assert httpx.get(f"{service.url}/docs").status_code == 200


@pytest.mark.parametrize("path", ["/api/profiles", "/api/events/batch", "/api/customer360/{profile_id}"])
def test_errors_are_documented_as_problems(service: Service, path: str) -> None:
    [operation] = httpx.get(f"{service.url}/openapi.json").json()["paths"][path].values()
    problem = operation["responses"]["401"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}
