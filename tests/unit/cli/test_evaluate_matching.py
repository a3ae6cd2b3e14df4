"""The command `evaluate-matching`: precision and recall of labelled files, and errors that name row and column."""

import csv
import json

import pytest
from typer.testing import CliRunner

from cli.generator.people import write_people
from cli.main import app
from ml.suggestions.evaluate import evaluate_records

HEADER = (
    "left_first_name,left_last_name,left_birthday,left_email,"
    "right_first_name,right_last_name,right_birthday,right_email,is_match"
)
PAIRS = (
    "Sarah,Miller,1984-03-09,sarah.miller@example.com,Sara,Miller,1984-03-09,sarah.miler@example.com,1",
    "Sarah,Miller,1984-03-09,,Sarah,Miller,1984-09-03,,true",
    "Ana,Silva,1990-05-06,,Pedro,Souza,1971-12-01,,0",
    "Sarah,Miller,1984-03-09,,Thomas,Miller,1984-03-09,,false",
)


def run(*words):
    return CliRunner().invoke(app, ["evaluate-matching", *map(str, words)])


def write(path, *rows, header=HEADER):
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def scored(path):
    found = []
    evaluate_records(path, "US", lambda one, _: found.append((one.left, one.right, one.weight)), lambda *_: None)
    return sorted(found)


def test_labelled_pairs_give_precision_and_recall_at_the_threshold(tmp_path):
    done = run(write(tmp_path / "pairs.csv", *PAIRS), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "threshold 5: precision 1.0000, recall 1.0000, F1 1.0000" in done.output
    assert "brought together by blocking: 2 of 2 same-person pairs" in done.output
    with (tmp_path / "out" / "scored.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(PAIRS)
    assert {row["is_match"] for row in rows if float(row["match_weight"]) >= 5} == {"1"}
    assert "Miller" not in (tmp_path / "out" / "scored.csv").read_text()
    assert json.loads((tmp_path / "out" / "model.json").read_text())["learnt"]["u"] is False


def test_a_threshold_that_nothing_reaches_finds_nothing(tmp_path):
    done = run(write(tmp_path / "pairs.csv", *PAIRS), "--threshold", "500")
    assert "threshold 500: precision none, recall 0.0000, F1 0.0000" in done.output


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([PAIRS[0], PAIRS[1].replace("true", "maybe")], HEADER, "row 3, column is_match"),
        ([PAIRS[0].rpartition(",")[0]], HEADER, "row 2, column is_match"),
        ([PAIRS[0] + ",more"], HEADER, "row 2, column (after the last)"),
        ([], HEADER, "row 2, column is_match"),
        ([], "left_first_name,right_first_name", "row 1, column is_match"),
        ([], "left_first_name,is_match", "row 1, column right_"),
        ([], "left_email,left_email,right_email,is_match", "row 1, column left_email"),
        (['"open,1'], "left_email,right_email,is_match", "row 2, column (any)"),
    ],
)
def test_bad_pairs_end_with_status_2_and_name_row_and_column(tmp_path, rows, header, said):
    done = run(write(tmp_path / "pairs.csv", *rows, header=header))
    assert done.exit_code == 2
    assert said in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.output
    assert "maybe" not in done.output


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1,a,Sarah", "1,b,Ana"], "row 3, column record_id"),
        ([",a,Sarah"], "row 2, column record_id"),
        (["1,,Sarah"], "row 2, column entity_id"),
        ([], "row 2, column record_id"),
    ],
)
def test_bad_records_end_with_status_2_and_name_row_and_column(tmp_path, rows, said):
    done = run(write(tmp_path / "records.csv", *rows, header="record_id,entity_id,first_name"), "--records")
    assert done.exit_code == 2
    assert said in done.stderr.strip().splitlines()[-1]


def test_bytes_that_are_no_text_and_a_file_that_is_not_there_end_with_status_2(tmp_path):
    (tmp_path / "latin.csv").write_bytes(f"{HEADER}\nSarah,M\xfcller".encode("latin-1"))
    for name in ("latin.csv", "missing.csv", "."):
        done = run(tmp_path / name)
        assert done.exit_code == 2, name
        assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("options", "said"), [(["--region", "XX"], "--region"), (["--threshold", "nan"], "--threshold")]
)
def test_options_that_do_not_fit_are_named(tmp_path, options, said):
    done = run(write(tmp_path / "pairs.csv", *PAIRS), *options)
    assert done.exit_code == 2
    assert said in done.stderr


def test_people_are_never_written_over_somebody_elses_file(tmp_path):
    file = write(tmp_path / "pairs.csv", *PAIRS)
    before = file.read_bytes()
    assert run(file, "--generate", 10).exit_code == 2
    assert file.read_bytes() == before
    for _ in range(2):
        assert run(tmp_path / "people.csv", "--generate", 10).exit_code == 0


def test_values_that_cannot_be_read_count_as_missing_and_are_said_by_column(tmp_path):
    rows = ["31.31.1980,nobody,1980-01-01,a@x.io,1", ",b@x.io,,b@x.io,1"]
    file = write(tmp_path / "pairs.csv", *rows, header="left_birthday,left_email,right_birthday,right_email,is_match")
    done = run(file)
    assert done.exit_code == 0, done.output
    assert "left out as unreadable: 1 value(s) of birthday" in done.stderr
    assert "left out as unreadable: 1 value(s) of email" in done.stderr


def test_two_records_of_one_person_are_enough(tmp_path):
    rows = ["1,a,Sarah,Miller,1984-03-09", "2,a,Sara,Miller,1984-03-09"]
    file = write(tmp_path / "records.csv", *rows, header="record_id,entity_id,first_name,last_name,birthday")
    done = run(file, "--records")
    assert done.exit_code == 0, done.output
    assert "precision 1.0000, recall 1.0000" in done.output


def test_the_same_people_give_the_same_file_and_the_same_scores_in_any_order_of_rows(tmp_path):
    write_people(tmp_path / "a.csv", 120, 3)
    write_people(tmp_path / "b.csv", 120, 3)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    write(tmp_path / "b.csv", *reversed(rows), header=header)
    outcomes = [scored(tmp_path / name) for name in ("a.csv", "b.csv")]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]


def test_made_up_people_with_typos_moves_and_twins_are_told_apart(tmp_path):
    done = run(tmp_path / "people.csv", "--generate", 800, "--seed", 1)
    assert done.exit_code == 0, done.output
    last = done.stdout.strip().splitlines()[-1]
    precision, recall = (float(last.split(f"{word} ")[1].split(",")[0]) for word in ("precision", "recall"))
    assert precision >= 0.97
    assert recall >= 0.55
