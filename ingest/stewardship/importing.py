"""Profiles from elsewhere: each becomes events of its own, resolved like any other or kept apart as they came."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import ConstIntelError, InvalidInputError
from core.events import RawEvent, RawOrder
from core.normal_forms import Rejected, normalise
from core.strict_json import canonical_json
from ingest.pipeline import Ingest

WAY = "import"


@dataclass(frozen=True, slots=True)
class ImportedOrder:
    """A past order of an imported profile; `total` is a decimal text, int or Decimal."""

    order_id: str
    total: Any = None
    currency: str | None = None
    at: datetime | None = None
    items: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedProfile:
    """One profile of an import; `external_id` (`crm:1`) is its key: the same one again updates it."""

    external_id: str
    identifiers: tuple[tuple[str, Any], ...] = ()
    traits: dict[str, Any] = field(default_factory=dict)
    orders: tuple[ImportedOrder, ...] = ()


async def import_profiles(
    ingest: Ingest, brand: BrandSettings, profiles: Sequence[ImportedProfile], *, resolve: bool = True
) -> list[str | None]:
    """Store profiles and their orders; the live profile id of each, in order.

    With `resolve` they are matched like any event; without, each stays a profile of its own even where identifiers are
    held by others, until an event or a person ties them. Raises the first error that refused one.
    """
    raws: list[RawEvent] = []
    places: list[int] = []
    for profile in profiles:
        places.append(len(raws))
        raws.extend(_events_of(profile, brand, resolve=resolve))
    outcomes = await ingest.take(brand, raws, may_queue=False)
    for outcome in outcomes:
        if isinstance(outcome, ConstIntelError):
            raise outcome
    results = [outcome for outcome in outcomes if isinstance(outcome, EventResult)]
    # A later profile of the same import may have absorbed an earlier one.
    live = {absorbed: result.profile_id for result in results for absorbed in result.merged_profile_ids}
    return [_follow(results[place].profile_id, live) for place in places]


def _follow(profile_id: str | None, live: dict[str, str | None]) -> str | None:
    while profile_id in live and live[profile_id] != profile_id:
        profile_id = live[profile_id]
    return profile_id


def _events_of(profile: ImportedProfile, brand: BrandSettings, *, resolve: bool) -> list[RawEvent]:
    own = normalise("external_id", profile.external_id, brand)
    if isinstance(own, Rejected):
        raise InvalidInputError(f"external_id: {own.reason}", field="external_id")
    source = own.value.partition(":")[0]
    persona_id = None if resolve else persona_id_for_import(brand.id, own.value)
    content = {"identifiers": [list(pair) for pair in profile.identifiers], "traits": profile.traits}
    version = hashlib.blake2b(canonical_json(content), digest_size=12).hexdigest()
    first = RawEvent(
        type="profile_update",
        channel="import",
        source=source,
        identifiers=[("external_id", own.value), *profile.identifiers],
        payload={"external_id": profile.external_id, **content},
        idempotency_key=f"{own.value}:{version}:{resolve}",
        way=WAY,
        trust="imported",
        traits=profile.traits,
        persona_id=persona_id,
        occurred_at=min((order.at for order in profile.orders if order.at is not None), default=None),
    )
    return [first, *(_order_event(order, profile, source, persona_id) for order in profile.orders)]


def _order_event(order: ImportedOrder, profile: ImportedProfile, source: str, persona_id: str | None) -> RawEvent:
    return RawEvent(
        type="purchase",
        channel="import",
        source=source,
        identifiers=[("external_id", profile.external_id)],
        payload={
            "order_id": order.order_id, "total": order.total, "currency": order.currency, "items": list(order.items),
        },
        idempotency_key=f"{profile.external_id}:order:{order.order_id}",
        way=WAY,
        trust="imported",
        order=RawOrder("sale", order.order_id, order.total, order.currency, lines=list(order.items)),
        occurred_at=order.at,
        persona_id=persona_id,
    )  # fmt: skip


def persona_id_for_import(brand: str, external_id: str) -> str:
    """The persona of an imported profile: the same in every import of this external id."""
    return "cus_" + hashlib.blake2b(f"{brand}|{WAY}|{external_id}".encode(), digest_size=20).hexdigest()
