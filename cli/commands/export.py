"""``headersweep export``: every visit of a run, sorted by URL, streamed; or its review as a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, TextClause

    from cli.report import Run

VISITS = ("jsonl", "csv")
REPORTS = {
    "html": "review.reports.html",
    "md": "review.reports.markdown",
    "sarif": "review.reports.sarif",
    "junit": "review.reports.junit",
}
"""Where the renderer of each report is, imported only when it is asked for."""

BATCH_ROWS = 2_000
CACHED_SNAPSHOTS = 10_000


@click.command(short_help="Print every visit of a run, or its review as a report.")
@click.argument("run", type=click.IntRange(min=1))
@click.option(
    "--format",
    "shape",
    type=click.Choice([*VISITS, *REPORTS]),
    required=True,
    help="jsonl, csv: every visit. The others: the findings and header sets.",
)
@options.to_file
def export(run: int, shape: str, output: str | None) -> None:
    """Print RUN for other programs and people.

    jsonl: every visit, sorted by URL, one JSON object a line, with the headers. csv: the same without them.
    html, md, sarif, junit: the review of the run as a report.
    """
    from cli import context
    from cli import output as output_module

    output_module.check(output)
    write = _report if shape in REPORTS else _visits
    with context.database() as database, database.engine.connect() as connection:
        write(connection, run, shape, output)


def _report(connection: Connection, run: int, shape: str, output: str | None) -> None:
    import importlib

    from cli import output as output_module
    from cli import report, reviewed

    renderer = importlib.import_module(REPORTS[shape])
    connection.execute(_unhurried())
    found = report.find_run(connection, run)
    # A run that goes on, or whose visits went before its sets were kept, is judged from what is there.
    judged = reviewed.of_run(connection.engine, found) or reviewed.at_hand(connection, found)
    output_module.emit(renderer.render(judged), output)


def _visits(connection: Connection, run: int, shape: str, output: str | None) -> None:
    from cli import output as output_module
    from cli import report

    write = _csv if shape == "csv" else _jsonl
    _refuse_dropped(connection, report.find_run(connection, run))
    with output_module.writing(output) as stream:
        for part in write(connection, run):
            stream.write(part)


def _unhurried() -> TextClause:
    from models import reports

    return reports.unhurried()


def _refuse_dropped(connection: Connection, run: Run) -> None:
    """An empty export must not be mistaken for a site without pages."""
    from headersweep.errors import UsageError
    from models import visits

    if run.visited and not connection.execute(visits.any_kept(), {"run_id": run.run_id}).scalar_one():
        raise UsageError(
            f"the visits of run {run.run_id} were dropped by retention (HEADERSWEEP_RETENTION_DAYS); "
            f"`headersweep show {run.run_id}` has what is left"
        )


def _rows(connection: Connection, run_id: int) -> Iterator[Row[Any]]:
    from models import reports

    connection.execute(_unhurried())
    streamed = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
    with connection.execute(reports.export_rows(run_id), execution_options=streamed) as rows:
        yield from rows


def _jsonl(connection: Connection, run_id: int) -> Iterator[str]:
    from cli.render import json

    evidence_of = _evidence(connection)
    for row in _rows(connection, run_id):
        yield json.export_line(row._asdict(), evidence_of(row.snapshot_id))


def _evidence(connection: Connection) -> Callable[[int | None], str]:
    """The rendered evidence of a snapshot, made once for the many pages that share it."""
    from cli.render import json
    from headersweep import headers
    from models import reports

    @lru_cache(maxsize=CACHED_SNAPSHOTS)
    def _of(snapshot_id: int | None) -> str:
        if snapshot_id is None:
            return json.evidence(None, (), ())
        row = connection.execute(reports.snapshot(snapshot_id)).one()
        parsed = headers.parse_block(bytes(row.raw))
        return json.evidence(bytes(row.content_hash), parsed.pairs, parsed.malformed)

    return _of


def _csv(connection: Connection, run_id: int) -> Iterator[str]:
    from cli.render import csv

    hashes = _hashes(connection)
    yield csv.line(csv.COLUMNS)
    for row in _rows(connection, run_id):
        yield csv.line(csv.cells(row._asdict(), hashes(row.snapshot_id)))


def _hashes(connection: Connection) -> Callable[[int | None], bytes | None]:
    from models import reports

    @lru_cache(maxsize=CACHED_SNAPSHOTS)
    def _of(snapshot_id: int | None) -> bytes | None:
        if snapshot_id is None:
            return None
        return bytes(connection.execute(reports.snapshot(snapshot_id)).one().content_hash)

    return _of
