"""Demo, what happens now and what people have to decide: who is in a store, events that name several customers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cli.demo_brand.diary import Diary, Event
from cli.demo_brand.people import AT_RISK, LOYAL, NEW, REGULAR, STAR, VIP, VISITOR, Cast, Person
from cli.demo_brand.shelf import PRODUCTS

_CUSTOMERS_PER_VISITOR = 90
_METHODS = ("geofence", "checkin", "wifi", "qr_scan")


def presence(people: Sequence[Person], now: datetime) -> list[Event]:
    """Who came into a store in the last hour or two, some after they had looked at something at home."""
    comers = [person for person in people if person.kind in {VIP, LOYAL, REGULAR, NEW, AT_RISK} and person.at_till]
    chosen = {
        person.number: person
        for person in comers[:: max(1, len(comers) // (len(people) // _CUSTOMERS_PER_VISITOR + 1))]
    }
    chosen |= {number: people[number] for number in (STAR, VISITOR)}
    events: list[Event] = []
    for person in chosen.values():
        diary = Diary(person, now, name=f"now-{now:%Y%m%d%H%M}")
        _come_in(diary)
        events += diary.events
    return events


def _come_in(diary: Diary) -> None:
    person, now = diary.person, diary.until
    came = now - timedelta(minutes=diary.rng.randint(3, 70))
    if person.number in {STAR, VISITOR} or diary.chance(0.5):
        product = diary.rng.choice([product for product in PRODUCTS if product.category == person.likes])
        seen = {"email": person.email, "cookie_id": person.cookies[0]}
        for minutes, kind in ((95, "product_view"), (92, "cart_add")):
            diary.tell(kind, now - timedelta(minutes=minutes), seen, "website", product.told())
    method = diary.rng.choice(_METHODS)
    place = {"store_id": person.store.id, "store_name": person.store.name, "method": method}
    diary.tell("store_visit", came, person.at_till, "store", place)


def encounters(people: Sequence[Person], until: datetime) -> list[Event]:
    """Events that name several known customers: four of them wait for a person, two are joined at once."""
    cast = Cast(len(people))
    events: list[Event] = []
    for group in cast.reviews:
        diary = Diary(people[group[0]], until, name="family")
        emails = [people[number].email for number in group]
        diary.tell("profile_update", diary.day(2, 15), {"email": emails}, "crm", {"note": "one family account"})
        events += diary.events
    one, two = (people[number] for number in cast.mistaken)
    diary = Diary(one, until, name="mistake")
    diary.tell("profile_update", diary.day(3, 11), {"email": [one.email, two.email]}, "crm", {"note": "same address"})
    return events + diary.events
