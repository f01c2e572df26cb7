"""HTML: one file that loads nothing, runs nothing, can be printed, and passes the review that it reports."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from review.report import Report
from review.reports import frame, html_causes, html_sets, texts
from review.reports.html_parts import text

POLICY, HEADERS = frame.POLICY, frame.HEADERS


def render(report: Report) -> str:
    """The report as one HTML document."""
    title = f"Response headers of {texts.visible(report.site)}, run {report.run_id}"
    parts = [
        frame.head(title),
        _summary(report),
        ["<main>"],
        html_causes.findings(report),
        html_sets.map_of(report),
        ["</main>"],
        _footer(report),
        frame.foot(),
    ]
    return "\n".join(line for part in parts for line in part)


def _summary(report: Report) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>Response headers of {text(report.site)}</h1>"
    yield f'<p class="soft">run {report.run_id}, {text(report.state)}, for {texts.instant(report.slot)}</p>'
    yield '<div class="verdict">'
    yield from _grade(report)
    yield '<ul class="tallies">'
    for severity, number in texts.by_severity(report):
        yield f'<li><b>{number:,}</b> <span class="mark {severity}">{severity}</span></li>'
    yield "</ul>"
    yield "</div>"
    yield from _list(_facts(report))
    yield '<nav aria-label="Contents"><a href="#findings">Findings</a> <a href="#sets">Header sets over the site</a></nav>'
    yield "</header>"


def _grade(report: Report) -> Iterator[str]:
    """The letter large, and what it is worth beside it: a grade without its version cannot be compared."""
    letter, _, rest = texts.grade(report).partition(" ")
    if letter:
        yield f'<p class="grade"><b>{escape(letter)}</b> <span class="soft">{escape(rest)}</span></p>'


def _list(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    for name, value in pairs:
        yield f"<dt>{escape(name)}</dt><dd>{text(value)}</dd>"
    yield "</dl>"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """What somebody needs who is asked to do something about it."""
    yield "pages", f"{report.pages:,}"
    if report.changed_pages is not None:
        yield "changed", f"{texts.count(report.changed_pages, 'page')} since the run before"
    if report.not_judged:
        pages = texts.count(report.not_judged, "page")
        yield "not judged", f"{pages}: a firewall answered in the site's place"
    if report.owner:
        yield "owner", report.owner
    if report.rollback_note:
        yield "how to roll back", report.rollback_note


def _footer(report: Report) -> Iterator[str]:
    """What somebody needs who wants to prove or repeat it."""
    yield "<footer>"
    yield "<h2>About this run</h2>"
    yield from _list(_record(report))
    yield "</footer>"


def _record(report: Report) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{number:,} {name}" for name, number in texts.accounting(report))
    if counts:
        yield "accounting", counts
    if report.digest:
        yield "digest", report.digest
    yield "rules", f"version {report.rules_version}"
