"""Senders of all sources for the tests of the API: each signs as the real one does and posts to its brand's address."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from core.clock import utc_now
from ingest.sources.signing import (
    pos_headers,
    shopify_headers,
    stripe_headers,
    twilio_form,
    woocommerce_headers,
    zendesk_headers,
)
from tests.integration.api.conftest import Tenant

SOURCES = ("shopify", "woocommerce", "twilio", "pos", "stripe", "zendesk")
SHOP = "first.example"
SITE = "https://shop.example/"


@dataclass(frozen=True, slots=True)
class Sender:
    """One brand's senders; `secret` stands for the right one of every source when it is given."""

    tenant: Tenant
    secret: str | None = None
    at: datetime | None = None

    def url(self, source: str) -> str:
        """The brand's own address of a source."""
        return self.tenant.url + self.path(source)

    def path(self, source: str) -> str:
        """The address without its host."""
        return str(self.tenant.created["webhook_urls"][source])

    def secret_of(self, source: str) -> str:
        """What the source signs with."""
        return self.secret or str(self.tenant.created["webhook_secrets"][source])

    def headers(self, source: str, content: bytes, topic: str = "") -> dict[str, str]:
        """The headers of a delivery whose body is `content`; each call is another delivery."""
        secret = self.secret_of(source)
        at = self.at or utc_now()
        if source == "shopify":
            webhook_id = f"w-{topic}-{hash(content)}"
            return shopify_headers(secret, content, topic=topic or "orders/create", shop=SHOP, webhook_id=webhook_id)
        if source == "woocommerce":
            return woocommerce_headers(
                secret, content, topic=topic or "order.created", site=SITE, delivery_id="always-the-same"
            )
        if source == "pos":
            return pos_headers(secret, content, at)
        if source == "stripe":
            return stripe_headers(secret, content, at)
        if source == "zendesk":
            return zendesk_headers(secret, content, at)
        raise AssertionError(source)

    def post(self, source: str, content: bytes, topic: str = "") -> httpx.Response:
        """Deliver bytes as they are; Twilio's are a form."""
        if source == "twilio":
            fields = httpx.QueryParams(content.decode())
            headers, content = twilio_form(self.secret_of(source), self.url(source), dict(fields))
        else:
            headers = self.headers(source, content, topic)
        return httpx.post(self.url(source), content=content, headers=headers, timeout=30)

    def send(self, source: str, body: Any, topic: str = "") -> dict[str, Any]:
        """Deliver a body that must be taken; its answer."""
        content = str(httpx.QueryParams(body)).encode() if source == "twilio" else json.dumps(body).encode()
        answer = self.post(source, content, topic)
        assert answer.status_code == 200, answer.text
        taken: dict[str, Any] = answer.json()
        return taken
