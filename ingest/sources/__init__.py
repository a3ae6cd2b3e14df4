"""The senders we read webhooks of: SOURCES maps a source's name to how it is proven and read."""

from ingest.sources.pos import POS
from ingest.sources.shopify import SHOPIFY
from ingest.sources.stripe import STRIPE
from ingest.sources.twilio import TWILIO
from ingest.sources.webhook import Read, Source, Unread, WebhookRequest
from ingest.sources.woocommerce import WOOCOMMERCE
from ingest.sources.zendesk import ZENDESK

SOURCES: dict[str, Source] = {source.name: source for source in (SHOPIFY, WOOCOMMERCE, TWILIO, POS, STRIPE, ZENDESK)}

__all__ = ["SOURCES", "Read", "Source", "Unread", "WebhookRequest"]
