"""The cache of keys and settings: fresh for its time, and the last known value while the database is away."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from brands.cache import FreshCache
from core.errors import UnavailableError


class Loader:
    """Counts its calls; answers, or fails as a database that is away does."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_away = False
        self.value: str | None = "v"

    def __call__(self, key: str) -> str | None:
        self.calls += 1
        if self.is_away:
            raise UnavailableError("away")
        return self.value


def test_a_fresh_value_is_loaded_once() -> None:
    loader = Loader()
    cache: FreshCache[str, str] = FreshCache(loader, ttl=60)
    assert cache.peek("k") is None
    assert [cache.get("k"), cache.get("k"), cache.peek("k")] == ["v", "v", "v"]
    assert loader.calls == 1


def test_an_old_value_is_loaded_again_and_a_forgotten_one_too() -> None:
    loader = Loader()
    cache: FreshCache[str, str] = FreshCache(loader, ttl=0)
    cache.get("k")
    loader.value = None
    assert cache.get("k") is None
    lasting: FreshCache[str, str] = FreshCache(loader, ttl=60)
    loader.value = "v"
    lasting.get("k")
    loader.value = "w"
    lasting.forget("k")
    assert lasting.get("k") == "w"


def test_a_known_value_outlives_an_outage_and_an_unknown_one_fails() -> None:
    loader = Loader()
    cache: FreshCache[str, str] = FreshCache(loader, ttl=0)
    cache.get("known")
    loader.is_away = True
    assert cache.get("known") == "v"
    with pytest.raises(UnavailableError):
        cache.get("unknown")


def test_a_load_that_hangs_holds_nobody_who_has_a_known_value() -> None:
    released = threading.Event()
    loader = Loader()

    def slow(key: str) -> str | None:
        if loader.calls:
            assert released.wait(30)
        return loader(key)

    cache: FreshCache[str, str] = FreshCache(slow, ttl=0)
    cache.get("k")
    loader.value = "w"
    assert cache.get("k") == "v"
    released.set()
    cache.forget("k")
    assert cache.get("k") == "w"


def test_of_many_that_ask_at_once_one_load_serves_all() -> None:
    released = threading.Event()
    loader = Loader()

    def slow(key: str) -> str | None:
        assert released.wait(30)
        return loader(key)

    cache: FreshCache[str, str] = FreshCache(slow, ttl=60)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(cache.get, "k") for _ in range(8)]
        released.set()
        assert {one.result() for one in asked} == {"v"}
    assert loader.calls == 1


def test_a_load_that_began_before_a_change_is_not_kept() -> None:
    entered, released = threading.Event(), threading.Event()
    loader = Loader()

    def slow(key: str) -> str | None:
        found = loader(key)
        entered.set()
        assert released.wait(30)
        return found

    cache: FreshCache[str, str] = FreshCache(slow, ttl=60)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(cache.get, "k")
        assert entered.wait(10)
        loader.value = "w"
        cache.forget("k")
        released.set()
        assert asked.result() == "v"
    assert cache.get("k") == "w"


def test_a_value_that_another_process_saw_counts_until_the_loader_answers() -> None:
    loader = Loader()
    loader.is_away = True
    recalled = {"k": ("old", 10.0), "aged": ("old", 3601.0)}
    cache: FreshCache[str, str] = FreshCache(loader, ttl=60, recall=recalled.get)
    assert cache.get("k") == "old"
    for unknown in ("aged", "other"):
        with pytest.raises(UnavailableError):
            cache.get(unknown)
    loader.is_away = False
    assert cache.get("other") == "v"
    cache.expire("k")
    assert cache.get("k") == "v"


def test_a_renewed_value_is_loaded_at_once_and_no_recalled_one_stands_in_for_it() -> None:
    loader = Loader()
    cache: FreshCache[str, str] = FreshCache(loader, ttl=60, recall={"k": ("old", 10.0)}.get)
    cache.get("k")
    loader.value = "w"
    assert cache.renew("k").result() == "w"
    assert (cache.peek("k"), loader.calls) == ("w", 2)
    loader.is_away = True
    with pytest.raises(UnavailableError):
        cache.renew("k").result()


def test_values_are_forgotten_by_what_they_are() -> None:
    loader = Loader()
    cache: FreshCache[str, str] = FreshCache(loader, ttl=60)
    cache.get("k")
    loader.value = "w"
    cache.get("other")
    cache.forget_where(lambda value: value == "v")
    assert (cache.peek("k"), cache.peek("other")) == (None, "w")
