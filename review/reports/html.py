"""HTML: one file that loads nothing, runs nothing, can be printed, and passes the review that it reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from review.report import Cause, HeaderSet, Report
from review.reports import frame, texts

POLICY, HEADERS = frame.POLICY, frame.HEADERS
_head, _text, _bar = frame.head, frame.text, frame.bar

MOST_SETS = 200


def render(report: Report) -> str:
    """The report as one HTML document."""
    title = f"Response headers of {texts.visible(report.site)}, run {report.run_id}"
    parts = [
        _head(title),
        _summary(report),
        _findings(report),
        _map(report),
        frame.foot(),
    ]
    return "\n".join(line for part in parts for line in part)


def _summary(report: Report) -> Iterator[str]:
    yield f"<h1>Response headers of {_text(report.site)}</h1>"
    yield f'<p class="soft">run {report.run_id}, {_text(report.state)}, slot {texts.instant(report.slot)}</p>'
    yield '<ul class="tallies">'
    for severity, number in texts.by_severity(report):
        yield f'<li><b>{number:,}</b> <span class="mark {severity}">{severity}</span></li>'
    yield "</ul>"
    yield "<dl>"
    for name, value in _facts(report):
        yield f"<dt>{escape(name)}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    if texts.grade(report):
        yield "grade", texts.grade(report)
    yield "pages", f"{report.pages:,}"
    counts = ", ".join(f"{number:,} {name}" for name, number in texts.accounting(report))
    if counts:
        yield "accounting", counts
    if report.changed_pages is not None:
        yield "changed", f"{texts.count(report.changed_pages, 'page')} since the run before"
    if report.not_judged:
        yield (
            "not judged",
            f"{texts.count(report.not_judged, 'page')}: a firewall answered in the site's place",
        )
    named = (("owner", report.owner), ("how to roll back", report.rollback_note), ("digest", report.digest))
    yield from ((name, value) for name, value in named if value)
    yield "rules", f"version {report.rules_version}"


def _findings(report: Report) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not report.causes:
        yield "<p>None.</p>"
    for cause in report.causes:
        yield from _cause(cause)


def _cause(cause: Cause) -> Iterator[str]:
    rule = cause.rule
    yield f'<section class="cause {cause.severity}">'
    yield f"<h3>{_text(texts.title(cause))}</h3>"
    yield (
        f'<p class="soft"><span class="mark {cause.severity}">{cause.severity}</span> '
        f"<code>{_text(cause.code)}</code> {_text(texts.where(cause))}</p>"
    )
    if cause.waived_by:
        yield f"<p>Waived: {_text(cause.waived_by)}</p>"
    if cause.detail:
        yield f"<p>{_text(cause.detail)}</p>"
    if cause.evidence:
        yield _block(texts.evidence(cause))
    yield f"<p><b>What a browser does.</b> {_prose(rule.browser)}</p>"
    yield f"<p><b>Why it matters.</b> {_prose(rule.why)}</p>"
    value, rest = texts.fix(rule)
    yield "<p><b>How to mend it.</b></p>"
    yield _block([value])
    if rest:
        yield f"<p>{_prose(rest)}</p>"
    yield from _urls(cause.sample_urls)
    yield f'<p class="soft">{_link(rule.link, "The standard")}</p>'
    yield "</section>"


def _prose(text: str) -> str:
    pieces = texts.prose(text)
    return "".join(f"<code>{escape(piece)}</code>" if is_code else escape(piece) for is_code, piece in pieces)


def _block(lines: Iterable[str]) -> str:
    # A line break that follows <pre> at once is dropped; this one is not content.
    return "<pre>\n" + "\n".join(escape(line) for line in lines) + "</pre>"


def _link(url: str, text: str) -> str:
    return f'<a href="{_text(url)}" rel="noreferrer noopener">{_text(text)}</a>'


def _urls(urls: Sequence[str]) -> Iterator[str]:
    if urls:
        yield "<ul>"
        yield from (f"<li>{_page(url)}</li>" for url in urls)
        yield "</ul>"


def _page(url: str) -> str:
    """A page's URL as a link, if it is one that a browser opens without running anything."""
    is_web = url.startswith(("https://", "http://")) and url.isprintable()
    return _link(url, url) if is_web else _text(url)


def _map(report: Report) -> Iterator[str]:
    whole = sum(one.pages for one in report.sets)
    yield "<h2>Header sets over the site</h2>"
    yield f'<p class="soft">{texts.count(len(report.sets), "set")} on {texts.count(whole, "page")}</p>'
    if report.sets:
        yield from _overview(report.sets[:MOST_SETS], whole)
    for place, one in enumerate(report.sets[:MOST_SETS], start=1):
        yield from _set(place, one, whole)
    hidden = report.sets[MOST_SETS:]
    if hidden:
        pages = texts.count(sum(one.pages for one in hidden), "page")
        yield f"<p>And {texts.count(len(hidden), 'more set')} on {pages}.</p>"


def _overview(sets: Sequence[HeaderSet], whole: int) -> Iterator[str]:
    yield '<table><thead><tr><th>set</th><th class="n">pages</th><th class="n">share</th>'
    yield '<th>class</th><th class="n">status</th><th>scheme</th><th class="n">findings</th></tr></thead><tbody>'
    for place, one in enumerate(sets, start=1):
        cells = (f"{one.pages:,}", texts.share(one.pages, whole))
        yield (
            f'<tr><td><a href="#set-{place}"><code>{_text(texts.short(one.content_hash))}</code></a></td>'
            f'<td class="n">{cells[0]}</td><td class="n">{cells[1]}</td>'
            f'<td>{one.judgement.response_class}</td><td class="n">{one.status}</td><td>{_text(one.scheme)}</td>'
            f'<td class="n">{_verdict(one)}</td></tr>'
        )
    yield "</tbody></table>"


def _verdict(one: HeaderSet) -> str:
    return f"{len(one.judgement.findings):,}" if one.judgement.judged else "not judged"


def _set(place: int, one: HeaderSet, whole: int) -> Iterator[str]:
    new = ", new" if one.is_new else ""
    yield f'<section class="set" id="set-{place}">'
    yield (
        f"<h3><code>{_text(texts.short(one.content_hash))}</code> on {texts.count(one.pages, 'page')}</h3>"
        f'<p class="soft">{one.judgement.response_class}, status {one.status}, {_text(one.scheme)}{new}</p>'
    )
    yield _bar(one.pages, whole)
    yield from _urls(one.sample_urls)
    lines = list(texts.lines(one))
    yield f"<details><summary>{texts.count(len(lines), 'header line')}</summary>"
    yield _block(lines)
    yield "</details>"
    yield "</section>"
