"""Leases in Redis: of many processes that could do a periodic piece of work, one does."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was won; scripts that do guarded work compare `token` with what stands under `key`."""

    client: redis.Redis
    key: str
    token: str
    milliseconds: int

    def renew(self) -> bool:
        """Hold it for its full time again; False when it ran out, so that somebody else may hold it."""
        return bool(self.client.eval(_RENEW, 1, self.key, self.token, str(self.milliseconds)))


@contextmanager
def hold_lease(client: redis.Redis, key: str, milliseconds: int) -> Iterator[Lease | None]:
    """The lease when nobody else has it, else None; given back at the end unless it ran out and is another's."""
    token = secrets.token_hex(16)
    if not client.set(key, token, nx=True, px=milliseconds):
        yield None
        return
    try:
        yield Lease(client, key, token, milliseconds)
    finally:
        client.eval(_RELEASE, 1, key, token)


@contextmanager
def lease(client: redis.Redis, key: str, milliseconds: int) -> Iterator[bool]:
    """Whether the work is this process's now; for work that one call does well within `milliseconds`."""
    with hold_lease(client, key, milliseconds) as held:
        yield held is not None
