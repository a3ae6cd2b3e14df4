"""Imports of CSV files: the upload, its progress, what a dry run finds."""

from typing import Any

from api.schemas.base import Command, Shape, example

IMPORT_EXAMPLE: dict[str, Any] = {
    "id": "imp_6f1d0c52a7e94b0f8d1c", "state": "running", "name": "orders.csv", "size": 91024411, "progress": 0.42,
    "rows": 820000, "accepted": 819871, "rejected": 120, "duplicates": 9,
    "warnings": {"identifiers.email: not a usable e-mail address": 41},
    "problems": [{"row": 312, "reason": "occurred_at: not an RFC 3339 time"}],
    "options": {"encoding": "utf-8", "delimiter": ",", "event_type": "purchase", "mapping": {}, "source": "csv"},
    "error": None, "created_at": "2026-11-01T12:00:00Z", "started_at": "2026-11-01T12:00:01Z", "finished_at": None,
    "rejected_url": "/api/integrations/csv/imp_6f1d0c52a7e94b0f8d1c/rejected",
}  # fmt: skip
DRY_RUN_EXAMPLE: dict[str, Any] = {
    "dry_run": True, "name": "orders.csv", "size": 1804, "rows": 20, "accepted": 18, "rejected": 1, "duplicates": 1,
    "is_complete": True, "event_types": {"purchase": 19}, "warnings": {}, "notes": [],
    "columns": [{"column": "E-Mail", "target": "identifiers.email"}, {"column": "Total", "target": "payload.total"}],
    "options": IMPORT_EXAMPLE["options"],
    "events": [{"row": 2, "type": "purchase", "identifiers": {"email": ["a@example.com"]}, "payload": {}}],
    "problems": IMPORT_EXAMPLE["problems"],
}  # fmt: skip
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "contentMediaType": "text/csv",
                            "description": "The file, plain or gzip; its first row names the columns.",
                        },
                        "mapping": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": 'Column → target, such as {"Mail": "identifiers.email", "Sum": '
                            '"payload.total", "Notes": null}. Targets: type, occurred_at, message_id, channel, source, '
                            "identifiers.TYPE, traits.NAME, payload.NAME, item.NAME; null passes the column over. "
                            "Columns not named are found by their usual names; all others are payload.",
                        },
                        "type": {
                            "type": "string",
                            "description": "Event type of rows that state none; without it purchase where the file has "
                            "an order id or a total, else profile_update.",
                        },
                        "event_types": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": 'Values of the type column and their types: {"Kauf": "purchase"}.',
                        },
                        "encoding": {"type": "string", "description": "Detected without it."},
                        "delimiter": {"type": "string", "description": "One character, or tab; detected without it."},
                        "decimal": {
                            "type": "string",
                            "enum": [".", ","],
                            "description": "The decimal sign of amounts; the other sign, spaces and currency signs in "
                            "them are dropped then.",
                        },
                        "date_format": {
                            "type": "string",
                            "description": "As in strptime, such as %d.%m.%Y; RFC 3339 without it.",
                        },
                        "time_zone": {"type": "string", "description": "Of times without an offset; default UTC."},
                        "order_lines": {
                            "type": "string",
                            "enum": ["true", "false"],
                            "description": "Rows that follow each other with one order id are the lines of one order.",
                        },
                        "source": {"type": "string", "description": "Default csv; it scopes external and order ids."},
                        "channel": {"type": "string", "description": "Default import."},
                        "trust": {"type": "string", "enum": ["verified", "transaction", "declared", "imported"]},
                        "dry_run": {
                            "type": "string",
                            "enum": ["true", "false"],
                            "description": "Look at the file and write nothing.",
                        },
                    },
                },
                "example": {
                    "file": "E-Mail,Order ID,Total,Currency\na@example.com,A-1,89.99,USD\n",
                    "type": "purchase",
                },
            }
        },
    }
}


class CsvImportShape(Shape):
    """One import; `progress` is the share of the file that is settled, `problems` has the first refused rows."""

    model_config = example(IMPORT_EXAMPLE)

    id: str
    state: str
    name: str
    size: int
    progress: float
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    warnings: dict[str, int]
    problems: list[dict[str, Any]]
    options: dict[str, Any]
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    rejected_url: str | None


class CsvDryRun(Shape):
    """What an import would do; `is_complete` is false when the file was too long to be read in time."""

    model_config = example(DRY_RUN_EXAMPLE)

    dry_run: bool
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    is_complete: bool
    columns: list[dict[str, Any]]
    events: list[dict[str, Any]]
    problems: list[dict[str, Any]]


class CsvImportList(Shape):
    """Imports, newest first."""

    model_config = example({"items": [IMPORT_EXAMPLE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class CancelCommand(Command):
    """Nothing needs to be said."""

    model_config = example({})
