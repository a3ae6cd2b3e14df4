"""Brands: the command that makes one, and the answer that shows its secrets once."""

from api.schemas.base import Command, Shape, example

_SOURCES = ("shopify", "woocommerce", "twilio", "pos", "stripe", "zendesk")


class CreateBrandCommand(Command):
    """A new brand."""

    model_config = example({"id": "acme", "name": "Acme Shoes", "region": "US", "currency": "USD"})

    id: str
    name: str = ""
    region: str = "US"
    currency: str = "USD"


class CreatedBrand(Shape):
    """A brand just made; keys and secrets are shown only now."""

    model_config = example({
        "id": "acme",
        "api_key": "ck_<id>_<secret>",
        "write_key": "wk_<id>_<secret>",
        "webhook_secrets": dict.fromkeys(_SOURCES, "<secret>"),
        "webhook_urls": {source: f"/api/integrations/{source}/webhook/<endpoint_id>" for source in _SOURCES},
    })  # fmt: skip

    id: str
    api_key: str
    write_key: str
    webhook_secrets: dict[str, str]
    webhook_urls: dict[str, str]
