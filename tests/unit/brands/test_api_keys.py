"""Keys: their shape, what is kept of them, and what does not open a door."""

import hashlib
import re

import pytest

from brands.api_keys import ADMIN_SCOPES, WRITE_KEY_SCOPES, issue_key, key_id_of, matches


@pytest.mark.parametrize(("kind", "prefix"), [("api", "ck"), ("write", "wk")])
def test_a_key_has_its_documented_shape(kind: str, prefix: str) -> None:
    for _ in range(50):
        key = issue_key("acme", kind, ADMIN_SCOPES)
        assert re.fullmatch(prefix + r"_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", key.text)
        assert key_id_of(key.text) == key.record.id
        assert matches(key.text, key.record)


def test_only_the_digest_of_the_secret_is_kept() -> None:
    key = issue_key("acme", "api", ADMIN_SCOPES)
    secret = key.text[16:]
    assert key.record.hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(key.record)


def test_keys_of_another_kind_or_with_one_other_letter_do_not_match() -> None:
    key = issue_key("acme", "api", ADMIN_SCOPES)
    other = issue_key("acme", "write", WRITE_KEY_SCOPES)
    assert not matches("wk" + key.text[2:], key.record)
    assert not matches(other.text, key.record)
    last = "A" if key.text[-1] != "A" else "B"
    assert not matches(key.text[:-1] + last, key.record)


@pytest.mark.parametrize(
    "text", ["", "ck_", "ck_short_x", "xx_" + "a" * 12 + "_" + "b" * 43, "ck_" + "a" * 56, "é" * 59]
)
def test_what_has_no_shape_of_a_key_has_no_id(text: str) -> None:
    assert key_id_of(text) is None
