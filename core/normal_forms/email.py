"""E-mail addresses: lower case, one Unicode form, ASCII domain; syntax is checked, no DNS is asked."""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from core.normal_forms.junk import is_junk_email

_MAX_LENGTH, _MAX_NAME = 254, 64
_WORD = r"[a-z0-9_+\-]+"
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
# The everyday address, for which the library would answer with the same text in lower case.
_PLAIN = re.compile(rf"({_WORD}(?:\.{_WORD})*)@(?:{_LABEL}\.)+(?!..--)[a-z](?:[a-z0-9\-]{{0,61}}[a-z])?")
_TOP_LEVEL = re.compile(r"\.(?:xn--[a-z0-9\-]+|[a-z0-9\-]*[a-z])$")
# The only large provider whose dots mean nothing.
_DOTLESS_DOMAINS = frozenset({"gmail.com", "googlemail.com"})


def normal_email(text: str, *, fold_tags: bool = False) -> str | None:
    """The normal form of a trimmed address, None when it is unusable or junk.

    `fold_tags` drops a +tag, and the dots of an address at a provider that ignores them.
    """
    address = _plain(text) or _by_library(text)
    if address is None:
        return None
    if fold_tags:
        address = _fold(address)
    return None if address is None or is_junk_email(address) else address


def _plain(text: str) -> str | None:
    if not text.isascii() or len(text) > _MAX_LENGTH:
        return None
    text = text.lower()
    match = _PLAIN.fullmatch(text)
    return text if match and len(match.group(1)) <= _MAX_NAME else None


def _by_library(text: str) -> str | None:
    """Normalise until nothing changes: lower case may leave letters that Unicode composes anew."""
    for _ in range(3):
        form = _validated(text)
        if form is None or form == text:
            return form
        text = form
    return None


def _validated(text: str) -> str | None:
    # globally_deliverable=False: reserved names such as .test are addresses in trials; a dot and a real ending
    # are asked for here instead.
    try:
        address = validate_email(text, strict=True, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError):
        return None
    domain = (address.ascii_domain or "").lower()
    if not _TOP_LEVEL.search(domain):
        return None
    name = unicodedata.normalize("NFC", address.local_part.lower())
    form = f"{name}@{domain}"
    return form if len(form) <= _MAX_LENGTH else None


def _fold(address: str) -> str | None:
    name, _, domain = address.rpartition("@")
    name = name.partition("+")[0]
    if domain in _DOTLESS_DOMAINS:
        name = name.replace(".", "")
    return f"{name}@{domain}" if name else None
