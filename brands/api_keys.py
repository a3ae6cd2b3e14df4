"""API keys: made once, kept as a digest, checked for every request from a short-lived cache.

`ck_<id>_<secret>` is a key of a brand's own systems with scopes (admin, ingest, read; `platform` is the operator's);
`wk_<id>_<secret>` is a write key for browsers and apps and may only send events. The secret has 256 random bits, so one
SHA-256 is as good as a slow hash.
"""

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass
from typing import Literal

from graph.repositories.brands import ApiKeyRecord

Scope = Literal["admin", "ingest", "platform", "read"]

ADMIN_SCOPES: frozenset[str] = frozenset({"admin", "ingest", "read"})
# Making brands is the operator's: a tenant's own keys, admin or not, stay inside the tenant.
PLATFORM_SCOPES: frozenset[str] = ADMIN_SCOPES | {"platform"}
WRITE_KEY_SCOPES: frozenset[str] = frozenset({"ingest"})

_ID_ALPHABET = string.ascii_lowercase + string.digits
_ID_LENGTH = 12
_PREFIX_LENGTH = 3
_SECRET_LENGTH = 43
_SECRET_START = _PREFIX_LENGTH + _ID_LENGTH + 1
KEY_LENGTH = _SECRET_START + _SECRET_LENGTH
_PREFIXES = {"api": "ck_", "write": "wk_"}


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key: `text` is shown once, `record` is what is kept."""

    text: str
    record: ApiKeyRecord


def issue_key(brand: str, kind: str, scopes: frozenset[str]) -> IssuedKey:
    """Make a key of `kind` (`api` or `write`) for `brand`; nothing is stored yet."""
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
    secret = secrets.token_urlsafe(32)
    record = ApiKeyRecord(id=key_id, brand=brand, kind=kind, scopes=scopes, hash=_digest(secret))
    return IssuedKey(f"{_PREFIXES[kind]}{key_id}_{secret}", record)


def key_id_of(text: str) -> str | None:
    """The id inside a key text, None when it does not have the shape of a key."""
    has_shape = len(text) == KEY_LENGTH and text.startswith(("ck_", "wk_")) and text[_SECRET_START - 1] == "_"
    return text[_PREFIX_LENGTH : _SECRET_START - 1] if has_shape and text.isascii() else None


def matches(text: str, record: ApiKeyRecord) -> bool:
    """Whether `text` is the whole key of `record`, compared in constant time; kinds do not stand in for each other."""
    return text.startswith(_PREFIXES[record.kind]) and hmac.compare_digest(_digest(text[_SECRET_START:]), record.hash)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
