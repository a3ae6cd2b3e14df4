"""A connection as a brand sets it up: checked, stored with its secrets apart, shown without them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import ConflictError, InvalidInputError
from core.identifiers import TIERS
from graph.repositories.crm import CrmConnection
from ingest.changes.addresses import check_url
from ingest.crm.push_specs import PushSpec, push_as_dict, read_push
from ingest.crm.specs import HUBSPOT, KINDS, REST, SALESFORCE, ObjectSpec, read_specs, reading_digest, spec_as_dict
from ingest.crm.tokens import CLIENT_CREDENTIALS, OAUTH_TYPES, REFRESH_TOKEN, Auth
from ingest.sources import SOURCES
from ingest.steps.fields import refuse

HUBSPOT_URL = "https://api.hubapi.com"
OVERLAP_SECONDS = 300
_RATES = {SALESFORCE: 10, HUBSPOT: 4, REST: 5}
_TOKEN_PATHS = {SALESFORCE: "/services/oauth2/token", HUBSPOT: "/oauth/v1/token"}
_PUBLIC = ("type", "header", "user", "client_id", "scope", "token_url")
_SECRETS = ("token", "password", "client_secret", "refresh_token")
_NEEDED: dict[str, tuple[str, ...]] = {
    "none": (),
    "bearer": ("token",),
    "header": ("header", "token"),
    "basic": ("user", "password"),
    CLIENT_CREDENTIALS: ("client_id", "client_secret"),
    REFRESH_TOKEN: ("client_id", "refresh_token"),
}
# Ids of a connection's records are scoped by its name: these names are other senders' scopes.
_TAKEN_NAMES = frozenset({*SOURCES, "api", "csv", "import", "segment", "posthog", *TIERS})


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether connections may stay inside the network, and the time now."""

    allow_private: bool
    now: datetime


def read_connection(
    brand: str, name: str, stated: Mapping[str, Any], known: CrmConnection | None, reach: Reach
) -> tuple[CrmConnection, bool]:
    """The connection as sent, and whether the secrets that are stored stay.

    Raises InvalidInputError naming the field, ConflictError for a name that belongs to another kind.
    """
    kind = stated["kind"]
    if kind not in KINDS:
        raise refuse("kind", f"must be one of {', '.join(sorted(KINDS))}")
    if name in _TAKEN_NAMES:
        raise refuse("name", "belongs to another source of events")
    if known is not None and known.kind != kind:
        raise ConflictError("This name belongs to a CRM of another kind: the ids of its records are known by it.")
    base_url = _address(stated.get("base_url") or (HUBSPOT_URL if kind == HUBSPOT else ""), "base_url", reach)
    auth, keeps_secrets = _auth(kind, base_url, stated.get("auth"), known, reach)
    specs = read_specs(kind, stated.get("objects"))
    push = read_push(kind, stated.get("push"), specs)
    options = {
        "auth": {name: getattr(auth, name) for name in _PUBLIC if getattr(auth, name)},
        "objects": [spec_as_dict(spec) for spec in specs],
        "overlap_seconds": stated.get("overlap_seconds", OVERLAP_SECONDS),
        "requests_per_second": stated.get("requests_per_second") or _RATES[kind],
        "page_size": stated.get("page_size") or 0,
        "push": push_as_dict(push, kind) if push is not None else None,
    }
    interval = stated.get("interval_minutes")
    return CrmConnection(
        brand=brand, name=name, kind=kind, base_url=base_url, options=options, secrets=dict(auth.secrets),
        interval_minutes=interval, next_at=_next_at(known, interval, reach.now),
    ), keeps_secrets  # fmt: skip


def auth_of(connection: CrmConnection) -> Auth:
    """How a stored connection proves itself."""
    return Auth(secrets=connection.secrets or {}, **connection.options["auth"])


def specs_of(connection: CrmConnection) -> list[ObjectSpec]:
    """What a stored connection reads, in order."""
    return read_specs(connection.kind, connection.options["objects"])


def push_of(connection: CrmConnection) -> PushSpec | None:
    """What a stored connection writes back, None when its brand does not want that."""
    return read_push(connection.kind, connection.options.get("push"), specs_of(connection))


def overlap_of(connection: CrmConnection) -> timedelta:
    """How far before its cursor a sync begins: records are committed later than the time that they carry."""
    return timedelta(seconds=connection.options["overlap_seconds"])


def current_cursor(connection: CrmConnection, spec: ObjectSpec) -> dict[str, Any]:
    """How far an object was read by the mapping of now; empty when it was read by another one."""
    cursor: dict[str, Any] = connection.cursors.get(spec.name, {})
    return cursor if cursor.get("mapping") == reading_digest(spec) else {}


def shown_connection(connection: CrmConnection) -> dict[str, Any]:
    """A connection as callers see it: no secrets."""
    specs = specs_of(connection)
    cursors = {spec.name: current_cursor(connection, spec).get("at") for spec in specs}
    return {
        "name": connection.name,
        "kind": connection.kind,
        "base_url": connection.base_url,
        "push": None,
        **connection.options,
        "interval_minutes": connection.interval_minutes,
        "next_sync_at": connection.next_at,
        "cursors": {name: at for name, at in cursors.items() if at is not None},
        "read_anew": [name for name in connection.cursors if name in cursors and cursors[name] is None],
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    }


def _next_at(known: CrmConnection | None, interval: int | None, now: datetime) -> datetime | None:
    if interval is None:
        return None
    if known is not None and known.interval_minutes == interval and known.next_at is not None:
        return known.next_at
    return now


def _address(text: str, field: str, reach: Reach) -> str:
    if not text:
        raise refuse(field, "missing")
    url = check_url(text, allow_private=reach.allow_private, field=field).rstrip("/")
    if not reach.allow_private and not url.startswith("https://"):
        raise InvalidInputError("Must be an https address: credentials go there.", field=field)
    if "?" in url:
        raise InvalidInputError("Must have no query.", field=field)
    return url


def _auth(
    kind: str, base_url: str, stated: Mapping[str, Any] | None, known: CrmConnection | None, reach: Reach
) -> tuple[Auth, bool]:
    if stated is None:
        if known is None:
            raise refuse("auth", "missing: how the CRM is told who asks")
        if known.base_url != base_url:
            # Whoever may change the address must not learn a secret by it.
            raise refuse("auth", "missing: with another address the secrets have to be sent again")
        if known.secrets is None:
            raise refuse("auth", "missing: what is stored was sealed with another key and has to be sent again")
        return auth_of(known), True
    auth_type = stated["type"]
    if auth_type not in _NEEDED:
        raise refuse("auth.type", f"must be one of {', '.join(sorted(_NEEDED))}")
    for name in _NEEDED[auth_type]:
        if not stated.get(name):
            raise refuse(f"auth.{name}", "missing")
    token_url = ""
    if auth_type in OAUTH_TYPES:
        usual = base_url + _TOKEN_PATHS[kind] if kind in _TOKEN_PATHS else ""
        token_url = _address(stated.get("token_url") or usual, "auth.token_url", reach)
    secrets = {name: stated[name] for name in _SECRETS if stated.get(name)}
    public = {name: stated.get(name) or "" for name in ("header", "user", "client_id", "scope")}
    return Auth(type=auth_type, secrets=secrets, token_url=token_url, **public), False
