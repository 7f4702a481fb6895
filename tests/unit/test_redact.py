"""The secrets corpus through text, loggers, tracebacks and uncaught exceptions: nothing comes out (S16)."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from resources.clients import redact

SECRETS = [
    ("https://shop.example/api/v5/orders?apiKey=q1w2e3r4t5&page=2", "q1w2e3r4t5"),
    ("{'X-API-KEY': 'q1w2e3r4t5', 'Accept': 'application/json'}", "q1w2e3r4t5"),
    ('{"X-Bot-Token": "q1w2e3r4t5"}', "q1w2e3r4t5"),
    ("X-Bot-Token: q1w2e3r4t5", "q1w2e3r4t5"),
    ("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl"),
    ("sent with bearer abc.def-ghi_jkl today", "abc.def-ghi_jkl"),
    ("Cookie: session=q1w2e3; csrf=r4t5", "q1w2e3"),
    ("Set-Cookie: session=q1w2e3; HttpOnly", "q1w2e3"),
    ("postgresql+psycopg://loader:q1w2e3r4t5@db.example/otklik", "q1w2e3r4t5"),
    ("https://api.telegram.example/bot123456:AAq1w2e3-r4_t5/getMe", "AAq1w2e3-r4_t5"),
    ("password=q1w2e3r4t5 host=db.example", "q1w2e3r4t5"),
    ("access_token=q1w2e3r4t5", "q1w2e3r4t5"),
    ("write to anna.k+shop@mail.example please", "anna.k+shop@mail.example"),
    ("call +7 (701) 123-45-67 now", "123-45-67"),
    ("call +77011234567 now", "77011234567"),
    ("call 8 701 123 45 67 now", "123 45 67"),
    ("DETAIL: Key (phone)=(+77011234567) exists", "77011234567"),
    ("card 4111 1111 1111 1111 declined", "4111 1111"),
    ("card 4111-1111-1111-1111", "1111-1111"),
]

HARMLESS = [
    "order 9012A of 2026-03-02 14:05:11 took 1250 ms",
    "after id 1000482, page 3 of 17, 118 rows",
    "the token has expired, issue a new key",
    "2026-05-04T10:00:00.123456+00:00 listening on 127.0.0.1:54321",
    "sha256 0f3a9b2c7d1e4f5a6b7c8d9e0f1a2b3c, week 2026-W47",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secrets_and_personal_data_go(text: str, secret: str) -> None:
    assert secret not in redact.redact(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_operators_need_stays(text: str) -> None:
    assert redact.redact(text) == text


def test_a_registered_value_goes_wherever_it_stands() -> None:
    redact.hide("canary-value-77")
    assert "canary-value-77" not in redact.redact("left-canary-value-77-right")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a plain handler on the root logger writes, with the redaction installed."""
    factory, hook, thread_hook = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    redact.install()
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook = hook, thread_hook


@pytest.mark.parametrize(("text", "secret"), SECRETS)
@pytest.mark.parametrize("name", ["resources.clients.http", "urllib3.connectionpool", "dagster"])
def test_every_logger_and_traceback_is_redacted(log: io.StringIO, name: str, text: str, secret: str) -> None:
    logger = logging.getLogger(name)
    propagates, logger.propagate = logger.propagate, True
    try:
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception("failed: %s", text)
        logger.warning(text.replace("%", "%%"))
        logger.warning({"header": text})
    finally:
        logger.propagate = propagates
    assert secret not in log.getvalue()
    assert "Traceback" in log.getvalue()


def test_a_wrong_number_of_arguments_shows_none_of_them(log: io.StringIO) -> None:
    logging.getLogger("somebody").warning("one %s", "apiKey=q1w2e3r4t5", "q1w2e3r4t5")
    assert "q1w2e3r4t5" not in log.getvalue()
    assert "arguments do not fit" in log.getvalue()


def test_uncaught_exceptions_are_printed_redacted(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("GET /orders?apiKey=q1w2e3r4t5")
    sys.excepthook(RuntimeError, error, None)
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()
    printed = capsys.readouterr().err
    assert "apiKey=[redacted]" in printed and "X-API-KEY: [redacted]" in printed
    assert "q1w2e3r4t5" not in printed


def test_installing_twice_wraps_once(log: io.StringIO) -> None:
    factory = logging.getLogRecordFactory()
    redact.install()
    assert logging.getLogRecordFactory() is factory


def _fail() -> None:
    raise RuntimeError("X-API-KEY: q1w2e3r4t5")
