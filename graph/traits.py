"""Writes what events say of people: one node for each persona, trait, source and value."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from graph.transactions import Transaction

Said = tuple[str, str, int, str]
"""Persona id, source, event time in microseconds, traits as JSON text."""
_MAX_NAME = 200
_MAX_VALUE = 8_000


def write_traits(tx: Transaction, brand: str, said: Iterable[Said]) -> None:
    """Count the traits of new events; an event is given here once, in the transaction that stores it."""
    rows = trait_rows(brand, said)
    if rows:
        tx.run("commit/write_traits", brand=brand, rows=rows)


def recount_traits(tx: Transaction, brand: str, persona_ids: Sequence[str]) -> None:
    """Count the traits of personas anew from the events that they have now."""
    stored = tx.rows("commit/forget_traits", brand=brand, ids=sorted(persona_ids))
    write_traits(tx, brand, [(persona, source, at, text) for _, persona, source, at, text in stored])


def trait_rows(brand: str, said: Iterable[Said]) -> list[list[Any]]:
    """Rows of `commit/write_traits`, one for each key; names and values too long to be traits are left on the event."""
    rows: dict[str, list[Any]] = {}
    for persona, source, at, text in said:
        for name, value in json.loads(text).items():
            stated = json.dumps(value, sort_keys=True, ensure_ascii=False)
            if value is None or len(name) > _MAX_NAME or len(stated) > _MAX_VALUE:
                continue
            digest = hashlib.blake2b(f"{name}|{source}|{stated}".encode(), digest_size=16).hexdigest()
            key = f"{brand}|{persona}|{digest}"
            row = rows.setdefault(key, [key, persona, name, source, stated, at, at, 0])
            row[5], row[6], row[7] = min(row[5], at), max(row[6], at), row[7] + 1
    return [rows[key] for key in sorted(rows)]
