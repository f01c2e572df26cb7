"""The runbook against the program: commands, events and statements that it names are really there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from sqlalchemy import Connection, text

from cli import main
from headersweep import events

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PLACEHOLDERS = {"RUN": "7", "NAME": "docs"}
CODE = re.compile(r"```\n(.*?)```|`([^`\n]+)`", re.DOTALL)
STATEMENT = re.compile(r'PSQL -c "([^"]*)"')
EVENT = re.compile(r"[a-z]+\.[a-z]+")
NO_EVENTS = frozenset(
    {
        "error.type",
        "page.id",
        "run.id",
        "origin.url",
        "header.name",
        "scope.exclude",
    }
)
"""Fields and names of other things that look like events."""


def pieces() -> list[str]:
    """Everything that the runbook shows as code."""
    return [block or inline for block, inline in CODE.findall(RUNBOOK)]


def commands() -> list[str]:
    """The command lines of ours."""
    lines = [line.strip() for piece in pieces() for line in piece.splitlines()]
    return sorted({line for line in lines if line.startswith("headersweep ")})


def parse(line: str) -> click.Context:
    """Read a command line as the program would, without doing it; a UsageError when it could not."""
    arguments = [PLACEHOLDERS.get(word, word) for word in shlex.split(line)[1:]]
    context = main.group.make_context("headersweep", arguments)
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_runbook_is_one(line: str) -> None:
    assert parse(line).command is not main.group


def test_a_command_that_is_none_would_be_noticed() -> None:
    assert len(commands()) >= 8
    for line in ("headersweep resurrect RUN", "headersweep rerun RUN --faild", "headersweep sites aply"):
        with pytest.raises(click.UsageError):
            parse(line)


def test_every_event_of_the_runbook_is_in_the_catalogue() -> None:
    named = {piece for piece in pieces() if EVENT.fullmatch(piece)} - NO_EVENTS
    assert len(named) >= 15
    assert named - events.CATALOGUE.keys() == set()


@pytest.mark.parametrize("statement", STATEMENT.findall(RUNBOOK))
def test_every_statement_of_the_runbook_runs(connection: Connection, statement: str) -> None:
    connection.execute(text(statement)).all()


def test_every_section_says_how_it_shows_what_it_means_what_to_do_and_when_it_is_over() -> None:
    sections = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:]
    assert len(sections) >= 10
    for section in sections:
        title = section.splitlines()[0]
        for part in ("*Shows:*", "*Means", "*Do:*", "*Over:*"):
            assert part in section, f"{title} lacks {part}"
