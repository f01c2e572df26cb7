"""The findings of the HTML report: first what to mend in a table, then each kind with its evidence and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from review.finding import Severity
from review.report import Cause, Report
from review.reports import texts
from review.reports.html_parts import block, link, page, prose, table, text, urls

HEADS = (("severity", ""), ("what", ""), ("pages", "n"), ("header sets", "n"))
MORE_HEADS = (("which", ""), ("pages", "n"), ("received", "text"), ("for example", "text"))
MOST_OPEN = 8
"""Longer lists of a kind are folded, and stay so on paper."""


def findings(report: Report) -> Iterator[str]:
    """All causes, the worst first."""
    yield '<h2 id="findings">Findings</h2>'
    if not report.causes:
        yield "<p>None.</p>"
        return
    groups = _groups(report.causes)
    yield from _overview(groups)
    yield from _details(groups)


def anchors(causes: Sequence[Cause]) -> dict[tuple[str, str], str]:
    """Where the first cause with a code and a subject stands in the page."""
    places: dict[tuple[str, str], str] = {}
    for place, cause in enumerate(causes, start=1):
        places.setdefault((cause.code, cause.subject), f"cause-{place}")
    return places


Group = list[tuple[int, Cause]]
"""Causes of one kind with their places: one code and severity, whose subjects differ."""


def _groups(causes: Sequence[Cause]) -> list[Group]:
    """The causes, those of one kind together, in the order of the first of each kind."""
    found: dict[tuple[str, Severity, str], Group] = {}
    for place, cause in enumerate(causes, start=1):
        found.setdefault((cause.code, cause.severity, cause.waived_by), []).append((place, cause))
    return list(found.values())


def _overview(groups: Sequence[Group]) -> Iterator[str]:
    shown = [group for group in groups if _is_to_mend(group[0][1])]
    if shown:
        yield from table("What to mend", HEADS, map(_row, shown))
    others = [cause for group in groups for cause in group if not _is_to_mend(cause[1])]
    if others:
        said = texts.count(
            len(others), "fact, opinion or waived finding", "facts, opinions and waived findings"
        )
        yield f'<p class="soft">{"And " if shown else ""}<a href="#cause-{others[0][0]}">{said}</a>.</p>'


def _is_to_mend(cause: Cause) -> bool:
    return cause.severity is not Severity.INFO and not cause.waived_by


def _row(group: Group) -> str:
    place, cause = group[0]
    more = f", and {len(group) - 1:,} more" if len(group) > 1 else ""
    new = " (new)" if any(each.is_new for _, each in group) else ""
    return (
        f'<tr><td><span class="mark {cause.severity}">{cause.severity}</span></td>'
        f'<td><a href="#cause-{place}">{text(texts.title(cause))}</a>{more}{new}</td>'
        f'<td class="n">{cause.pages:,}</td><td class="n">{cause.snapshots:,}</td></tr>'
    )


def _details(groups: Sequence[Group]) -> Iterator[str]:
    explained: dict[str, int] = {}
    for group in groups:
        place, cause = group[0]
        yield from _section(group, explained.setdefault(cause.code, place))


def _section(group: Group, first: int) -> Iterator[str]:
    place, cause = group[0]
    yield f'<section class="cause {cause.severity}" id="cause-{place}" aria-labelledby="title-{place}">'
    yield from _said(place, cause)
    yield from _explained(cause) if first == place else _explained_before(first)
    if cause.sample_urls:
        yield '<p class="label">For example</p>'
        yield from urls(cause.sample_urls)
    yield from _more(group[1:])
    yield "</section>"


def _said(place: int, cause: Cause) -> Iterator[str]:
    """What is said of this very cause."""
    yield f'<h3 id="title-{place}">{text(texts.title(cause))}</h3>'
    yield (
        f'<p class="soft"><span class="mark {cause.severity}">{cause.severity}</span>, {text(texts.where(cause))} '
        f"<code>{text(cause.code)}</code></p>"
    )
    if cause.waived_by:
        yield f"<p><b>Waived:</b> {text(cause.waived_by)}</p>"
    if cause.detail:
        yield f"<p>{text(texts.sentence(cause.detail))}</p>"
    if cause.evidence:
        yield '<p class="label">Received</p>'
        yield block(texts.evidence(cause))


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


def _more(group: Group) -> Iterator[str]:
    """The others of a kind, a row each: what mends the first mends them."""
    if group:
        yield f"<details{' open' if len(group) <= MOST_OPEN else ''}>"
        yield f"<summary>{len(group):,} more of this kind</summary>"
        name = f"More like {texts.title(group[0][1])}"
        yield from table(name, MORE_HEADS, (_more_row(*each) for each in group))
        yield "</details>"


def _more_row(place: int, cause: Cause) -> str:
    evidence = "<br>".join(f"<code>{text(line)}</code>" for line in texts.evidence(cause))
    detail = text(texts.sentence(cause.detail)) if cause.detail else ""
    example = page(cause.sample_urls[0]) if cause.sample_urls else ""
    return (
        f'<tr id="cause-{place}"><td>{text(cause.subject)}</td><td class="n">{cause.pages:,}</td>'
        f"<td>{'<br>'.join(filter(None, (detail, evidence)))}</td><td>{example}</td></tr>"
    )
