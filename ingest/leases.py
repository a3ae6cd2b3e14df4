"""Leases in Redis: of many processes that could do a periodic piece of work, one does."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import redis

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@contextmanager
def lease(client: redis.Redis, key: str, milliseconds: int) -> Iterator[bool]:
    """Whether the work is this process's now; given back at the end unless it ran out and somebody else holds it."""
    token = secrets.token_hex(16)
    is_mine = bool(client.set(key, token, nx=True, px=milliseconds))
    try:
        yield is_mine
    finally:
        if is_mine:
            client.eval(_RELEASE, 1, key, token)
