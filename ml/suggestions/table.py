"""The table of records in an in-memory DuckDB that may spill to disk: filled page by page, read by Splink."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ml.suggestions.blocking import MAX_RECORDS_OF_A_KEY, RULES, key_columns
from ml.suggestions.records import Record

RECORDS = "records"
FREQUENCIES = {"full_name": 10_000, "birthday": 20_000}
"""Column with frequent and rare values → how many people of the world around stand beside the brand's records."""
_MEMORY = "512MB"
_FOLDER = "constintel-suggestions-"


@contextmanager
def open_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of this process alone; one thread, so that the same records give the same numbers."""
    _remove_left_behind(Path(tempfile.gettempdir()))
    with TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "threads": "1",
            "autoinstall_known_extensions": "false",
        }
        connection = duckdb.connect(":memory:", config=config)
        try:
            yield connection
        finally:
            connection.close()


def _remove_left_behind(parent: Path) -> None:
    """Spilled records of processes that were killed: customers' data must not outlive them."""
    for folder in parent.glob(f"{_FOLDER}*-*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdigit() and not _is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


class RecordTable:
    """Records with the keys of the blocking rules, one row each; `pair_id` stands only where pairs are given."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str = RECORDS) -> None:
        self.connection = connection
        self.name = name
        self.count = 0
        self.crowded: dict[str, int] = {}
        """Blocking rule → keys that too many records share."""
        columns = {**_types({**Record("").columns(), **key_columns(Record(""))}), "pair_id": "VARCHAR"}
        self._structure = json.dumps(
            [{name: [kind[:-2]] if kind.endswith("[]") else kind for name, kind in columns.items()}]
        )
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {name} ({declared})")

    def add(self, records: Iterable[Record], pair_ids: Sequence[str] | None = None) -> None:
        """Append a page of records; those without anything to compare are left out unless they are given as pairs."""
        rows = []
        for place, record in enumerate(records):
            if pair_ids is not None or not record.is_empty:
                row = {**record.columns(), **key_columns(record)}
                rows.append(row if pair_ids is None else {**row, "pair_id": pair_ids[place]})
        if rows:
            statement = f"INSERT INTO {self.name} SELECT r.* FROM (SELECT unnest(from_json(?, ?)) AS r)"  # noqa: S608 (own names)
            self.connection.execute(statement, [json.dumps(rows), self._structure])
            self.count += len(rows)

    def drop_crowded_keys(self) -> None:
        """Take away the keys that so many records share that they bring nobody together."""
        for rule in RULES:
            column = rule.column
            found = self.connection.execute(
                f"SELECT k FROM (SELECT unnest({column}) AS k FROM {self.name})"  # noqa: S608 (own names)
                f" GROUP BY k HAVING count(*) > {MAX_RECORDS_OF_A_KEY}"
            ).fetchall()
            if found:
                keys = [row[0] for row in found]
                self.connection.execute(
                    f"UPDATE {self.name} SET {column} = list_filter({column}, lambda k: NOT list_contains($1, k))"  # noqa: S608 (own names)
                    f" WHERE list_has_any({column}, $1)",
                    [keys],
                )
                self.crowded[rule.name] = len(keys)

    def frequencies(self, column: str) -> str:
        """SQL of the lookup table that makes frequent values of `column` count less."""
        around = FREQUENCIES[column]
        return (
            f"SELECT {column}, count(*) / {self.count + around}.0 AS tf_{column} FROM {self.name}"  # noqa: S608 (own names)
            f" WHERE {column} IS NOT NULL GROUP BY {column}"
        )

    def pairs_that_share(self, column: str) -> int:
        """How many pairs have the same value of `column`."""
        [(pairs,)] = self.connection.execute(
            f"SELECT coalesce(sum(c * (c - 1) / 2), 0) FROM (SELECT count(*) AS c FROM {self.name}"  # noqa: S608 (own names)
            f" WHERE {column} IS NOT NULL GROUP BY {column})"
        ).fetchall()
        return int(pairs)

    def shown(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What a person is shown of these records, by id."""
        rows = self.connection.execute(
            f"SELECT id, shown FROM {self.name} WHERE list_contains($1, id)",  # noqa: S608 (own names)
            [list(ids)],
        ).fetchall()
        return {row[0]: json.loads(row[1]) for row in rows}


def _types(row: dict[str, Any]) -> dict[str, str]:
    return {
        name: "VARCHAR[]" if isinstance(value, list) else "JSON" if isinstance(value, dict) else "VARCHAR"
        for name, value in row.items()
    }
