"""Junk values as data: what people, forms and programs write when they have no identifier; a brand adds its own."""

import re

# Compared without case, surrounding space and quotes, for every identifier type.
JUNK_TEXTS = frozenset({
    "", "null", "none", "nil", "nan", "n/a", "na", "#n/a", "unknown", "undefined", "not available", "not provided",
    "guest", "anonymous", "(null)", "<null>", "[object object]", "true", "false",
})  # fmt: skip

JUNK_EMAILS = frozenset({
    "test@test.com", "none@none.com", "null@null.com", "na@na.com", "noemail@noemail.com", "email@email.com",
})  # fmt: skip

# The part before the @: machines that nobody answers from.
JUNK_EMAIL_NAMES = frozenset({
    "noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply", "mailer-daemon",
})  # fmt: skip

# Ids that very many devices report: a manufacturer's bug and the address phones show to programs.
JUNK_DEVICE_IDS = frozenset({"9774d56d682e549c", "02:00:00:00:00:00", "ffffffff-ffff-ffff-ffff-ffffffffffff"})

# Nothing but zeros and punctuation: 0000000000, 00000000-0000-0000-0000-000000000000, "-", "...".
_ZEROS = re.compile(r"[0\W_]*")
_QUOTES = "\"'`"


def is_junk(text: str) -> bool:
    """Whether `text` stands for "no value" whatever the identifier type."""
    return text.strip().strip(_QUOTES).strip().casefold() in JUNK_TEXTS or _ZEROS.fullmatch(text) is not None


def is_junk_email(address: str) -> bool:
    """Whether a normalised address is a placeholder or a machine's."""
    name = address.partition("@")[0].partition("+")[0]
    return address in JUNK_EMAILS or name in JUNK_EMAIL_NAMES


def is_junk_device(value: str) -> bool:
    """Whether a device id is one that many devices share."""
    return value.casefold() in JUNK_DEVICE_IDS


def is_same_digit(digits: str) -> bool:
    """Whether a text of digits repeats a single one (`5555555`)."""
    return len(set(digits)) == 1
