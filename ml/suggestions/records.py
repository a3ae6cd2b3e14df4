"""One record per live profile, as the model compares them: folded traits and contacts, and what a person is shown."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ml.suggestions.folding import (
    email_user,
    fold_mailbox,
    fold_phone,
    fold_text,
    near_domain_keys,
    near_email_keys,
    near_phone_keys,
    read_birthday,
)

ALIASES = {
    "first_name": ("first_name", "firstName", "given_name"),
    "last_name": ("last_name", "lastName", "family_name"),
    "name": ("name", "full_name"),
    "address": ("address", "street", "address1", "address_1"),
    "city": ("city", "town"),
    "postcode": ("postcode", "postal_code", "postalCode", "zip", "zip_code"),
    "country": ("country", "country_code"),
    "birthday": ("birthday", "birth_date", "date_of_birth", "dob"),
}
"""Field of a record → the trait names that give it, best first."""
TRAIT_NAMES = tuple(sorted({name for names in ALIASES.values() for name in names}))
_MAX_TEXT = 200
_MAX_CONTACTS = 10
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Record:
    """What is compared of one profile; texts are folded, None where nothing is known."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    birthday: str | None = None
    address: str | None = None
    city: str | None = None
    postcode: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    shown: dict[str, str] = field(default_factory=dict)
    """Field of the comparison table → the value as the customer gave it."""

    @property
    def full_name(self) -> str | None:
        """First and last name, None unless both are known."""
        return f"{self.first_name} {self.last_name}" if self.first_name and self.last_name else None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not self.shown

    def content(self) -> tuple[Any, ...]:
        """All that is compared: the same for two records that say the same."""
        texts = (self.first_name, self.last_name, self.birthday, self.address, self.city, self.postcode)
        return (*texts, self.emails, self.phones)

    def columns(self) -> dict[str, Any]:
        """The row that Splink's model reads; the keys of blocking rules come on top."""
        return {
            "id": self.id,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "full_name": self.full_name,
            "birthday": self.birthday,
            "address": self.address,
            "house_number": (_NUMBER.findall(self.address) or [""])[0] if self.address else None,
            "city": self.city,
            "postcode": self.postcode,
            "emails": list(self.emails),
            "mailboxes": _each(fold_mailbox, self.emails),
            "email_near": sorted(
                {key for email in self.emails for key in (*near_email_keys(email), *near_domain_keys(email))}
            ),
            "email_users": [user for user in _each(email_user, self.emails) if user],
            "phones": list(self.phones),
            "phone_lines": _each(fold_phone, self.phones),
            "phone_near": sorted({key for phone in self.phones for key in near_phone_keys(fold_phone(phone))}),
            "shown": self.shown,
        }


def make_record(
    id_: str, traits: Mapping[str, Any], *, emails: Iterable[str] = (), phones: Iterable[str] = ()
) -> Record:
    """Fold the traits and contacts of one profile; values of another type than text or number count as missing."""
    given = {name: _first(traits, aliases) for name, aliases in ALIASES.items()}
    given |= {name: value for name, value in _parts_of_address(traits).items() if value and not given[name]}
    first, last = _names(given)
    birthday = read_birthday(given["birthday"] or "")
    known_emails = tuple(sorted(set(emails))[:_MAX_CONTACTS])
    known_phones = tuple(sorted(set(phones))[:_MAX_CONTACTS])
    place = [given[name] for name in ("address", "postcode", "city", "country") if given[name]]
    shown = {
        "name": given["name"] or " ".join(part for part in (given["first_name"], given["last_name"]) if part),
        "birthday": birthday or "",
        "address": ", ".join(part for part in place if part),
        "email": ", ".join(known_emails),
        "phone": ", ".join(known_phones),
    }
    return Record(
        id=id_,
        first_name=first,
        last_name=last,
        birthday=birthday,
        address=_folded(given["address"]),
        city=_folded(given["city"]),
        postcode=_folded(given["postcode"], joined=True),
        emails=known_emails,
        phones=known_phones,
        shown={name: value for name, value in shown.items() if value},
    )


def _each(fold: Any, values: Iterable[str]) -> list[Any]:
    return sorted({folded for value in values if (folded := fold(value)) is not None})


def _first(traits: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        value = traits.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and (text := str(value).strip()):
            return text[:_MAX_TEXT]
    return None


def _parts_of_address(traits: Mapping[str, Any]) -> dict[str, str | None]:
    """Street, city and postcode where a source gives the address as an object."""
    stated = traits.get("address")
    if not isinstance(stated, Mapping):
        return {}
    return {name: _first(stated, ALIASES[name]) for name in ("address", "city", "postcode", "country")}


def _names(given: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    first, last = _folded(given["first_name"]), _folded(given["last_name"])
    if first or last or not given["name"]:
        return first, last
    words = fold_text(given["name"]).split()
    if len(words) < 2:  # noqa: PLR2004 (a first and a last name)
        return (words[0] if words else None), None
    return " ".join(words[:-1]), words[-1]


def _folded(text: str | None, *, joined: bool = False) -> str | None:
    if text is None:
        return None
    folded = fold_text(text)
    return (folded.replace(" ", "") if joined else folded) or None
