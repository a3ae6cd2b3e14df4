"""`doctor` finds each fault that it names and says what to do; all well is exit status 0."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.process import free_port
from tests.conftest import Neo4jAddress, RedisAddress
from tests.house.installation import own_environment


def doctor(data_dir: Path, *options: str, **environment: str) -> tuple[int, str]:
    ports = []
    for option in ("--port", "--neo4j-port", "--neo4j-http-port"):
        if option not in options:
            ports += [option, str(free_port())]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("constintel")), "doctor", "--data-dir", str(data_dir), *ports, *options],
        capture_output=True, text=True, check=False, env=own_environment() | environment,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_sound_machine_is_well(tmp_path: Path, neo4j_server: Neo4jAddress) -> None:
    code, text = doctor(tmp_path / "data")
    assert (code, "all is well" in text) == (0, True), text


def test_a_taken_port_is_named_with_its_process(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, text = doctor(tmp_path / "data", "--neo4j-port", str(port))
    assert code == 1
    assert f"Port {port} is taken by process {os.getpid()}" in text
    assert "choose another port with --neo4j-port" in text


def test_a_locked_store_is_named_with_its_process(tmp_path: Path) -> None:
    lock = tmp_path / "data" / "neo4j" / "data" / "databases" / "store_lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        code, text = doctor(tmp_path / "data")
    assert code == 1
    assert f"is locked by process {os.getpid()}" in text


def test_missing_jars_without_a_network_are_a_fault(tmp_path: Path) -> None:
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = http://127.0.0.1:{free_port()}\n")
    code, text = doctor(tmp_path / "data", XDG_CACHE_HOME=str(tmp_path / "cache"), JGO_CONFIG_FILE=str(settings))
    assert code == 1
    assert "are still to be fetched" in text
    assert "Maven Central cannot be reached" in text


def test_unreachable_databases_are_faults(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    code, text = doctor(
        tmp_path / "data", NEO4J_URI=f"bolt://{nowhere}", NEO4J_PASSWORD="x" * 8, REDIS_URL=f"redis://{nowhere}"
    )
    assert code == 1
    assert "Neo4j is not reachable" in text
    assert "Redis is not reachable" in text


def test_a_wrong_password_is_said_and_never_shown(
    tmp_path: Path, neo4j_server: Neo4jAddress, redis_server: RedisAddress
) -> None:
    code, text = doctor(
        tmp_path / "data", NEO4J_URI=neo4j_server.uri, NEO4J_PASSWORD="not-the-password", REDIS_URL=redis_server.url
    )
    assert code == 1
    assert "refused the user or password" in text
    assert "maxmemory-policy is noeviction" in text
    assert "not-the-password" not in text


@pytest.mark.parametrize("value", ["ten", "1.5x"])
def test_a_setting_that_does_not_fit_is_named_without_its_value(tmp_path: Path, value: str) -> None:
    code, text = doctor(tmp_path / "data", CONSTINTEL_GROUP_COMMIT_WRITERS=value)
    assert code == 1
    assert "group_commit_writers" in text
    assert value not in text
