from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cli import main
from headersweep import errors

HEAVY = ("sqlalchemy", "celery", "kombu", "rich", "redis", "httpx", "alembic", "structlog", "lxml", "psycopg")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["sweep", "--help"], ["export", "-h"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    program = f"""
        import sys
        from cli import main
        try:
            main.group.main({arguments!r}, prog_name="headersweep")
        except SystemExit as end:
            assert end.code == 0, end.code
        heavy = sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r}))
        print("HEAVY", heavy)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("name", main.COMMANDS)
def test_each_line_of_the_table_names_a_command_with_that_summary(name: str) -> None:
    assert main.load(name).get_short_help_str(200) == main.COMMANDS[name].summary


def test_the_help_lists_every_command_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(main.group, ["--help"]).stdout
    assert [name for name in main.COMMANDS if f"\n  {name} " not in shown] == []
    assert "130 interrupted" in shown


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main.group, ["sweeep"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "sweeep" in result.stderr


def _group_with(command: click.Command, monkeypatch: pytest.MonkeyPatch) -> click.Group:
    monkeypatch.setattr(main, "load", lambda _name: command)
    return main.group


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.UsageError("no such thing"), 2),
        (errors.BusyError("elsewhere"), 5),
        (errors.ConfigurationError("a setting is wrong"), 6),
        (errors.UnavailableError("no Postgres"), 7),
        (errors.HeadersweepError("disk full"), 1),
    ],
)
def test_an_error_of_ours_is_a_message_on_stderr_and_its_exit_code(
    error: errors.HeadersweepError, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def raising() -> None:
        raise error

    result = CliRunner().invoke(_group_with(raising, monkeypatch), ["runs"])
    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", f"Error: {error}\n")


def test_having_been_interrupted_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def raising() -> None:
        raise errors.InterruptedRunError("interrupted; to go on: headersweep resume 7")

    result = CliRunner().invoke(_group_with(raising, monkeypatch), ["runs"])
    assert (result.exit_code, result.stderr) == (130, "interrupted; to go on: headersweep resume 7\n")


def test_ctrl_c_before_anything_runs_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def raising() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(_group_with(raising, monkeypatch), ["runs"])
    assert result.exit_code == 130


def _crash(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = """
        import click
        from cli import main
        @click.command()
        def broken():
            raise ValueError("first\\nsecond")
        main.load = lambda name: broken
        import sys
        sys.argv = ["headersweep", "runs"]
        main.main()
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )


@pytest.fixture
def environ() -> dict[str, Any]:
    return {"PYTHONPATH": ":".join(path for path in sys.path if path), "LC_ALL": "C.UTF-8"}


def test_a_bug_of_ours_is_one_line_and_how_to_see_more(environ: dict[str, str]) -> None:
    done = _crash(environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Error: unexpected ValueError: first second",
        "This is a bug. HEADERSWEEP_LOG_LEVEL=debug prints the traceback.",
    ]


def test_with_debug_logs_a_bug_of_ours_shows_its_traceback(environ: dict[str, str]) -> None:
    done = _crash({**environ, "HEADERSWEEP_LOG_LEVEL": "debug"})
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
