"""A comparison of two runs as one HTML file with charts: it loads nothing, runs nothing, and passes our own review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from review.comparing import Comparison, Latency, Share, Turn, Turned
from review.reports import compared, frame, texts
from review.reports.compared import Covered, Row
from review.reports.html_parts import bar, text

HEADERS = frame.HEADERS
"""What a server should send along with it."""

_MOST = 200
_SHOWN = (Turn.OPENED, Turn.WORSE, Turn.CLOSED, Turn.WAIVED)


def render(found: Comparison) -> str:
    """The comparison as one HTML document."""
    title = f"Before and after on {texts.visible(found.site)}"
    parts = [
        frame.head(title),
        ["<main>"],
        _heading(found, title),
        _table("In short", compared.summary(found)),
        _charts("Protection, by pages", compared.protections(found)),
        _charts("Protection, by response class", compared.by_class(found)),
        _table("Caches", compared.caching(found)),
        _latency(found),
        _owners(found),
        *(_turned(turn, [one for one in found.turned if one.turn is turn]) for turn in _SHOWN),
        ["</main>"],
        frame.foot(),
    ]
    return "\n".join(line for part in parts for line in part)


def _heading(found: Comparison, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield "<dl>"
    for name, side in (("before", found.before), ("after", found.after)):
        said = f"run {side.run_id}, slot {texts.instant(side.slot)}, {side.state}"
        yield f"<dt>{name}</dt><dd>{text(said)}</dd>"
    yield "</dl>"
    yield from (f'<p class="soft">{text(said)}</p>' for said in compared.remarks(found))


_HEADS = (
    '<table><thead><tr><th>what</th><th class="n">before</th><th class="n">after</th>'
    '<th class="n">moved</th></tr></thead><tbody>'
)


def _table(heading: str, rows: Sequence[Row], bars: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """Rows with their numbers; ``bars`` are drawn below those of before and after, where there is anything to draw."""
    if not rows:
        return
    yield f"<h2>{escape(heading)}</h2>"
    yield _HEADS
    for row, (old, new) in zip(rows, bars or [("", "")] * len(rows), strict=True):
        cells = ((row.before, old), (row.after, new), (row.moved, ""))
        numbers = "".join(f'<td class="n">{text(said)}{drawn}</td>' for said, drawn in cells)
        yield f"<tr><td>{text(row.what)}</td>{numbers}</tr>"
    yield "</tbody></table>"


def _charts(heading: str, found: Sequence[Covered]) -> Iterator[str]:
    bars = [(_bar(one.before), _bar(one.after)) for one in found]
    yield from _table(heading, [one.row for one in found], bars)


def _bar(one: Share) -> str:
    return bar(one.part, one.whole) if one.whole else ""


def _latency(found: Comparison) -> Iterator[str]:
    """Times, drawn as parts of the longest of all."""
    sides = [side.latency for side in (found.before, found.after)]
    longest = max((one.p99 for one in sides if one is not None), default=0)
    before, after = ([_ms(one, key, longest) for key in ("p50", "p90", "p99")] for one in sides)
    yield from _table("Latency", compared.latency(found), list(zip(before, after, strict=True)))


def _ms(one: Latency | None, key: str, longest: int) -> str:
    if one is None or not longest:
        return ""
    value: int = getattr(one, key)
    return bar(value, longest, f"{value:,} ms")


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
        yield f"<tr><td>{text(owner)}</td>{numbers}</tr>"
    yield "</tbody></table>"


def _turned(turn: Turn, found: Sequence[Turned]) -> Iterator[str]:
    if not found:
        return
    yield f"<h2>Findings: {compared.TURNS[turn]}</h2>"
    for one in found[:_MOST]:
        cause = one.cause
        yield f'<section class="cause {cause.severity}"><h3>{text(texts.title(cause))}</h3>'
        said = f"{cause.code}, {texts.count(cause.pages, 'page')}, {one.owner or 'nobody'}"
        yield f'<p class="soft"><span class="mark {cause.severity}">{cause.severity}</span> {text(said)}</p>'
        yield "</section>"
    if len(found) > _MOST:
        yield f"<p>And {len(found) - _MOST:,} more.</p>"
