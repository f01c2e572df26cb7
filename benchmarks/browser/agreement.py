"""How often our review, and the logic of the best known scanner, say what the browsers did: a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.browser import differences, predictions, records
from benchmarks.browser.observatory import QUESTIONS, Tally, tally
from benchmarks.browser.records import Record

PAGE = Path(__file__).resolve().parents[2] / "docs" / "truth.md"
_FROM, _TO = "<!-- table -->\n", "<!-- end of the table -->"
_HEAD = """\
| header | question | browser | answers | our review is right | Observatory's logic is right |
| --- | --- | --- | --- | --- | --- |"""


def table() -> str:
    """The whole table in Markdown, with the browsers' versions below."""
    found = records.recorded()
    names = sorted({(one.browser, one.version) for one in found})
    return "\n".join([_HEAD, *_rows(found, [name for name, _ in names]), "", *_below(found, names)])


def write() -> None:
    """Put the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_FROM)
    after = rest.partition(_TO)[2]
    PAGE.write_text(f"{before}{_FROM}\n{table()}\n\n{_TO}{after}", encoding="utf-8")


def _rows(found: list[Record], browsers: list[str]) -> Iterator[str]:
    for browser in browsers:
        mine = [one for one in found if one.browser == browser]
        sums = Tally()
        for question in QUESTIONS:
            one = tally(mine, question)
            sums = sums.plus(one)
            yield f"| {question.header} | {question.text} | {browser} | {one.asked} | {_cells(one)} |"
        yield f"| **all of them** | | {browser} | {sums.asked} | {_cells(sums)} |"


def _cells(one: Tally) -> str:
    return f"{_share(one.ours, one.asked)} | {_share(one.scanner, one.scanner_asked)}"


def _share(right: int, asked: int) -> str:
    return f"{right} of {asked} ({100 * right / asked:.0f} %)" if asked else "-"


def _below(found: list[Record], names: list[tuple[str, str]]) -> Iterator[str]:
    for browser, version in names:
        mine = [one for one in found if one.browser == browser]
        observed = sum(len(one.did) for one in mine)
        differing = sum(_differing(one) for one in mine)
        yield (
            f"{browser.capitalize()} {version}: {len(mine)} cases, {observed} observations; "
            f"our review predicts {observed - differing} of them, and {differing} differ for a stated reason."
        )


def _differing(record: Record) -> int:
    said = predictions.predicted(record)
    return sum(said[key] != record.did[key] for key in differences.excused(record) if key in record.did)
