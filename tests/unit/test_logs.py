from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from headersweep import logs
from headersweep.settings import Settings

log = logs.get_logger()


@pytest.fixture(autouse=True)
def _pipeline_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in (*logs.LIBRARY_LEVELS, logs.LOGGER_NAME)}
    yield
    root.handlers[:] = before[1]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)


def _output(
    *, is_terminal: bool = False, environ: dict[str, str] | None = None, **values: Any
) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(Settings(**values), stream=stream, is_terminal=is_terminal, environ=environ or {})
    return stream


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_level_event_and_the_output_names_of_its_fields() -> None:
    stream = _output()

    log.info("run.started", run_id=7, site_name="docs", status_code=200)

    (line,) = _lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)
    assert (line["level"], line["event"]) == ("info", "run.started")
    assert (line["run.id"], line["site.name"], line["http.response.status_code"]) == (7, "docs", 200)


def test_times_come_out_in_utc_and_bytes_in_hex() -> None:
    stream = _output()
    slot = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=2)))

    log.info("run.created", slot=slot, snapshot_hash=b"\x01\xff")

    (line,) = _lines(stream)
    assert line["run.slot"] == "2026-11-22T10:00:00Z"
    assert line["snapshot.hash"] == "01ff"


def test_a_librarys_line_has_the_same_shape_and_keeps_its_words() -> None:
    stream = _output()

    logging.getLogger("celery.worker.consumer").info("Connected to %s", "broker")

    (line,) = _lines(stream)
    assert line["event"] == "library.logged"
    assert line["message"] == "Connected to broker"
    assert line["logger"] == "celery.worker.consumer"
    assert line["level"] == "info"


def test_what_is_bound_stands_in_our_lines_and_in_the_libraries() -> None:
    stream = _output()

    with logs.bound(run_id=7, task_id="t-1"):
        log.info("slice.finished")
        logging.getLogger("kombu").error("gone")
    log.info("slice.finished")

    ours, theirs, after = _lines(stream)
    assert ours["run.id"] == theirs["run.id"] == 7
    assert ours["task.id"] == theirs["task.id"] == "t-1"
    assert "run.id" not in after


def test_only_context_fields_can_be_bound() -> None:
    with pytest.raises(ValueError, match="cookie"):
        logs.bound(cookie="a=b")


def test_an_exception_carries_its_type_and_its_traceback_but_no_local_values() -> None:
    stream = _output()

    def fail() -> None:
        hidden = "session=abcdef"
        raise KeyError(len(hidden))

    try:
        fail()
    except KeyError:
        log.exception("tick.failed")

    (line,) = _lines(stream)
    assert line["level"] == "error"
    assert line["error.type"] == "KeyError"
    assert "raise KeyError(len(hidden))" in line["exception"]


@pytest.mark.parametrize("kind", ["console", "logfmt", "json", "ecs"])
def test_no_format_prints_local_values_of_a_traceback(kind: str) -> None:
    stream = _output(log=kind, is_terminal=True)

    def fail(hidden: str) -> None:
        raise KeyError(len(hidden))

    try:
        fail("ab" + "cdef")
    except KeyError:
        log.exception("tick.failed")

    assert "KeyError: 6" in stream.getvalue()
    assert "abcdef" not in stream.getvalue()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("to redis://:pw@host:6379/0", "to redis://***@host:6379/0"),
        ("to postgresql://app:p%40w@db/x, again", "to postgresql://***@db/x, again"),
        ("to postgresql://app:p@w@db/x", "to postgresql://***@db/x"),
        ("to https://token@ping.test/", "to https://***@ping.test/"),
        ("host=db password=pw user=app", "host=db password=*** user=app"),
        ("password = 'two words' user=app", "password = *** user=app"),
        ("no secret in http://host:8080/@name", "no secret in http://host:8080/@name"),
        ("user@host.test is a mail address", "user@host.test is a mail address"),
    ],
)
def test_credentials_are_cut_out_of_what_libraries_say(message: str, shown: str) -> None:
    stream = _output()

    logging.getLogger("kombu").warning(message)

    assert _lines(stream)[0]["message"] == shown


def test_the_secrets_of_the_settings_are_cut_out_wherever_they_stand() -> None:
    stream = _output(
        database_url="postgresql://app:cor%2Frect-horse@db/x",
        broker_url="redis://:battery-staple@broker",
        ping_url="https://ping.test/1234-5678",
    )

    logging.getLogger("x").error(
        "cor%2Frect-horse cor/rect-horse battery-staple GET https://ping.test/1234-5678 500"
    )

    assert _lines(stream)[0]["message"] == "*** *** *** GET *** 500"


def test_secrets_are_cut_out_of_tracebacks_and_of_our_own_fields() -> None:
    stream = _output()

    error = OSError("redis://:pw@host is away")

    log.warning("doorbell.unanswered", error_detail=str(error), exc_info=error)

    assert ":pw@" not in stream.getvalue()
    assert _lines(stream)[0]["error.message"] == "redis://***@host is away"


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_of_the_settings_is_the_least_that_is_printed(level: str, seen: list[str]) -> None:
    stream = _output(log_level=level)

    log.debug("page.fetched")
    log.info("run.started")
    log.warning("shard.lost")
    log.error("tick.failed")

    assert [line["level"] for line in _lines(stream)] == seen


def test_libraries_that_print_headers_stay_silent_even_at_level_debug() -> None:
    stream = _output(log_level="debug")

    logging.getLogger("httpcore.http11").debug("return_value=(b'Set-Cookie', b'a=b')")
    logging.getLogger("httpx").info("GET")
    logging.getLogger("sqlalchemy.engine.Engine").info("SELECT 1")

    assert stream.getvalue() == ""


def test_auto_is_console_on_a_terminal_and_json_elsewhere() -> None:
    on_terminal, elsewhere = _output(is_terminal=True), None
    log.info("run.started", run_id=7)
    elsewhere = _output(is_terminal=False)
    log.info("run.started", run_id=7)

    assert "\x1b[" in on_terminal.getvalue()
    assert json.loads(elsewhere.getvalue())["run.id"] == 7


@pytest.mark.parametrize(("is_terminal", "environ"), [(False, {}), (True, {"NO_COLOR": "1"})])
def test_there_is_no_colour_off_a_terminal_nor_against_the_users_will(
    is_terminal: bool, environ: dict[str, str]
) -> None:
    stream = _output(log="console", is_terminal=is_terminal, environ=environ)

    log.warning("shard.lost", shard_id=3)

    assert "shard.lost" in stream.getvalue()
    assert "shard.id=3" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("kind", ["console", "logfmt", "json", "ecs"])
def test_a_site_cannot_colour_the_terminal_nor_forge_a_line(kind: str) -> None:
    stream = _output(log=kind)

    log.info("page.failed", url_full="http://h/\x1b[31m\r\n2026 [error] forged\u202e", reason="dns")

    assert len(stream.getvalue().splitlines()) == 1
    assert not {"\x1b", "\r", "\u202e"} & set(stream.getvalue())


def test_logfmt_is_one_line_of_keys_and_values() -> None:
    stream = _output(log="logfmt")

    log.info("run.created", run_id=7, reason="on request")

    assert stream.getvalue().rstrip().endswith('level=info event=run.created run.id=7 reason="on request"')


def test_ecs_has_its_names_and_nanoseconds() -> None:
    stream = _output(log="ecs")

    log.info("slice.finished", duration_ms=1.5)
    logging.getLogger("kombu").error("gone")

    ours, theirs = _lines(stream)
    assert ours["event.action"] == ours["message"] == "slice.finished"
    assert ours["event.duration"] == 1_500_000
    assert "duration_ms" not in ours
    assert {"@timestamp", "log.level", "ecs.version", "service.name", "service.version"} <= set(ours)
    assert (theirs["message"], theirs["log.logger"]) == ("gone", "kombu")


def test_a_text_of_a_megabyte_becomes_a_line_of_bounded_length() -> None:
    stream = _output()

    logging.getLogger("x").error("a" * 1_000_000)

    assert len(stream.getvalue()) < logs.LONGEST_TEXT + 1000


def test_configuring_twice_prints_each_line_once() -> None:
    first = _output()
    second = _output()

    log.info("run.started")

    assert first.getvalue() == ""
    assert len(_lines(second)) == 1


def test_warnings_of_libraries_are_lines_too() -> None:
    stream = _output()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)

    assert _lines(stream)[0]["logger"] == "py.warnings"


def test_nothing_is_printed_to_standard_output_before_configuring(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("run.started")
    log.error("tick.failed")

    assert capsys.readouterr().out == ""
