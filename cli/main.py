"""The entry point: a group of commands that are imported only when they are typed."""

from __future__ import annotations

import importlib
import os
import sys
from types import TracebackType
from typing import IO, Any, NamedTuple

import click

from headersweep import __version__
from headersweep.errors import ExitCode, HeadersweepError


class Lazy(NamedTuple):
    """Where a command lives, and its one line for ``--help``, so that the help imports nothing."""

    target: str
    summary: str


COMMANDS = {
    "sweep": Lazy("cli.commands.sweep:sweep", "Sweep sites or URLs now, and print what was found."),
    "resume": Lazy("cli.commands.resume:resume", "Go on with a run that was interrupted or cancelled."),
    "rerun": Lazy("cli.commands.rerun:rerun", "Do a run's failed pages again, or the whole site anew."),
    "cancel": Lazy("cli.commands.cancel:cancel", "Stop a run for good; what it stored stays."),
    "runs": Lazy("cli.commands.runs:runs", "List the newest runs."),
    "show": Lazy("cli.commands.show:show", "Show one run in full."),
    "diff": Lazy("cli.commands.diff:diff", "Compare two runs of a site: what changed, and which way."),
    "compare": Lazy("cli.commands.compare:compare", "A site before and after a change, in numbers."),
    "export": Lazy("cli.commands.export:export", "Print every visit of a run, or its review as a report."),
    "rejudge": Lazy(
        "cli.commands.rejudge:rejudge", "Judge stored runs under the present rules, without a network."
    ),
    "check": Lazy(
        "cli.commands.check:check", "Judge a header block, curl's output, a HAR file or JSON lines, offline."
    ),
    "sites": Lazy("cli.commands.sites:sites", "Plan, apply and list site files."),
    "policy": Lazy(
        "cli.commands.policy:policy", "What profiles demand, and what a changed policy would find."
    ),
    "cache": Lazy("cli.commands.cache:cache", "Verify a site's cache rules, and print them for people."),
    "baseline": Lazy("cli.commands.baseline:baseline", "Approve what a run showed; what comes later is new."),
    "note": Lazy("cli.commands.note:note", "Write, check and keep the notes on changes."),
    "pause": Lazy("cli.commands.pause:pause", "The kill switch: stop all crawling within seconds."),
    "unpause": Lazy("cli.commands.pause:unpause", "Let crawling go on."),
    "up": Lazy("cli.commands.up:up", "Run everything in the foreground: servers, workers, beat."),
    "doctor": Lazy("cli.commands.doctor:doctor", "Check this installation, and say what to do."),
    "checklist": Lazy(
        "cli.commands.checklist:checklist", "The hardening checklist of a site, or of headersweep itself."
    ),
    "explain": Lazy(
        "cli.commands.explain:explain",
        "Say what a finding, event, setting, state, table ... is, and how to switch it off.",
    ),
    "events": Lazy("cli.commands.events:events", "Print the catalogue of log events."),
    "db": Lazy("cli.commands.db:db", "Look after the database's schema."),
}


class CommandError(click.ClickException):
    """An error of ours on its way to stderr, with its own exit code."""

    exit_code: int  # type: ignore[misc]  # click says: of the class; it reads it from the instance

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on stderr; having been interrupted is no error."""
        if self.exit_code == ExitCode.INTERRUPTED:
            click.echo(self.message, err=True)
        else:
            super().show(file)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that ``--help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order of the table, which is the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name, imported now."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list of commands, written from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors of ours become a message on stderr and their exit code."""
        try:
            return super().invoke(ctx)
        except HeadersweepError as error:
            raise CommandError(str(error) or str(error.__doc__), error.exit_code) from error
        except KeyboardInterrupt as error:
            raise CommandError("interrupted", ExitCode.INTERRUPTED) from error


def load(name: str) -> click.Command:
    """The command behind one line of the table."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{COMMANDS[name].target} is no command")
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="headersweep")
def group() -> None:
    """Sweep the web sites you own, keep their response headers, and see what changed.

    Results go to stdout, progress and logs to stderr. Exit codes: 0 done, 2 usage, 3 findings, 4 partial,
    5 busy elsewhere, 6 configuration, 7 Postgres or Redis out of reach, 130 interrupted and resumable.
    """


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.excepthook = report_unexpected
    group.main(prog_name="headersweep")


def report_unexpected(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """One line for a bug of ours, or the whole traceback when the log level is debug; Python then exits with 1."""
    if os.environ.get("HEADERSWEEP_LOG_LEVEL", "").lower() == "debug":
        sys.__excepthook__(kind, error, traceback)
        return
    message = " ".join(str(error).split()) or "no message"
    click.echo(f"Error: unexpected {kind.__name__}: {message[:500]}", err=True)
    click.echo("This is a bug. HEADERSWEEP_LOG_LEVEL=debug prints the traceback.", err=True)
