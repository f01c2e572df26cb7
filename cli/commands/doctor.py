"""``headersweep doctor``: look at everything that is needed, and say what to do."""

from __future__ import annotations

import os

import click

from cli import options


@click.command(short_help="Check this installation, and say what to do.")
@options.as_format
@click.pass_context
def doctor(ctx: click.Context, /, shape: str) -> None:
    """Check this installation: settings, servers, schema, workers, site files. Exits with 6 when a check fails."""
    from cli import health, output
    from cli.render import checkup
    from headersweep.errors import ExitCode

    checks = list(health.examine(os.environ))
    output.emit(checkup.as_json(checks) if shape == "json" else checkup.as_text(checks))
    failed = any(check.level is health.Level.FAIL for check in checks)
    ctx.exit(ExitCode.CONFIGURATION if failed else ExitCode.DONE)
