"""Folds values so that spellings of one thing compare as equal or near: names, dates, mailboxes, phone variants."""

import re
import unicodedata
from datetime import date

_DATE_ORDERS = (
    re.compile(r"^(?P<year>\d{4})[-/.]?(?P<month>\d{2})[-/.]?(?P<day>\d{2})(?:[T ].*)?$"),
    re.compile(r"^(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{4})$"),
    re.compile(r"^(?P<month>\d{1,2})[./-](?P<day>\d{1,2})[./-](?P<year>\d{4})$"),
)
_FIRST_YEAR = 1900
# What forms and systems store where nobody gave a birthday.
_PLACEHOLDERS = frozenset({"1900-01-01", "1970-01-01"})
_DOTLESS_DOMAINS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
# Lines that begin with 2 to 5 are landlines: they never had a ninth digit.
_BRAZIL = re.compile(r"^\+55(\d{2})9([6-9]\d{7})$")
_ARGENTINA = re.compile(r"^\+549(\d{10})$")
_MEXICO = re.compile(r"^\+521(\d{10})$")
_MIN_PHONE_DIGITS = 9
_MIN_USER = 5


def fold_text(text: str) -> str:
    """Lower case without accents and punctuation, words apart by one space: `  Élodie-Ann ` → `elodie ann`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char))
    return " ".join("".join(kept).split())


def read_birthday(text: str) -> str | None:
    """A birthday as `1984-03-09`; None for what is no date and for placeholders. Day before month where both fit."""
    for order in _DATE_ORDERS:
        found = order.match(text.strip())
        if found is None:
            continue
        try:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:
            continue
        stated = day.isoformat()
        return None if day.year < _FIRST_YEAR or stated in _PLACEHOLDERS else stated
    return None


def swap_day_and_month(birthday: str) -> str | None:
    """The date with day and month exchanged, None when there is no such date or it is the same."""
    year, month, day = birthday.split("-")
    swapped = f"{year}-{day}-{month}"
    return swapped if int(day) <= 12 and day != month else None  # noqa: PLR2004 (months of a year)


def fold_phone(phone: str) -> str:
    """One spelling for numbers that are one line in the real world: Brazil's ninth digit, Argentina's 9, Mexico's 1."""
    for pattern, spelling in ((_BRAZIL, r"+55\1\2"), (_ARGENTINA, r"+54\1"), (_MEXICO, r"+52\1")):
        if pattern.match(phone):
            return pattern.sub(spelling, phone)
    return phone


def near_phone_keys(phone: str) -> list[str]:
    """Numbers of one length share a key when they differ in one digit or have two neighbouring digits swapped."""
    digits = phone.removeprefix("+")
    if len(digits) < _MIN_PHONE_DIGITS:
        return []
    return sorted({f"{len(digits)}:{key}" for key in one_left_out(digits)} - {f"{len(digits)}:{digits}"})


def fold_mailbox(email: str) -> str:
    """The mailbox that an address reaches: without +tag, and without dots where the provider ignores them."""
    user, _, domain = email.rpartition("@")
    user = user.partition("+")[0] or user
    if domain in _DOTLESS_DOMAINS:
        user, domain = user.replace(".", ""), _DOTLESS_DOMAINS[domain]
    return f"{user}@{domain}"


def near_email_keys(email: str) -> list[str]:
    """Two mailboxes share a key when one character of the user is typed otherwise, left out, added or swapped."""
    user, _, domain = fold_mailbox(email).rpartition("@")
    return sorted(f"{key}@{domain}" for key in one_left_out(user)) if len(user) >= _MIN_USER else []


def near_domain_keys(email: str) -> list[str]:
    """Two mailboxes share a key when one character of the domain is typed otherwise, left out, added or swapped."""
    user, domain = email_user(email), fold_mailbox(email).rpartition("@")[2]
    return sorted(f"{user}@@{key}" for key in one_left_out(domain)) if user else []


def email_user(email: str) -> str | None:
    """The user of an address with dots left out, None when it is too short to tell anybody apart."""
    user = fold_mailbox(email).rpartition("@")[0].replace(".", "")
    return user if len(user) >= _MIN_USER else None


def one_left_out(text: str) -> set[str]:
    """`text` and every text that lacks one of its characters."""
    return {text} | {text[:place] + text[place + 1 :] for place in range(len(text))}
