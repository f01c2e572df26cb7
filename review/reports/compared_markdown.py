"""A comparison of two runs for a pull request or a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from review.comparing import Comparison, Turn, Turned
from review.reports import compared, markdown, texts
from review.reports.compared import Row

_MOST = 50


def render(found: Comparison) -> str:
    """The comparison as Markdown."""
    return "\n".join(_lines(found))


def _lines(found: Comparison) -> Iterator[str]:
    plain = markdown.plain
    yield from (f"# Before and after on {plain(found.site)}", "")
    for name, side in (("Before", found.before), ("After", found.after)):
        yield f"- {name}: run {side.run_id}, slot {texts.instant(side.slot)}, {plain(side.state)}"
    yield ""
    yield from (line for said in compared.remarks(found) for line in (f"{plain(said)}", ""))
    yield from _table("In short", compared.summary(found))
    yield from _table("Protection, by pages", [one.row for one in compared.protections(found)])
    yield from _table("Protection, by response class", [one.row for one in compared.by_class(found)])
    yield from _table("Caches", compared.caching(found))
    yield from _table("Latency", compared.latency(found))
    yield from _owners(found)
    for turn in (Turn.OPENED, Turn.WORSE, Turn.CLOSED, Turn.WAIVED):
        yield from _turned(turn, [one for one in found.turned if one.turn is turn])


def _table(heading: str, rows: Sequence[Row]) -> Iterator[str]:
    if rows:
        cells = [tuple(map(markdown.plain, (row.what, row.before, row.after, row.moved))) for row in rows]
        yield from (f"## {heading}", "", *markdown.table(("what", "before", "after", "moved"), cells), "")


def _owners(found: Comparison) -> Iterator[str]:
    rows = [
        (markdown.plain(owner), *(f"{counts[turn]:,}" for turn in Turn))
        for owner, counts in compared.owners(found)
    ]
    if rows:
        heads = ("owner", *(compared.TURNS[turn] for turn in Turn))
        yield from ("## Findings by owner", "", *markdown.table(heads, rows), "")


def _turned(turn: Turn, found: Sequence[Turned]) -> Iterator[str]:
    rows = [
        (
            str(one.cause.severity),
            markdown.plain(texts.title(one.cause)),
            markdown.plain(one.owner),
            f"{one.cause.pages:,}",
        )
        for one in found[:_MOST]
    ]
    if rows:
        heads = ("severity", "what", "owner", "pages")
        yield from (f"## Findings: {compared.TURNS[turn]}", "", *markdown.table(heads, rows), "")
    if len(found) > _MOST:
        yield from (f"And {len(found) - _MOST} more.", "")
