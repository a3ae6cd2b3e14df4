"""Logs as JSON lines that never hold personal data: structlog and the standard library through the same redaction."""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_MASK = "[redacted]"

# Keys whose values are personal or secret whatever they look like.
_SECRET_KEYS = frozenset({
    "email", "phone", "whatsapp", "value", "identifier", "identifiers", "payload", "body", "query", "query_string",
    "password", "secret", "token", "api_key", "write_key", "authorization", "cookie", "traits", "params", "parameters",
})  # fmt: skip

_PERSONAL = re.compile(
    r"(?:ck|wk)_[a-z0-9]{12}_[\w-]{43}"  # our own keys
    r"|(?i:\b(?:bearer|basic)\s+[\w.~+/=-]{8,})"
    r"|[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*"  # e-mail addresses
    r"|(?:\+|%2B)\d[\d\s().-]{5,}\d"  # phone numbers with their country code
    r"|(?<![\w.:-])\(?\d{3}\)?[\s.-]?\d{3,4}[\s.-]?\d{3,4}(?![\w:-]|\.\w)"  # and without
)


def configure_logs(*, level: str = "INFO", as_json: bool = True) -> None:
    """Send all logs of this process to stderr, one redacted line each; call once at the edge."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        describe_exception,
        redact,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "celery", "celery.task"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    # Its lines hold addresses with query strings; the service writes its own.
    logging.getLogger("uvicorn.access").disabled = True
    # These tell addresses with their query strings, or quote queries.
    for name in ("httpx", "httpcore", "neo4j", "twilio"):
        logging.getLogger(name).setLevel(logging.ERROR)


def describe_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace exception info by its type and code lines: messages of exceptions may quote what a customer sent."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["trace"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    return event


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values of telling keys and everything that looks like an e-mail address, a phone number or a token."""
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = _redact_value(key, value)
    return event


def _redact_value(key: str, value: Any) -> Any:
    if key.lower() in _SECRET_KEYS:
        return _MASK
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {name: _redact_value(str(name), item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redact_value("", item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else redact_text(str(value))


def redact_text(text: str) -> str:
    """`text` with e-mail addresses, phone numbers and tokens masked."""
    return _PERSONAL.sub(_MASK, text)
