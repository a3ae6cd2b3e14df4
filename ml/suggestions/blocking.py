"""Blocking rules: which pairs are looked at. A rule gives each record keys; two records that share one are a pair."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ml.suggestions.folding import email_user, fold_phone, near_email_keys, swap_day_and_month
from ml.suggestions.records import Record

MAX_RECORDS_OF_A_KEY = 100
"""A key that more records share says little and would cost a square of comparisons: it brings nobody together."""


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """One rule: its name, what it says in words, and the keys of a record."""

    name: str
    words: str
    keys: Callable[[Record], list[str]]

    @property
    def column(self) -> str:
        """Where the record's keys stand in the table of records."""
        return f"key_{self.name}"


def _phone_lines(record: Record) -> list[str]:
    return sorted({fold_phone(phone) for phone in record.phones})


def _near_emails(record: Record) -> list[str]:
    return sorted({key for email in record.emails for key in near_email_keys(email)})


def _email_users(record: Record) -> list[str]:
    return sorted({user for email in record.emails if (user := email_user(email))})


def _birthday_and_initial(record: Record) -> list[str]:
    """Either initial may have been swapped into the other field, and the day with the month."""
    if record.birthday is None:
        return []
    days = {record.birthday, swap_day_and_month(record.birthday) or record.birthday}
    initials = {name[0] for name in (record.first_name, record.last_name) if name}
    return sorted(f"{min(days)}|{initial}" for initial in initials)


def _names_in_any_order(record: Record) -> list[str]:
    return [" ".join(sorted(record.full_name.split()))] if record.full_name else []


def _last_name_and_place(record: Record) -> list[str]:
    places = [place for place in (record.postcode, record.city) if place]
    names = [name for name in (record.last_name, record.first_name) if name]
    return sorted({f"{name[:4]}|{place}" for name in names for place in places})


def _address(record: Record) -> list[str]:
    if record.address is None:
        return []
    return sorted({f"{record.address}|{place}" for place in (record.postcode, record.city) if place})


RULES = (
    BlockingRule("phone_variant", "the same phone line, also written the other way (+55, +54, +52)", _phone_lines),
    BlockingRule("near_email", "e-mail addresses of one domain that differ in one character", _near_emails),
    BlockingRule("email_user", "the same e-mail name, at any domain", _email_users),
    BlockingRule(
        "birthday_initial", "the same birthday (day and month may be swapped), an initial",
        _birthday_and_initial,
    ),
    BlockingRule("full_name", "the same names in any order", _names_in_any_order),
    BlockingRule("name_place", "names that begin alike in the same postcode or city", _last_name_and_place),
    BlockingRule("address", "the same address", _address),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in RULES}


def rules_that_join(left: Record, right: Record) -> list[str]:
    """Names of the rules that bring these two together."""
    return [rule.name for rule in RULES if set(rule.keys(left)) & set(rule.keys(right))]


def describe_rules() -> list[dict[str, str]]:
    """Name and words of every rule, in order."""
    return [{"name": rule.name, "description": rule.words} for rule in RULES]


def key_columns(record: Record) -> dict[str, list[str]]:
    """The keys of a record by column."""
    return {rule.column: rule.keys(record) for rule in RULES}


def columns_of(rules: Iterable[BlockingRule] = RULES) -> list[str]:
    """The columns of the rules, in order."""
    return [rule.column for rule in rules]
