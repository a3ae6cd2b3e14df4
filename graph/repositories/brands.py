"""Brands, their keys and webhook endpoints in the graph; read by every layer that has to know whose call it is."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.brand import DEFAULT_OVERDUE_HOURS, BrandSettings, EventSchema
from core.clock import to_micros
from core.rules import DEFAULT_RULE_VERSION, rules_from_dict
from core.transformations import steps_from_data
from graph.driver import Graph
from graph.repositories.secrets import need_secret, seal_secret
from graph.values import to_time

_ENDPOINT_TIMES = ("old_until", "until")


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A key as stored: the secret only as SHA-256 hex; `kind` is `api` or `write`."""

    id: str
    brand: str
    kind: str
    scopes: frozenset[str]
    hash: str
    is_revoked: bool = False
    brand_status: str = "active"


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """A webhook address of one brand and source; `account` is the shop domain or account that it speaks for.

    After a change-over the old secret is right until `old_until`; an address that was replaced ends at `until`.
    """

    id: str
    brand: str
    source: str
    secret: str
    account: str | None = None
    old_secret: str | None = None
    old_until: datetime | None = None
    until: datetime | None = None

    def secrets(self, now: datetime) -> list[str]:
        """The secrets that are right at `now`, the newest first; none for an address that has ended."""
        if self.until is not None and self.until <= now:
            return []
        is_old_right = self.old_secret is not None and self.old_until is not None and now < self.old_until
        return [self.secret, self.old_secret] if is_old_right and self.old_secret else [self.secret]


@dataclass(frozen=True, slots=True)
class BrandRecord:
    """A brand about to be created, with the keys and endpoints it starts with."""

    settings: BrandSettings
    keys: tuple[ApiKeyRecord, ...]
    endpoints: tuple[EndpointRecord, ...]


def create_brand(graph: Graph, record: BrandRecord, *, op: str, at: datetime) -> bool:
    """Write the brand with all it starts with; False when a brand of this id exists. `op` makes a replay harmless."""
    settings = record.settings
    rows = graph.write(
        "brands/create_brand",
        brand=settings.id,
        name=settings.name,
        region=settings.region,
        currency=settings.currency,
        merge_threshold=settings.merge_threshold,
        op=op,
        at=at,
        keys=[{"id": k.id, "kind": k.kind, "scopes": sorted(k.scopes), "hash": k.hash} for k in record.keys],
        endpoints=[
            {"id": e.id, "source": e.source, "secret": seal_endpoint_secret(graph, e.brand, e.source, e.secret)}
            for e in record.endpoints
        ],
    )
    return bool(rows[0]["created"])


def find_brand(graph: Graph, brand: str) -> BrandSettings | None:
    """The brand's settings, None when there is no such brand."""
    row = read_brand_row(graph, brand)
    return brand_from_row(row) if row is not None else None


def read_brand_row(graph: Graph, brand: str) -> dict[str, Any] | None:
    """The brand's settings as they are stored, plain JSON values; None when there is no such brand."""
    rows = graph.read("brands/get_brand", brand=brand)
    return rows[0] if rows else None


def brand_from_row(row: dict[str, Any]) -> BrandSettings:
    """The settings that `read_brand_row` read."""
    return BrandSettings(
        id=row["id"],
        name=row["name"],
        region=row["region"],
        currency=row["currency"],
        merge_threshold=row["merge_threshold"],
        blocked_values=frozenset(row["blocked_values"] or ()),
        status=row["status"],
        review_overdue_hours=row["review_overdue_hours"] or DEFAULT_OVERDUE_HOURS,
        rule_version=row["rule_version"] or DEFAULT_RULE_VERSION,
        rules=rules_from_dict(json.loads(row["rules"]), row["rule_version"]) if row["rules"] else None,
        event_schemas={found["type"]: EventSchema(**found) for found in row["schemas"]},
        transformations=steps_from_data(json.loads(row["steps"])) if row["steps"] else (),
        hash_key=row["hash_key"] or "",
        main_instances={account["source"]: account["account"] for account in row["accounts"]},
        field_mappings={one["source"]: json.loads(one["mapping"]) for one in row["mappings"]},
    )


def list_brands(graph: Graph) -> list[dict[str, Any]]:
    """Every brand: id, name, region, currency, status, created_at (aware datetime)."""
    rows = graph.read("brands/list_brands")
    return [{**row, "created_at": row["created_at"].to_native()} for row in rows]


def add_api_key(graph: Graph, record: ApiKeyRecord, *, at: datetime) -> bool:
    """Store one more key; False when there is no such brand."""
    rows = graph.write(
        "brands/add_api_key",
        brand=record.brand,
        id=record.id,
        kind=record.kind,
        scopes=sorted(record.scopes),
        hash=record.hash,
        at=at,
    )
    return bool(rows)


def revoke_api_key(graph: Graph, brand: str, key_id: str, *, at: datetime) -> bool:
    """Take a key back; False when the brand has no such key."""
    return bool(graph.write("brands/revoke_api_key", brand=brand, id=key_id, at=at))


def find_api_key(graph: Graph, key_id: str) -> ApiKeyRecord | None:
    """The key of that id, revoked ones included; None when unknown."""
    rows = graph.read("brands/find_api_key", id=key_id)
    if not rows:
        return None
    row = rows[0]
    return ApiKeyRecord(
        id=row["id"],
        brand=row["brand"],
        kind=row["kind"],
        scopes=frozenset(row["scopes"]),
        hash=row["hash"],
        is_revoked=row["revoked"],
        brand_status=row["brand_status"],
    )


def read_endpoint_row(graph: Graph, source: str, endpoint_id: str) -> dict[str, Any] | None:
    """The endpoint at that address as it is stored, plain JSON values; None unless it belongs to `source`."""
    rows = graph.read("brands/find_endpoint", source=source, id=endpoint_id)
    return _plain_endpoint(rows[0]) if rows else None


def list_endpoint_rows_by_account(graph: Graph, source: str, account: str) -> list[dict[str, Any]]:
    """As `read_endpoint_row`, those that registered this shop domain or account, oldest first; any brand may have."""
    rows = graph.read("brands/list_endpoints_by_account", source=source, account=account)
    return [_plain_endpoint(row) for row in rows]


def endpoint_from_row(graph: Graph, row: dict[str, Any]) -> EndpointRecord:
    """The endpoint that was read, its secrets open; raises ConfigurationError when another key sealed them."""
    about = _about(row["brand"], row["source"])
    times = {name: to_time(row[name]) for name in _ENDPOINT_TIMES}
    secrets = {name: need_secret(graph, row[name], about) for name in ("secret", "old_secret") if row[name] is not None}
    return EndpointRecord(**{**row, **times, **secrets})


def register_account(graph: Graph, brand: str, source: str, account: str, *, at: datetime) -> str | None:
    """Remember the first account of a brand's source; id of the endpoint it belongs to, None when there is none."""
    rows = graph.write("brands/register_account", brand=brand, source=source, account=account, at=at)
    return str(rows[0]["id"]) if rows else None


def seal_endpoint_secret(graph: Graph, brand: str, source: str, secret: str) -> str:
    """The secret of a source's webhooks as it is stored: a new address of the source takes it along."""
    return seal_secret(graph, secret, _about(brand, source))


def _about(brand: str, source: str) -> str:
    return f"endpoint|{brand}|{source}"


def _plain_endpoint(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: to_time(row[name]) for name in _ENDPOINT_TIMES}
    return {**row, **{name: to_micros(time) if time is not None else None for name, time in times.items()}}
