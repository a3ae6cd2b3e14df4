"""Seals texts that are kept where others may read or write: hidden, bound to what they are about, changed by nobody.

AES-SIV (RFC 5297) with 256-bit keys that follow from the secret by HKDF. It needs no random number, so equal texts
about the same thing have equal seals, and what is written again is the same again.
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import ConstIntelError

# One key marks, the other one hides.
_KEY_BYTES = 64
_PURPOSE = b"constintel seal"


class BrokenSealError(ConstIntelError):
    """A sealed text that was changed, belongs elsewhere or was sealed with another key."""

    code = "broken_seal"


class Sealer:
    """Seals and opens with one secret of at least 128 bits of chance."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret))

    def seal(self, plain: str, about: str) -> str:
        """`plain` hidden, in base64; `about` says where it belongs and has to be told again to open it."""
        return base64.b64encode(self._cipher.encrypt(plain.encode(), [about.encode()])).decode()

    def open(self, sealed: str, about: str) -> str:
        """What `seal` hid; raises BrokenSealError."""
        try:
            raw = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BrokenSealError("A sealed text is damaged.") from error
        try:
            return self._cipher.decrypt(raw, [about.encode()]).decode()
        except InvalidTag as error:
            raise BrokenSealError("A sealed text was changed or sealed with another key.") from error
