"""Made-up people with known identities for measuring suggestions: typos, swapped names, moves, households, twins."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from core.errors import InvalidInputError

COLUMNS = (
    "record_id", "entity_id", "first_name", "last_name", "birthday", "address", "city", "postcode", "email", "phone",
)  # fmt: skip
_FIRST = (
    "James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "David", "Elizabeth", "William",
    "Barbara", "Richard", "Susan", "Joseph", "Jessica", "Thomas", "Sarah", "Charles", "Karen", "Daniel", "Lisa",
    "Matthew", "Nancy", "Anthony", "Betty", "Mark", "Sandra", "Paul", "Ashley", "Steven", "Emily", "Andrew",
    "Donna", "Kenneth", "Michelle", "Joshua", "Carol", "Kevin", "Amanda", "Brian", "Melissa", "George", "Deborah",
    "Edward", "Stephanie", "Ronald", "Rebecca", "Maria", "Mario", "Ana", "João", "Pedro", "Lucas", "Beatriz",
    "Larissa", "Mateus", "Camila", "José", "Luiza", "Carla", "Carlo", "Julia", "Julian", "Martin", "Martina",
    "Sofia", "Diego",
)  # fmt: skip
_LAST = (
    "Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis", "Rodriguez", "Martinez",
    "Hernandez", "Lopez", "Gonzalez", "Wilson", "Anderson", "Thomas", "Taylor", "Moore", "Jackson", "Martin", "Lee",
    "Perez", "Thompson", "White", "Harris", "Sanchez", "Clark", "Ramirez", "Lewis", "Robinson", "Walker", "Young",
    "Allen", "King", "Wright", "Scott", "Torres", "Nguyen", "Hill", "Flores", "Green", "Adams", "Nelson", "Baker",
    "Hall", "Rivera", "Campbell", "Mitchell", "Carter", "Roberts", "Silva", "Santos", "Oliveira", "Souza",
    "Pereira", "Costa", "Rodrigues", "Almeida", "Nascimento", "Lima", "Araújo", "Fernandes", "Carvalho", "Gomes",
)  # fmt: skip
_STREETS = (
    "High", "Oak", "Maple", "Cedar", "Park", "Station", "Church", "Mill", "Lake", "Hill", "River", "Garden", "Elm",
    "Pine", "Main", "Market",
)  # fmt: skip
_KINDS = ("Street", "Road", "Avenue", "Lane")
_CITIES = (("Leeds", "LS"), ("Bristol", "BS"), ("Glasgow", "GL"), ("Oxford", "OX"), ("York", "YO"), ("Bath", "BA"))
_PROVIDERS = ("mailbox.example", "post.example", "inbox.example", "letter.example")
_FIRST_DAY, _DAYS = date(1940, 1, 1), 25_000

# Shares of people who live with others, and of records that differ from what is true.
_HOUSEHOLD, _TWIN, _NAMESAKE = 0.15, 0.02, 0.01
_SECOND_RECORD, _THIRD_RECORD = 0.45, 0.12
_TYPO, _SWAPPED_NAMES, _SHORT_NAME = 0.18, 0.03, 0.04
_BIRTHDAY_MISSING, _BIRTHDAY_WRONG = 0.35, 0.06
_MOVED, _ADDRESS_MISSING = 0.2, 0.25
_EMAIL_GIVEN, _PHONE_GIVEN = 0.7, 0.5
_EMAIL_TYPO, _EMAIL_ELSEWHERE, _PHONE_VARIANT = 0.25, 0.3, 0.15


@dataclass(frozen=True, slots=True)
class _Person:
    first: str
    last: str
    birthday: date
    address: str
    city: str
    postcode: str
    number: int


def write_people(path: Path, people: int, seed: int) -> int:
    """Write a records file of so many people; how many records it has. The same numbers give the same file.

    No two records share an e-mail address or phone: those the exact rules would have joined before. Raises
    InvalidInputError where a file stands that was not made here.
    """
    if path.exists() and not _is_made_here(path):
        raise InvalidInputError("The file to generate exists and holds something else.", field="generate")
    rng = random.Random(f"people {people} {seed}")  # noqa: S311 (no secret)
    rows: list[list[str]] = []
    known: list[_Person] = []
    for number in range(people):
        known.append(_person(number, known, rng))
        count = 1 + (rng.random() < _SECOND_RECORD) + (rng.random() < _THIRD_RECORD)
        rows += [_row(known[-1], place, rng) for place in range(count)]
    rng.shuffle(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([str(place), *row] for place, row in enumerate(rows))
    return len(rows)


def _is_made_here(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline() == ",".join(COLUMNS).encode() + b"\n"


def _person(number: int, known: list[_Person], rng: random.Random) -> _Person:
    first, last = _often(_FIRST, rng), _often(_LAST, rng)
    birthday = _FIRST_DAY + timedelta(days=rng.randrange(_DAYS))
    person = _Person(first, last, birthday, *_home(rng), number)
    if not known or (kind := rng.random()) > _HOUSEHOLD:
        return person
    other = rng.choice(known)
    person = replace(person, last=other.last, address=other.address, city=other.city, postcode=other.postcode)
    if kind < _NAMESAKE:
        return replace(person, first=other.first)
    if person.first == other.first:
        person = replace(person, first=next(name for name in _FIRST if name != other.first))
    return replace(person, birthday=other.birthday) if kind < _NAMESAKE + _TWIN else person


def _often(names: Sequence[str], rng: random.Random) -> str:
    """The first names of the list are frequent, the last ones rare."""
    return names[int(len(names) * rng.random() ** 1.5)]


def _home(rng: random.Random) -> tuple[str, str, str]:
    city, area = rng.choice(_CITIES)
    street = f"{rng.randrange(1, 200)} {rng.choice(_STREETS)} {rng.choice(_KINDS)}"
    return (
        street,
        city,
        f"{area}{rng.randrange(1, 30)} {rng.randrange(1, 10)}{rng.choice('ABDEFG')}{rng.choice('HJLNPQ')}",
    )


def _row(person: _Person, place: int, rng: random.Random) -> list[str]:
    address, city, postcode = person.address, person.city, person.postcode
    if place and rng.random() < _MOVED:
        address, city, postcode = _home(rng)
    elif rng.random() < _ADDRESS_MISSING:
        address = postcode = ""
    elif rng.random() < _TYPO:
        address = _typo(address.replace("Street", "St").replace("Road", "Rd"), rng)
    first, last = _names(person, rng)
    return [
        f"p{person.number}", first, last, _birthday(person.birthday, rng), address, city, postcode,
        _email(person, place, rng), _phone(person, place, rng),
    ]  # fmt: skip


def _names(person: _Person, rng: random.Random) -> tuple[str, str]:
    first, last = person.first, person.last
    if rng.random() < _TYPO:
        first = _typo(first, rng)
    if rng.random() < _TYPO:
        last = _typo(last, rng)
    if rng.random() < _SHORT_NAME:
        first = first[0]
    return (last, first) if rng.random() < _SWAPPED_NAMES else (first, last)


def _birthday(day: date, rng: random.Random) -> str:
    if rng.random() < _BIRTHDAY_MISSING:
        return ""
    if rng.random() < _BIRTHDAY_WRONG:
        if day.day <= 12 and rng.random() < 0.5:  # noqa: PLR2004 (months of a year, half of them)
            return date(day.year, day.day, day.month).isoformat()
        return (day + timedelta(days=rng.choice((-10, -1, 1, 10)))).isoformat()
    return day.isoformat()


def _email(person: _Person, place: int, rng: random.Random) -> str:
    if rng.random() > _EMAIL_GIVEN:
        return ""
    user = f"{person.first}.{person.last}{person.number}".lower()
    provider = _PROVIDERS[person.number % len(_PROVIDERS)]
    if place == 0:
        return f"{user}@{provider}"
    kind = rng.random()
    if kind < _EMAIL_TYPO:
        return f"{_typo(user, rng)}@{provider}"
    if kind < _EMAIL_TYPO + _EMAIL_ELSEWHERE:
        return f"{user}@{_PROVIDERS[(person.number + place) % len(_PROVIDERS)]}"
    return f"{rng.choice(_STREETS).lower()}{rng.randrange(10_000, 1_000_000)}@{rng.choice(_PROVIDERS)}"


def _phone(person: _Person, place: int, rng: random.Random) -> str:
    """A Brazilian mobile with its ninth digit; the second record may write it without."""
    if rng.random() > _PHONE_GIVEN:
        return ""
    line = f"{random.Random(person.number).randrange(81_000_000, 89_999_999):08d}"  # noqa: S311 (no secret)
    if place == 0:
        return f"+55119{line}"
    if place == 1 and rng.random() < _PHONE_VARIANT:
        return f"+5511{line}"
    return f"+55119{rng.randrange(91_000_000, 99_999_999)}"


def _typo(text: str, rng: random.Random) -> str:
    """One character replaced, left out, doubled or swapped with the next."""
    place = rng.randrange(1, max(2, len(text) - 1))
    kind = rng.randrange(4)
    if kind == 0:
        return text[:place] + rng.choice("abcdefghijklmnopqrstuvwxyz") + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place + 1 :]
    if kind == 2:  # noqa: PLR2004 (the third kind)
        return text[:place] + text[place : place + 1] + text[place:]
    return text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
