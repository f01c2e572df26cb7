"""The end of every sweeping command: print what was found, and choose the exit code."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from cli import context, options, output, report, reviewed
from cli.render import findings, json, text
from headersweep.errors import ExitCode

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cli.options import Presentation
    from cli.report import Run
    from review.report import Report

    Reviews = dict[int, Report | None]

FILE_WIDTH = 200
MIN_WIDTH = 40


def finish(engine: Engine, run_ids: Sequence[int], presentation: Presentation) -> ExitCode:
    """Print the runs and return what the command exits with."""
    shown = _json if presentation.shape == "json" else _text
    rendered, runs, reviews = shown(engine, run_ids, presentation)
    output.emit(rendered, presentation.output)
    code = exit_code(runs, presentation.fail_on, reviews)
    if code is ExitCode.UNEXPECTED:
        context.notice("not everything could be judged: `headersweep show` says what, the log says why")
    return code


def _json(engine: Engine, run_ids: Sequence[int], _: Presentation) -> tuple[str, list[Run], Reviews]:
    with engine.connect() as connection:
        runs = [report.find_run(connection, run_id) for run_id in run_ids]
    reviews = {run.run_id: reviewed.of_run(engine, run) for run in runs}
    return json.runs(runs, reviews), runs, reviews


def _text(
    engine: Engine, run_ids: Sequence[int], presentation: Presentation
) -> tuple[str, list[Run], Reviews]:
    with engine.connect() as connection:
        found = [report.collect(connection, run_id) for run_id in run_ids]
    reports = [dataclasses.replace(item, review=reviewed.of_run(engine, item.run)) for item in found]
    width = terminal_width(presentation.output)
    rendered = "\n\n\n".join(text.summary(item, width) for item in reports)
    return rendered, [item.run for item in reports], {item.run.run_id: item.review for item in reports}


def exit_code(
    runs: Iterable[Run], fail_on: str, reviews: Mapping[int, Report | None] | None = None
) -> ExitCode:
    """4 when any run is over but incomplete, else 3 when there is what ``--fail-on`` asks for, else 0.

    1 where nobody knows whether there is, since judging failed: that must not look like a site without findings.
    """
    known, found = list(runs), reviews or {}
    if any(run.is_incomplete for run in known):
        return ExitCode.PARTIAL
    if fail_on == "drift" and any(run.changed_pages for run in known):
        return ExitCode.FINDINGS
    if fail_on not in options.SEVERITIES:
        return ExitCode.DONE
    if any(_fails(review, fail_on) for review in found.values() if review):
        return ExitCode.FINDINGS
    return (
        ExitCode.UNEXPECTED
        if any(_is_unknown(run, found.get(run.run_id)) for run in known)
        else ExitCode.DONE
    )


def _is_unknown(run: Run, review: Report | None) -> bool:
    """Whether a run is over, and something that it stored has no judgement."""
    if review is None:
        return run.is_final and bool(run.pages)
    return findings.unjudged(review) > 0


def _fails(review: Report, severity: str) -> bool:
    """Whether a run shows a cause of that severity or worse that nobody has waived."""
    least = options.SEVERITIES.index(severity)
    return any(cause.severity.rank >= least and not cause.waived_by for cause in review.causes)


def terminal_width(path: str | None) -> int:
    """How wide lines may be: the terminal's width, or plenty in a file."""
    return FILE_WIDTH if path else max(MIN_WIDTH, shutil.get_terminal_size((FILE_WIDTH, 24)).columns)
