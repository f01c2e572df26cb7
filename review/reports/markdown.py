"""Markdown: for a pull request, a wiki, a mail. Foreign text cannot become markup in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from review.finding import Rule
from review.report import Cause, HeaderSet, Report
from review.reports import texts

TOP_SETS = 50
_SPECIAL = re.compile(r"([\\`*_\[\]()#!|<>~&@]|:(?=//)|(?<=www)\.|^[-+=])")
_TICKS = re.compile(r"`+")


def plain(text: str) -> str:
    """Text that says what it said, whatever is in it."""
    return _SPECIAL.sub(r"\\\1", texts.visible(text))


def code(text: str) -> str:
    """Text as code that also may stand in a table."""
    shown = texts.visible(text).replace("|", r"\|")
    fence = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else ""


def prose(text: str) -> str:
    """A rule's text; what stands between backticks is code."""
    return "".join(code(piece) if is_code else plain(piece) for is_code, piece in texts.prose(text))


def block(lines: Sequence[str]) -> Iterator[str]:
    """Lines as a block of code, fenced by more than they contain."""
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (fence, *lines, fence)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are escaped already."""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def render(report: Report) -> str:
    """The report as one Markdown document."""
    parts = [_head(report), _findings(report), _details(report), _sets(report)]
    return "\n".join(line for part in parts for line in part)


def _head(report: Report) -> Iterator[str]:
    yield from (f"# Response headers of {plain(report.site)}", "")
    rows = [("run", f"{report.run_id}, {report.state}"), ("slot", texts.instant(report.slot))]
    rows += [("owner", plain(report.owner))] if report.owner else []
    rows += [("grade", plain(texts.grade(report)))] if texts.grade(report) else []
    rows += [("pages", f"{report.pages:,}")]
    rows += [(name, f"{number:,}") for name, number in texts.accounting(report)]
    if report.changed_pages is not None:
        rows.append(("changed since the run before", texts.count(report.changed_pages, "page")))
    if report.not_judged:
        rows.append(("not judged: a firewall answered", texts.count(report.not_judged, "page")))
    rows += [("digest", code(report.digest))] if report.digest else []
    rows += [("how to roll back", plain(report.rollback_note))] if report.rollback_note else []
    yield from table(("", ""), rows)
    yield ""


def _findings(report: Report) -> Iterator[str]:
    yield from ("## Findings", "")
    if not report.causes:
        yield from ("None.", "")
        return
    rows = [
        (
            _severity(cause),
            plain(texts.title(cause)),
            code(cause.code),
            f"{cause.pages:,}",
            f"{cause.snapshots:,}",
        )
        for cause in report.causes
    ]
    yield from table(("severity", "what", "code", "pages", "header sets"), rows)
    yield ""


def _severity(cause: Cause) -> str:
    return f"{cause.severity} (waived: {plain(cause.waived_by)})" if cause.waived_by else str(cause.severity)


def _details(report: Report) -> Iterator[str]:
    """Each cause; what its kind means stands at the first of the kind, which is the worst."""
    explained: set[str] = set()
    for cause in report.causes:
        yield from (f"### {plain(texts.title(cause))}", "")
        yield from (f"{_severity(cause)}, {code(cause.code)}, {texts.where(cause)}", "")
        if cause.detail:
            yield from (plain(cause.detail), "")
        if texts.evidence(cause):
            yield from (*block(texts.evidence(cause)), "")
        if cause.code not in explained:
            explained.add(cause.code)
            yield from _explained(cause.rule)
        yield from _urls(cause.sample_urls)


def _explained(rule: Rule) -> Iterator[str]:
    yield f"- **What a browser does:** {prose(rule.browser)}"
    yield f"- **Why it matters:** {prose(rule.why)}"
    yield from (f"- **More:** <{rule.link}>", "", "How to mend it:", "")
    value, rest = texts.fix(rule)
    yield from ((*block([value]), "") if value else ())
    yield from ((prose(rest), "") if rest else ())


def _urls(urls: Sequence[str]) -> Iterator[str]:
    if urls:
        yield from ("For example:", "", *(f"- {code(url)}" for url in urls), "")


def _sets(report: Report) -> Iterator[str]:
    yield from ("## Header sets over the site", "")
    shown = report.sets[:TOP_SETS]
    whole = sum(one.pages for one in report.sets)
    rows = [
        (code(texts.short(one.content_hash)), f"{one.pages:,}", texts.share(one.pages, whole), *_kind(one))
        for one in shown
    ]
    yield from table(("set", "pages", "share", "status", "class", "scheme", "for example"), rows)
    hidden = len(report.sets) - len(shown)
    yield from ("", f"And {texts.count(hidden, 'more set')}.") if hidden else ()
    yield ""


def _kind(one: HeaderSet) -> tuple[str, str, str, str]:
    urls = code(one.sample_urls[0]) if one.sample_urls else ""
    return str(one.status), str(one.judgement.response_class), plain(one.scheme), urls
