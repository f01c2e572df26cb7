"""The end of every sweeping command: print what was found, and choose the exit code."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cli import output, report
from cli.render import json, text
from headersweep.errors import ExitCode

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cli.options import Presentation
    from cli.report import Run

FILE_WIDTH = 200
MIN_WIDTH = 40


def finish(engine: Engine, run_ids: Sequence[int], presentation: Presentation) -> ExitCode:
    """Print the runs and return what the command exits with."""
    with engine.connect() as connection:
        if presentation.shape == "json":
            runs = [report.find_run(connection, run_id) for run_id in run_ids]
            rendered = json.runs(runs)
        else:
            reports = [report.collect(connection, run_id) for run_id in run_ids]
            runs = [item.run for item in reports]
            width = terminal_width(presentation.output)
            rendered = "\n\n\n".join(text.summary(item, width) for item in reports)
    output.emit(rendered, presentation.output)
    return exit_code(runs, presentation.fail_on)


def exit_code(runs: Iterable[Run], fail_on: str) -> ExitCode:
    """4 when any run is over but incomplete, else 3 when there is drift and that was asked for, else 0."""
    known = list(runs)
    if any(run.is_incomplete for run in known):
        return ExitCode.PARTIAL
    if fail_on == "drift" and any(run.changed_pages for run in known):
        return ExitCode.FINDINGS
    return ExitCode.DONE


def terminal_width(path: str | None) -> int:
    """How wide lines may be: the terminal's width, or plenty in a file."""
    return FILE_WIDTH if path else max(MIN_WIDTH, shutil.get_terminal_size((FILE_WIDTH, 24)).columns)
