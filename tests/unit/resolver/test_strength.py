"""Profile strength: every number of the specification."""

import pytest

from resolver.strength import identity_score, profile_strength, relationship_score

CASES = [
    ("email only", {"email"}, 0, 40),
    ("phone and whatsapp", {"phone", "whatsapp"}, 0, 40),
    ("email, phone, whatsapp", {"email", "phone", "whatsapp"}, 0, 75),
    ("email, phone, loyalty", {"email", "phone", "loyalty_id"}, 0, 85),
    ("email, phone, whatsapp, loyalty", {"email", "phone", "whatsapp", "loyalty_id"}, 0, 85),
    ("cookie only", {"cookie_id"}, 0, 20),
    ("cookie, email, phone", {"cookie_id", "email", "phone"}, 0, 80),
    ("all but qr and upi", {"email", "phone", "whatsapp", "loyalty_id", "device_id", "cookie_id"}, 0, 95),
    ("email with five orders", {"email"}, 5, 80),
    ("loyalty only", {"loyalty_id"}, 0, 40),
    ("user id only", {"user_id"}, 0, 40),
    ("device only", {"device_id"}, 0, 25),
    ("external id only", {"external_id"}, 0, 10),
    ("qr only", {"qr_id"}, 0, 10),
    ("upi only", {"upi_id"}, 0, 10),
    ("device and cookie", {"device_id", "cookie_id"}, 0, 30),
    ("loyalty, user, device, cookie", {"loyalty_id", "user_id", "device_id", "cookie_id"}, 0, 55),
    ("card only", {"card_last4"}, 0, 0),
    ("cookie and card", {"cookie_id", "card_last4"}, 0, 20),
    ("email and ids that add nothing", {"email", "external_id", "user_id", "card_last4"}, 0, 45),
    ("nothing", set(), 3, 0),
    ("everything", {"email", "phone", "loyalty_id", "device_id", "cookie_id", "qr_id", "upi_id"}, 0, 100),
    ("anonymous buyer", {"cookie_id"}, 5, 20),
]


@pytest.mark.parametrize(("_name", "types", "orders", "expected"), CASES, ids=[case[0] for case in CASES])
def test_strength_of_the_table(_name: str, types: set[str], orders: int, expected: int) -> None:
    assert profile_strength(types, orders) == expected


@pytest.mark.parametrize(("orders", "score"), [(0, 0), (1, 40), (2, 50), (3, 60), (4, 70), (5, 80), (50, 80)])
def test_relationship_score_by_completed_orders(orders: int, score: int) -> None:
    assert relationship_score({"email"}, orders) == score


@pytest.mark.parametrize("kind", ["email", "phone", "whatsapp", "loyalty_id", "user_id", "external_id"])
def test_orders_count_with_a_strong_or_high_identifier(kind: str) -> None:
    assert relationship_score({kind}, 1) == 40


@pytest.mark.parametrize("kind", ["device_id", "cookie_id", "qr_id", "upi_id", "card_last4"])
def test_orders_do_not_count_without_a_strong_or_high_identifier(kind: str) -> None:
    assert relationship_score({kind}, 5) == 0


def test_the_higher_of_the_two_sums_counts() -> None:
    types = {"email", "loyalty_id", "user_id", "external_id", "device_id", "qr_id", "upi_id", "cookie_id"}
    assert identity_score(types) == 40 + 10 + 5 + 5 + 5 + 5


def test_strength_never_exceeds_one_hundred() -> None:
    everything = {"email", "phone", "whatsapp", "loyalty_id", "device_id", "cookie_id", "qr_id", "upi_id", "user_id"}
    assert profile_strength(everything, 9) == 100
