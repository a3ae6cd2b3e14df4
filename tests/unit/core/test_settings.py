"""Settings: what the environment says, read as its own conventions mean it."""

from pathlib import Path

import pytest

from core.settings import load_settings


@pytest.mark.parametrize("value", ["", "relative/cache"])
def test_a_cache_home_that_is_empty_or_relative_counts_as_unset(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert load_settings().cache_home == Path.home() / ".cache"


def test_an_absolute_cache_home_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert load_settings().cache_home == tmp_path
