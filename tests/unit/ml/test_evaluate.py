"""The command `evaluate` as its users run it: files out, bad files, thin files; nothing after the cutoff counts."""

import csv
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.retailers import HEADER, KINDS, make_rows, small, write_file

CUTOFF, HORIZON = "2024-01-01", 60
PREDICTION_COLUMNS = [
    "customer_id", "churn_probability", "expected_orders", "expected_spend", "spend_low", "spend_high", "segment",
]  # fmt: skip
HEAD = "customer_id,order_id,ordered_at,amount\n"


def run(file: Path, out: Path, *options: str, cutoff: str = CUTOFF) -> tuple[int, str, str]:
    words = ["evaluate", str(file), "--cutoff", cutoff, "--horizon", str(HORIZON), "--out", str(out), *options]
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.stdout, done.stderr


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def rows():
    return make_rows(small("gifts", customers=900, days=450), seed=4)


@pytest.fixture(scope="module")
def done(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    code, said, _ = run(write_file(folder / "orders.csv", rows), folder / "out")
    assert code == 0, said
    return folder / "out"


def test_predictions_have_one_row_for_every_customer_with_an_order_before_the_cutoff(done, rows) -> None:
    found = read(done / "predictions.csv")
    assert list(found[0]) == PREDICTION_COLUMNS
    buyers = {row[0] for row in rows if row[2] < CUTOFF and not row[3].startswith("-")}
    assert [row["customer_id"] for row in found] == sorted(buyers)
    for row in found:
        churn, orders, spend, low, high = (float(row[name]) for name in PREDICTION_COLUMNS[1:6])
        assert 0 < churn < 1
        assert orders >= 1 - churn - 1e-6
        assert spend >= 0
        assert 0 <= low <= high
        assert row["segment"] in {"champion", "loyal", "at_risk", "new", "potential"}


@pytest.mark.parametrize("name", ["recommendations.csv", "recommendations_new.csv"])
def test_every_customer_gets_ten_different_products_with_reasons(done, name) -> None:
    found = read(done / name)
    assert list(found[0]) == ["customer_id", "rank", "product_id", "score", "reason"]
    customers = [row["customer_id"] for row in read(done / "predictions.csv")]
    assert Counter(row["customer_id"] for row in found) == dict.fromkeys(customers, 10)
    for place, row in enumerate(found):
        assert int(row["rank"]) == place % 10 + 1
        assert row["reason"]
    assert len({(row["customer_id"], row["product_id"]) for row in found}) == len(found)
    for before, after in pairwise(found):
        assert before["customer_id"] != after["customer_id"] or float(before["score"]) >= float(after["score"])


def test_new_recommendations_hold_nothing_that_the_customer_bought(done, rows) -> None:
    bought = {(row[0], row[4]) for row in rows if row[2] < CUTOFF}
    new = {(row["customer_id"], row["product_id"]) for row in read(done / "recommendations_new.csv")}
    assert not new & bought
    assert {(row["customer_id"], row["product_id"]) for row in read(done / "recommendations.csv")} & bought


def test_model_and_report_say_what_was_chosen_and_show_calibration(done) -> None:
    model = json.loads((done / "model.json").read_text(encoding="utf-8"))
    assert set(model["choices"]) == {"churn", "orders", "spend"}
    assert len(model["judged_windows"]) >= 3
    assert all(window["origin"] < CUTOFF for window in model["judged_windows"])
    assert model["choices"]["churn"]["chosen"] in model["choices"]["churn"]["loss_by_window"]
    report = (done / "report.md").read_text(encoding="utf-8")
    assert "](calibration.png)" in report
    assert (done / "calibration.png").read_bytes().startswith(b"\x89PNG")


def test_the_order_of_rows_and_the_future_change_no_byte(done, rows, tmp_path) -> None:
    past = [row for row in rows if row[2] < CUTOFF]
    future = [
        (f"new{place}", f"f{place}", f"{CUTOFF}T00:00:00Z", "9999.00", "PX", "catx", "3", "EUR") for place in range(50)
    ]
    code, _, _ = run(write_file(tmp_path / "shuffled.csv", [*past, *future], shuffle=7), tmp_path / "out")
    assert code == 0
    assert contents(tmp_path / "out") == contents(done)


def test_columns_are_found_by_name_in_any_order_and_ids_come_back_unchanged(tmp_path) -> None:
    ids = [" 007", "a,b", 'say "x"', "ünï", "0012", "NULL", "1e5"]
    file = tmp_path / "orders.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["note", "Amount", "ordered_at", "customer_id", "order_id"])
        writer.writerows(
            ["x", "5.00", "2023-10-01T23:30:00-02:00", name, f"o{place}"] for place, name in enumerate(ids)
        )
    code, _, _ = run(file, tmp_path / "out")
    assert code == 0
    assert {row["customer_id"] for row in read(tmp_path / "out" / "predictions.csv")} == set(ids)
    assert not (tmp_path / "out" / "recommendations.csv").exists()


@pytest.mark.parametrize(
    ("rows", "row", "column"),
    [
        ("a,1,2023-05-01,x\n", 2, "amount"),
        ("a,1,2023-05-01,5\nb,2,2023-05-02,\n", 3, "amount"),
        ("a,1,2023-05-01,nan\n", 2, "amount"),
        ("a,1,2023-13-01,5\n", 2, "ordered_at"),
        ("a,1,2023-02-30,5\n", 2, "ordered_at"),
        ("a,1,01/05/2023,5\n", 2, "ordered_at"),
        ("a,1,,5\n", 2, "ordered_at"),
        ("a,1,0000-05-01,5\n", 2, "ordered_at"),
        ("a,1,2023-05-01T10:00:00+99:00,5\n", 2, "ordered_at"),
        ("a,1,2023-05-01T25:00:00Z,5\n", 2, "ordered_at"),
        ("\na,1,2023-05-01,5\n\nb,1,2023-05-01,1_000\n", 5, "amount"),
        ('"a\nb",1,2023-05-01,5\nb,1,2023-05-01,inf\n', 3, "amount"),
        (",1,2023-05-01,5\n", 2, "customer_id"),
        ("a,,2023-05-01,5\n", 2, "order_id"),
        ("a,1,2023-05-01\n", 2, "amount"),
        ("a,1,2023-05-01,5\nb,1,2023-05-01,5,6\n", 3, "(after the last)"),
        ('a,1,2023-05-01,5\n"b\n', 3, "(any)"),
        ("a,1,2099-05-01,5\nb,1,2099-05-01,many\n", 3, "amount"),
    ],
)
def test_a_bad_row_is_named_with_its_column(rows, row, column, tmp_path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(HEAD + rows, encoding="utf-8")
    code, _, said = run(file, tmp_path / "out")
    assert code == 2
    last = said.strip().splitlines()[-1]
    assert f"row {row}, column {column}:" in last
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"", "(header)"),
        (b"customer_id,order_id,amount\na,1,5\n", "ordered_at"),
        (b"customer_id,order_id,amount,amount,ordered_at\n", "amount"),
        (b"\xff\xfec\x00", "(header)"),
        (HEAD.encode() + b"\xe9,1,2023-05-01,5\n", "customer_id"),
    ],
)
def test_a_file_that_is_no_order_file_is_refused(content, column, tmp_path) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    code, _, said = run(file, tmp_path / "out")
    assert code == 2
    assert f"column {column}:" in said.strip().splitlines()[-1]


def test_mixed_currencies_before_the_cutoff_are_refused_where_they_begin(tmp_path) -> None:
    file = tmp_path / "orders.csv"
    lines = "a,1,2023-05-01,5,EUR\nb,2,2023-05-01,5,\nc,3,2023-05-01,5,usd\n"
    file.write_text("customer_id,order_id,ordered_at,amount,currency\n" + lines, encoding="utf-8")
    code, _, said = run(file, tmp_path / "out")
    assert code == 2
    assert "row 4, column currency:" in said.strip().splitlines()[-1]


def test_a_file_or_date_that_is_not_there_is_an_error_of_one_line(tmp_path) -> None:
    assert run(tmp_path / "none.csv", tmp_path / "out")[0] == 2
    (tmp_path / "orders.csv").write_text(HEAD, encoding="utf-8")
    code, _, said = run(tmp_path / "orders.csv", tmp_path / "out", cutoff="soon")
    assert code == 2
    assert "--cutoff" in said


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["a,1,2023-05-01,5"],
        ["a,1,2023-05-01,5", "a,2,2023-06-01,5", "a,3,2023-07-01,0.00"],
        [f"c{n},{n},2023-05-01,5" for n in range(150)],
        [f"c{n},{n},2023-{n % 12 + 1:02d}-01,5" for n in range(300)],
        ["a,1,2024-05-01,5"],
        ["a,1,2023-05-01,-5"],
        [f"c{n},{n}-{m},2023-{m:02d}-15,5" for n in range(120) for m in range(1, 13)],
        [f"c{n},{n}-{m},2023-12-{m:02d},5" for n in range(120) for m in (5, 9)],
    ],
    ids=["empty", "one order", "one customer", "one day", "no repeats", "future", "refund", "all alike", "short"],
)
def test_thin_or_one_class_history_is_answered_by_the_day_one_model(lines, tmp_path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    code, said, errors = run(file, tmp_path / "out")
    assert code == 0, errors
    assert "day-one model" in said
    model = json.loads((tmp_path / "out" / "model.json").read_text(encoding="utf-8"))
    assert model["model_version"].startswith("day-one-")
    assert model["confidence"] == "low"
    expected = {line.split(",")[0] for line in lines if "2024" not in line and ",-5" not in line}
    assert {row["customer_id"] for row in read(tmp_path / "out" / "predictions.csv")} == expected


def test_small_brands_get_the_probabilistic_baseline_and_are_told(tmp_path) -> None:
    file = write_file(tmp_path / "orders.csv", make_rows(small("growing", customers=300), seed=2))
    code, said, _ = run(file, tmp_path / "out")
    assert code == 0
    assert "fewer than 500" in said
    model = json.loads((tmp_path / "out" / "model.json").read_text(encoding="utf-8"))
    assert {choice["chosen"] for choice in model["choices"].values()} == {"btyd"}


def test_the_header_of_made_up_files_is_the_contracts() -> None:
    assert HEADER[:4] == ("customer_id", "order_id", "ordered_at", "amount")
    assert set(KINDS) >= {"gifts", "grocery", "fashion", "growing", "declining", "heavy_tail"}


@pytest.mark.parametrize("step", ["train", "fit_together"])
def test_a_run_that_fails_leaves_the_files_of_the_one_before(step, rows, tmp_path, monkeypatch) -> None:
    file, out = write_file(tmp_path / "orders.csv", rows[:400]), tmp_path / "out"
    assert run(file, out)[0] == 0
    before = contents(out)
    write_file(file, rows)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(f"ml.evaluation.run.{step}", fail)
    assert run(file, out)[0] != 0
    assert contents(out) == before
