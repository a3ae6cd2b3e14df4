"""Seals texts that are kept where others may read or write: hidden, bound to what they are about, changed by nobody.

Built as a synthetic-IV scheme (the construction of RFC 5297) from the standard library: the mark, a keyed digest of all
that is sealed, is also what the key stream begins from. So a seal needs no random number, and equal texts about the
same thing have equal seals.
"""

import base64
import binascii
import hashlib
import hmac

from core.errors import ConstIntelError

_MARK_BYTES = 32


class BrokenSealError(ConstIntelError):
    """A sealed text that was changed, belongs elsewhere or was sealed with another key."""

    code = "broken_seal"


class Sealer:
    """Seals and opens with one secret of at least 128 bits of chance."""

    def __init__(self, secret: bytes) -> None:
        self._mark_key = hmac.digest(secret, b"constintel seal: mark", "sha256")
        self._pad_key = hmac.digest(secret, b"constintel seal: pad", "sha256")

    def seal(self, plain: str, about: str) -> str:
        """`plain` hidden, in base64; `about` says where it belongs and has to be told again to open it."""
        text = plain.encode()
        mark = self._mark(text, about)
        return base64.b64encode(mark + pad(text, self._pad_key, mark)).decode()

    def open(self, sealed: str, about: str) -> str:
        """What `seal` hid; raises BrokenSealError."""
        try:
            raw = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BrokenSealError("A sealed text is damaged.") from error
        mark, text = raw[:_MARK_BYTES], pad(raw[_MARK_BYTES:], self._pad_key, raw[:_MARK_BYTES])
        if not hmac.compare_digest(mark, self._mark(text, about)):
            raise BrokenSealError("A sealed text was changed or sealed with another key.")
        return text.decode()

    def _mark(self, text: bytes, about: str) -> bytes:
        name = about.encode()
        return hmac.digest(self._mark_key, len(name).to_bytes(8, "big") + name + text, "sha256")


def pad(text: bytes, key: bytes, nonce: bytes) -> bytes:
    """`text` under a key stream that begins from `key` and `nonce`; the same again gives it back."""
    stream = hashlib.shake_256(nonce + key).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))
