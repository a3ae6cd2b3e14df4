"""One signed message to one address (Standard Webhooks): a bounded time, no redirects, no body read."""

import asyncio
import secrets
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import httpx
from standardwebhooks import Webhook

from core.settings import Settings
from ingest.changes.addresses import AddressRefusedError, find_target

SECRET_PREFIX = "whsec_"  # noqa: S105 (the prefix of secrets, not one)
_SECRET_BYTES = 32
_AGENT = "ConstIntel-Webhooks/1.0"
_MAX_RETRY_AFTER = timedelta(hours=1)
_MAX_DIGITS = 6
_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient deliveries are, and whether they may stay inside the network."""

    timeout_seconds: float = 10.0
    allow_private: bool = False
    first_retry: timedelta = timedelta(seconds=5)
    longest_retry: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(days=5)


def policy_from(settings: Settings) -> Policy:
    """What the installation's settings say."""
    return Policy(
        timeout_seconds=settings.webhook_timeout_seconds,
        allow_private=settings.webhook_private_addresses,
        give_up_after=timedelta(days=settings.webhook_give_up_days),
    )


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: its id stays the same however often it is tried."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one try went: the status that came back, or why none did."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and self.status in _OK


def new_secret() -> str:
    """A secret in the form that Standard Webhooks asks for."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(message: Message, keys: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers that prove who sent it and when, with one signature for each secret."""
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message.id, now, message.body) for key in keys),
        "content-type": "application/json",
        "user-agent": _AGENT,
    }


def open_client() -> httpx.AsyncClient:
    """A client for one webhook: connections are never shared between receivers, proxies of the machine not used."""
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_tls(), timeout=None)  # noqa: S113 (bounded in send)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


async def send(client: httpx.AsyncClient, url: str, headers: dict[str, str], body: str, policy: Policy) -> Attempt:
    """Try once; whatever goes wrong on the way is in the answer."""
    started = time.monotonic()
    status, error, retry_after = None, None, None
    try:
        async with asyncio.timeout(policy.timeout_seconds):
            target = await find_target(url, allow_private=policy.allow_private)
            async with client.stream(
                "POST",
                target.url,
                content=body,
                headers={**headers, "host": target.host_header},
                extensions={"sni_hostname": target.server_name},
            ) as answer:
                status = answer.status_code
                retry_after = _retry_after(answer.headers.get("retry-after"))
    except TimeoutError:
        error = "timeout"
    except AddressRefusedError:
        error = "address_refused"
    except socket.gaierror:
        error = "name_not_found"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError):
        error = "connection_failed"
    if status is not None and status not in _OK:
        error = f"status_{status}"
    return Attempt(status, error, round((time.monotonic() - started) * 1000), retry_after)


def _retry_after(text: str | None) -> timedelta | None:
    """Seconds that the receiver asks for; dates are rare and left out."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        return None
    return min(timedelta(seconds=int(text)), _MAX_RETRY_AFTER)
