"""What a Shopify delivery says in its headers; the newer ones have the same names without `X-`."""

from datetime import datetime

from core.brand import BrandSettings
from core.clock import parse_time
from ingest.sources.webhook import WebhookRequest
from ingest.steps.extract import source_scope

NAME = "shopify"


def topic_of(request: WebhookRequest) -> str:
    """`orders/create` and the like, in lower case."""
    return request.header("x-shopify-topic", "shopify-topic").strip().lower()


def shop_of(request: WebhookRequest) -> str:
    """The shop's domain, in lower case."""
    return request.header("x-shopify-shop-domain", "shopify-shop-domain").strip().lower()


def webhook_id_of(request: WebhookRequest) -> str:
    """The delivery's id; a redelivery has the same."""
    return request.header("x-shopify-webhook-id", "shopify-webhook-id").strip()


def scope_of(request: WebhookRequest, settings: BrandSettings) -> str:
    """The source part of this shop's external ids."""
    return source_scope(NAME, shop_of(request), settings)


def triggered_at(request: WebhookRequest) -> datetime:
    """When the change happened, for bodies that hold no time; else now."""
    stated = parse_time(request.header("x-shopify-triggered-at", "shopify-triggered-at").strip())
    return min(stated, request.now) if stated is not None else request.now
