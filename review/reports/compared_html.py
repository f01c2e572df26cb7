"""A comparison of two runs as one HTML file with charts: it loads nothing, runs nothing, and passes our own review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from review.comparing import Comparison, Share, Turn, Turned
from review.reports import compared, frame, texts
from review.reports.compared import Covered, Row

HEADERS = frame.HEADERS
"""What a server should send along with it."""

_MOST = 200
_SHOWN = (Turn.OPENED, Turn.WORSE, Turn.CLOSED, Turn.WAIVED)


def render(found: Comparison) -> str:
    """The comparison as one HTML document."""
    title = f"Before and after on {texts.visible(found.site)}"
    parts = [
        frame.head(title),
        _heading(found, title),
        _table("In short", compared.summary(found)),
        _charts("Protection, by pages", compared.protections(found)),
        _charts("Protection, by response class", compared.by_class(found)),
        _table("Caches", compared.caching(found)),
        _latency(found),
        _owners(found),
        *(_turned(turn, [one for one in found.turned if one.turn is turn]) for turn in _SHOWN),
        frame.foot(),
    ]
    return "\n".join(line for part in parts for line in part)


def _heading(found: Comparison, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield "<dl>"
    for name, side in (("before", found.before), ("after", found.after)):
        said = f"run {side.run_id}, slot {texts.instant(side.slot)}, {side.state}"
        yield f"<dt>{name}</dt><dd>{frame.text(said)}</dd>"
    yield "</dl>"
    yield from (f'<p class="soft">{frame.text(said)}</p>' for said in compared.remarks(found))


_HEADS = '<table><thead><tr><th>what</th><th class="n">before</th><th class="n">after</th><th class="n">moved</th></tr></thead><tbody>'


def _table(heading: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"<h2>{escape(heading)}</h2>"
    yield _HEADS
    for row in rows:
        numbers = "".join(
            f'<td class="n">{frame.text(cell)}</td>' for cell in (row.before, row.after, row.moved)
        )
        yield f"<tr><td>{frame.text(row.what)}</td>{numbers}</tr>"
    yield "</tbody></table>"


def _charts(heading: str, rows: Sequence[Covered]) -> Iterator[str]:
    if not rows:
        return
    yield f"<h2>{escape(heading)}</h2>"
    for one in rows:
        moved = f" <b>{escape(one.row.moved)}</b>" if one.row.moved else ""
        yield f"<h3>{frame.text(one.title)}{moved}</h3>"
        yield from _bar("before", one.before)
        yield from _bar("after", one.after)


def _bar(name: str, one: Share) -> Iterator[str]:
    yield f'<p class="soft">{name}: {escape(compared.share(one))}</p>'
    if one.whole:
        yield frame.bar(one.part, one.whole)


def _latency(found: Comparison) -> Iterator[str]:
    yield from _table("Latency", compared.latency(found))
    sides = [side.latency for side in (found.before, found.after)]
    longest = max((one.p99 for one in sides if one is not None), default=0)
    for name, one in zip(("before", "after"), sides, strict=True):
        if one is not None and longest:
            for percent, value in (("50 %", one.p50), ("90 %", one.p90), ("99 %", one.p99)):
                label = f"{name}, {percent}: {value:,} ms"
                yield f'<p class="soft">{label}</p>'
                yield frame.bar(value, longest, label)


def _owners(found: Comparison) -> Iterator[str]:
    yield "<h2>Findings by owner</h2>"
    owners = compared.owners(found)
    if not owners:
        yield "<p>None, before or after.</p>"
        return
    heads = "".join(f'<th class="n">{compared.TURNS[turn]}</th>' for turn in Turn)
    yield f"<table><thead><tr><th>owner</th>{heads}</tr></thead><tbody>"
    for owner, counts in owners:
        numbers = "".join(f'<td class="n">{counts[turn]:,}</td>' for turn in Turn)
        yield f"<tr><td>{frame.text(owner)}</td>{numbers}</tr>"
    yield "</tbody></table>"


def _turned(turn: Turn, found: Sequence[Turned]) -> Iterator[str]:
    if not found:
        return
    yield f"<h2>Findings: {compared.TURNS[turn]}</h2>"
    for one in found[:_MOST]:
        cause = one.cause
        yield f'<section class="cause {cause.severity}"><h3>{frame.text(texts.title(cause))}</h3>'
        said = f"{cause.code}, {texts.count(cause.pages, 'page')}, {one.owner or 'nobody'}"
        yield f'<p class="soft"><span class="mark {cause.severity}">{cause.severity}</span> {frame.text(said)}</p>'
        yield "</section>"
    if len(found) > _MOST:
        yield f"<p>And {len(found) - _MOST:,} more.</p>"
