"""Sealed texts open only whole, in their place and with their key."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sealing import BrokenSealError, Sealer

SEALER = Sealer(b"0123456789abcdef")


@given(st.text(), st.text())
def test_what_is_sealed_opens_as_it_was(plain: str, about: str) -> None:
    assert SEALER.open(SEALER.seal(plain, about), about) == plain


def test_equal_texts_have_equal_seals_in_one_place_and_others_elsewhere() -> None:
    assert SEALER.seal("secret", "a") == SEALER.seal("secret", "a")
    assert SEALER.seal("secret", "a") != SEALER.seal("secret", "b")
    assert b"secret" not in base64.b64decode(SEALER.seal("secret", "a"))


@given(st.text(min_size=1), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_changed_byte_goes_unseen(plain: str, place: int, change: int) -> None:
    raw = bytearray(base64.b64decode(SEALER.seal(plain, "a")))
    raw[place % len(raw)] ^= change
    with pytest.raises(BrokenSealError):
        SEALER.open(base64.b64encode(raw).decode(), "a")


@pytest.mark.parametrize("sealed", ["", "=", "plain text", "QUJD", "é"])
def test_what_is_no_seal_is_refused(sealed: str) -> None:
    with pytest.raises(BrokenSealError):
        SEALER.open(sealed, "a")


def test_another_place_or_key_does_not_open_it() -> None:
    sealed = SEALER.seal("secret", "a")
    for sealer, about in ((SEALER, "b"), (Sealer(b"another"), "a")):
        with pytest.raises(BrokenSealError):
            sealer.open(sealed, about)


def test_many_threads_share_one_sealer() -> None:
    def around(number: int) -> bool:
        text = f"{number} " * (number % 50)
        return SEALER.open(SEALER.seal(text, str(number)), str(number)) == text

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(around, range(500)))


def test_a_seal_of_today_opens_tomorrow() -> None:
    """What is stored has to open after an update: a change of keys or cipher needs another form of stored texts."""
    sealed = "zeIPDsjqsb0+7MBm7HCkxDyDWgSljQ=="
    assert SEALER.open(sealed, "about it") == "secret"
