"""Command `import-csv`: sends a CSV file to the running service and follows its import."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from brands.onboarding import DEMO_BRAND
from cli.console import note, progress, say, show_table
from cli.options import DataDirOption, UrlOption
from cli.service import Service, ServiceClient, brand_key, find_service
from core.errors import ConfigurationError, InvalidInputError

_PATH = "/api/integrations/csv"
_POLL_SECONDS = 0.5
_OVER = frozenset({"done", "failed", "cancelled"})
_KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class _Order:
    """What one call of the command was asked for."""

    file: Path
    fields: dict[str, str]
    rejected: Path | None


def import_csv(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file, plain or gzip.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and write nothing.")] = False,
    mapping: Annotated[
        str, typer.Option(help='Column → target as JSON ({"Mail": "email", "Notes": null}), or a file that holds it.')
    ] = "",
    event_type: Annotated[
        str, typer.Option("--type", help="Type of rows that state none; else purchase or profile_update.")
    ] = "",
    event_types: Annotated[str, typer.Option("--types", help="Values of the type column → types, as JSON.")] = "",
    delimiter: Annotated[str, typer.Option(help="One character, or tab; detected without it.")] = "",
    encoding: Annotated[str, typer.Option(help="Such as utf-8 or cp1252; detected without it.")] = "",
    decimal: Annotated[str, typer.Option(help="The decimal sign of amounts, . or ,")] = "",
    date_format: Annotated[str, typer.Option(help="As in strptime, such as %d.%m.%Y; RFC 3339 without it.")] = "",
    time_zone: Annotated[str, typer.Option(help="Of times without an offset, such as Europe/Berlin.")] = "",
    order_lines: Annotated[
        bool, typer.Option("--order-lines", help="Rows with one order id after each other are one order.")
    ] = False,
    source: Annotated[str, typer.Option(help="Where the rows come from; scopes external and order ids.")] = "",
    rejected: Annotated[Path | None, typer.Option(help="Write the refused rows with reasons to this file.")] = None,
    brand: Annotated[str, typer.Option(help="Brand that takes the rows.")] = DEMO_BRAND,
    key: Annotated[str, typer.Option(help="API key of the brand; with --url no data directory is needed.")] = "",
    data_dir: DataDirOption = None,
    url: UrlOption = None,
) -> None:
    """Import a CSV file; exit status 0 when every row was taken. The same file again counts nothing twice."""
    fields = {
        "mapping": _json_text(mapping, "mapping"), "type": event_type, "event_types": _json_text(event_types, "types"),
        "delimiter": delimiter, "encoding": encoding, "decimal": decimal, "date_format": date_format,
        "time_zone": time_zone, "source": source, "order_lines": str(order_lines).lower(),
        "dry_run": str(dry_run).lower(),
    }  # fmt: skip
    order = _Order(file, {name: text for name, text in fields.items() if text}, rejected)
    target = Service(url.rstrip("/"), key) if url and key else find_service(data_dir, url)
    with ServiceClient(target.url, key or brand_key(target, brand, data_dir)) as client:
        is_good = _try_out(client, order) if dry_run else _import(client, order)
    if not is_good:
        raise typer.Exit(1)


def _json_text(text: str, name: str) -> str:
    """JSON as given, or out of the file of that name; raises InvalidInputError."""
    if not text or text.lstrip().startswith("{"):
        return text
    try:
        return Path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"--{name} is neither a JSON object nor a file that can be read.") from error


def _send(client: ServiceClient, order: _Order) -> dict[str, Any]:
    size = order.file.stat().st_size
    sent = 0
    with progress("send (kB)", size // _KILOBYTE) as advance:

        def tell(count: int) -> None:
            nonlocal sent
            before, sent = sent // _KILOBYTE, sent + count
            advance(sent // _KILOBYTE - before)

        answer: dict[str, Any] = client.upload(_PATH, order.file, order.fields, tell)
    return answer


def _try_out(client: ServiceClient, order: _Order) -> bool:
    found = _send(client, order)
    columns = [(column["column"], column["target"] or "(passed over)") for column in found["columns"]]
    show_table(f"columns of {found['name']}", ("column", "target"), columns)
    for event in found["events"]:
        say(f"row {event['row']}: {json.dumps({k: v for k, v in event.items() if k != 'row'}, ensure_ascii=False)}")
    if not found["is_complete"]:
        note("the file is long: only its first part was looked at")
    for text in found["notes"]:
        note(f"note: {text}")
    say(f"encoding {found['options']['encoding']}, delimiter {found['options']['delimiter']!r}")
    _tell_counts("dry run", found)
    return not found["rejected"]


def _import(client: ServiceClient, order: _Order) -> bool:
    job = _send(client, order)
    try:
        job = _follow(client, job)
    except KeyboardInterrupt:
        note(f"the import goes on: GET {_PATH}/{job['id']} says how far it is, POST …/cancel ends it")
        raise
    _tell_counts(f"import {job['id']} {job['state']}", job)
    if job["error"]:
        note(job["error"])
    if job["rejected"] and order.rejected is not None:
        _write_rejected(client, job, order.rejected)
    elif job["rejected"]:
        note(f"the refused rows: --rejected FILE, or GET {job['rejected_url']}")
    return job["state"] == "done" and not job["rejected"]


def _write_rejected(client: ServiceClient, job: dict[str, Any], file: Path) -> None:
    try:
        client.download(job["rejected_url"], file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written.") from error
    say(f"refused rows written to {file}")


def _follow(client: ServiceClient, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until the import is over."""
    if job["state"] in _OVER:
        return job
    total = job["size"] // _KILOBYTE
    with progress("import (kB)", total) as advance:
        done = 0
        while job["state"] not in _OVER:
            time.sleep(_POLL_SECONDS)
            job = client.get(f"{_PATH}/{job['id']}")
            reached = int(total * job["progress"])
            advance(reached - done)
            done = reached
    return job


def _tell_counts(title: str, found: dict[str, Any]) -> None:
    say(
        f"{title}: {found['rows']} rows, {found['accepted']} accepted, {found['duplicates']} repeats, "
        f"{found['rejected']} refused"
    )
    for text, count in found["warnings"].items():
        note(f"warning: {text} ({count})")
    for problem in found["problems"]:
        note(f"row {problem['row']}: {problem['reason']}")
