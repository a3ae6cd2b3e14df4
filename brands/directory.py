"""Whose call is it: keys, webhook endpoints and brand settings by name, kept fresh in the process for every request."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from concurrent.futures import Future

# A revoked key works this long in other processes at most.
KEY_SECONDS = 30.0
SETTINGS_SECONDS = 5.0
# Wrong signatures at an address make it be read again once in this time at most.
NEWER_SECONDS = 1.0
_KEY, _BRAND, _ENDPOINT, _ACCOUNT = "key", "brand", "endpoint", "account"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the brand, what the key allows, and the key's id (never its secret)."""

    brand: str
    scopes: frozenset[str]
    key_id: str
    is_write_key: bool = False


class BrandDirectory:
    """Answers from memory while fresh, else from the graph; one per process, used from many threads.

    What any process saw is kept in `last_known` too: one that starts while the graph is away asks there.
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
            self._read_endpoint, ttl=KEY_SECONDS, recall=self._recall_endpoint if last_known is not None else None
        )
        self._accounts: FreshCache[tuple[str, str], tuple[EndpointRecord, ...]] = FreshCache(
            self._read_account, ttl=KEY_SECONDS, recall=self._recall_account if last_known is not None else None
        )
        self._settings: FreshCache[str, BrandSettings] = FreshCache(
            self._read_settings, ttl=SETTINGS_SECONDS, recall=self._recall_settings if last_known is not None else None
        )

    def _read_key(self, key_id: str) -> ApiKeyRecord | None:
        at = self._now()
        record = repository.find_api_key(self._graph, key_id)
        if record is not None:
            self._keep(_KEY, key_id, {**asdict(record), "scopes": sorted(record.scopes)}, at)
        return record

    def _recall_key(self, key_id: str) -> tuple[ApiKeyRecord, float] | None:
        found = self._find(_KEY, key_id)
        if found is None:
            return None
        stored, age = found
        return ApiKeyRecord(**{**stored, "scopes": frozenset(stored["scopes"])}), age

    def _read_endpoint(self, name: tuple[str, str]) -> EndpointRecord | None:
        at = self._now()
        row = repository.read_endpoint_row(self._graph, *name)
        return self._kept_endpoint(row, at) if row is not None else None

    def _kept_endpoint(self, row: dict[str, Any], at: float) -> EndpointRecord:
        # Its secrets stay sealed as in the graph: who knows the password of Neo4j alone opens the entry, not them.
        self._keep(_ENDPOINT, _hidden(row["source"], row["id"]), row, at)
        return repository.endpoint_from_row(self._graph, row)

    def _recall_endpoint(self, name: tuple[str, str]) -> tuple[EndpointRecord, float] | None:
        found = self._find(_ENDPOINT, _hidden(*name))
        return (repository.endpoint_from_row(self._graph, found[0]), found[1]) if found is not None else None

    def _read_account(self, name: tuple[str, str]) -> tuple[EndpointRecord, ...] | None:
        at = self._now()
        rows = repository.list_endpoint_rows_by_account(self._graph, *name)
        if not rows:
            # Anybody may ask for any account: what nobody registered fills no memory.
            return None
        self._keep(_ACCOUNT, _hidden(*name), {"ids": [row["id"] for row in rows]}, at)
        return tuple(self._kept_endpoint(row, at) for row in rows)

    def _recall_account(self, name: tuple[str, str]) -> tuple[tuple[EndpointRecord, ...], float] | None:
        """Endpoints that registered it and did not turn to another one since; none when one of them is not known."""
        found = self._find(_ACCOUNT, _hidden(*name))
        if found is None:
            return None
        source, account = name
        stored, age = found
        records = []
        for endpoint_id in stored["ids"]:
            recalled = self._recall_endpoint((source, endpoint_id))
            if recalled is None:
                return None
            age = max(age, recalled[1])
            if recalled[0].account == account:
                records.append(recalled[0])
        return tuple(records), age

    def _read_settings(self, brand: str) -> BrandSettings | None:
        at = self._now()
        row = repository.read_brand_row(self._graph, brand)
        if row is None:
            return None
        self._keep(_BRAND, brand, row, at)
        return self._own_settings(row)

    def _recall_settings(self, brand: str) -> tuple[BrandSettings, float] | None:
        found = self._find(_BRAND, brand)
        return (self._own_settings(found[0]), found[1]) if found is not None else None

    def _own_settings(self, row: dict[str, Any]) -> BrandSettings:
        return replace(repository.brand_from_row(row), moved_at_once=self._moved_at_once)

    def _now(self) -> float:
        return self._last_known.now() if self._last_known is not None else 0.0

    def _keep(self, kind: str, key: str, value: dict[str, Any], at: float) -> None:
        if self._last_known is not None:
            self._last_known.keep(kind, key, value, at)

    def _find(self, kind: str, key: str) -> tuple[dict[str, Any], float] | None:
        return self._last_known.find(kind, key) if self._last_known is not None else None

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
        # Nobody waits for it: what is kept must not lack this brand for long.
        self._renew_named(self._accounts, _ACCOUNT, (source, account))
        self._settings.expire(brand)
        return self.settings(brand)

    def forget_endpoints(self, brand: str, source: str) -> None:
        """Read the addresses of a source anew, so that an outage finds them as they are now.

        Other processes follow within 30 s. Raises UnavailableError: then an outage finds nothing of them.
        """
        # An account that they no longer speak for is not named by what is stored now.
        self._accounts.forget_where(lambda held: any((one.brand, one.source) == (brand, source) for one in held))
        mine = [stored for stored in list_endpoints(self._graph, brand) if stored["source"] == source]
        accounts = {stored["account"] for stored in mine if stored["account"]}
        loads: list[Future[Any]] = [self._renew(self._settings, _BRAND, brand)]
        loads += [self._renew_named(self._endpoints, _ENDPOINT, (source, stored["id"])) for stored in mine]
        loads += [self._renew_named(self._accounts, _ACCOUNT, (source, account)) for account in accounts]
        for load in loads:
            load.result()

    def _renew(self, cache: FreshCache[str, Any], kind: str, key: str) -> "Future[Any]":
        """Load what was changed; should that fail, an outage rather finds nothing than what was."""
        self._drop(kind, key)
        return cache.renew(key)

    def _renew_named(self, cache: FreshCache[tuple[str, str], Any], kind: str, name: tuple[str, str]) -> "Future[Any]":
        self._drop(kind, _hidden(*name))
        return cache.renew(name)

    def _drop(self, kind: str, key: str) -> None:
        if self._last_known is not None:
            self._last_known.drop(kind, key)

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
        # What the others will find during an outage is the key as it is now, or none.
        self._renew(self._keys, _KEY, key_id).result()


def _is_valid(key_text: str, record: ApiKeyRecord) -> bool:
    return matches(key_text, record) and not record.is_revoked and record.brand_status != "suspended"


def _caller(record: ApiKeyRecord) -> Caller:
    return Caller(record.brand, record.scopes, record.id, record.kind == "write")


def _hidden(source: str, own: str) -> str:
    """An address or account as the name of what is kept of it: of any length, no address to who only reads Redis."""
    return sha256(f"{source}|{own}".encode()).hexdigest()
