"""``headersweep compare``: a site before and after a change, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cli.report import Run


@click.command(short_help="A site before and after a change, in numbers.")
@click.argument("first", type=click.IntRange(min=1), metavar="[RUN]", required=False)
@click.argument("second", type=click.IntRange(min=1), metavar="[RUN]", required=False)
@click.option("--site", metavar="NAME", help="The site, where times are given in place of runs.")
@click.option("--before", metavar="ISO", help="The last run of the site that was over by then is the first.")
@click.option("--after", metavar="ISO", help="The last run of the site that was over by then is the second.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "md", "html"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@options.to_file
@click.pass_context
def compare(ctx: click.Context, /, first: int | None, second: int | None, **flags: Any) -> None:
    """Compare two runs of a site by what their headers do: the older first, or one RUN with the run before it.

    Pages with an effective policy, findings by owner, what caches may store, latency, and the grade. Works from what is
    kept of a run for good; only its latency is lost with its visits.
    """
    from cli import comparing, context, results
    from cli import output as output_module
    from cli.render import comparing as render

    _check(ctx, first, flags)
    output_module.check(flags["output"])
    with context.database() as database:
        with database.engine.connect() as connection:
            old, new = _runs(connection, first, second, flags)
        found = comparing.comparison(database.engine, old, new)
    rendered = render.render(found, flags["shape"], results.terminal_width(flags["output"]))
    output_module.emit(rendered, flags["output"])


def _check(ctx: click.Context, first: int | None, flags: dict[str, Any]) -> None:
    times = [flags[name] for name in ("site", "before", "after")]
    if (first is None) == (not any(times)) or (first is None and not all(times)):
        raise click.UsageError("give RUN [RUN], or --site, --before and --after", ctx)


def _runs(
    connection: Connection, first: int | None, second: int | None, flags: dict[str, Any]
) -> tuple[Run, Run]:
    from cli import comparing, drifting

    if first is not None:
        return drifting.pair(connection, first, second)
    times = [comparing.moment(f"--{name}", flags[name]) for name in ("before", "after")]
    return comparing.at_times(connection, flags["site"], times[0], times[1])
