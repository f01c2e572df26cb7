"""``headersweep pause`` and ``unpause``: the kill switch."""

from __future__ import annotations

import click

from cli import options


@click.command(short_help="The kill switch: stop all crawling within seconds.")
@options.reason
def pause(reason: str) -> None:
    """Stop everything within seconds, on every machine: no request goes out, no run is planned."""
    from cli import context, enlist, output
    from scheduler import operations

    with context.database() as database, database.engine.begin() as connection:
        operations.pause(connection, enlist.operator(), reason)
    output.emit("paused; `headersweep unpause` lets everything go on")


@click.command(short_help="Let crawling go on.")
@options.reason
def unpause(reason: str) -> None:
    """Let everything go on where it was stopped."""
    from cli import context, enlist, output
    from scheduler import operations

    with context.database() as database, database.engine.begin() as connection:
        operations.unpause(connection, enlist.operator(), reason)
    output.emit("not paused")
