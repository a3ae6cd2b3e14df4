"""Jars are what the lock says or are fetched again; the servers keep what they are told to keep."""

import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis as redis_client
from pydantic import SecretStr

from core.errors import ConfigurationError
from core.settings import Settings
from embedded import jars, maven
from embedded.jars import Jar, ensure_jars, examine_jars, read_lock
from embedded.neo4j import Neo4jOptions, start_neo4j
from embedded.neo4j_conf import TEST_SIZES, neo4j_conf, service_sizes
from embedded.process import free_port
from embedded.redis import find_redis_server, launch_redis
from graph.driver import Graph

CONTENT = {"org.example:one:1.0": b"first jar" * 500, "org.example:two:2.0:linux": b"second jar" * 700}


class Repository:
    """A Maven repository on this machine, whose files a test may spoil."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        handler = partial(_Quiet, directory=str(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.jars = [Jar(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in CONTENT.items()]
        for jar in self.jars:
            self.publish(jar, CONTENT[jar.coordinate])

    def publish(self, jar: Jar, content: bytes) -> None:
        path = self.folder / jar.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is about the test."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The machine's own settings point jgo to a repository here; the lock names its two jars."""
    made = Repository(tmp_path / "repository")
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[settings]\nrepo_cache = {tmp_path / 'm2'}\n[repositories]\ncentral = {made.url}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.delenv("M2_REPO", raising=False)
    monkeypatch.setattr(jars, "read_lock", lambda: made.jars)
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_the_jars_of_the_lock_are_fetched_whole(repository: Repository, tmp_path: Path) -> None:
    found = ensure_jars(tmp_path / "store")
    assert [path.read_bytes() for path in found] == list(CONTENT.values())
    assert examine_jars(tmp_path / "store") == ([], [])
    assert not list((tmp_path / "store").glob(".part-*"))


def test_a_verified_store_needs_no_network(repository: Repository, tmp_path: Path) -> None:
    first = ensure_jars(tmp_path / "store")
    shutil.rmtree(repository.folder)
    assert ensure_jars(tmp_path / "store") == first


@pytest.mark.parametrize("damage", ["cut off", "changed", "gone"])
def test_a_bad_jar_is_found_and_fetched_again(
    repository: Repository, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ensure_jars(tmp_path / "store")[0]
    good = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(good[: len(good) // 2] if damage == "cut off" else b"X" + good[1:])
        assert examine_jars(tmp_path / "store")[0] == [repository.jars[0].coordinate]
    assert ensure_jars(tmp_path / "store")[0].read_bytes() == good
    assert ("damaged or was only half downloaded" in capsys.readouterr().err) == (damage != "gone")


def test_a_download_that_does_not_match_the_lock_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.publish(repository.jars[1], b"something else entirely")
    with pytest.raises(ConfigurationError, match=r"two-2\.0-linux\.jar .* does not match the SHA-256"):
        ensure_jars(tmp_path / "store")
    assert not (tmp_path / "store" / repository.jars[1].path).exists()


def test_without_a_network_the_message_says_what_to_do(repository: Repository, tmp_path: Path) -> None:
    dead = tmp_path / "jgo.conf"
    dead.write_text(dead.read_text().replace(repository.url, f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(ConfigurationError, match=r"Check the network, a proxy .* or a mirror"):
        ensure_jars(tmp_path / "store")
    assert maven.why_unreachable() is not None


def test_a_jar_of_the_machines_own_repository_is_taken(repository: Repository, tmp_path: Path) -> None:
    shutil.copytree(repository.folder, tmp_path / "m2")
    shutil.rmtree(repository.folder)
    assert len(ensure_jars(tmp_path / "store")) == 2


def test_a_mirror_of_maven_central_is_read_from_settings(tmp_path: Path) -> None:
    settings = tmp_path / "settings.xml"
    mirror = "<settings><mirrors><mirror><mirrorOf>{}</mirrorOf><url>http://mirror.example/m2/</url></mirror></mirrors></settings>"
    for covered, expected in (
        ("central", True),
        ("*", True),
        ("external:*", True),
        ("other", False),
        ("*,!central", False),
    ):
        settings.write_text(mirror.format(covered))
        assert maven.find_mirror(settings) == ("http://mirror.example/m2" if expected else None)
    assert maven.find_mirror(tmp_path / "missing.xml") is None


def test_the_committed_lock_pins_every_jar() -> None:
    locked = read_lock()
    assert len(locked) > 200
    assert len({jar.path for jar in locked}) == len(locked)
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
    assert locked[0].coordinate == "org.neo4j:neo4j:5.26.31"


def test_sizes_follow_the_machine_within_limits() -> None:
    sizes = service_sizes()
    assert 512 <= sizes.heap <= 4096
    assert 128 <= sizes.page_cache <= 4096


def test_the_generated_configuration_listens_on_loopback_only(tmp_path: Path) -> None:
    text = neo4j_conf(tmp_path, 1, 2, TEST_SIZES)
    addresses = [line for line in text.splitlines() if "address" in line]
    assert addresses
    assert all("=127.0.0.1" in line for line in addresses)


def test_two_servers_on_one_store_do_not_start_and_the_password_is_private(tmp_path: Path) -> None:
    home = tmp_path / "neo4j"
    first = start_neo4j(Neo4jOptions(home, sizes=TEST_SIZES))
    try:
        first.wait_until_started()
        assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600
        assert first.password not in repr(first)
        settings = Settings(neo4j_uri=first.uri, neo4j_password=SecretStr(first.password))
        with Graph.connect(settings) as graph:
            graph.verify()
        stranger = settings.model_copy(update={"neo4j_user": "nobody"})
        with Graph.connect(stranger) as graph, pytest.raises(ConfigurationError):
            graph.verify()
        second = start_neo4j(Neo4jOptions(home, sizes=TEST_SIZES, log=tmp_path / "second.log"))
        try:
            with pytest.raises(ConfigurationError, match="in use by another Neo4j"):
                second.wait_until_started()
        finally:
            second.stop()
    finally:
        first.stop()


def test_redis_keeps_its_data_and_never_evicts(tmp_path: Path) -> None:
    with launch_redis(tmp_path / "redis") as server, redis_client.Redis.from_url(server.url) as client:
        client.xadd("stream", {"kept": "yes"})
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
        os.kill(server.pid, 9)
    with launch_redis(tmp_path / "redis") as server, redis_client.Redis.from_url(server.url) as client:
        assert client.xlen("stream") == 1
        assert stat.S_IMODE((tmp_path / "redis" / "password").stat().st_mode) == 0o600


def test_redis_refuses_a_caller_without_the_password(tmp_path: Path) -> None:
    with launch_redis(tmp_path / "redis") as server:
        with redis_client.Redis(port=server.port) as client, pytest.raises(redis_client.AuthenticationError):
            client.ping()
        assert find_redis_server().exists()
