"""Findings on the terminal and in JSON, what fails a command, and what a change of the rules looks like."""

from __future__ import annotations

import dataclasses
import json as json_module
from datetime import UTC, datetime
from typing import Any

import pytest

from cli import results
from cli.render import findings, json, rejudged, text
from cli.report import Run, RunReport
from headersweep.errors import ExitCode
from headersweep.responses import ResponseClass
from headersweep.states import RunState
from review import table
from review.finding import Rule, Severity
from review.judge import Judgement
from review.report import Cause, HeaderSet, Report
from scheduler.rejudging import Change, Rejudged
from scheduler.reviewed import Weight

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
RUN = Run(run_id=7, site_id=1, site="docs", slot=SLOT, state=RunState.FINISHED, accounting={"stored": 900})


def a_cause(code: str = "csp.missing", severity: Severity = Severity.HIGH, **fields: Any) -> Cause:
    rule = Rule(
        code=code,
        severity=severity,
        title=f"Title of {code}",
        browser="It runs any script.",
        why="Whoever can write into the page runs scripts in it. " * 3,
        fix="X-Header: value; of some length\nStart with what you have.",
        link="https://spec.example/",
    )
    values: dict[str, Any] = {
        "subject": "",
        "detail": "",
        "evidence": "",
        "pages": 900,
        "snapshots": 4,
        "classes": (ResponseClass.DOCUMENT,),
        "sample_urls": ("https://docs.example/",),
    }
    return Cause(rule=rule, severity=severity, **{**values, **fields})


def a_review(*causes: Cause, **fields: Any) -> Report:
    return Report(7, "docs", SLOT, "finished", rules_version=3, causes=causes, **fields)


def a_set(kind: ResponseClass) -> HeaderSet:
    """Pages that were not judged."""
    return HeaderSet("sha256:00", 200, "https", 5, (), Judgement(kind, (), judged=False))


MANY = [
    *(a_cause(f"csp.high_{number}") for number in range(5)),
    *(a_cause(f"hsts.low_{number}", Severity.LOW, pages=1) for number in range(30)),
    a_cause("deprecated.header", Severity.INFO),
]


# a summary


def test_a_summary_names_the_worst_and_the_first_line_of_their_fixes() -> None:
    worst = a_cause(subject="script-src")
    other = a_cause("hsts.missing", Severity.LOW, pages=1)
    assert findings.summary(a_review(worst, other), 100) == [
        "Findings   1 high, 1 low",
        "  high  csp.missing   900 pages  Title of csp.missing (script-src)",
        "  low   hsts.missing     1 page  Title of hsts.missing",
        "  fix csp.missing: X-Header: value; of some length",
        "  fix hsts.missing: X-Header: value; of some length",
    ]


def test_a_summary_of_however_many_findings_is_a_dozen_lines() -> None:
    lines = findings.summary(a_review(*MANY), 100)
    assert len(lines) == 12
    assert lines[0] == "Findings   5 high, 30 low, 1 info"
    assert lines[8] == "  and 29 more causes: 28 low, 1 info"
    assert max(map(len, findings.summary(a_review(*MANY), 60))) <= 60


def test_no_findings_are_said_to_be_none() -> None:
    assert findings.summary(a_review(), 100) == ["Findings   none"]


def test_pages_behind_a_firewall_are_said_not_to_be_judged() -> None:
    assert "not judged: 1,200 pages" in findings.summary(a_review(not_judged=1200), 100)[-1]


def test_a_waived_cause_is_marked_and_its_fix_is_not_asked_for() -> None:
    lines = findings.summary(a_review(a_cause(waived_by="ann until 2027-01-01")), 100)
    assert lines == [
        "Findings   1 high; 1 of them waived",
        "  high  csp.missing  900 pages  Title of csp.missing [waived]",
    ]


def test_several_causes_of_one_code_have_one_fix() -> None:
    lines = findings.summary(a_review(a_cause(subject="a"), a_cause(subject="b")), 100)
    assert sum(line.startswith("  fix ") for line in lines) == 1


# in full


def test_in_full_everything_is_said_and_the_fix_can_be_copied() -> None:
    cause = a_cause(evidence="X-A: 1\nX-B: 2", detail="two lines", subject="x")
    shown = findings.full(a_review(cause), 50)
    assert shown[2:] == [
        "  high  csp.missing  900 pages",
        "      Title of csp.missing (x)",
        "      two lines",
        "      received: X-A: 1",
        "      received: X-B: 2",
        "      browsers: It runs any script.",
        "      why: Whoever can write into the page runs",
        "        scripts in it. Whoever can write into the",
        "        page runs scripts in it. Whoever can write",
        "        into the page runs scripts in it.",
        "      fix: X-Header: value; of some length",
        "           Start with what you have.",
        "      read: https://spec.example/",
        "      https://docs.example/",
    ]
    assert len(findings.full(a_review(*MANY), 100)) > 36 * 5


def test_no_header_writes_on_the_terminal() -> None:
    evil = a_cause(
        evidence="X: \x1b[2J", detail="\x1b]0;x\x07", subject="\x9b1m", sample_urls=("http://x/\x1b",)
    )
    shown = "\n".join([*findings.full(a_review(evil), 100), *findings.summary(a_review(evil), 100)])
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("full", [True, False])
def test_the_findings_stand_in_the_summary_of_a_run(full: bool) -> None:
    shown = text.summary(RunReport(RUN, review=a_review(a_cause())), 100, full=full)
    assert "Findings   1 high" in shown
    assert ("why: " in shown) is full


# JSON


def test_the_json_of_a_finding_has_exactly_the_agreed_shape() -> None:
    review = a_review(a_cause(evidence="X: y", detail="d", subject="s"), not_judged=2, grade={"score": 70})
    shown = json_module.loads(json.runs([RUN], {7: review}))["runs"][0]
    assert (shown["grade"], shown["rules_version"], shown["not_judged"]) == ({"score": 70}, 3, 2)
    assert shown["findings"] == [
        {
            "code": "csp.missing",
            "severity": "high",
            "title": "Title of csp.missing",
            "subject": "s",
            "detail": "d",
            "evidence": "X: y",
            "pages": 900,
            "snapshots": 4,
            "response_classes": ["document"],
            "sample_urls": ["https://docs.example/"],
            "browser": "It runs any script.",
            "why": "Whoever can write into the page runs scripts in it. " * 3,
            "fix": "X-Header: value; of some length\nStart with what you have.",
            "link": "https://spec.example/",
            "opinion": False,
            "waived_by": None,
        }
    ]


def test_each_run_of_a_list_has_its_own_findings() -> None:
    other = dataclasses.replace(RUN, run_id=8)
    shown = json_module.loads(json.runs([RUN, other], {7: a_review(a_cause()), 8: None}))["runs"]
    assert [(len(run["findings"]), run["rules_version"]) for run in shown] == [(1, 3), (0, None)]


# what fails


@pytest.mark.parametrize(
    ("severity", "failing"),
    [
        (Severity.HIGH, {"info", "low", "medium", "high"}),
        (Severity.MEDIUM, {"info", "low", "medium"}),
        (Severity.LOW, {"info", "low"}),
        (Severity.INFO, {"info"}),
    ],
)
def test_a_finding_fails_what_asks_for_its_severity_or_less(severity: Severity, failing: set[str]) -> None:
    review = a_review(a_cause(severity=severity))
    levels = ("none", "info", "low", "medium", "high", "drift")
    codes = {level: results.exit_code([RUN], level, {7: review}) for level in levels}
    assert {level for level, code in codes.items() if code is ExitCode.FINDINGS} == failing


def test_a_waived_finding_fails_nothing() -> None:
    review = a_review(a_cause(waived_by="ann"))
    assert results.exit_code([RUN], "info", {7: review}) is ExitCode.DONE


def test_an_incomplete_run_wins_over_findings() -> None:
    failed = dataclasses.replace(RUN, state=RunState.FAILED)
    assert results.exit_code([failed], "info", {7: a_review(a_cause())}) is ExitCode.PARTIAL


@pytest.mark.parametrize(
    ("review", "fail_on", "code"),
    [
        (None, "high", ExitCode.UNEXPECTED),
        (None, "none", ExitCode.DONE),
        (None, "drift", ExitCode.DONE),
        (a_review(sets=(a_set(ResponseClass.DOCUMENT),)), "high", ExitCode.UNEXPECTED),
        (a_review(sets=(a_set(ResponseClass.BLOCKED),)), "high", ExitCode.DONE),
        (a_review(a_cause(), sets=(a_set(ResponseClass.DOCUMENT),)), "high", ExitCode.FINDINGS),
    ],
)
def test_what_could_not_be_judged_does_not_look_like_a_site_without_findings(
    review: Report | None, fail_on: str, code: ExitCode
) -> None:
    assert results.exit_code([RUN], fail_on, {7: review}) is code


def test_a_run_that_goes_on_fails_nothing_yet() -> None:
    running = dataclasses.replace(RUN, state=RunState.RUNNING, accounting=None)
    assert results.exit_code([running], "high", {7: None}) is ExitCode.DONE


# other rules


HIGH, LOW = Weight(Severity.HIGH, 900), Weight(Severity.LOW, 900)
CHANGED = Rejudged(
    7,
    3,
    judged=4,
    unjudged=0,
    sets=4,
    compared_with=2,
    changes=(
        Change("csp.missing", "", None, HIGH),
        Change("cookie.insecure", "sid", HIGH, LOW),
        Change("hsts.short", "", LOW, Weight(Severity.LOW, 9)),
        Change("hsts.missing", "", LOW, None),
    ),
)
SAME = Rejudged(8, 3, judged=0, unjudged=0, sets=4, compared_with=2)
FIRST = Rejudged(9, 3, judged=4, unjudged=0, sets=4)
EMPTY = Rejudged(10, 3, judged=0, unjudged=0, sets=0)


def test_what_other_rules_change_is_said_cause_by_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "RULES", {})
    assert rejudged.as_text([CHANGED]).splitlines() == [
        "run 7: rules 3, compared with rules 2: 4 causes changed",
        "  came      csp.missing           high on 900 pages",
        "  severity  cookie.insecure  sid  high on 900 pages -> low on 900 pages",
        "  pages     hsts.short            low on 900 pages -> low on 9 pages",
        "  went      hsts.missing          low on 900 pages",
    ]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (SAME, "run 8: rules 3, compared with rules 2: nothing changed"),
        (FIRST, "run 9: rules 3; no older rules have judged it"),
        (EMPTY, "run 10: nothing is stored that could be judged"),
    ],
)
def test_a_run_about_which_nothing_changed_says_so(item: Rejudged, said: str) -> None:
    assert rejudged.as_text([item]) == said


def test_of_many_runs_only_those_are_shown_about_which_something_changed() -> None:
    broken = dataclasses.replace(SAME, run_id=11, unjudged=2)
    lines = rejudged.as_text([CHANGED, SAME, FIRST, EMPTY, broken]).splitlines()
    assert [line[:7] for line in lines if not line.startswith(" ")] == ["run 7: ", "run 11:", "5 runs "]
    assert "  2 header sets could not be judged: see the event run.unjudged in the log" in lines
    assert lines[-1] == "5 runs looked at, 8 judgements new, 1 changed; of 1 run nothing is stored"
    assert rejudged.as_text([]) == "no run is over yet: there is nothing to judge"


def test_the_json_of_rejudging_has_exactly_the_agreed_shape() -> None:
    shown = json_module.loads(rejudged.as_json([CHANGED]))["runs"][0]
    assert shown["changes"][1] == {
        "change": "severity",
        "code": "cookie.insecure",
        "subject": "sid",
        "before": {"severity": "high", "pages": 900},
        "after": {"severity": "low", "pages": 900},
    }
    assert [each["change"] for each in shown["changes"]] == ["came", "severity", "pages", "went"]
    del shown["changes"]
    assert shown == {
        "run": 7,
        "rules_version": 3,
        "compared_with": 2,
        "header_sets": 4,
        "judged": 4,
        "unjudged": 0,
    }


GRADE = {"scheme": "mdn", "algorithm": 6, "score": 30, "grade": "D"}


@pytest.mark.parametrize("shown", [findings.summary, findings.full])
def test_the_public_grade_stands_beside_the_findings_with_its_version(shown: Any) -> None:
    lines = shown(a_review(a_cause(), grade=GRADE), 120)
    assert lines[0] == "Grade      D, 30 (MDN Observatory, algorithm 6)"
    assert lines[1].startswith("Findings   ")


@pytest.mark.parametrize("grade", [None, {**GRADE, "score": None, "grade": None}])
def test_without_a_grade_there_is_no_line_of_it(grade: dict[str, Any] | None) -> None:
    assert findings.summary(a_review(a_cause(), grade=grade), 120)[0].startswith("Findings   ")
