"""``headersweep sweep``: plan the runs of a slot, see them through, and print what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from cli import options
from cli.options import Presentation


@dataclass(frozen=True)
class _Request:
    slot: datetime
    reason: str
    workers: int | None
    no_wait: bool
    presentation: Presentation


@click.command(short_help="Sweep sites or URLs now, and print what was found.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
@click.option(
    "--slot", metavar="ISO", help="The slot to sweep for; the same slot is swept once. Default: now."
)
@click.option("--max-pages", type=click.IntRange(min=1), metavar="N", help="At most so many pages.")
@click.option(
    "--max-depth", type=click.IntRange(min=0), metavar="N", help="At most so many links from a start."
)
@click.option(
    "--rate", type=click.FloatRange(min=0), metavar="R", help="Requests a second to each origin; 0: no limit."
)
@click.option(
    "--concurrency", type=click.IntRange(min=1, max=256), metavar="C", help="Connections to each origin."
)
@click.option(
    "--allow-private", is_flag=True, help="Allow addresses that are not public, loopback among them."
)
@click.option("--no-links", is_flag=True, help="Only the start URLs: no links, no sitemaps.")
@click.option("--anytime", is_flag=True, help="Do not wait for the site's window.")
@click.option("--site-file", metavar="PATH", help="Sweep the site that this file describes.")
@options.fail_on
@options.no_wait
@options.as_format
@options.to_file
@options.reason
@options.workers
@click.pass_context
def sweep(ctx: click.Context, /, targets: tuple[str, ...], **flags: Any) -> None:
    """Sweep each TARGET now: a site's name, or an http(s) URL (a site is made for it).

    A URL is swept within its host: one request a second on one connection, unless told otherwise; this very
    machine (localhost) without a limit on 16 connections.
    """
    from cli import context, enlist, output
    from cli import targets as targets_module

    output.check(flags["output"])
    request = _Request(
        slot=targets_module.slot(flags["slot"], datetime.now(UTC)),
        reason=flags["reason"],
        workers=flags["workers"],
        no_wait=flags["no_wait"],
        presentation=Presentation(flags["shape"], flags["output"], flags["fail_on"]),
    )
    changes = targets_module.Options(
        max_pages=flags["max_pages"],
        max_depth=flags["max_depth"],
        rate=flags["rate"],
        concurrency=flags["concurrency"],
        allow_private=flags["allow_private"],
        follow_links=not flags["no_links"],
        anytime=flags["anytime"],
    )
    ctx.exit(_sweep(enlist.wanted(targets, flags["site_file"], context.settings().sites), changes, request))


def _sweep(wanted: Sequence[Any], changes: Any, request: _Request) -> int:
    from cli import context, enlist, results, waiting

    enlist.refuse_unknown(wanted, context.settings())
    with context.database() as database:
        with database.engine.begin() as connection:
            chosen = enlist.choose(connection, wanted, changes, database.settings.sites)
        contact = waiting.contact(database, [(item.definition, item.is_adhoc) for item in chosen])
        runs = enlist.plan(database.engine, chosen, request.slot, request.reason)
        run_ids = [run.run_id for run in runs]
        if request.no_wait:
            waiting.leave(database, run_ids, started=[run.run_id for run in runs if run.created])
        else:
            waiting.until_final(database, run_ids, workers=request.workers, contact=contact)
        return results.finish(database.engine, run_ids, request.presentation)
