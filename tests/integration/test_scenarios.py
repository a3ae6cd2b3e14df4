"""The commands against a whole running installation: stories, generated histories, and public data."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.scenarios.stories import story_names
from cli.service import ServiceClient
from insight.profile360 import SECTIONS
from tests.house.installation import running_up


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a running `up`."""
    path = tmp_path_factory.mktemp("commands") / "data"
    with running_up(path) as up:
        up.wait_until_running()
        yield path


def run(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One `constintel` command, as an operator runs it."""
    program = str(Path(sys.executable).with_name("constintel"))
    command = [program, *arguments, "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("name", story_names())
def test_a_story_ends_as_expected_twice_and_does_nothing_when_sent_again(data_dir: Path, name: str) -> None:
    done = run(data_dir, "scenario", name, "--twice", "--replay", "--wait", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert f"{name}: the second brand ends the same" in done.stdout
    assert "nothing changed" in done.stdout


def test_a_played_brand_can_be_sent_its_story_later(data_dir: Path) -> None:
    played = run(data_dir, "scenario", "churn-risk")
    [brand] = re.findall(r"\(brand ([\w-]+)\)", played.stdout)
    record = data_dir / "scenarios" / f"{brand}.json"
    assert record.stat().st_mode & 0o077 == 0
    assert json.loads(record.read_text())["story"] == "churn-risk"
    done = run(data_dir, "scenario", "--again", brand)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing changed" in done.stdout


def test_generated_histories_are_told_apart_and_scored(data_dir: Path) -> None:
    done = run(data_dir, "generate", "--orders", "60", "--shared-device-rate", "0", "--until", "2026-10-01")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"precision ([\d.]+), recall ([\d.]+), F1 ([\d.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) == 1.0
    assert float(found[2]) > 0.6


def _every_profile(data_dir: Path) -> dict[str, Any]:
    """Version, events and money of every live profile, and how many reviews wait."""
    written = json.loads((data_dir / "credentials.json").read_text())
    with ServiceClient(written["url"], written["api_key"]) as client:
        profiles = list(client.pages("/api/profiles"))
        return {
            "reviews": sum(1 for _ in client.pages("/api/reviews", status="pending")),
            "movements": sum(1 for _ in client.pages("/api/inventory/movements")),
            **{one["id"]: (one["version"], one["event_count"], one["lifetime_value"]) for one in profiles},
        }


def test_the_demo_fills_every_section_and_changes_nothing_when_sent_again(data_dir: Path) -> None:
    done = run(data_dir, "demo", "--customers", "40", "--wait", "90")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 1 reviews that wait" in done.stdout
    links = re.findall(r"http\S+/api/\S+", done.stdout)
    written = json.loads((data_dir / "credentials.json").read_text())
    with ServiceClient(written["url"], written["api_key"]) as client:
        for link in links:
            assert client.get(link.removeprefix(written["url"])), link
        star = client.get(links[0].removeprefix(written["url"]))
        kinds = {item["type"] for item in client.pages(f"/api/customer360/{star['id']}/timeline")}
        leaving = client.get(links[1].removeprefix(written["url"]))
        parted = client.get(links[4].removeprefix(written["url"]))
        told = {item["type"] for item in client.pages(f"/api/customer360/{parted['id']}/timeline")}
    sections = {name: star[name] for name in SECTIONS}
    # Nothing is sent by campaigns yet.
    assert sections.pop("campaigns") == []
    assert all(sections.values()), sections
    assert star["merges"]["count"] > 0
    assert "active" in {visit["status"] for visit in star["visits"]}
    assert {"purchase", "pos_transaction", "consent_changed", "merge", "ticket_created", "store_visit"} <= kinds
    assert (leaving["predictions"]["churn"]["band"], leaving["journey"]["at_risk"]) == ("high", True)
    assert "unmerge" in told
    before = _every_profile(data_dir)
    again = run(data_dir, "demo", "--customers", "40", "--wait", "90")
    assert again.returncode == 0, again.stdout + again.stderr
    [events, repeats] = re.findall(r"(\d+) events in [\d.]+ s \((\d+) were", again.stdout)[0]
    assert events == repeats
    assert _every_profile(data_dir) == before


def test_cdnow_comes_back_right_to_the_cent(data_dir: Path) -> None:
    done = run(data_dir, "example", "cdnow", "--limit", "3000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("  ok\n") == 2


def test_a_command_without_a_service_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere", "scenario", "churn-risk")
    assert done.returncode == 1
    assert "constintel up" in done.stderr
    assert "Traceback" not in done.stderr
