"""Answers with secrets are kept so that only the key of the first request opens them."""

import json

import pytest

from api.idempotency import _seal, _unseal
from core.errors import ConflictError

ANSWER = json.dumps({"api_key": "ck_000000000000_secret"}).encode()


def test_a_sealed_answer_opens_with_its_key_and_hides_its_text() -> None:
    sealed = _seal(ANSWER, b"Bearer one")
    assert b"secret" not in sealed
    assert _unseal(sealed, b"Bearer one") == ANSWER
    assert sealed != _seal(ANSWER, b"Bearer two")


def test_another_key_does_not_open_it() -> None:
    for number in range(50):
        sealed = _seal(ANSWER, b"Bearer one")
        with pytest.raises(ConflictError):
            _unseal(sealed, f"Bearer {number}".encode())


@pytest.mark.parametrize("stored", [b"", b"{}", ANSWER, bytes(range(256))])
def test_what_was_not_sealed_is_not_given_out(stored: bytes) -> None:
    with pytest.raises(ConflictError):
        _unseal(stored, b"Bearer one")
