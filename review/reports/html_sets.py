"""The map of header sets in the HTML report: which share of the site answers with what, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from review.report import HeaderSet, Report
from review.reports import html_causes, texts
from review.reports.html_parts import bar, block, page, table, text, urls

MOST_SETS = 200
MOST_DETAILED = 50
"""The rarer sets are in the table only; an export of the visits has their lines."""
HEADS = (
    ("set", ""), ("pages", "n"), ("share", "n"), ("of the site", "map"), ("worst", ""), ("for example", "text"), ("answer", ""),
)  # fmt: skip

LONGEST_URL = 80
"""A longer one is cut in the table; it is whole in the set's own part, and as a link."""

Anchors = Mapping[tuple[str, str], str]


def map_of(report: Report) -> Iterator[str]:
    """The most common sets in a table with bars, then each with its lines."""
    whole = sum(one.pages for one in report.sets)
    shown = report.sets[:MOST_SETS]
    yield '<h2 id="sets">Header sets over the site</h2>'
    yield (
        f'<p class="soft">{texts.count(len(report.sets), "set")} on {texts.count(whole, "page")}: '
        "pages of one set answered with the same headers.</p>"
    )
    if shown:
        rows = (_row(place, one, whole) for place, one in enumerate(shown, start=1))
        yield from table("Header sets over the site", HEADS, rows)
    hidden = report.sets[MOST_SETS:]
    if hidden:
        pages = texts.count(sum(one.pages for one in hidden), "page")
        yield f"<p>And {texts.count(len(hidden), 'more set')} on {pages}.</p>"
    yield from _details(report, shown)


def _row(place: int, one: HeaderSet, whole: int) -> str:
    example = page(one.sample_urls[0], LONGEST_URL) if one.sample_urls else ""
    return (
        f"<tr><td>{_name(place, one)}</td>"
        f'<td class="n">{one.pages:,}</td><td class="n">{texts.share(one.pages, whole)}</td>'
        f'<td class="map">{bar(one.pages, whole)}</td>'
        f'<td class="whole">{_worst(one)}</td><td>{example}</td><td class="whole">{_answer(one)}</td></tr>'
    )


def _name(place: int, one: HeaderSet) -> str:
    name = f'<code class="whole">{text(texts.short(one.content_hash))}</code>'
    return f'<a href="#set-{place}">{name}</a>' if place <= MOST_DETAILED else name


def _answer(one: HeaderSet) -> str:
    return f"{one.status} {one.judgement.response_class}, {text(one.scheme)}"


def _worst(one: HeaderSet) -> str:
    if not one.judgement.judged:
        return "not judged"
    if not one.judgement.findings:
        return "none"
    worst = max((finding.severity for finding in one.judgement.findings), key=lambda severity: severity.rank)
    number = sum(finding.severity is worst for finding in one.judgement.findings)
    return f'{number:,} <span class="mark {worst}">{worst}</span>'


def _details(report: Report, shown: Sequence[HeaderSet]) -> Iterator[str]:
    anchors = html_causes.anchors(report.causes)
    # In the first run of a site all are.
    some_are_old = not all(one.is_new for one in report.sets)
    if len(shown) > MOST_DETAILED:
        yield f"<p>The {MOST_DETAILED} most common ones, line by line:</p>"
    for place, one in enumerate(shown[:MOST_DETAILED], start=1):
        yield from _set(place, one, anchors, new=one.is_new and some_are_old)


def _set(place: int, one: HeaderSet, anchors: Anchors, *, new: bool) -> Iterator[str]:
    yield f'<section class="set" id="set-{place}" aria-labelledby="set-title-{place}">'
    yield (
        f'<h3 id="set-title-{place}"><code>{text(texts.short(one.content_hash))}</code> on '
        f"{texts.count(one.pages, 'page')}</h3>"
    )
    yield f'<p class="soft">{_answer(one)}{", new since the run before" if new else ""}</p>'
    yield from urls(one.sample_urls)
    yield from _findings(one, anchors)
    lines = list(texts.lines(one))
    yield f'<details class="lines"><summary>{texts.count(len(lines), "header line")}</summary>'
    yield block(lines)
    yield "</details>"
    yield "</section>"


def _findings(one: HeaderSet, anchors: Anchors) -> Iterator[str]:
    """The codes of what was found in a set, each leading to what is said about it."""
    found = dict.fromkeys((finding.code, finding.subject) for finding in one.judgement.findings)
    codes = [_code(code, subject, anchors) for code, subject in found]
    if codes:
        yield f"<p>{', '.join(codes)}</p>"


def _code(code: str, subject: str, anchors: Anchors) -> str:
    shown = f"<code>{text(code)}</code>{f' {text(subject)}' if subject else ''}"
    anchor = anchors.get((code, subject))
    return f'<a href="#{anchor}">{shown}</a>' if anchor else shown
