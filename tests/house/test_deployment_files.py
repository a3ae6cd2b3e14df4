"""docker-compose.yml and Containerfile name what the code knows; no container engine is needed to see that."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import COMMANDS, _load
from core.settings import variable_names

ROOT = Path(__file__).parents[2]
OURS = ("migrate", "api", "worker", "beat")
_IMAGE_VARIABLES = frozenset({"PYTHONUNBUFFERED", "PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"})


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return content


def test_compose_has_all_parts(compose: dict[str, Any]) -> None:
    assert {"neo4j", "redis", "api", "worker", "beat"} <= set(compose["services"])
    assert compose["services"]["neo4j"]["image"].startswith("neo4j:5.26")


@pytest.mark.parametrize("service", OURS)
def test_every_variable_of_compose_is_a_setting(compose: dict[str, Any], service: str) -> None:
    named = set(compose["services"][service]["environment"])
    assert named <= set(variable_names().values())
    assert {"NEO4J_URI", "NEO4J_PASSWORD", "REDIS_URL"} <= named


@pytest.mark.parametrize("service", OURS)
def test_every_command_of_compose_is_one_of_ours(compose: dict[str, Any], service: str) -> None:
    name, *words = compose["services"][service]["command"]
    assert name in COMMANDS
    options = {option for parameter in _load(name).params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_api_and_workers_share_the_folder_of_uploads(compose: dict[str, Any]) -> None:
    api, worker = (compose["services"][name]["volumes"] for name in ("api", "worker"))
    assert api == worker
    assert api[0].endswith(":/data")


def test_only_loopback_ports_are_opened(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_installs_the_lock_and_does_not_run_as_root() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert "--require-hashes --no-deps -r requirements.lock" in text
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
    named = set(re.findall(r"\b([A-Z][A-Z_]+)=", text))
    assert named <= _IMAGE_VARIABLES | set(variable_names().values())
    default = re.search(r"^CMD \[\"(\w+)\"", text, re.MULTILINE)
    assert default is not None
    assert default[1] in COMMANDS


def test_continuous_integration_runs_the_test_command_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ['exec "$(dirname -- "$0")/../constintel" test']


def test_every_registered_command_loads_and_explains_itself() -> None:
    for name in COMMANDS:
        command = _load(name)
        assert command.help, name
        assert isinstance(command.name, str)
        assert not isinstance(command, typer.Typer)
