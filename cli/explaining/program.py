"""Explanations of the program: events and their alerts, settings, states, tables, tasks, commands, exit codes."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path

from cli import main
from cli.explaining.explanation import MAINTAINERS, OPERATOR, Explanation, who_switched_off
from headersweep import policies, settings
from headersweep.errors import ExitCode
from headersweep.events import CATALOGUE, Event
from headersweep.meanings import MEANINGS
from headersweep.policies import ALERT, Switch
from headersweep.probes import GivenUp, ProbeState
from headersweep.states import FailureReason, Outcome, RunAction, RunState, ShardState, TrapReason
from models import schema
from models.metadata import KEEPS


def explanations(switches: Sequence[Switch]) -> Iterator[Explanation]:
    """Everything of the program that has a name; ``switches`` are those for every site."""
    for event in CATALOGUE.values():
        yield _event(event)
        if event.alert:
            yield _alert(event, switches)
    yield from map(_setting, dataclasses.fields(settings.Settings))
    yield from _words()
    yield from _tables()
    yield from _tasks()
    yield from _commands()


def _event(event: Event) -> Explanation:
    carries = f" It always carries {', '.join(event.always)}." if event.always else ""
    return Explanation(
        "event",
        event.name,
        f"A log line of level {event.level}: {event.meaning}{carries}",
        f"It raises an alert: {event.alert}"
        if event.alert
        else "Nobody is alerted by it; it tells what happened.",
        "HEADERSWEEP_LOG_LEVEL leaves out lines below a level; one event alone cannot be switched off, its alert can",
        OPERATOR,
        re.escape(f'"{event.name}"'),
        "docs/events.md",
    )


def _alert(event: Event, switches: Sequence[Switch]) -> Explanation:
    name = f"{ALERT}{event.name}"
    switch = policies.deciding(switches, name)
    return Explanation(
        "alert",
        name,
        f"Alert on the log event {event.name}: {event.alert}",
        event.meaning,
        f'[[switch]] with what = "{name}", enabled = false, owner and reason, in _all.toml beside the site files',
        switch.owner if switch else OPERATOR,
        re.escape(f'"{event.name}"'),
        "docs/events.md, docs/runbook.md",
        decided=who_switched_off(switch),
    )


def _setting(item: dataclasses.Field[object]) -> Explanation:
    variable = f"{settings.PREFIX}{item.name.upper()}"
    default = f"`{item.default}`" if item.default != "" else "empty"
    secret = (
        f" It is a secret: {variable}_FILE may name a file that holds it." if item.metadata["secret"] else ""
    )
    return Explanation(
        "setting",
        variable,
        f"An environment variable. {item.metadata['help']}{secret}",
        "How to run is kept apart from what to check, which stands in the site files.",
        f"leave it unset: then it is {default}",
        OPERATOR,
        rf"^    {item.name}: .* = _setting\(",
        "docs/settings.md",
    )


_LEAVES: Mapping[type[Enum], tuple[str, str, str]] = {
    RunState: ("state of a run", "A run is always in one of these; the last four are final.", "a state is left by what happens: resume, rerun --failed and cancel act on it"),
    RunAction: ("action", "It stays in the run's record, with who asked for it and why.", "it happens only when somebody asks for it"),
    ShardState: ("state of a shard", "The shard is the unit of lease, of politeness, and of resuming.", "it follows from the pages that are left"),
    Outcome: ("outcome", "Every URL that a run discovers has exactly one, so that the accounting adds up.", "it is what happened; it cannot be switched off"),
    FailureReason: ("failure reason", "It stands beside the outcome `failed`, so that somebody knows where to look.", "it goes when the page can be fetched; rerun --failed tries again"),
    TrapReason: ("trap reason", "A crawl must end; what a trap swallowed is counted and shown.", "scope.exclude keeps such URLs out of the site; the limits themselves are fixed"),
    ProbeState: ("state of a probe", "A probe is always in one of these; the last two are final.", "[probes] in the site's file says which kinds are made; none is by default"),
    GivenUp: ("why a probe failed", "It stands beside the state `failed`.", "[probes] in the site's file says which kinds are made; none is by default"),
    ExitCode: ("exit code", "cron jobs and scripts branch on it.", "it is a contract; --fail-on chooses what ends with 3"),
}  # fmt: skip


def _words() -> Iterator[Explanation]:
    for kind, (label, why, off) in _LEAVES.items():
        for word, meaning in MEANINGS[kind].items():
            yield Explanation(
                label,
                _spelt(word),
                f"{meaning[0].upper()}{meaning[1:]}.",
                why,
                off,
                MAINTAINERS,
                rf"^class {kind.__name__}\(",
                "README.md" if kind is ExitCode else "docs/states.md",
            )


def _spelt(word: Enum) -> str:
    if isinstance(word, Outcome):
        return word.label
    return str(int(word)) if isinstance(word, ExitCode) else str(word.value)


def _tables() -> Iterator[Explanation]:
    for name, table in schema.metadata.tables.items():
        yield Explanation(
            "table",
            name,
            f"A table of the database. {table.info[KEEPS]}",
            f"Its columns: {', '.join(column.name for column in table.columns)}.",
            "it belongs to the schema; HEADERSWEEP_RETENTION_DAYS says how long visits are kept",
            MAINTAINERS,
            rf"^{name} = Table\(",
            "docs/states.md, docs/migrations/",
        )


def _tasks() -> Iterator[Explanation]:
    for name, text in _docstrings().items():
        first, _, rest = text.partition("\n\n")
        yield Explanation(
            "task",
            name,
            f"A Celery task, given by beat or rung for: {' '.join(first.split())}",
            " ".join(rest.split()),
            "`headersweep pause` stops all crawling; without a beat nothing is scheduled, and cron can sweep instead",
            OPERATOR,
            re.escape(f'"{name}"'),
            "docs/production.md",
        )


def _docstrings() -> Mapping[str, str]:
    """What each task says of itself; read from its source, since only a worker imports Celery."""
    spec = importlib.util.find_spec("worker")
    folder = next(iter(spec.submodule_search_locations or ())) if spec else ""
    tree = ast.parse((Path(folder) / "tasks.py").read_text(encoding="utf-8"))
    return {
        str(ast.literal_eval(keyword.value)): ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
        if keyword.arg == "name"
    }


def _commands() -> Iterator[Explanation]:
    for name, lazy in main.COMMANDS.items():
        yield Explanation(
            "command",
            name,
            f"`headersweep {name}`: {lazy.summary}",
            f"`headersweep {name} --help` has its flags.",
            "nothing happens unless somebody types it",
            OPERATOR,
            rf'^    "{name}": Lazy\(',
            "docs/cli.md",
        )
