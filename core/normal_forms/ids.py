"""Ids that others issue: loyalty, user, device, QR, cookie, UPI and external ids; opaque but for space and case."""

import re

from core.normal_forms.junk import is_junk, is_junk_device

_UPI = re.compile(r"[^\s@]+@[^\s@]+")
_CARD_LAST4 = re.compile(r"[*xX•.\- ]*([0-9]{4})", re.ASCII)


def normal_loyalty_id(text: str) -> str:
    """Loyalty cards are read aloud and typed: upper case."""
    return text.upper()


def normal_id(text: str) -> str:
    """User, QR and cookie ids: as they are."""
    return text


def normal_device_id(text: str) -> str | None:
    """A device id as it is, None for one that many devices report."""
    return None if is_junk_device(text) else text


def normal_upi_id(text: str) -> str | None:
    """A UPI address `name@bank` in lower case."""
    return text.lower() if _UPI.fullmatch(text) else None


def normal_external_id(text: str) -> str | None:
    """An id of another system, always with its source: `shopify:123`; None without a source or with a junk id."""
    source, colon, value = text.partition(":")
    source, value = source.strip(), value.strip()
    return f"{source}:{value}" if colon and source and not is_junk(value) else None


def normal_card_last4(text: str) -> str | None:
    """The last four digits of a card, also out of a masked number."""
    match = _CARD_LAST4.fullmatch(text)
    return match.group(1) if match else None
