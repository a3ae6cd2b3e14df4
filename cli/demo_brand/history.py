"""Demo, what a customer did until now: consent, visits to the site and the stores, orders, returns, questions."""

from datetime import datetime, timedelta
from typing import Any

from cli.demo_brand.diary import Diary, Event
from cli.demo_brand.people import AT_RISK, LEAVING, LOOKING, LOYAL, NEW, REGULAR, STAR, UNKNOWN, VIP, VISITOR, Person
from cli.demo_brand.shelf import CURRENCY, PRODUCTS, Product, money

DAYS = 540
"""How far back histories reach."""
_TRIPS = {VIP: (8, 16), LOYAL: (4, 7), REGULAR: (1, 3), NEW: (1, 1), AT_RISK: (3, 6), LOOKING: (0, 0), UNKNOWN: (0, 0)}
_LAST_TRIP = {VIP: (2, 20), LOYAL: (5, 60), REGULAR: (20, 300), NEW: (2, 27), AT_RISK: (190, 320)}
_BETWEEN = {VIP: (18, 45), LOYAL: (30, 80), REGULAR: (40, 120), NEW: (1, 1), AT_RISK: (25, 50)}
_LOOKS_LATELY = {VIP: 0.9, LOYAL: 0.6, REGULAR: 0.4, NEW: 0.7, AT_RISK: 0.0, LOOKING: 0.8, UNKNOWN: 0.6}
_SAID = (
    "When will my order arrive?",
    "Do you have this in a larger size?",
    "Thank you, it fits!",
    "Is SoHo open today?",
)
_TROUBLES = ("Parcel is late", "Wrong size was sent", "Question about an invoice", "Zip is broken")


def history(person: Person, until: datetime) -> list[Event]:
    """Every event of one customer up to the day before `until`, and what they looked at lately."""
    diary = Diary(person, until)
    trips = _trips(diary)
    if person.kind != UNKNOWN:
        _join(diary, 3 + (trips[0] if trips else diary.rng.randint(10, 200)))
    for place, days_ago in enumerate(trips):
        _trip(diary, place, days_ago)
    if person.kind not in {UNKNOWN, LOOKING} and diary.chance(0.5):
        _letters(diary)
    if person.number in {STAR, VISITOR} or diary.chance(_LOOKS_LATELY[person.kind]):
        _look_around(diary)
    return diary.events


def _trips(diary: Diary) -> list[int]:
    """Days ago of each order, oldest first."""
    kind, rng = diary.person.kind, diary.rng
    if kind not in _LAST_TRIP:
        return []
    found = [rng.randint(*_LAST_TRIP[kind])]
    for _ in range(rng.randint(*_TRIPS[kind]) - 1):
        found.append(found[-1] + rng.randint(*_BETWEEN[kind]))
    return [days for days in reversed(found) if days < DAYS] or found[:1]


def _join(diary: Diary, days_ago: int) -> None:
    """The newsletter form: name, and who may send what."""
    person, at = diary.person, diary.day(days_ago, 8)
    who = {"email": person.email, "cookie_id": person.cookies[0]}
    birthday = f"19{diary.rng.randint(60, 99)}-{diary.rng.randint(1, 12):02d}-{diary.rng.randint(1, 28):02d}"
    traits = {"first_name": person.first, "last_name": person.last, "birthday": birthday, "city": person.store.city}
    diary.tell("identify", at, who, "website", {"traits": traits})
    email = diary.chance(0.8) or person.number == STAR
    consents = {"marketing": {"email": email, "sms": diary.chance(0.4)}, "analytics": diary.chance(0.9)}
    diary.tell("consent_changed", at + timedelta(minutes=1), {"email": person.email}, "website", {"consents": consents})
    if person.account is not None:
        account = {"user_id": person.account, "email": person.email}
        # Who has it all is known to the stores as somebody else at first.
        if person.loyalty is not None and person.number not in {STAR, VISITOR}:
            account["loyalty_id"] = person.loyalty
        if person.device is not None:
            account["device_id"] = person.device
        diary.tell("identify", at + timedelta(minutes=30), account, "mobile_app", {})


def _trip(diary: Diary, place: int, days_ago: int) -> None:
    """One order with what led to it and what followed."""
    person = diary.person
    at = diary.day(days_ago)
    basket = _basket(diary)
    # Who has it all begins in a store, so that the later web order with the phone joins two known customers.
    in_store = diary.chance(person.store_share) if person.number not in {STAR, VISITOR} else place % 2 == 0
    if in_store:
        _buy_in_store(diary, place, at, basket)
    else:
        _buy_online(diary, place, at, basket)
    if person.chats and diary.chance(0.35):
        diary.tell(
            "whatsapp_message", at + timedelta(hours=5), person.on_chat, "whatsapp", {"Body": diary.rng.choice(_SAID)}
        )
    if diary.chance(0.07) or (person.number == STAR and place == 1):
        trouble = {"subject": diary.rng.choice(_TROUBLES), "ticket_id": f"T-{person.seed}-{person.number}-{place}"}
        diary.tell("ticket_created", at + timedelta(hours=30), {"email": person.email}, "other", trouble)
        diary.tell("ticket_solved", at + timedelta(hours=54), {"email": person.email}, "other", trouble)
    if diary.chance(0.08):
        review = {**basket[0].told(), "stars": diary.rng.choice((3, 4, 5, 5))}
        diary.tell("product_reviewed", at + timedelta(days=8), {"email": person.email}, "website", review)


def _basket(diary: Diary) -> list[Product]:
    liked = [product for product in PRODUCTS if product.category == diary.person.likes]
    count = diary.rng.choice((1, 1, 1, 2, 2, 3))
    return [diary.rng.choice(liked if diary.chance(0.7) else PRODUCTS) for _ in range(count)]


def _order(diary: Diary, place: int, basket: list[Product]) -> dict[str, Any]:
    person = diary.person
    return {
        "order_id": f"AUR-{person.seed}-{person.number}-{place}",
        "total": money(sum(product.cents for product in basket)),
        "currency": CURRENCY,
        "items": [product.line() for product in basket],
        "customer": {"first_name": person.first, "last_name": person.last},
    }


def _buy_in_store(diary: Diary, place: int, at: datetime, basket: list[Product]) -> None:
    person = diary.person
    stay = {"check_in_at": at - timedelta(minutes=diary.rng.randint(8, 50)), "check_out_at": at + timedelta(minutes=2)}
    payload = {
        **_order(diary, place, basket),
        **{name: moment.isoformat() for name, moment in stay.items()},
        "store_id": person.store.id,
        "store_name": person.store.name,
    }
    diary.tell("pos_transaction", at, person.at_till, "store", payload)


def _buy_online(diary: Diary, place: int, at: datetime, basket: list[Product]) -> None:
    person = diary.person
    seen, channel = _browser(diary)
    begin = at - timedelta(minutes=diary.rng.randint(10, 40))
    if diary.chance(0.3):
        clicked = {"email": person.email, "cookie_id": person.cookies[0]}
        diary.tell("email_click", begin - timedelta(minutes=1), clicked, "email", {"campaign_name": "Weekly picks"})
    for step, product in enumerate(basket):
        diary.tell("product_view", begin + timedelta(minutes=2 * step), seen, channel, product.told())
    diary.tell("cart_add", begin + timedelta(minutes=7), seen, channel, basket[0].told())
    who = {"email": person.email, "external_id": person.shop_customer}
    if diary.chance(0.5):
        who["cookie_id"] = person.cookies[0]
    if person.phone and (diary.chance(0.4) or person.number in {STAR, VISITOR}):
        who["phone"] = person.phone
    order = _order(diary, place, basket)
    diary.tell("purchase", at, who, channel, order)
    _afterwards(diary, at, order)


def _afterwards(diary: Diary, at: datetime, order: dict[str, Any]) -> None:
    """Cancelled, or shipped and delivered, and perhaps sent back."""
    about = {"order_id": order["order_id"]}
    if diary.person.number == LEAVING:
        return
    if diary.chance(0.03):
        diary.tell("order_cancelled", at + timedelta(hours=2), {}, "website", about)
        return
    if diary.chance(0.5):
        diary.tell("order_updated", at + timedelta(days=3), {}, "website", {**about, "status": "delivered"})
    if diary.chance(0.08):
        back = {
            **about,
            "refund_id": f"R-{order['order_id']}",
            "amount": order["items"][0]["price"],
            "currency": CURRENCY,
        }
        diary.tell("refund", at + timedelta(days=9), {}, "website", back)


def _browser(diary: Diary) -> tuple[dict[str, Any], str]:
    """What a session comes with, and its channel: the app of those who have it, else a browser."""
    person = diary.person
    if person.device is not None and diary.chance(0.5):
        return {"device_id": person.device}, "mobile_app"
    return {"cookie_id": diary.rng.choice(person.cookies)}, "website"


def _letters(diary: Diary) -> None:
    """What was sent lately, and what became of it."""
    person, to = diary.person, {"email": diary.person.email}
    for days_ago, name in ((41, "Autumn arrivals"), (12, "Early access")):
        sent = diary.day(days_ago, 7)
        diary.tell("campaign_sent", sent, to, "email", {"campaign_name": name, "campaign_id": f"c-{days_ago}"})
        if diary.chance(0.5):
            diary.tell("email_open", sent + timedelta(hours=2), to, "email", {"campaign_name": name})
    if person.phone and diary.chance(0.3):
        told = {"campaign_name": "Store event"}
        diary.tell("sms_click", diary.day(6, 12), {"phone": person.phone}, "sms", told)
    if diary.chance(0.08):
        diary.tell("unsubscribed", diary.day(5, 9), to, "email", {"purpose": "marketing"})


def _look_around(diary: Diary) -> None:
    """A session of the last two weeks that ended without an order: open intents."""
    person = diary.person
    seen, channel = _browser(diary)
    if person.kind != UNKNOWN and (diary.chance(0.6) or person.number in {STAR, VISITOR}):
        seen = {**seen, "email": person.email}
    begin = diary.day(diary.rng.randint(1, 13))
    product, other = _basket(diary)[0], diary.rng.choice(PRODUCTS)
    diary.tell("page_view", begin, seen, channel, {"page_title": f"{product.category} | Aurora"})
    if diary.chance(0.4):
        diary.tell("search", begin + timedelta(minutes=1), seen, channel, {"query": product.name.lower()})
    for minute in (2, 4):
        diary.tell("product_view", begin + timedelta(minutes=minute), seen, channel, product.told())
    if diary.chance(0.35):
        diary.tell("wishlist_add", begin + timedelta(minutes=5), seen, channel, other.told())
    if diary.chance(0.45) or person.number in {STAR, VISITOR}:
        diary.tell("cart_add", begin + timedelta(minutes=6), seen, channel, product.told())
