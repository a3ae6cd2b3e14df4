"""Versioned schema migrations `cypher/schema/V000N__name.cypher`: run in order, once, checked by checksum."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

import structlog

from core.errors import ConfigurationError
from graph.driver import Graph
from graph.queries import query_text

log = structlog.get_logger(__name__)

_FILE = re.compile(r"^V(\d{4})__(\w+)\.cypher$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file: its number, name, statements and the checksum of its text."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]


def load_migrations() -> list[Migration]:
    """All migration files in order of their version."""
    found = []
    for entry in resources.files("cypher").joinpath("schema").iterdir():
        match = _FILE.match(entry.name)
        if match:
            text = entry.read_text(encoding="utf-8")
            body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
            statements = tuple(part.strip() for part in body.split(";") if part.strip())
            checksum = hashlib.sha256(text.encode()).hexdigest()
            found.append(Migration(int(match[1]), match[2], checksum, statements))
    return sorted(found, key=lambda migration: migration.version)


def migrate(graph: Graph) -> list[str]:
    """Apply what is missing and wait for its indexes; names of the migrations that ran.

    Safe to run from several processes: every statement says IF NOT EXISTS, and one that met another's lock is tried
    again. Raises ConfigurationError when an applied file was changed afterwards or the database is newer than this
    program.
    """
    graph.run_schema(query_text("migrations/bootstrap"))
    applied = {row["version"]: row["checksum"] for row in graph.read("migrations/list_applied")}
    known = load_migrations()
    newest = known[-1].version
    if any(version > newest for version in applied):
        raise ConfigurationError("The database was migrated by a newer ConstIntel: upgrade this installation.")
    ran = []
    for migration in known:
        if migration.version in applied:
            if applied[migration.version] != migration.checksum:
                raise ConfigurationError(f"Migration V{migration.version:04d} was changed after it was applied.")
            continue
        for statement in migration.statements:
            graph.run_schema(statement)
        graph.run_schema(query_text("migrations/await_indexes"))
        graph.write(
            "migrations/record_applied",
            version=migration.version, name=migration.name, checksum=migration.checksum,
        )  # fmt: skip
        log.info("migration_applied", version=migration.version, name=migration.name)
        ran.append(migration.name)
    return ran
