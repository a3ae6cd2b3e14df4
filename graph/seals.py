"""The installation's key: seals secrets that the graph keeps, so that a copy of the database gives nobody a credential.

It is `CONSTINTEL_SECRET_KEY`, or a file of the data directory that the first process to need it makes.
"""

import os
import secrets
from functools import cached_property
from pathlib import Path

from core.errors import ConfigurationError
from core.sealing import Sealer
from core.settings import Settings

KEY_FILE = "secret.key"
_LEAST = 32
_SEALED = "sealed:"
# Names the form; a seal of another one is refused, not taken for the secret itself.
_PREFIX = f"{_SEALED}v2:"
_KEY_BYTES = 32


class Seals:
    """Seals and opens with the installation's key, which is looked for at its first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.is_claimed = False
        """Whether this process knows that the installation seals with this key."""

    @cached_property
    def _sealer(self) -> Sealer:
        stated = self._settings.secret_key
        key = stated.get_secret_value() if stated is not None else _read_or_make(self._settings.data_dir / KEY_FILE)
        if len(key) < _LEAST:
            raise ConfigurationError(f"The installation's key needs {_LEAST} characters or more.")
        return Sealer(key.encode())

    @cached_property
    def mark(self) -> str:
        """Tells this key from another; nothing follows from it."""
        return self._sealer.seal("", "mark of the key")

    def seal(self, plain: str, about: str) -> str:
        """`plain` sealed; `about` names what it belongs to. Raises ConfigurationError for a key that is none."""
        return _PREFIX + self._sealer.seal(plain, about)

    def open(self, stored: str, about: str) -> str:
        """What was sealed, or a text from before there were seals as it is; raises BrokenSealError."""
        return self._sealer.open(stored.removeprefix(_PREFIX), about) if stored.startswith(_SEALED) else stored


def _read_or_make(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} cannot be read or made: set CONSTINTEL_SECRET_KEY or the data dir."
        ) from error


def _make(path: Path) -> None:
    """Whole or not at all; of two processes the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
