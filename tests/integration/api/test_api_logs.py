"""A served process, started as `constintel up` starts it: its log tells what happened and nothing about anybody."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from core.settings import Settings
from tests.integration.api.conftest import Tenant

_SECONDS = 30.0
SEEDED = ["seeded-4711@example.com", "4155550199", "seeded-secret", "/seeded-path"]


def wait_until_served(url: str, process: "subprocess.Popen[bytes]") -> None:
    pause = threading.Event()
    deadline = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/api/monitoring/health/ready", timeout=5)
            return
        except httpx.TransportError:
            pause.wait(0.1)
    raise AssertionError("the process did not start to serve")


def test_a_process_logs_requests_without_personal_data(
    tenant: Tenant, service_settings: Settings, tmp_path: Path
) -> None:
    assert service_settings.neo4j_uri is not None
    assert service_settings.neo4j_password is not None
    env = {
        **os.environ,
        "NEO4J_URI": service_settings.neo4j_uri,
        "NEO4J_USER": service_settings.neo4j_user,
        "NEO4J_PASSWORD": service_settings.neo4j_password.get_secret_value(),
        "REDIS_URL": service_settings.redis_url or "",
    }
    log_file = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log_file.open("wb") as log:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        number = listener.fileno()
        command = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--fd", str(number)]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, pass_fds=[number])
        try:
            wait_until_served(url, process)
            with httpx.Client(base_url=url, headers={"X-API-Key": tenant.created["api_key"]}) as client:
                identifiers = {"email": SEEDED[0], "phone": f"+1{SEEDED[1]}"}
                sent = client.post("/api/events", json={"type": "identify", "identifiers": identifiers})
                assert sent.status_code == 200
                client.get("/api/profiles/lookup", params={"type": "email", "value": SEEDED[0]})
                client.get("/api/profiles", params={"q": SEEDED[1], "cursor": SEEDED[0]})
                client.get(f"/api/profiles/{SEEDED[0]}")
                client.get(SEEDED[3])
                client.post("/api/events", content=SEEDED[0].encode())
                client.post("/api/events", json={"type": SEEDED[0], SEEDED[2]: 1})
                client.get("/api/profiles", headers={"X-API-Key": SEEDED[2], "X-Request-ID": SEEDED[0]})
        finally:
            process.terminate()
            assert process.wait(30) in {0, -15}
    text = log_file.read_text(encoding="utf-8")
    for seed in (*SEEDED, tenant.created["api_key"]):
        assert seed not in text
    requests = [entry for entry in map(json.loads, text.splitlines()) if entry["event"] == "request"]
    routes = {(entry["method"], entry["route"], entry["status"]) for entry in requests}
    assert ("POST", "/api/events", 200) in routes
    assert ("GET", "/api/profiles/{profile_id}", 404) in routes
    assert all(entry["request_id"] for entry in requests)
