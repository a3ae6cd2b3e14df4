"""The way back: tells a CRM of its own persons what changed of their profiles since it was told last.

What a record was told is remembered with its identifier as a digest; so a push that was cut off, or a second one, tells
only what the CRM does not have yet.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from core.money import to_decimal_string
from core.strict_json import canonical_json
from graph.repositories.crm import CrmConnection
from graph.repositories.crm_contacts import Contact, Contacts
from ingest.crm.client import CrmClient
from ingest.crm.push_specs import PROFILE_WORDS, TRAIT, PushSpec, id_prefix
from ingest.crm.writers import WRITERS, Change

PAGE = 200
_DIGEST_BYTES = 16
_ROUND = 4


@dataclass(slots=True)
class Pushed:
    """What became of one page of records; `told` is what is remembered of those that the CRM took, by key."""

    unchanged: int = 0
    told: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def contacts_of(connection: CrmConnection, spec: PushSpec) -> Contacts:
    """The records that are written."""
    return Contacts(connection.brand, connection.name, id_prefix(connection.kind, spec.object), spec.traits)


def push_page(
    client: CrmClient, connection: CrmConnection, spec: PushSpec, page: Sequence[Contact], *, is_full: bool = False
) -> Pushed:
    """Write what changed of these records; `is_full` writes what did not change, too."""
    found = Pushed()
    changes: list[tuple[Contact, Change, str]] = []
    for contact in page:
        values = _values(contact, spec)
        before, names = _told(contact.pushed)
        digest = _digest(connection, spec, values)
        if values is None or (not values and not names) or (digest == before and not is_full):
            found.unchanged += 1
            continue
        # What the CRM was told and holds no more is emptied; other fields of its own are left alone.
        gone = dict.fromkeys(sorted(set(names) & set(spec.fields.values()) - values.keys()))
        told = json.dumps([digest, sorted(values)])
        changes.append((contact, Change(contact.id, {**values, **gone}), told))
    if changes:
        found.refused = WRITERS[connection.kind](client, spec, [change for _, change, _ in changes])
    found.told = [(contact.key, told) for contact, change, told in changes if change.id not in found.refused]
    return found


def _values(contact: Contact, spec: PushSpec) -> dict[str, Any] | None:
    """Field of the CRM → value, of what the profile knows; None without a profile."""
    profile = contact.profile
    if profile is None:
        return None
    words = {name: _word(profile, name) for name in PROFILE_WORDS}
    words |= {TRAIT + name: _plain(value) for name, value in contact.traits.items()}
    return {field: words[word] for word, field in spec.fields.items() if words.get(word) is not None}


def _word(profile: Mapping[str, Any], name: str) -> Any:
    if name == "profile_id":
        return profile["id"]
    if name == "lifetime_value":
        return to_decimal_string(profile["ltv_minor"], profile["currency"])
    value = profile.get(name)
    return round(value, _ROUND) if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    """A trait as fields of a CRM can hold it: one word, number or choice, or a list of them."""
    if isinstance(value, list):
        kept = [one for one in value if isinstance(one, (str, int, float))]
        return kept or None
    return None if isinstance(value, dict) else value


def _told(pushed: str | None) -> tuple[str, list[str]]:
    if pushed is None:
        return "", []
    digest, names = json.loads(pushed)
    return digest, names


def _digest(connection: CrmConnection, spec: PushSpec, values: dict[str, Any] | None) -> str:
    """Another CRM, object or field is told anew."""
    about = [connection.kind, connection.base_url, spec.object, spec.path, spec.method, spec.body, values]
    return blake2b(canonical_json(about), digest_size=_DIGEST_BYTES).hexdigest()
