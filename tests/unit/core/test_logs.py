"""No log line holds personal data, whoever wrote it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core.logs import configure_logs, redact_text

PERSONAL = [
    "sarah.johnson+shop@email.example",
    "sarah%40email.example",
    "+1-555-0123-456",
    "+14155550101",
    "(415) 555-0101",
    "415-555-0101",
    "4155550101",
    "ck_abcdefghij12_" + "x" * 43,
    "Bearer abcdefgh.ijkl",
]
HARMLESS = [
    "2026-11-21T08:07:45.268666Z",
    "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11",
    "127.0.0.1:18000",
    "0f9c2b7d5e1a4c3b8d6e7f90",
    "GET /api/profiles/{profile_id} 200",
    "neo4j 5.26.31",
]


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_data_and_tokens_are_masked(text: str) -> None:
    assert text not in redact_text(f"value was {text}.")


@pytest.mark.parametrize("text", HARMLESS)
def test_ids_times_and_addresses_stay_readable(text: str) -> None:
    assert redact_text(text) == text


def test_every_logger_is_redacted_and_exceptions_lose_their_messages(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="INFO", as_json=True)
    structlog.get_logger("one").info("seen", email="a@example.com", note="call +14155550101", ids=["b@example.com"])
    logging.getLogger("two").warning("odd value %s", "c@example.com")
    try:
        raise ValueError("d@example.com")
    except ValueError:
        structlog.get_logger("three").exception("failed")
        logging.getLogger("four").exception("failed too")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 4
    assert "@example" not in json.dumps(lines)
    assert "4155550101" not in json.dumps(lines)
    assert [line.get("error") for line in lines] == [None, None, "ValueError", "ValueError"]
    assert all(line["timestamp"] for line in lines)


def test_query_strings_of_clients_and_of_the_server_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="INFO", as_json=True)
    logging.getLogger("httpx").info("GET http://x/?value=1")
    logging.getLogger("uvicorn.access").info("GET /?value=1")
    assert capsys.readouterr().err == ""
