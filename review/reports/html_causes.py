"""The findings of the HTML report: first all of them in a table, then each with its evidence and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from review.finding import Severity
from review.report import Cause, Report
from review.reports import texts
from review.reports.html_parts import block, link, prose, table, text, urls

HEADS = (("severity", ""), ("what", ""), ("pages", "n"), ("header sets", "n"))


def findings(report: Report) -> Iterator[str]:
    """All causes, the worst first."""
    yield '<h2 id="findings">Findings</h2>'
    if not report.causes:
        yield "<p>None.</p>"
        return
    yield from _overview(report.causes)
    yield from _details(report.causes)


def anchors(causes: Sequence[Cause]) -> dict[tuple[str, str], str]:
    """Where the first cause with a code and a subject stands in the page."""
    places: dict[tuple[str, str], str] = {}
    for place, cause in enumerate(causes, start=1):
        places.setdefault((cause.code, cause.subject), f"cause-{place}")
    return places


def _overview(causes: Sequence[Cause]) -> Iterator[str]:
    open_causes = [
        (place, cause)
        for place, cause in enumerate(causes, start=1)
        if cause.severity is not Severity.INFO and not cause.waived_by
    ]
    if open_causes:
        yield from table("What to mend", HEADS, (_row(place, cause) for place, cause in open_causes))
    others = len(causes) - len(open_causes)
    if others:
        more = "and " if open_causes else ""
        yield f'<p class="soft">{more}{texts.count(others, "fact, opinion or waived finding", "facts, opinions and waived findings")}, below.</p>'


def _row(place: int, cause: Cause) -> str:
    new = ' <span class="soft">new</span>' if cause.is_new else ""
    return (
        f'<tr><td><span class="mark {cause.severity}">{cause.severity}</span></td>'
        f'<td><a href="#cause-{place}">{text(texts.title(cause))}</a>{new}</td>'
        f'<td class="n">{cause.pages:,}</td><td class="n">{cause.snapshots:,}</td></tr>'
    )


def _details(causes: Sequence[Cause]) -> Iterator[str]:
    explained: dict[str, int] = {}
    for place, cause in enumerate(causes, start=1):
        first = explained.setdefault(cause.code, place)
        yield from _cause(place, cause, first)


def _cause(place: int, cause: Cause, first: int) -> Iterator[str]:
    yield f'<section class="cause {cause.severity}" id="cause-{place}" aria-labelledby="title-{place}">'
    yield f'<h3 id="title-{place}">{text(texts.title(cause))}</h3>'
    yield (
        f'<p class="soft"><span class="mark {cause.severity}">{cause.severity}</span> on {text(texts.where(cause))} '
        f"<code>{text(cause.code)}</code></p>"
    )
    if cause.waived_by:
        yield f"<p><b>Waived:</b> {text(cause.waived_by)}</p>"
    if cause.detail:
        yield f"<p>{text(texts.sentence(cause.detail))}</p>"
    if cause.evidence:
        yield '<p class="label">Received</p>'
        yield block(texts.evidence(cause))
    yield from _explained(cause) if first == place else _explained_before(first)
    if cause.sample_urls:
        yield '<p class="label">For example</p>'
        yield from urls(cause.sample_urls)
    yield "</section>"


def _explained(cause: Cause) -> Iterator[str]:
    """What the rule says; the value to copy comes first, since that is what people come back for."""
    rule = cause.rule
    value, rest = texts.fix(rule)
    yield '<p class="label">How to mend it</p>'
    if value:
        yield block([value])
    if rest:
        yield f"<p>{prose(rest)}</p>"
    yield f"<p><b>What a browser does.</b> {prose(rule.browser)}</p>"
    yield f"<p><b>Why it matters.</b> {prose(rule.why)} {link(rule.link, texts.source(rule.link))}</p>"


def _explained_before(first: int) -> Iterator[str]:
    yield f'<p><a href="#cause-{first}">What it means and how to mend it</a> stands at the first of its kind.</p>'
