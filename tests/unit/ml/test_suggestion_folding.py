"""Spellings of one thing fold together; what only looks alike does not."""

import pytest

from ml.suggestions.folding import (
    email_user,
    fold_mailbox,
    fold_phone,
    fold_text,
    near_domain_keys,
    near_email_keys,
    near_phone_keys,
    read_birthday,
    swap_day_and_month,
)


def share(keys, one: str, other: str) -> bool:
    return bool(set(keys(one)) & set(keys(other)))


@pytest.mark.parametrize(
    ("text", "folded"), [("  Élodie-Ann ", "elodie ann"), ("O'NEIL", "o neil"), ("李 小龙", "李 小龙")]
)
def test_names_fold_case_accents_and_punctuation(text, folded):
    assert fold_text(text) == folded


@pytest.mark.parametrize(
    "text", ["1984-03-09", "19840309", "1984-03-09T00:00:00Z", "09.03.1984", "9/3/1984", " 1984/03/09 "]
)
def test_a_birthday_is_read_in_the_usual_spellings(text):
    assert read_birthday(text) == "1984-03-09"


def test_a_day_that_cannot_be_a_month_decides_the_order():
    assert read_birthday("03/25/1984") == read_birthday("25/03/1984") == "1984-03-25"


@pytest.mark.parametrize("text", ["", "soon", "1984-02-30", "1899-12-31", "1900-01-01", "1970-01-01", "0000-00-00"])
def test_placeholders_and_impossible_dates_are_no_birthday(text):
    assert read_birthday(text) is None


def test_day_and_month_swap_only_where_both_are_possible():
    assert swap_day_and_month("1984-03-09") == "1984-09-03"
    assert swap_day_and_month("1984-03-25") is None
    assert swap_day_and_month("1984-03-03") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+5491123456789", "+541123456789"),
        ("+5215512345678", "+525512345678"),
    ],
)
def test_phone_variants_of_brazil_argentina_and_mexico_are_one_line(one, other):
    assert fold_phone(one) == fold_phone(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+4915112345678", "+495112345678"),
        ("+5511987654321", "+552187654321"),
        ("+5511934567890", "+551134567890"),
    ],
)
def test_other_numbers_stay_different(one, other):
    assert fold_phone(one) != fold_phone(other)


def test_phones_are_near_with_one_digit_typed_otherwise_or_two_swapped():
    assert share(near_phone_keys, "+14155550123", "+14155550124")
    assert share(near_phone_keys, "+14155550123", "+14155550132")
    assert not share(near_phone_keys, "+14155550123", "+14155559999")


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("s.a.rah+shop@gmail.com", "sarah@gmail.com"),
        ("sarah@googlemail.com", "sarah@gmail.com"),
        ("s.arah+x@example.com", "s.arah@example.com"),
    ],
)
def test_dots_count_except_at_providers_that_ignore_them_and_tags_never(address, mailbox):
    assert fold_mailbox(address) == mailbox


@pytest.mark.parametrize("other", ["sarah.miler", "sarah.millerr", "sarah.mliler", "sarah.niller", "sarahmiller"])
def test_an_email_is_near_when_one_character_of_the_user_differs(other):
    assert share(near_email_keys, "sarah.miller@example.com", f"{other}@example.com")


def test_an_email_is_not_near_with_two_typos_at_another_domain_or_when_it_is_short():
    assert not share(near_email_keys, "sarah.miller@example.com", "sara.milner@example.com")
    assert not share(near_email_keys, "sarah.miller@example.com", "sarah.miller@example.org")
    assert near_email_keys("ab@example.com") == []


def test_a_typo_in_the_domain_is_near():
    assert share(near_domain_keys, "sarah.miller@gmail.com", "sarah.miller@gmial.com")


def test_a_short_email_name_tells_nobody_apart():
    assert email_user("jo@example.com") is None
    assert email_user("sarah.miller@example.com") == "sarahmiller"
