"""Creating brands: validated settings in, brand with keys and webhook endpoints out; secrets are shown this once."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from brands.api_keys import ADMIN_SCOPES, PLATFORM_SCOPES, WRITE_KEY_SCOPES, issue_key, key_id_of, matches
from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.money import is_currency_code
from graph.driver import Graph
from graph.repositories import brands as repository
from graph.repositories.brands import BrandRecord, EndpointRecord

WEBHOOK_SOURCES = ("shopify", "woocommerce", "twilio", "pos", "stripe", "zendesk")
DEMO_BRAND = "demo"

# A slug: it is part of graph keys (`|` separates them), of addresses and of file names.
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class NewBrand:
    """What an operator says about a new brand; an empty name means the id."""

    id: str
    name: str = ""
    region: str = "US"
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class OnboardedBrand:
    """A brand just created, with the secrets that are shown only now."""

    id: str
    api_key: str
    write_key: str
    endpoints: tuple[EndpointRecord, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON that `brands create` prints and `POST /api/admin/brands` answers."""
        return {
            "id": self.id,
            "api_key": self.api_key,
            "write_key": self.write_key,
            "webhook_secrets": {endpoint.source: endpoint.secret for endpoint in self.endpoints},
            "webhook_urls": {endpoint.source: webhook_path(endpoint) for endpoint in self.endpoints},
        }


def webhook_path(endpoint: EndpointRecord) -> str:
    """Where a source sends its webhooks."""
    return f"/api/integrations/{endpoint.source}/webhook/{endpoint.id}"


def create_brand(graph: Graph, new: NewBrand, key_scopes: frozenset[str] = ADMIN_SCOPES) -> OnboardedBrand:
    """Create a brand; its first key has `key_scopes`.

    Raises InvalidInputError naming the field, ConflictError when the id is taken.
    """
    settings = _check(new)
    admin = issue_key(new.id, "api", key_scopes)
    write = issue_key(new.id, "write", WRITE_KEY_SCOPES)
    endpoints = tuple(
        EndpointRecord(id=secrets.token_hex(16), brand=new.id, source=source, secret=secrets.token_hex(32))
        for source in WEBHOOK_SOURCES
    )
    record = BrandRecord(settings, (admin.record, write.record), endpoints)
    if not repository.create_brand(graph, record, op=secrets.token_hex(16), at=utc_now()):
        raise ConflictError("A brand with this id exists.", field="id")
    return OnboardedBrand(new.id, admin.text, write.text, endpoints)


def add_key(graph: Graph, brand: str, scopes: frozenset[str] = ADMIN_SCOPES) -> str:
    """Give a brand one more key with some of the known scopes; answers its text; raises NotFoundError."""
    key = issue_key(brand, "api", scopes & PLATFORM_SCOPES)
    if not repository.add_api_key(graph, key.record, at=utc_now()):
        raise NotFoundError("No such brand.")
    return key.text


def ensure_demo_brand(graph: Graph, known_key: str | None = None) -> str:
    """The operator's key, of the brand `demo`: `known_key` while it is good, else a new one; makes a missing brand."""
    if repository.find_brand(graph, DEMO_BRAND) is None:
        try:
            return create_brand(graph, NewBrand(DEMO_BRAND, "Demo"), PLATFORM_SCOPES).api_key
        except ConflictError:
            # Another process was faster: its brand is as good as ours.
            return add_key(graph, DEMO_BRAND, PLATFORM_SCOPES)
    if known_key is not None and _is_good_admin_key(graph, known_key):
        return known_key
    return add_key(graph, DEMO_BRAND, PLATFORM_SCOPES)


def _is_good_admin_key(graph: Graph, text: str) -> bool:
    key_id = key_id_of(text)
    record = repository.find_api_key(graph, key_id) if key_id is not None else None
    return (
        record is not None
        and record.brand == DEMO_BRAND
        and record.scopes >= PLATFORM_SCOPES
        and not record.is_revoked
        and matches(text, record)
    )


def _check(new: NewBrand) -> BrandSettings:
    if not _ID.fullmatch(new.id):
        raise InvalidInputError(
            "id has 1 to 63 lower-case letters, digits, - or _ and begins with a letter or digit.", field="id"
        )
    if len(new.name) > _MAX_NAME:
        raise InvalidInputError(f"A name has at most {_MAX_NAME} characters.", field="name")
    if new.region not in SUPPORTED_REGIONS:
        raise InvalidInputError("region is not an ISO 3166 country code such as US.", field="region")
    if not is_currency_code(new.currency):
        raise InvalidInputError("currency is not an ISO 4217 code such as USD.", field="currency")
    return BrandSettings(id=new.id, name=new.name or new.id, region=new.region, currency=new.currency)
