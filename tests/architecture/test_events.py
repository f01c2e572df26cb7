"""Every log call of the program against the catalogue, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from headersweep import events

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("headersweep", "review", "models", "scheduler", "worker", "cli", "dashboard")
PIPELINE = ROOT / "headersweep" / "logs.py"
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
OTHER_CALLS = {
    "log",
    "msg",
    "warn",
    "fatal",
    "critical",
    "bind",
    "unbind",
    "new",
    "adebug",
    "ainfo",
    "aerror",
}
ALWAYS_ALLOWED = {*events.CONTEXT_FIELDS, "exc_info"}


def mistakes(source: str) -> list[str]:
    """What is wrong with the log calls of a module, each with its line."""
    tree = ast.parse(source)
    found = [*_calls(tree), *_loggers(tree), *_imports(tree)]
    return [f"line {line}: {text}" for line, text in sorted(found)]


def _calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "log":
                for text in _call_mistakes(node, node.func.attr):
                    yield node.lineno, text


def _call_mistakes(call: ast.Call, method: str) -> Iterator[str]:
    if method in OTHER_CALLS:
        yield f"log.{method} is not used here; debug, info, warning, error, exception are"
    if method not in LEVELS:
        return
    if len(call.args) != 1 or not _is_text(call.args[0]):
        yield "the event must be the only positional argument, as a literal"
        return
    name = _text(call.args[0])
    if name not in events.CATALOGUE:
        yield f"{name} is not in the catalogue (headersweep/events.py)"
        return
    event = events.CATALOGUE[name]
    if LEVELS[method] != event.level:
        yield f"{name} has level {event.level}, not {LEVELS[method]}"
    yield from _field_mistakes(call, event)


def _field_mistakes(call: ast.Call, event: events.Event) -> Iterator[str]:
    spread = [word.value for word in call.keywords if word.arg is None]
    if spread:
        if len(call.keywords) > 1 or not _is_checked(spread[0], event.name):
            yield f"{event.name}: fields are keywords, or only **events.checked({event.name!r}, ...)"
        return
    given = {word.arg for word in call.keywords if word.arg}
    if missing := set(event.always) - given:
        yield f"{event.name} always carries {', '.join(sorted(missing))}"
    if unknown := given - set(event.always) - set(event.optional) - ALWAYS_ALLOWED:
        yield f"{event.name} does not carry {', '.join(sorted(unknown))}"


def _is_checked(node: ast.expr, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "events.checked"
        and bool(node.args)
        and _is_text(node.args[0])
        and _text(node.args[0]) == name
    )


def _loggers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    right = {
        id(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node) == "log = logs.get_logger()"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in right:
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in {"get_logger", "getLogger", "get_task_logger", "wrap_logger"}:
                yield node.lineno, "the only logger is `log = logs.get_logger()`, at the top of a module"


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
        for name in names:
            if name.split(".")[0] in {"structlog", "logging"} or name == "celery.utils.log":
                yield node.lineno, f"{name} is used by headersweep/logs.py only"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _text(node: ast.expr) -> str:
    assert isinstance(node, ast.Constant)
    return str(node.value)


def _modules() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if path != PIPELINE]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_log_call_is_in_the_catalogue(path: Path) -> None:
    assert mistakes(path.read_text(encoding="utf-8")) == []


GOOD = """
from headersweep import events, logs

log = logs.get_logger()

def work(row):
    log.info("slice.finished", pages=1, shards=2, duration_ms=3, run_id=4)
    log.info("run.finished", **events.checked("run.finished", row.payload))
    log.exception("page.quarantined", page_id=5, run_id=4, exc_info=True)
"""


def test_the_checker_accepts_what_is_right() -> None:
    assert mistakes(GOOD) == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('log.info("nothing.known")', "not in the catalogue"),
        ('log.error("slice.finished", pages=1, shards=1, duration_ms=1)', "has level info, not error"),
        ('log.info("slice.finished", pages=1)', "always carries duration_ms, shards"),
        ('log.info("slice.finished", pages=1, shards=1, duration_ms=1, cookie="a")', "does not carry cookie"),
        ("log.info(name, pages=1)", "as a literal"),
        ('log.info(f"slice.{x}", pages=1)', "as a literal"),
        ('log.info("slice.finished", "more")', "only positional argument"),
        ('log.info("run.finished", **row)', "only **events.checked('run.finished', ...)"),
        (
            'log.info("run.finished", **events.checked("run.created", row))',
            "only **events.checked('run.finished'",
        ),
        ('log.warn("slice.finished")', "log.warn is not used here"),
        ('log.bind(a=1).info("x")', "log.bind is not used here"),
        ("_log = logs.get_logger()", "the only logger is"),
        ("log = logging.getLogger(__name__)", "the only logger is"),
        ("def f():\n    log = logs.get_logger()", "the only logger is"),
        ("import logging", "used by headersweep/logs.py only"),
        ("from structlog import stdlib", "used by headersweep/logs.py only"),
        ("from celery.utils.log import get_task_logger", "used by headersweep/logs.py only"),
    ],
)
def test_the_checker_refuses_what_is_wrong(source: str, complaint: str) -> None:
    assert any(complaint in mistake for mistake in mistakes(source)), mistakes(source)
