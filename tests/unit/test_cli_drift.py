"""Two runs compared, as people and scripts get it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from cli.drifting import Approval
from cli.render import drift as render
from cli.report import Run
from headersweep.states import RunState
from review import table
from review.diffing import Changed, Difference, Move, Moved
from review.directions import Direction
from review.drift import Change
from review.report import Cause

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
OLD, NEW = (Run(number, 1, "docs", SLOT, RunState.FINISHED) for number in (6, 7))
NASTY = "a\x1b[2J\u202e|`<script>"


def difference(site: str = "docs") -> Difference:
    change = Change("x-frame-options", Direction.LOOSER, "DENY", NASTY, "browsers ignore the new value")
    rule = next(iter(table.RULES.values()))
    cause = Cause(rule, rule.severity, NASTY, "", "", 4, 1, (), ("https://a.example/",))
    return Difference(
        site,
        6,
        7,
        changed_pages=4,
        changes=(Changed(change, 4, (f"https://a.example/{NASTY}",), flapping_pages=2),),
        moves=(Moved(Move.NOT_ANSWERED, 200, "failed", 1, ("https://a.example/b",)),),
        came=(cause,),
    )


def shown(shape: str, width: int = 200) -> str:
    return render.render(difference(NASTY), OLD, NEW, shape, width)


@pytest.mark.parametrize("shape", ["text", "md"])
def test_no_header_writes_on_the_terminal_or_makes_markup(shape: str) -> None:
    assert not set("\x1b\u202e") & set(shown(shape))
    assert r"a\x1b[2J" in shown("text")


def test_the_text_says_what_was_what_is_and_what_follows() -> None:
    lines = shown("text").splitlines()
    place = lines.index("  x-frame-options  on 4 pages")
    assert lines[place + 1] == "    - DENY"
    assert lines[place + 2].startswith("    + a")
    assert lines[place + 3] == "    browsers ignore the new value"
    assert lines[place + 4] == "    flapping: 2 pages answered so before, within the last runs"
    assert "  1 page did not answer (status 200, failed)" in lines


def test_lines_are_cut_at_the_width() -> None:
    head, *rest = shown("text", 40).splitlines()[1:]
    assert head.startswith("from run 6")
    assert max(len(line) for line in rest) <= 60


def test_a_table_of_markdown_has_as_many_cells_in_every_row() -> None:
    rows = [line for line in shown("md").splitlines() if line.startswith("| looser")]
    assert len(rows) == 1
    assert rows[0].replace(r"\|", "").count("|") == 8


def test_json_is_for_scripts_and_escapes_nothing() -> None:
    found = json.loads(shown("json"))
    assert found["changes"][0]["new"] == [NASTY]
    assert found["changes"][0]["flapping_pages"] == 2
    assert found["pages"] == [
        {
            "move": "not_answered",
            "status": 200,
            "outcome": "failed",
            "pages": 1,
            "sample_urls": ["https://a.example/b"],
        }
    ]
    assert [cause["subject"] for cause in found["findings"]["came"]] == [NASTY]


def test_where_nothing_changed_it_says_so() -> None:
    assert "docs: nothing changed" in render.render(Difference("docs", 6, 7), OLD, NEW, "text", 80)


@pytest.mark.parametrize("shape", ["text", "md"])
def test_of_very_many_or_very_long_lines_people_get_the_beginning(shape: str) -> None:
    value = "\n".join([*(f"c{number}=<cookie>" for number in range(500)), "x" * 100_000])
    change = Changed(Change("set-cookie", Direction.INCOMPARABLE, "", value), 1, ())
    shown = render.render(Difference("docs", 6, 7, 1, (change,)), OLD, NEW, shape, 200)
    assert "and 491 more" in shown
    assert len(shown) < 5_000


@pytest.mark.parametrize("shape", ["text", "md"])
def test_what_somebody_wrote_about_a_baseline_is_escaped_too(shape: str) -> None:
    said = Approval(NASTY, NASTY, date(2026, 12, 1), NASTY, "ann@host", SLOT, is_expired=True)
    shown = render.render(difference(), OLD, NEW, shape, 400, approval=said)
    assert not set("\x1b\u202e") & set(shown)
    assert "until 2026-12-01" in shown.replace("\\", "")


def test_without_a_baseline_json_has_none() -> None:
    assert json.loads(shown("json"))["baseline"] is None
