"""The comparisons of the model, field by field: levels of agreement from the strongest to none, with their priors.

`m` is the share of same-person pairs at a level, `u` the share of strangers. Where chance meetings do not depend on how
many customers there are (one household, one phone line), `strangers` says how many a customer has on average, and u is
that number divided by the customers. The priors are what holds until a brand's own data says otherwise.
"""

from dataclasses import dataclass

TRAINED, FIXED = True, False


@dataclass(frozen=True, slots=True)
class Level:
    """One level of agreement: its words, its SQL condition over `…_l` and `…_r`, its priors."""

    words: str
    condition: str
    m: float
    u: float = 0.0
    strangers: float | None = None
    is_trained: bool = True
    """False where the weight describes a relation (a household, twins) or a rule, not what the data shows."""
    frequency_of: str | None = None
    """Column whose frequent values count less."""

    def u_among(self, customers: int) -> float:
        """The prior share of strangers at this level."""
        return self.u if self.strangers is None else self.strangers / customers


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the comparison table: its name, when it cannot be compared, its levels from best to none."""

    name: str
    missing: str
    levels: tuple[Level, ...]


def _is_like(one: str, least: float) -> str:
    return f"jaro_winkler_similarity({one}_l, {one}_r) >= {least}"


_SHORT_FIRST_NAME = (
    "(first_name_l IS NULL OR first_name_r IS NULL"
    " OR starts_with(first_name_l, first_name_r) OR starts_with(first_name_r, first_name_l))"
)
# First names that are both known and are not spellings or short forms of one.
_OTHER_FIRST_NAME = (
    "(first_name_l IS NOT NULL AND first_name_r IS NOT NULL"
    f" AND NOT {_SHORT_FIRST_NAME} AND jaro_winkler_similarity(first_name_l, first_name_r) < 0.85"
    " AND NOT (first_name_l = last_name_r AND last_name_l = first_name_r))"
)
_SAME_PLACE = (
    "(postcode_l = postcode_r OR city_l = city_r"
    " OR ((postcode_l IS NULL OR postcode_r IS NULL) AND (city_l IS NULL OR city_r IS NULL)))"
)
_SAME_ADDRESS = f"(address_l = address_r AND {_SAME_PLACE})"
_NEAR_ADDRESS = (
    f"(house_number_l = house_number_r AND {_SAME_PLACE}"
    " AND (jaro_winkler_similarity(address_l, address_r) >= 0.92 OR damerau_levenshtein(address_l, address_r) <= 2))"
)

NAME = Field(
    "name",
    "(first_name_l IS NULL AND last_name_l IS NULL) OR (first_name_r IS NULL AND last_name_r IS NULL)",
    (
        Level("the same first and last name", "full_name_l = full_name_r", 0.72, 1e-4, frequency_of="full_name"),
        Level("first and last name swapped", "first_name_l = last_name_r AND last_name_l = first_name_r", 0.015, 5e-5),
        Level(
            "both names nearly the same", f"{_is_like('first_name', 0.88)} AND {_is_like('last_name', 0.88)}",
            0.12, 5e-4,
        ),
        Level(
            "the same last name, first name short or missing", f"last_name_l = last_name_r AND {_SHORT_FIRST_NAME}",
            0.04, 3e-3,
        ),
        Level("the same last name, another first name", "last_name_l = last_name_r", 0.03, 6e-3, is_trained=FIXED),
        Level("the same first name, another or no last name", "first_name_l = first_name_r", 0.04, 8e-3),
        Level("another name", "ELSE", 0.035, 0.98),
    ),
)  # fmt: skip

BIRTHDAY = Field(
    "birthday",
    "birthday_l IS NULL OR birthday_r IS NULL",
    (
        Level(
            "the same birthday and last name, another first name (twins?)",
            f"birthday_l = birthday_r AND last_name_l = last_name_r AND {_OTHER_FIRST_NAME}",
            0.012, 1.5e-3, is_trained=FIXED,
        ),
        Level("the same birthday", "birthday_l = birthday_r", 0.88, 4.6e-5, frequency_of="birthday"),
        Level(
            "day and month swapped",
            "substr(birthday_l, 1, 4) = substr(birthday_r, 1, 4)"
            " AND substr(birthday_l, 6, 2) = substr(birthday_r, 9, 2)"
            " AND substr(birthday_l, 9, 2) = substr(birthday_r, 6, 2)",
            0.02, 4e-5,
        ),
        Level(
            "one digit typed otherwise or two swapped", "damerau_levenshtein(birthday_l, birthday_r) <= 1", 0.05, 1e-3
        ),
        Level(
            "the same day and month, another year", "substr(birthday_l, 6, 5) = substr(birthday_r, 6, 5)", 0.012, 2.7e-3
        ),
        Level("another birthday", "ELSE", 0.018, 0.995),
    ),
)  # fmt: skip

ADDRESS = Field(
    "address",
    "NOT ((address_l IS NOT NULL AND address_r IS NOT NULL) OR (postcode_l IS NOT NULL AND postcode_r IS NOT NULL)"
    " OR (city_l IS NOT NULL AND city_r IS NOT NULL))",
    (
        Level(
            "the same address, another first name (a household?)",
            f"({_SAME_ADDRESS} OR {_NEAR_ADDRESS}) AND {_OTHER_FIRST_NAME}",
            0.03, 0.03, is_trained=FIXED,
        ),
        Level("the same address", _SAME_ADDRESS, 0.5, strangers=0.2, is_trained=FIXED),
        Level("nearly the same address", _NEAR_ADDRESS, 0.12, strangers=0.05, is_trained=FIXED),
        Level("the same postcode", "postcode_l = postcode_r", 0.06, 2e-3),
        Level("the same city", "city_l = city_r", 0.12, 0.05),
        Level("another address", "ELSE", 0.17, 0.95),
    ),
)  # fmt: skip

EMAIL = Field(
    "email",
    "len(emails_l) = 0 OR len(emails_r) = 0",
    (
        Level("the same address", "list_has_any(emails_l, emails_r)", 0.3, strangers=0.01, is_trained=FIXED),
        Level(
            "the same mailbox, written with other dots or a +tag", "list_has_any(mailboxes_l, mailboxes_r)",
            0.03, strangers=0.002, is_trained=FIXED,
        ),
        Level("one character typed otherwise", "list_has_any(email_near_l, email_near_r)", 0.14, 5e-5),
        Level("the same name at another provider", "list_has_any(email_users_l, email_users_r)", 0.12, 2e-4),
        Level("other addresses", "ELSE", 0.41, 0.999),
    ),
)  # fmt: skip

PHONE = Field(
    "phone",
    "len(phones_l) = 0 OR len(phones_r) = 0",
    (
        Level("the same number", "list_has_any(phones_l, phones_r)", 0.35, strangers=0.01, is_trained=FIXED),
        Level(
            "the same line, written the other way (+55, +54, +52)", "list_has_any(phone_lines_l, phone_lines_r)",
            0.05, strangers=2e-6, is_trained=FIXED,
        ),
        Level("one digit typed otherwise or two swapped", "list_has_any(phone_near_l, phone_near_r)", 0.05, 3e-5),
        Level("other numbers", "ELSE", 0.55, 0.999),
    ),
)  # fmt: skip

FIELDS = (NAME, BIRTHDAY, ADDRESS, EMAIL, PHONE)
ELSE = "ELSE"
