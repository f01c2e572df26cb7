"""Log lines: ours and the libraries' through one pipeline, in one shape, without secrets.

Usage: ``log = logs.get_logger()`` at the top of a module, then ``log.info("run.created", run_id=7)`` with a literal
event of headersweep/events.py. Whoever starts a process calls ``configure`` once; before that nothing below a
warning is printed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TextIO, cast
from urllib.parse import unquote, urlsplit

import structlog

from headersweep import __version__, events
from headersweep.settings import Settings

Fields = MutableMapping[str, Any]
Processor = Callable[[Any, str, Fields], Fields]

LOGGER_NAME = "headersweep"
FOREIGN_EVENT = "library.logged"
ECS_VERSION = "9.3.0"
LONGEST_TEXT = 20_000
"""Characters of one field; a failed statement with a thousand rows in it must not become one log line."""

LIBRARY_LEVELS = {
    "": logging.WARNING,
    "celery": logging.INFO,
    # Two lines a tick; beat.ticked says more.
    "celery.beat": logging.WARNING,
    # Two lines a task; slice.finished says more.
    "celery.app.trace": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "uvicorn": logging.INFO,
    "uvicorn.access": logging.WARNING,
}
"""Least level of each library. Below these some print header values (httpcore) or statements (SQLAlchemy)."""

_PASSWORD_LENGTH_TO_CUT = 8
"""Shorter ones are cut out of URLs only: replacing "docs" or "test" everywhere would ruin the message."""

_OUTPUT_NAMES = {name: field.output for name, field in events.FIELDS.items()}
_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@")
_KEYWORD_SECRET = re.compile(
    r"\b(password|passwd|pwd|secret|token)(\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s,;&'\"]+)", re.IGNORECASE
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_CONTROL_OR_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def get_logger() -> structlog.stdlib.BoundLogger:
    """The logger of this program. It may be made before ``configure`` ran."""
    return structlog.stdlib.get_logger(LOGGER_NAME)


def bound(**fields: Any) -> AbstractContextManager[None]:
    """While it is entered, every line of this context (thread, task) carries the fields."""
    unknown = set(fields) - set(events.CONTEXT_FIELDS)
    if unknown:
        raise ValueError(f"not a context field: {sorted(unknown)}; see events.CONTEXT_FIELDS")
    return structlog.contextvars.bound_contextvars(**fields)


def configure(
    settings: Settings,
    *,
    stream: TextIO | None = None,
    is_terminal: bool,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send every log record of the process to ``stream`` (standard error) in the format of the settings."""
    kind = settings.log if settings.log != "auto" else ("console" if is_terminal else "json")
    colours = is_terminal and not environ.get("NO_COLOR")
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_formatter(kind, _Redactor(settings), colours=colours))
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    _set_levels(settings.log_level)
    logging.captureWarnings(capture=True)


class _Handler(logging.StreamHandler[TextIO]):
    """Ours: replaced, not doubled, when ``configure`` is called again."""


def _set_levels(least: str) -> None:
    level = logging.getLevelNamesMapping()[least.upper()]
    for name, library_level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, library_level))
    logging.getLogger(LOGGER_NAME).setLevel(level)


def _formatter(kind: str, redact: Processor, *, colours: bool) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _as_foreign,
        ],
        processors=[
            structlog.processors.StackInfoRenderer(),
            _add_exception,
            _plain_values,
            redact,
            _in_output_shape,
            *_renderers(kind, colours=colours),
        ],
    )


def _renderers(kind: str, *, colours: bool) -> list[Processor]:
    if kind == "json":
        return [cast("Processor", structlog.processors.JSONRenderer(serializer=_json))]
    if kind == "ecs":
        return [_in_ecs_shape, cast("Processor", structlog.processors.JSONRenderer(serializer=_json))]
    if kind == "logfmt":
        return [_escape_controls, cast("Processor", structlog.processors.LogfmtRenderer(bool_as_flag=False))]
    return [_escape_controls, cast("Processor", _console(colours=colours))]


def _console(*, colours: bool) -> structlog.dev.ConsoleRenderer:
    # Never the rich traceback: it prints local variables, and ours hold headers.
    return structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback, pad_event_to=18, sort_keys=False
    )


def _json(fields: Fields, **_: Any) -> str:
    return json.dumps(fields, default=str)


def _as_foreign(_logger: Any, _method: str, fields: Fields) -> Fields:
    fields["message"] = fields["event"]
    fields["event"] = FOREIGN_EVENT
    return fields


def _add_exception(_logger: Any, _method: str, fields: Fields) -> Fields:
    error = fields.get("exc_info")
    fields = structlog.processors.format_exc_info(_logger, _method, cast("dict[str, Any]", fields))
    kind = _exception_type(error)
    if kind is not None:
        fields.setdefault("error_type", kind.__name__)
    return fields


def _exception_type(error: Any) -> type[BaseException] | None:
    if isinstance(error, BaseException):
        return type(error)
    return error[0] if isinstance(error, tuple) and error else sys.exc_info()[0] if error else None


def _plain_values(_logger: Any, _method: str, fields: Fields) -> Fields:
    for name, value in fields.items():
        if isinstance(value, datetime):
            fields[name] = _utc(value)
        elif isinstance(value, bytes):
            fields[name] = value.hex()
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            fields[name] = f"{value[:LONGEST_TEXT]} ... ({len(value)} characters)"
    return fields


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


class _Redactor:
    """Cuts credentials out of every text: those in URLs and conninfos, and the ones of the settings anywhere."""

    _WORDS = frozenset({"message", "exception", "error_detail", "stack"})

    def __init__(self, settings: Settings) -> None:
        urls = [url for url in (settings.database_url, settings.broker_url, settings.ping_url) if url]
        passwords = [password for url in urls for password in _passwords(url)]
        known = sorted(
            {*passwords, *(url for url in urls if url == settings.ping_url)}, key=len, reverse=True
        )
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: Any, _method: str, fields: Fields) -> Fields:
        for name, value in fields.items():
            if isinstance(value, str):
                fields[name] = self._cut(name, value)
        return fields

    def _cut(self, name: str, value: str) -> str:
        if name in self._WORDS:
            value = self._known.sub("***", value) if self._known else value
            value = _KEYWORD_SECRET.sub(r"\1\2***", value)
        return _USERINFO.sub("***@", value) if "://" in value else value


def _passwords(url: str) -> list[str]:
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return []
    return [text for text in {password, unquote(password)} if len(text) >= _PASSWORD_LENGTH_TO_CUT]


def _in_output_shape(_logger: Any, _method: str, fields: Fields) -> Fields:
    record: logging.LogRecord = fields.pop("_record")
    fields.pop("_from_structlog", None)
    shaped: Fields = {
        "timestamp": _utc(datetime.fromtimestamp(record.created, UTC)),
        "level": fields.pop("level", record.levelname.lower()),
        "event": fields.pop("event"),
    }
    for name, value in fields.items():
        shaped[_OUTPUT_NAMES.get(name, name)] = value
    return shaped


_ECS_NAMES = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "event": "event.action",
    "logger": "log.logger",
    "exception": "error.stack_trace",
    "process.exit.code": "process.exit_code",
}


def _in_ecs_shape(_logger: Any, _method: str, fields: Fields) -> Fields:
    shaped: Fields = {_ECS_NAMES.get(name, name): value for name, value in fields.items()}
    if "duration_ms" in shaped:
        shaped["event.duration"] = int(shaped.pop("duration_ms") * 1_000_000)
    shaped.setdefault("message", shaped["event.action"])
    shaped["ecs.version"] = ECS_VERSION
    shaped["service.name"] = LOGGER_NAME
    shaped.setdefault("service.version", __version__)
    return shaped


def _escape_controls(_logger: Any, _method: str, fields: Fields) -> Fields:
    """No URL of a site may colour the operator's terminal or forge a line."""
    for name, value in fields.items():
        if isinstance(value, str):
            pattern = _CONTROL if name in {"exception", "stack"} else _CONTROL_OR_BREAK
            fields[name] = pattern.sub(_escaped, value)
    return fields


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


# One list for good: loggers keep it from their first use on, and structlog's test helpers change it in place.
_PROCESSORS: list[Any] = [
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]

# At import, so that a line before configure() can never land on standard output, where results go.
structlog.configure(
    processors=_PROCESSORS,
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
