"""What the model says of typical pairs: the weights decide who is proposed at the default threshold."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import pytest

from ml.suggestions.blocking import BY_NAME, MAX_RECORDS_OF_A_KEY, rules_that_join
from ml.suggestions.fields import FIELDS
from ml.suggestions.model import learn_m, learn_u, prior_model
from ml.suggestions.records import make_record
from ml.suggestions.scoring import score_blocked, train
from ml.suggestions.settings import DEFAULT_MIN_WEIGHT
from ml.suggestions.table import RecordTable, open_database

SARAH = {
    "first_name": "Sarah", "last_name": "Miller", "birthday": "1984-03-09", "address": "12 High Street",
    "city": "Leeds", "postcode": "LS1 4AB",
}  # fmt: skip


def scored(*records, least=-50.0):
    with open_database() as database:
        table = RecordTable(database)
        table.add(records)
        table.drop_crowded_keys()
        return list(score_blocked(table, train(table), least))


def pair(left, right, **contacts):
    """The one scored pair of two records given as traits (and `left_email`-like contacts); None when not joined."""
    sides = [
        make_record(
            side,
            traits,
            emails=[contacts[f"{side}_email"]] if f"{side}_email" in contacts else [],
            phones=[contacts[f"{side}_phone"]] if f"{side}_phone" in contacts else [],
        )
        for side, traits in (("left", left), ("right", right))
    ]
    return next(iter(scored(*sides)), None)


def levels(found):
    return {one.field: one.level for one in found.comparison}


def test_a_typo_in_the_email_and_the_same_name_are_proposed():
    name = {"first_name": "Sarah", "last_name": "Miller"}
    found = pair(name, name, left_email="sarah.miller@example.com", right_email="sarah.miler@example.com")
    assert found.weight >= DEFAULT_MIN_WEIGHT
    assert found.rule == "near_email"
    assert levels(found)["email"] == "one character typed otherwise"


def test_the_same_name_and_address_are_proposed():
    known = {name: value for name, value in SARAH.items() if name != "birthday"}
    assert pair(known, known).weight >= DEFAULT_MIN_WEIGHT


def test_the_same_name_and_address_with_another_birthday_are_not_proposed():
    assert pair(SARAH, {**SARAH, "birthday": "1955-11-21"}).weight < DEFAULT_MIN_WEIGHT


def test_twins_are_not_proposed():
    found = pair(SARAH, {**SARAH, "first_name": "Thomas"})
    assert found.weight < DEFAULT_MIN_WEIGHT
    assert "twins" in levels(found)["birthday"]
    assert "household" in levels(found)["address"]


def test_who_moved_house_is_proposed_by_name_and_birthday():
    assert (
        pair(SARAH, {**SARAH, "address": "3 Elm Road", "city": "Bath", "postcode": "BA1"}).weight >= DEFAULT_MIN_WEIGHT
    )


def test_swapped_names_and_swapped_day_and_month_are_recognised():
    found = pair(SARAH, {**SARAH, "first_name": "Miller", "last_name": "Sarah", "birthday": "1984-09-03"})
    assert found.weight >= DEFAULT_MIN_WEIGHT
    assert levels(found)["name"] == "first and last name swapped"
    assert levels(found)["birthday"] == "day and month swapped"


@pytest.mark.parametrize(
    "number", ["+5511987654321 +551187654321", "+5491123456789 +541123456789", "+5215512345678 +525512345678"]
)
def test_a_phone_variant_alone_is_proposed_by_a_rule_of_its_own(number):
    left, right = number.split()
    found = pair({}, {}, left_phone=left, right_phone=right)
    assert found.weight >= DEFAULT_MIN_WEIGHT
    assert found.rule == "phone_variant"


def test_a_common_name_in_one_city_is_not_proposed():
    place = {"first_name": "Sarah", "last_name": "Miller", "city": "Leeds"}
    assert pair(place, place).weight < DEFAULT_MIN_WEIGHT


def test_the_rows_of_the_table_and_the_starting_weight_add_up_to_the_match_weight():
    found = pair(
        SARAH, {**SARAH, "first_name": "Sara"}, left_email="sarah.miller@a.example", right_email="sarah.miler@a.example"
    )
    total = prior_model(2).starting_weight + sum(one.weight for one in found.comparison)
    assert total == pytest.approx(found.weight)
    assert [one.field for one in found.comparison] == [field.name for field in FIELDS]
    name = found.comparison[0].as_dict()
    assert {name["left"], name["right"]} == {"Sarah Miller", "Sara Miller"}


def test_what_is_not_known_on_both_sides_says_nothing():
    found = pair(SARAH, {"first_name": "Sarah", "last_name": "Miller", "birthday": "1984-03-09"})
    assert levels(found)["phone"] == levels(found)["address"] == "not known on both sides"
    assert found.comparison[2].weight == 0.0


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_records_give_no_pairs(count):
    assert scored(*[make_record(str(n), SARAH) for n in range(count)]) == []


def test_records_without_anything_to_compare_are_left_out():
    assert scored(make_record("a", {}), make_record("b", {"birthday": "nonsense"})) == []


def test_a_key_that_too_many_share_brings_nobody_together():
    crowd = [make_record(str(n), {"address": "1 Mall", "city": "Leeds"}) for n in range(MAX_RECORDS_OF_A_KEY + 1)]
    with open_database() as database:
        table = RecordTable(database)
        table.add(crowd)
        table.drop_crowded_keys()
        assert table.crowded == {"address": 1}
        assert list(score_blocked(table, train(table), -50.0)) == []


def test_what_a_killed_process_spilled_is_removed_and_a_living_ones_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    folders = [tmp_path / f"constintel-suggestions-{pid}-x" for pid in (ended.pid, os.getpid())]
    for folder in folders:
        folder.mkdir()
        (folder / "spilled").write_text("customers")
    with open_database():
        assert [folder.exists() for folder in folders] == [False, True]


def test_an_address_given_as_an_object_and_one_full_name_are_understood():
    one = make_record(
        "a", {"name": "Sarah Ann Miller", "address": {"street": "12 High St", "city": "Leeds", "postalCode": "LS1"}}
    )
    assert (one.first_name, one.last_name, one.address, one.city, one.postcode) == (
        "sarah ann", "miller", "12 high st", "leeds", "ls1",
    )  # fmt: skip
    assert one.shown["address"] == "12 High St, LS1, Leeds"


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, {"street": []}])
def test_traits_of_another_type_count_as_missing(value):
    assert make_record("a", dict.fromkeys(SARAH, value)).is_empty


def test_rules_say_which_of_them_join_two_records():
    left = make_record("a", SARAH, emails=["sarah.miller@a.example"])
    right = make_record("b", {"last_name": "Miller"}, emails=["sarahmiller@b.example"])
    assert rules_that_join(left, right) == ["email_user"]
    assert all(rule.words for rule in BY_NAME.values())


def test_shares_of_a_field_never_exceed_one():
    for numbers in prior_model(1_000_000).numbers.values():
        assert sum(one.m for one in numbers) == pytest.approx(1, abs=0.02)
        assert sum(one.u for one in numbers) == pytest.approx(1, abs=0.01)


def test_little_evidence_hardly_moves_the_priors_and_nonsense_not_at_all():
    model = prior_model(1_000)
    before = model.numbers["phone"]
    backwards: dict[str, Sequence[float | None]] = {
        "phone": [0.0, 0.0, 0.0, 1.0],
        **{f.name: [None] * len(f.levels) for f in FIELDS if f.name != "phone"},
    }
    little = learn_m(model, [({"phone": [0.5, 0.0, 0.3, 0.2]}, 2.0)]).numbers["phone"]
    assert little[2].m == pytest.approx(before[2].m, abs=0.01)
    assert learn_m(model, [({"name": [0.0, 0, 0, 0, 0, 0, 1.0]}, 1e9)]).numbers["name"] == model.numbers["name"]
    assert learn_u(model, backwards, 10.0).numbers["phone"][2].u == pytest.approx(before[2].u, rel=0.01)
    assert json.loads(json.dumps(model.as_dict()))["records"] == 1_000
