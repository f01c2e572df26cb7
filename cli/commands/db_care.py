"""``headersweep db plans`` and ``db indexes``: what Postgres does for our statements, and with which indexes."""

from __future__ import annotations

from pathlib import Path

import click

from cli import options


@click.command(short_help="What Postgres does for every statement of this program, here and now.")
@click.option("--record", metavar="FILE", help="Write the plans into FILE, to compare with another time.")
@click.option(
    "--compare", metavar="FILE", help="Compare with FILE, and exit with 3 when a plan became worse."
)
@click.option(
    "--growth",
    type=click.FloatRange(min=1),
    default=2.0,
    show_default=True,
    metavar="FACTOR",
    help="How many times the recorded buffers are worse.",
)
@options.as_format
@options.to_file
@click.pass_context
def plans(  # noqa: PLR0913 - the flags of a command
    ctx: click.Context,
    /,
    *,
    record: str | None,
    compare: str | None,
    growth: float,
    shape: str,
    output: str | None,
) -> None:
    """Explain every named statement on the live data: its plan, indexes, rows and buffers.

    Reading ones are executed in a transaction that may only read; those that lock or change rows by key in one that is
    rolled back, with a lock timeout of 0.2 s; those that insert or touch a whole run are only planned. Worse is: another
    index or a whole table read, unless it reads less; buffers grown beyond FACTOR.
    """
    from cli import context
    from cli import output as output_module
    from cli.care import plans as plans_module
    from cli.render import care
    from headersweep.errors import ExitCode

    for path in (output, record):
        output_module.check(path)
    old = plans_module.from_record(Path(compare)) if compare else None
    with context.database() as database:
        found = plans_module.capture_all(database.engine)
    comparison = None if old is None else plans_module.compare(old, found, growth)
    if record:
        output_module.emit(plans_module.as_record(found), record)
    output_module.emit(
        (care.plans_as_json if shape == "json" else care.plans_as_text)(found, comparison), output
    )
    ctx.exit(ExitCode.FINDINGS if comparison and comparison.worse else ExitCode.DONE)


@click.command(short_help="Indexes that are missing, unused, there twice, invalid or bloated.")
@options.as_format
@options.to_file
def indexes(shape: str, output: str | None) -> None:
    """Say of the indexes what should be looked at, with size, evidence and what to do. Nothing is changed.

    What a constraint or uniqueness rests on is never called unused.
    """
    from cli import context
    from cli import output as output_module
    from cli.care import indexes as indexes_module
    from cli.render import care

    output_module.check(output)
    with context.database() as database:
        found = indexes_module.examine(database.engine)
    output_module.emit((care.indexes_as_json if shape == "json" else care.indexes_as_text)(found), output)
