"""From a raw value to an Identifier: checks the value, picks the rule of its type, tests for junk before and after."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from core.brand import BrandSettings
from core.errors import InvalidInputError
from core.identifiers import Identifier
from core.normal_forms.email import normal_email
from core.normal_forms.ids import (
    normal_card_last4,
    normal_device_id,
    normal_external_id,
    normal_id,
    normal_loyalty_id,
    normal_upi_id,
)
from core.normal_forms.junk import is_junk
from core.normal_forms.phone import normal_phone

MAX_LENGTH = 512
CACHE_SIZE = 65_536

NAMES: dict[str, str] = {
    "phone": "phone number",
    "email": "e-mail address",
    "whatsapp": "WhatsApp number",
    "loyalty_id": "loyalty id",
    "user_id": "user id",
    "external_id": "external id (source:id)",
    "device_id": "device id",
    "qr_id": "QR id",
    "upi_id": "UPI id",
    "cookie_id": "cookie id",
    "card_last4": "last four digits of a card",
}

# An address is never a number in JSON; a phone or an id that a program sends as a whole number is its digits.
TEXT_ONLY_TYPES = frozenset({"email", "upi_id"})

# Zero-width and direction marks come along when people copy from contacts.
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a text is no identifier; `reason` never repeats the text."""

    reason: str


class _Rules(NamedTuple):
    """What of a brand's settings decides a normal form: the part of the cache's key that is the same for a brand."""

    region: str
    fold_email_tags: bool
    blocked_values: frozenset[str]


_BY_TYPE: dict[str, Callable[[str, _Rules], str | None]] = {
    "phone": lambda text, rules: normal_phone(text, rules.region),
    "whatsapp": lambda text, rules: normal_phone(text, rules.region),
    "email": lambda text, rules: normal_email(text, fold_tags=rules.fold_email_tags),
    "loyalty_id": lambda text, _: normal_loyalty_id(text),
    "user_id": lambda text, _: normal_id(text),
    "external_id": lambda text, _: normal_external_id(text),
    "device_id": lambda text, _: normal_device_id(text),
    "qr_id": lambda text, _: normal_id(text),
    "upi_id": lambda text, _: normal_upi_id(text),
    "cookie_id": lambda text, _: normal_id(text),
    "card_last4": lambda text, _: normal_card_last4(text),
}


def normalise(identifier_type: str, raw_value: Any, settings: BrandSettings) -> Identifier | Rejected:
    """The identifier that `raw_value` stands for in this brand, or why it stands for none.

    Raises InvalidInputError for an unknown type and for a value that is neither text nor, for phones and ids,
    a whole number.
    """
    if identifier_type not in _BY_TYPE:
        raise InvalidInputError("identifiers: unknown identifier type", field="identifiers")
    text = as_text(identifier_type, raw_value, f"identifiers.{identifier_type}")
    return _normalise_text(identifier_type, text, _rules(settings))


def as_text(identifier_type: str, raw_value: Any, field: str) -> str:
    """`raw_value` as text; raises InvalidInputError naming `field` when its JSON type cannot be an identifier."""
    if isinstance(raw_value, str):
        return raw_value
    if isinstance(raw_value, int) and not isinstance(raw_value, bool) and identifier_type not in TEXT_ONLY_TYPES:
        return str(raw_value)
    raise InvalidInputError(f"{field}: must be text", field=field)


def normalise_all(
    pairs: Iterable[tuple[str, Any]], settings: BrandSettings
) -> tuple[tuple[Identifier, ...], list[str]]:
    """All identifiers that (type, raw value) `pairs` stand for, each once, in order; a warning for each type left out.

    A WhatsApp number is also the person's phone. None is nothing and passes without a word.
    """
    found: dict[Identifier, None] = {}
    warnings: dict[str, None] = {}
    rules = _rules(settings)
    for identifier_type, raw_value in pairs:
        if raw_value is None:
            continue
        text = as_text(identifier_type, raw_value, f"identifiers.{identifier_type}")
        result = _normalise_text(identifier_type, text, rules)
        if isinstance(result, Rejected):
            warnings[f"identifiers.{identifier_type}: {result.reason}"] = None
            continue
        found[result] = None
        if identifier_type == "whatsapp":
            twin = _normalise_text("phone", result.value, rules)
            if isinstance(twin, Identifier):
                found[twin] = None
    return tuple(found), list(warnings)


def _rules(settings: BrandSettings) -> _Rules:
    return _Rules(settings.region, settings.fold_email_tags, settings.blocked_values)


@lru_cache(maxsize=CACHE_SIZE)
def _normalise_text(identifier_type: str, text: str, rules: _Rules) -> Identifier | Rejected:
    trimmed = _trim(text)
    if len(text) > MAX_LENGTH or _CONTROL.search(trimmed):
        return Rejected(f"longer than {MAX_LENGTH} characters or with control characters")
    # Card digits describe and never link, so 0000 does no harm there.
    if identifier_type != "card_last4" and is_junk(trimmed):
        return Rejected("a junk value")
    form = _BY_TYPE[identifier_type](trimmed, rules)
    if form is None or len(form) > MAX_LENGTH:
        return Rejected(f"not a usable {NAMES[identifier_type]}")
    if identifier_type != "card_last4" and is_junk(form):
        return Rejected("a junk value")
    if rules.blocked_values and _is_blocked(identifier_type, trimmed, form, rules):
        return Rejected("a value blocked by the brand")
    return Identifier(identifier_type, form)


def _trim(text: str) -> str:
    """Without surrounding space and invisible marks."""
    before = None
    while before != text:
        before = text
        text = text.strip().strip(_INVISIBLE)
    return text


def _is_blocked(identifier_type: str, trimmed: str, form: str, rules: _Rules) -> bool:
    plain, forms = _blocked(identifier_type, rules)
    return trimmed.casefold() in plain or form.casefold() in plain or form in forms


@lru_cache(maxsize=1024)
def _blocked(identifier_type: str, rules: _Rules) -> tuple[frozenset[str], frozenset[str]]:
    """The brand's blocked values as written, and in the normal form they have for this type."""
    plain = {value.strip().casefold() for value in rules.blocked_values}
    forms = {_BY_TYPE[identifier_type](_trim(value), rules) for value in rules.blocked_values}
    return frozenset(plain), frozenset(form for form in forms if form is not None)
