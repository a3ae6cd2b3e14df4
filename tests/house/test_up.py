"""`up` as its operator meets it: real processes, real signals."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from embedded.process import free_port
from tests.house.installation import RunningUp, is_alive, own_environment, running_up, wait_until

SCRIPT = Path(__file__).parents[2] / "constintel"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    with running_up(tmp_path_factory.mktemp("up") / "data", "--workers", "2") as up:
        up.wait_until_running()
        yield up


def is_healthy(up: RunningUp) -> bool:
    answer = httpx.get(f"{up.credentials()['url']}/api/monitoring/health", timeout=10)
    return bool(answer.json()["status"] == "ok")


def test_credentials_have_the_agreed_shape_and_are_private(installation: RunningUp) -> None:
    found = installation.credentials()
    assert stat.S_IMODE((installation.data_dir / "credentials.json").stat().st_mode) == 0o600
    assert set(found) == {"brand", "api_key", "url", "neo4j", "redis", "pids"}
    assert set(found["neo4j"]) == {"uri", "user", "password", "browser"}
    assert set(found["pids"]) == {"supervisor", "api", "workers", "neo4j", "redis"}
    assert found["brand"] == "demo"
    assert (len(found["pids"]["api"]), len(found["pids"]["workers"])) == (2, 3)
    assert found["pids"]["supervisor"] == installation.process.pid
    assert all(is_alive(pid) for pid in installation.pids())


def test_the_addresses_printed_answer(installation: RunningUp) -> None:
    found = installation.credentials()
    for address in (found["url"] + "/docs", found["neo4j"]["browser"]):
        assert address in installation.text()
        assert httpx.get(address, timeout=60).status_code == 200
    key = {"Authorization": f"Bearer {found['api_key']}"}
    assert httpx.get(f"{found['url']}/api/profiles", headers=key, timeout=60).status_code == 200


def test_no_password_stands_on_a_command_line(installation: RunningUp) -> None:
    found = installation.credentials()
    secrets = [found["neo4j"]["password"], found["api_key"], found["redis"]["url"]]
    for pid in installation.descendants():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert not any(secret in words for secret in secrets)


@pytest.mark.parametrize("name", ["api", "worker", "beat", "redis", "neo4j"])
def test_a_child_that_is_killed_runs_again(installation: RunningUp, name: str) -> None:
    def pid_now() -> int:
        pids = installation.credentials()["pids"]
        return int(
            {"api": pids["api"][0], "worker": pids["workers"][0], "beat": pids["workers"][1]}.get(name) or pids[name]
        )

    before = pid_now()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: pid_now() != before, f"{name} has a new process")
    assert is_alive(pid_now())
    wait_until(lambda: is_healthy(installation), "everything is healthy again")


def test_calls_queue_while_every_api_process_is_down(installation: RunningUp) -> None:
    for pid in installation.credentials()["pids"]["api"]:
        os.kill(pid, signal.SIGKILL)
    assert httpx.get(f"{installation.credentials()['url']}/api/monitoring/health", timeout=60).status_code == 200


def script(*arguments: str) -> subprocess.Popen[str]:
    words = [str(Path(sys.executable).with_name("constintel")), *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own_environment())


def test_more_api_processes_can_be_served_beside_it(installation: RunningUp) -> None:
    port = free_port()
    served = script("serve", "--data-dir", str(installation.data_dir), "--port", str(port))
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/api/monitoring/health/ready"), "the second API is ready")
    finally:
        served.send_signal(signal.SIGTERM)
        served.communicate(timeout=30)


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_a_second_worker_joins_and_leaves(installation: RunningUp) -> None:
    joined = script("worker", "--data-dir", str(installation.data_dir), "--concurrency", "1")
    assert joined.stdout is not None
    try:
        assert any("ready" in line for line in joined.stdout)
    finally:
        joined.send_signal(signal.SIGTERM)
        joined.communicate(timeout=40)


def test_an_import_whose_worker_is_killed_goes_on_and_counts_every_row_once(
    installation: RunningUp, tmp_path: Path
) -> None:
    rows = 4_000
    file = tmp_path / "orders.csv"
    lines = [f"i{number}@example.com,I-{number},1.25,USD,2026-01-01,{'x' * 60}" for number in range(rows)]
    file.write_text("\n".join(["email,order_id,total,currency,date,note", *lines, ""]), encoding="utf-8")
    access = installation.credentials()
    key = {"Authorization": f"Bearer {access['api_key']}"}
    command = script("import-csv", str(file), "--data-dir", str(installation.data_dir))
    try:
        jobs = f"{access['url']}/api/integrations/csv"
        wait_until(
            lambda: any(job["rows"] for job in httpx.get(jobs, headers=key, timeout=60).json()["items"]), "rows are in"
        )
        os.kill(access["pids"]["workers"][0], signal.SIGKILL)
        out, _ = command.communicate(timeout=240)
    finally:
        command.kill()
    assert command.returncode == 0, out
    assert f"done: {rows} rows, {rows} accepted, 0 repeats, 0 refused" in out


def test_migrate_says_that_nothing_is_to_do(installation: RunningUp) -> None:
    migrated = script("migrate", "--data-dir", str(installation.data_dir))
    out, _ = migrated.communicate(timeout=60)
    assert (migrated.returncode, out) == (0, "the schema is up to date\n")


def test_a_second_up_on_the_same_folder_names_the_first(installation: RunningUp) -> None:
    with running_up(installation.data_dir) as second:
        assert second.process.wait(20) == 1
    assert f"in use by another `constintel up` (process {installation.process.pid})" in second.text()
    assert is_healthy(installation)


@pytest.mark.parametrize("option", ["--port", "--neo4j-port", "--neo4j-http-port"])
def test_a_taken_port_is_named_with_its_holder_and_its_option(
    installation: RunningUp, tmp_path: Path, option: str
) -> None:
    port = httpx.URL(installation.credentials()["url"]).port
    with running_up(tmp_path / "data", option, str(port)) as second:
        assert second.process.wait(60) == 1
    assert f"Port {port} is taken by process" in second.text()
    assert f"choose another port with {option}" in second.text()


def test_sigterm_ends_everything_and_a_new_start_finds_the_data(tmp_path: Path) -> None:
    with running_up(tmp_path / "data") as first:
        before = first.wait_until_running()
        key = {"Authorization": f"Bearer {before['api_key']}"}
        event = {"type": "page_view", "identifiers": {"email": "kept@shop.example"}}
        profile = httpx.post(f"{before['url']}/api/events", json=event, headers=key, timeout=60).json()["profile_id"]
        everything = first.descendants()
        assert len(everything) >= 5
        assert first.terminate() == 0
        assert not any(is_alive(pid) for pid in everything)
    with running_up(tmp_path / "data", "--demo") as second:
        after = second.wait_until_running()
        assert after["api_key"] == before["api_key"]
        assert httpx.get(f"{after['url']}/api/profiles/{profile}", headers=key, timeout=60).json()["id"] == profile
        wait_until(lambda: "the try-out data is loaded" in second.text(), "the try-out data is there")
        assert len(httpx.get(f"{after['url']}/api/profiles", headers=key, timeout=60).json()["items"]) > 20

        # The supervisor is killed: its children end too, and the next start waits for them.
        everything = second.descendants()
        second.process.kill()
        second.process.wait()
        wait_until(
            lambda: not any(is_alive(pid) for pid in everything), "the children of a killed supervisor have ended"
        )


def test_ctrl_c_while_starting_ends_cleanly(tmp_path: Path) -> None:
    with running_up(tmp_path / "data") as up:
        wait_until(lambda: "starting Neo4j" in up.text(), "the start is under way")
        assert up.terminate(signal.SIGINT) == 0
        assert not up.descendants()


def test_a_damaged_database_home_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data" / "neo4j" / "data" / "databases").mkdir(parents=True)
    with running_up(tmp_path / "data") as up:
        assert up.process.wait(60) == 1
    assert "password is missing, but the database has data" in up.text()


def test_help_is_quick_and_lists_every_command() -> None:
    from cli.main import COMMANDS  # noqa: PLC0415 - the command line is what is tested here

    shown = subprocess.run([str(SCRIPT), "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    assert all(name in shown for name in COMMANDS)
