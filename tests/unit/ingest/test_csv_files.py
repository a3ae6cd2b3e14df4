"""CSV files as text: detection, rows of any shape in bounded memory, names of columns, cells made safe."""

import csv
import io
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.brand import BrandSettings
from core.errors import InvalidInputError
from ingest.csv_files.columns import map_columns
from ingest.csv_files.detect import SAMPLE_BYTES, TextProbe, detect_delimiter
from ingest.csv_files.files import RejectedRows, read_rejected, remove_old_files, safe_cell
from ingest.csv_files.options import ImportOptions
from ingest.csv_files.reading import MAX_ROW_CHARACTERS, CsvRows, Format
from ingest.csv_files.rows import RowReader

TEXTS = {
    "utf-8": "name,city\nZoë,Köln\n",
    "utf-8-sig": "name,city\nZoë,Köln\n",
    "utf-16": "name,city\nZoë,Köln\n",
    "utf-16-be": "name,city\nZoë,Köln\n",
    "utf-16-le": "name;city\n李,北京 and more\n",
    "utf-32": "name,city\nZoë,Köln\n",
    "cp1252": "name;price\nJosé;5 €\nRenée;£7\n",
    "cp1250": "imię;miasto\nŁukasz;Łódź\nŻaneta;Gdańsk\n",
    "cp1251": "имя;город\nИван Петров;Москва\nАнна Иванова;Казань\n",  # noqa: RUF001 (other letters are the point)
    "cp1253": "όνομα;πόλη\nΓιώργος Παπαδόπουλος;Αθήνα\nΜαρία;Πάτρα\n",  # noqa: RUF001
    "cp932": "名前,都市\n山田太郎,東京都\n鈴木花子,大阪府\n" * 3,
    "gb18030": "名字,城市\n王小明,北京市\n李小红,上海市\n" * 3,
    "euc_kr": "이름,도시\n김민수,서울특별시\n이영희,부산광역시\n" * 3,
}


def probed(content: bytes, piece: int = 7) -> TextProbe:
    probe = TextProbe()
    for start in range(0, len(content), piece):
        probe.feed(content[start : start + piece])
    return probe


@pytest.mark.parametrize("encoding", TEXTS)
def test_what_a_text_is_written_in_is_found(encoding: str) -> None:
    content = TEXTS[encoding].encode(encoding)
    if encoding == "utf-16-be":
        content = TEXTS[encoding].encode("utf-16-be")
    found = probed(content).encoding()
    assert content.decode(found).removeprefix("\ufeff") == TEXTS[encoding]


def test_one_odd_byte_far_behind_the_sample_still_counts() -> None:
    content = b"name,city\n" + b"Bob,Rome\n" * (SAMPLE_BYTES // 4) + "Zoë,Köln\n".encode("cp1252")
    assert probed(content, 65536).encoding() == "cp1252"


def test_a_cut_letter_at_the_end_is_no_utf8() -> None:
    assert probed("name\ncafé".encode()[:-1]).encoding() != "utf-8"


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_what_all_rows_agree_on(delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([["name", "note; with, all | of them", "amount"], *[["Bob", "a,b;c|d", "1,50"]] * 5])
    assert detect_delimiter(text.getvalue().encode(), "utf-8") == delimiter


def test_one_column_is_read_with_a_comma() -> None:
    assert detect_delimiter(b"email\na@example.com\nb@example.com\n", "utf-8") == ","


def rows_of(tmp_path: Path, content: bytes, encoding: str = "utf-8", delimiter: str = ",") -> CsvRows:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return CsvRows(path, Format(encoding, delimiter))


def test_a_row_that_cannot_be_read_spoils_itself_alone(tmp_path: Path) -> None:
    content = b"a,b\n1,2\n\xff,2\n\n1,\x002\n" + b"x" * (MAX_ROW_CHARACTERS + 5) + b"\n" + b"1," * 1500 + b"\n3,4\n"
    rows = list(rows_of(tmp_path, content))
    assert [(row.number, row.problem is None) for row in rows] == [
        (2, True), (3, False), (5, False), (6, False), (7, False), (8, True),
    ]  # fmt: skip
    assert rows[-1].cells == ["3", "4"]


def test_a_quote_that_is_never_closed_costs_a_bounded_part_of_the_file(tmp_path: Path) -> None:
    content = b'a,b\n1,"open\n' + b"1,2\n" * 200_000
    rows = list(rows_of(tmp_path, content))
    assert rows[0].problem is not None
    assert sum(row.problem is None for row in rows) > 100_000


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\n", b"x" * (MAX_ROW_CHARACTERS + 1)])
def test_without_a_readable_header_a_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInputError) as caught:
        rows_of(tmp_path, content)
    assert caught.value.field == "file"


@given(
    table=st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=2,
                 max_size=2),
        max_size=8,
    ),
    skipped=st.integers(1, 10),
)  # fmt: skip
def test_rows_come_as_they_were_written_and_skipping_goes_on_at_the_same_row(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], skipped: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b"], *table])
    folder = tmp_path_factory.mktemp("rows")
    whole = list(rows_of(folder, text.getvalue().encode()))
    assert [row.cells for row in whole] == [row for row in table if any(row)]
    rest = rows_of(folder, text.getvalue().encode())
    for _ in rest.skip(skipped):
        pass
    assert list(rest) == [row for row in whole if row.number > skipped]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("E-Mail", "identifiers.email"),
        ("  EMAIL address ", "identifiers.email"),
        ("customer_id", "identifiers.external_id"),
        ("Order Number", "payload.order_id"),
        ("ORDER_DATE", "occurred_at"),
        ("Größe", "payload.grosse"),
        ("Ärzte (Anzahl)", "payload.arzte_anzahl"),
        ("名前", "payload.名前"),
        ("2nd phone", "payload.column_2nd_phone"),
        ("import_reason", None),
        ("", None),
    ],
)
def test_columns_are_found_by_their_names(name: str, target: str | None) -> None:
    expected = target.replace("grosse", "groe") if name == "Größe" and target else target
    assert map_columns([name], {}) == [expected]


def test_a_stated_target_counts_before_the_name_and_is_found_in_any_case() -> None:
    assert map_columns(["Mail", "Date", "Created"], {"mail": "traits.contact", "CREATED": None}) == [
        "traits.contact", "occurred_at", None,
    ]  # fmt: skip


def test_two_columns_for_one_thing_are_refused_for_the_envelope_and_joined_for_identifiers() -> None:
    with pytest.raises(InvalidInputError, match="two columns are occurred_at"):
        map_columns(["date", "created_at"], {})
    assert map_columns(["email", "mail"], {}) == ["identifiers.email"] * 2


def test_a_row_is_an_event_with_the_key_of_its_file_and_number(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, b"mail,email,sku,quantity,type\na@example.com,b@example.com,P1,2,Product View\n")
    reader = RowReader(rows.header, ImportOptions(), "digest")
    [unit] = reader.units(rows, BrandSettings("b"), datetime.now(UTC))
    assert unit.raw is not None
    assert (unit.raw.type, unit.raw.way, unit.raw.idempotency_key) == ("product_view", "csv", "digest:2")
    assert unit.raw.identifiers == [("email", "a@example.com"), ("email", "b@example.com")]
    assert unit.raw.payload == {"product_id": "P1", "quantity": "2"}


def test_rows_of_one_order_are_one_event_up_to_a_thousand_lines(tmp_path: Path) -> None:
    lines = ["email,order_id,sku,qty,price", "a@example.com,A,P1,1,2.00", ",A,P2,3,1.50", "b@example.com,B,P1,1,2.00"]
    lines += [f"c@example.com,C,P{number},1,1.00" for number in range(1500)]
    rows = rows_of(tmp_path, "\n".join(lines).encode())
    reader = RowReader(rows.header, ImportOptions(order_lines=True), "d")
    units = list(reader.units(rows, BrandSettings("b"), datetime.now(UTC)))
    assert [len(unit.rows) for unit in units] == [2, 1, 1000, 500]
    first = units[0].raw
    assert first is not None
    assert first.order is not None
    assert (str(first.order.total), len(first.order.lines), first.idempotency_key) == ("6.50", 2, "d:2")


@pytest.mark.parametrize("text", ["=1+1", "+14155550101", "-1", "@cmd", "\tx", "\rx"])
def test_a_cell_that_spreadsheets_run_is_made_safe_and_read_back(tmp_path: Path, text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    rows = rows_of(tmp_path, f'email,note\n,"{safe_cell(text)}"\n'.encode())
    [unit] = RowReader(rows.header, ImportOptions(), "d").units(rows, BrandSettings("b"), datetime.now(UTC))
    assert unit.raw is not None
    assert unit.raw.payload.get("note", "").strip() == text.strip()


def test_only_files_that_nobody_asks_for_any_more_are_removed(tmp_path: Path) -> None:
    hour, day = 3600, 24 * 3600
    ages = {"imp_a.csv": 5 * day, "imp_b.rejected.csv": 31 * day, "imp_c.csv": hour, "upload-d.part": 2 * day,
            "upload-e.part": hour}  # fmt: skip
    now = time.time()
    for name, age in ages.items():
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (now - age, now - age))
    assert remove_old_files(tmp_path, keep_days=30) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"imp_a.csv", "imp_c.csv", "upload-e.part"}


def test_refused_rows_go_on_where_the_last_settled_batch_ended(tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    with RejectedRows(path, ["email"], ",", 0) as rows:
        settled = rows.add([(2, "why", ["a"])])
        rows.add([(3, "lost", ["b"])])
    with RejectedRows(path, ["email"], ",", settled) as rows:
        end = rows.add([(3, "why", ["b"])])
    text = b"".join(read_rejected(path, end)).decode("utf-8-sig")
    assert text.splitlines() == ["import_row,import_reason,email", "2,why,a", "3,why,b"]
