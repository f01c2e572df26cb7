"""Findings for people: in a summary the worst in a line each and how to mend them, in full everything that is known."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cli.render import words
from headersweep.responses import ResponseClass
from review.finding import Severity

if TYPE_CHECKING:
    from review.report import Cause, Report

TOP_CAUSES = 7
"""How many causes a summary shows, worst first; the rest is counted."""

TOP_FIXES = 3
EVIDENCE_LINES = 3
INDENT = 6


def summary(review: Report, width: int) -> list[str]:
    """At most a dozen lines: how many causes of which severity, the worst of them, and what to send instead."""
    shown, hidden = review.causes[:TOP_CAUSES], review.causes[TOP_CAUSES:]
    lines = [_heading(review), *(words.cut(f"  {row}", width) for row in _rows(shown))]
    if hidden:
        lines.append(f"  and {words.count(len(hidden), 'more cause')}: {counts(hidden)}")
    return [*_grade(review), *lines, *_fixes(shown, width), *_not_judged(review)]


def full(review: Report, width: int) -> list[str]:
    """Every cause with what was received, what a browser does with it, why that matters, and what to do."""
    lines = [*_grade(review), _heading(review)]
    for cause, row in zip(review.causes, _rows(review.causes), strict=True):
        lines += ["", *_title(cause, f"  {row}", width), *_details(cause, width)]
    return [*lines, *_not_judged(review)]


def _title(cause: Cause, row: str, width: int) -> list[str]:
    """The row of a cause; where it is too long, what is wrong stands below it and is whole."""
    if len(row) <= width:
        return [row]
    margin = " " * INDENT
    below = textwrap.wrap(what(cause), max(width, 40), initial_indent=margin, subsequent_indent=f"{margin}  ")
    return [words.cut(row.removesuffix(what(cause)).rstrip(), width), *below]


def counts(causes: Iterable[Cause]) -> str:
    """``2 high, 1 low``."""
    number = Counter(cause.severity for cause in causes)
    return ", ".join(
        f"{number[severity]:,} {severity}" for severity in reversed(Severity) if number[severity]
    )


def what(cause: Cause) -> str:
    """The cause in a few words, with what it is about."""
    subject = f" ({words.safe(cause.subject)})" if cause.subject else ""
    return f"{cause.rule.title}{subject}{' [waived]' if cause.waived_by else ''}"


def unjudged(review: Report) -> int:
    """Pages that should have been judged, and were not."""
    return sum(
        one.pages
        for one in review.sets
        if not one.judgement.judged and one.judgement.response_class is not ResponseClass.BLOCKED
    )


def _grade(review: Report) -> list[str]:
    """The public grade with its version, beside our findings: it is no verdict of ours."""
    grade = review.grade
    if not grade or grade.get("grade") is None:
        return []
    return [
        f"Grade      {grade['grade']}, {grade['score']} (MDN Observatory, algorithm {grade['algorithm']})"
    ]


def _heading(review: Report) -> str:
    waived = sum(bool(cause.waived_by) for cause in review.causes)
    said = counts(review.causes) or "none"
    return f"Findings   {said}{f'; {waived:,} of them waived' if waived else ''}"


def _rows(causes: Sequence[Cause]) -> list[str]:
    cells = [
        [str(cause.severity), cause.code, words.count(cause.pages, "page"), what(cause)] for cause in causes
    ]
    return words.table([""] * 4, cells, right=frozenset({2}))[1:]


def _fixes(causes: Iterable[Cause], width: int) -> Iterator[str]:
    wanted = {cause.code: cause for cause in reversed(tuple(causes)) if not cause.waived_by}
    for cause in list(reversed(wanted.values()))[:TOP_FIXES]:
        yield words.cut(f"  fix {cause.code}: {_first_line(cause.rule.fix)}", width)


def _first_line(value: str) -> str:
    return value.partition("\n")[0].strip()


def _details(cause: Cause, width: int) -> Iterator[str]:
    if cause.detail:
        yield words.cut(f"{' ' * INDENT}{words.safe(cause.detail)}", width)
    for line in cause.evidence.split("\n")[:EVIDENCE_LINES] if cause.evidence else ():
        yield words.cut(f"{' ' * INDENT}received: {words.safe(line)}", width)
    if cause.waived_by:
        yield from _paragraph("waived by", words.safe(cause.waived_by), width)
    yield from _paragraph("browsers", cause.rule.browser, width)
    yield from _paragraph("why", cause.rule.why, width)
    # Line by line: the first is a value to copy, which must not be broken.
    for place, line in enumerate(filter(None, map(str.strip, cause.rule.fix.split("\n")))):
        yield f"{' ' * INDENT}{'fix: ' if place == 0 else '     '}{line}"
    yield f"{' ' * INDENT}read: {cause.rule.link}"
    for url in cause.sample_urls:
        yield f"{' ' * INDENT}{words.cut(words.safe(url), width - INDENT)}"


def _paragraph(name: str, said: str, width: int) -> Iterator[str]:
    margin = " " * INDENT
    yield from textwrap.wrap(
        f"{name}: {said}", max(width, 40), initial_indent=margin, subsequent_indent=f"{margin}  "
    )


def _not_judged(review: Report) -> list[str]:
    if not review.not_judged:
        return []
    defects = unjudged(review)
    lines = [
        (review.not_judged - defects, "where a firewall or a challenge answered in the site's place"),
        (defects, "since that failed: see the event run.unjudged in the log"),
    ]
    return [f"  not judged: {words.count(pages, 'page')}, {why}" for pages, why in lines if pages]
