"""How this layer and the API talk to Redis: never waiting longer than a stated time, whatever the server does."""

import redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

# The library would try ten times, each for the whole time-out. One more try on a new connection is what a restart of
# the server asks for; a server that does not answer is not asked twice.
_TRIES = 1
_WHEN = (redis.ConnectionError,)


def open_redis(url: str, *, connect_seconds: float, answer_seconds: float) -> redis.Redis:
    """A client for threads and tasks; does no network traffic yet."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=connect_seconds,
        socket_timeout=answer_seconds,
        health_check_interval=30,
        retry=Retry(NoBackoff(), _TRIES, _WHEN),
    )


def open_async_redis(url: str, *, connect_seconds: float, answer_seconds: float) -> AsyncRedis:
    """A client for the event loop; does no network traffic yet."""
    return AsyncRedis.from_url(
        url,
        socket_connect_timeout=connect_seconds,
        socket_timeout=answer_seconds,
        retry=AsyncRetry(NoBackoff(), _TRIES, _WHEN),
    )
