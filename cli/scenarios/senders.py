"""Scenario, second step: one step of a story as an HTTP request, webhooks signed as the real senders sign."""

from dataclasses import dataclass
from typing import Any

import msgspec

from cli.service import BrandAccess, ServiceClient
from core.clock import utc_now
from ingest.sources.signing import pos_headers, shopify_headers, twilio_form, twilio_json, woocommerce_headers

_SHOP = "scenario.myshopify.com"
_SITE = "https://shop.example/"


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends the steps of one story into one brand of the service at `url`."""

    client: ServiceClient
    brand: BrandAccess
    url: str
    story: str

    def send(self, request: dict[str, Any], place: int) -> Any:
        """Send step number `place` and answer its JSON; raises RefusedError for everything but success."""
        if "webhook" in request:
            path, headers, content = self._sign(request)
            return self.client.deliver(path, content, headers)
        # A command sent once more must be the same command; an event is known by its content.
        is_event = request["path"].startswith("/api/events")
        key = None if is_event else f"scenario-{self.story}-{place}"
        return self.client.post(request["path"], request["body"], key=key)

    def _sign(self, request: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
        source = request["webhook"]
        path, secret = self.brand.webhook_urls[source], self.brand.webhook_secrets[source]
        body = msgspec.json.encode(request["body"])
        if source == "twilio" and request.get("form"):
            headers, body = twilio_form(secret, self.url + path, {k: str(v) for k, v in request["body"].items()})
        elif source == "twilio":
            headers, full_url = twilio_json(secret, self.url + path, body)
            path = full_url.removeprefix(self.url)
        elif source == "shopify":
            headers = shopify_headers(
                secret, body, topic=request["topic"], shop=_SHOP, webhook_id=request["delivery_id"]
            )
        elif source == "woocommerce":
            headers = woocommerce_headers(
                secret, body, topic=request["topic"], site=_SITE, delivery_id=request["delivery_id"]
            )
        else:
            headers = pos_headers(secret, body, utc_now())
        return path, headers, body
