"""Checklists as people, programs and wikis get them, and the page that lists their items."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from cli.render import checklist_page, checklists
from headersweep.checklist import Declaration, Line, Verdict
from review import hardening

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>|`[a](javascript:x)\n# \x1b[2J\u202e *b* _c_ &lt; \\| ~~d~~"
SAID = Declaration("site.alerts", HOSTILE, date(2027, 1, 1), HOSTILE)


def line(name: str, verdict: Verdict, *evidence: str) -> Line:
    declared = SAID if verdict is Verdict.DECLARED else None
    return Line(
        hardening.ITEMS[name], verdict, evidence, declared.owner if declared else "web team", declared
    )


LINES = [
    line("site.permissions_policy", Verdict.OK, "nothing"),
    line("site.csp", Verdict.FAIL, HOSTILE),
    line("site.upload_types", Verdict.UNKNOWN, "nobody knows"),
    line("site.alerts", Verdict.DECLARED, HOSTILE),
]


def test_the_page_of_items_is_current() -> None:
    page = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")
    assert page == checklist_page.as_markdown(), (
        "write cli.render.checklist_page.as_markdown() to docs/checklist.md"
    )


@pytest.mark.parametrize("shape", ["text", "md"])
def test_foreign_text_moves_no_terminal_and_begins_no_line(shape: str) -> None:
    shown = checklists.render("docs", LINES, shape)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert r"\x1b[2J\x202e" in shown.replace("\\\\", "\\").replace(r"\[", "[")
    assert [each for each in shown.splitlines() if each.startswith("# ")] == (
        ["# Checklist of docs"] if shape == "md" else []
    )


def test_foreign_text_is_no_markup_in_a_wiki() -> None:
    rows = [each for each in checklists.render("docs", LINES, "md").splitlines() if each.startswith("| ")]
    rows = [row for row in rows if not row.startswith(("| verdict", "| ---"))]
    assert len(rows) == len(LINES)
    for row in rows:
        bare = re.sub(r"\\[\\|<>\[\]*_`&~]", "", row)
        assert bare.count("|") == 7
        assert bare.count("`") == 2
        assert not re.search(r"[<>\[\]*&~]", bare)


def test_names_in_a_wiki_are_as_they_are_typed() -> None:
    assert "(`site.permissions_policy`)" in checklists.render("docs", LINES, "md")


def test_text_tells_what_to_do_only_where_something_is_to_be_done() -> None:
    shown = checklists.render("docs", LINES, "text")
    assert shown.startswith("Checklist of docs: 1 ok, 1 fail, 1 unknown, 1 declared")
    assert shown.count("rollback: ") == 2
    assert shown.count("declared: by ") == 1


def test_json_holds_everything_as_it_is() -> None:
    found = json.loads(checklists.render("docs", LINES, "json"))
    assert found["of"] == "docs"
    assert [item["verdict"] for item in found["items"]] == ["ok", "fail", "unknown", "declared"]
    assert found["items"][1]["evidence"] == [HOSTILE]
    assert found["items"][3]["declared"]["until"] == "2027-01-01"


@pytest.mark.parametrize(
    ("fail_on", "verdicts"),
    [
        ("none", set()),
        ("fail", {Verdict.FAIL}),
        ("unknown", {Verdict.FAIL, Verdict.UNKNOWN}),
    ],
)
def test_what_makes_it_fail(fail_on: str, verdicts: set[Verdict]) -> None:
    assert {each.verdict for each in LINES if checklists.fails([each], fail_on)} == verdicts
