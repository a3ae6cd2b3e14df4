"""Whose call is it: keys, webhook endpoints and brand settings by name, kept fresh in the process for every request."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from brands.api_keys import key_id_of, matches
from brands.cache import FreshCache
from brands.last_known import LastKnown
from core.brand import DEFAULT_MOVED_AT_ONCE, BrandSettings
from core.clock import utc_now
from core.errors import NotFoundError, UnauthorizedError
from graph.driver import Graph
from graph.repositories import brands as repository
from graph.repositories.brands import ApiKeyRecord, EndpointRecord
from graph.repositories.endpoints import list_endpoints

# A revoked key works this long in other processes at most.
KEY_SECONDS = 30.0
SETTINGS_SECONDS = 5.0
# Wrong signatures at an address make it be read again once in this time at most.
NEWER_SECONDS = 1.0
_KEY, _BRAND = "key", "brand"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the brand, what the key allows, and the key's id (never its secret)."""

    brand: str
    scopes: frozenset[str]
    key_id: str
    is_write_key: bool = False


class BrandDirectory:
    """Answers from memory while fresh, else from the graph; one per process, used from many threads.

    Keys and settings that any process saw are kept in `last_known` too: one that starts while the graph is away asks
    there. Webhook addresses are not, for their secrets would have to be.
    """

    def __init__(
        self, graph: Graph, moved_at_once: int = DEFAULT_MOVED_AT_ONCE, last_known: LastKnown | None = None
    ) -> None:
        self._graph = graph
        self._moved_at_once = moved_at_once
        self._last_known = last_known
        self._keys: FreshCache[str, ApiKeyRecord] = FreshCache(
            self._read_key, ttl=KEY_SECONDS, recall=self._recall_key if last_known is not None else None
        )
        self._endpoints: FreshCache[tuple[str, str], EndpointRecord] = FreshCache(
            lambda name: repository.find_endpoint(graph, *name), ttl=KEY_SECONDS
        )
        self._accounts: FreshCache[tuple[str, str], tuple[EndpointRecord, ...]] = FreshCache(
            lambda name: tuple(repository.list_endpoints_by_account(graph, *name)) or None, ttl=KEY_SECONDS
        )
        self._settings: FreshCache[str, BrandSettings] = FreshCache(
            self._read_settings, ttl=SETTINGS_SECONDS, recall=self._recall_settings if last_known is not None else None
        )

    def _read_key(self, key_id: str) -> ApiKeyRecord | None:
        at = self._last_known.now() if self._last_known is not None else 0.0
        record = repository.find_api_key(self._graph, key_id)
        if record is not None:
            self._keep(_KEY, key_id, {**asdict(record), "scopes": sorted(record.scopes)}, at)
        return record

    def _recall_key(self, key_id: str) -> tuple[ApiKeyRecord, float] | None:
        found = self._last_known.find(_KEY, key_id) if self._last_known is not None else None
        if found is None:
            return None
        stored, age = found
        return ApiKeyRecord(**{**stored, "scopes": frozenset(stored["scopes"])}), age

    def _read_settings(self, brand: str) -> BrandSettings | None:
        at = self._last_known.now() if self._last_known is not None else 0.0
        row = repository.read_brand_row(self._graph, brand)
        if row is None:
            return None
        self._keep(_BRAND, brand, row, at)
        return self._own_settings(row)

    def _recall_settings(self, brand: str) -> tuple[BrandSettings, float] | None:
        found = self._last_known.find(_BRAND, brand) if self._last_known is not None else None
        return (self._own_settings(found[0]), found[1]) if found is not None else None

    def _own_settings(self, row: dict[str, Any]) -> BrandSettings:
        return replace(repository.brand_from_row(row), moved_at_once=self._moved_at_once)

    def _keep(self, kind: str, key: str, value: dict[str, Any], at: float) -> None:
        if self._last_known is not None:
            self._last_known.keep(kind, key, value, at)

    def peek_caller(self, key_text: str) -> Caller | None:
        """The caller when its key is known, fresh and right; None means: ask `caller`. Never waits."""
        key_id = key_id_of(key_text)
        record = self._keys.peek(key_id) if key_id is not None else None
        return _caller(record) if record is not None and _is_valid(key_text, record) else None

    async def caller(self, key_text: str) -> Caller:
        """The caller behind a key; raises UnauthorizedError for unknown, wrong and revoked keys alike.

        While the graph is away keys that a process saw in the last hour count on; of others nobody can tell:
        UnavailableError.
        """
        key_id = key_id_of(key_text)
        record = await self._keys.fetch(key_id) if key_id is not None else None
        if record is None or not _is_valid(key_text, record):
            raise UnauthorizedError("The key is unknown, wrong or revoked.")
        return _caller(record)

    def peek_settings(self, brand: str) -> BrandSettings | None:
        """The brand's settings when they are fresh; None means: ask `settings`. Never waits."""
        return self._settings.peek(brand)

    def settings(self, brand: str) -> BrandSettings:
        """The brand's settings, at most some seconds old; raises NotFoundError."""
        found = self._settings.get(brand)
        if found is None:
            raise NotFoundError("No such brand.")
        return found

    async def fetch_settings(self, brand: str) -> BrandSettings:
        """As `settings`, for the event loop."""
        found = await self._settings.fetch(brand)
        if found is None:
            raise NotFoundError("No such brand.")
        return found

    def forget_settings(self, brand: str) -> None:
        """Read the brand's settings anew at their next use; other processes follow within seconds."""
        self._settings.forget(brand)

    async def endpoint(self, source: str, endpoint_id: str) -> EndpointRecord:
        """The webhook endpoint at an address; raises NotFoundError when there is none for this source."""
        found = await self._endpoints.fetch((source, endpoint_id))
        if found is None or not found.secrets(utc_now()):
            raise NotFoundError("No such webhook address.")
        return found

    async def newer_endpoint(self, known: EndpointRecord) -> EndpointRecord | None:
        """The endpoint as it is stored now, None when `known` is what was read within the last second.

        Asked when a signature does not fit: another process may have changed the secret over.
        """
        if not self._endpoints.expire_older((known.source, known.id), NEWER_SECONDS):
            return None
        found = await self._endpoints.fetch((known.source, known.id))
        return found if found is not None and found != known else None

    async def endpoints_of_account(self, source: str, account: str) -> Sequence[EndpointRecord]:
        """Endpoints that registered a shop domain or account; the signature decides which one it is."""
        return await self._accounts.fetch((source, account)) or ()

    def remember_account(self, brand: str, source: str, account: str) -> BrandSettings:
        """Make `account` the source's first one unless it has one already; the settings that hold from now on."""
        endpoint_id = repository.register_account(self._graph, brand, source, account, at=utc_now())
        if endpoint_id is not None:
            self._endpoints.expire((source, endpoint_id))
        self._accounts.forget((source, account))
        self._settings.expire(brand)
        return self.settings(brand)

    def forget_endpoints(self, brand: str, source: str) -> None:
        """Read the addresses of a source anew at their next use; other processes follow within 30 s."""
        for stored in list_endpoints(self._graph, brand):
            if stored["source"] == source:
                self._endpoints.forget((source, stored["id"]))
                self._accounts.forget((source, stored["account"] or ""))
        self._settings.forget(brand)

    def close(self) -> None:
        """Start no more look-ups."""
        for cache in (self._keys, self._endpoints, self._accounts, self._settings):
            cache.close()
        if self._last_known is not None:
            self._last_known.close()

    def revoke(self, brand: str, key_id: str) -> None:
        """Take a key back: at once here, within 30 s in other processes; raises NotFoundError."""
        if not repository.revoke_api_key(self._graph, brand, key_id, at=utc_now()):
            raise NotFoundError("No such key.")
        self._keys.forget(key_id)
        # What the others will find during an outage is the key as it is now.
        self._keys.get(key_id)


def _is_valid(key_text: str, record: ApiKeyRecord) -> bool:
    return matches(key_text, record) and not record.is_revoked and record.brand_status != "suspended"


def _caller(record: ApiKeyRecord) -> Caller:
    return Caller(record.brand, record.scopes, record.id, record.kind == "write")
