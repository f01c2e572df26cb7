from __future__ import annotations

import csv as csv_module
import dataclasses
import io
import json as json_module
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import results
from cli.render import csv, json, text, words
from cli.report import Action, Answers, HeaderSet, Mask, Probed, Run, RunReport, Trouble
from cli.standstill import Standstill
from headersweep.errors import ExitCode
from headersweep.probes import ProbeState
from headersweep.states import Outcome, RunAction, RunState
from review.report import Report

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
ACCOUNTING = {
    "discovered": 1200,
    "stored": 1170,
    "robots_denied": 20,
    "robots_unreachable": 0,
    "out_of_scope": 4,
    "trapped": 0,
    "failed": 6,
    "skipped_limit": 0,
    "unvisited": 0,
}
FAILED_AGAIN = Action(RunAction.RERUN_FAILED, "bob@host", "dns is back", SLOT + timedelta(hours=1), 2)
RUN = Run(
    run_id=7,
    site_id=1,
    site="docs",
    slot=SLOT,
    state=RunState.FINISHED,
    started_at=SLOT,
    finished_at=SLOT + timedelta(milliseconds=5120),
    accounting=ACCOUNTING,
    snapshots=12,
    new_snapshots=3,
    changed_pages=41,
    digest=bytes(range(32)),
    requested_by="ann@host",
    reason="release 12",
    generation=2,
    last_action=FAILED_AGAIN,
)


def _set(*pairs: tuple[str, str], pages: int = 10, is_new: bool = False, **fields: Any) -> HeaderSet:
    return HeaderSet(
        content_hash=bytes([pages % 256]) * 32,
        pages=pages,
        statuses=fields.pop("statuses", (200,)),
        is_new=is_new,
        pairs=pairs,
        lines=tuple((name.lower(), value) for name, value in pairs),
        **fields,
    )


REPORT = RunReport(
    run=RUN,
    found=1200,
    done=1200,
    answers=(Answers(Outcome.STORED, 200, 1150), Answers(Outcome.STORED, 404, 20)),
    sets=(
        _set(
            ("Server", "nginx"),
            ("Date", "Sun, 22 Nov 2026 10:00:00 GMT"),
            ("X-Frame-Options", "DENY"),
            pages=1100,
            samples=("https://example.com/", "https://example.com/a"),
        ),
        _set(("Server", "apache"), ("Location", "/b"), pages=70, is_new=True, statuses=(301, 302)),
    ),
    troubles=(
        Trouble(Outcome.OUT_OF_SCOPE, "", 4, (("https://elsewhere.example/", ""),)),
        Trouble(Outcome.FAILED, "dns", 6, (("https://gone.example.com/", "dns: no such host"),)),
    ),
    masks=(Mask("x-served-by-pod", 61, 70),),
)


PROBED = dataclasses.replace(
    REPORT,
    probes=(
        Probed("cors", ProbeState.ANSWERED, "", 12),
        Probed("cors", ProbeState.FAILED, "robots_denied", 2),
        Probed("cors", ProbeState.FAILED, "re\x1bset", 1),
        Probed("cors", ProbeState.WAITING, "", 1),
        Probed("other", ProbeState.WAITING, "", 1_000),
    ),
)


def test_a_summary_says_how_the_probes_of_each_kind_stand() -> None:
    lines = text.summary(PROBED, 200).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("Probes"))
    assert lines[place : place + 2] == [
        "Probes     cors: 1 waiting, 12 answered, 3 failed (2 denied by robots.txt, 1 re\\x1bset)",
        "           other: 1,000 waiting",
    ]
    assert "Probes" not in text.summary(REPORT, 200)
    assert json_module.loads(json.details(PROBED))["probes"][1] == {
        "kind": "cors",
        "state": "failed",
        "reason": "robots_denied",
        "probes": 2,
    }


ACTION_SHOWN = {
    "action": "rerun_failed",
    "asked_by": "bob@host",
    "reason": "dns is back",
    "at": "2026-11-22T11:00:00Z",
    "generation": 2,
    "made_run": None,
}


def test_the_json_of_a_sweep_has_exactly_the_agreed_shape() -> None:
    assert json_module.loads(json.runs([RUN])) == {
        "schema_version": 1,
        "runs": [
            {
                "run": 7,
                "site": "docs",
                "slot": "2026-11-22T10:00:00Z",
                "state": "finished",
                "pages": 1170,
                "accounting": ACCOUNTING,
                "snapshots": 12,
                "new_snapshots": 3,
                "changed_pages": 41,
                "digest": "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "duration_ms": 5120,
                "requested_by": "ann@host",
                "reason": "release 12",
                "generation": 2,
                "last_action": ACTION_SHOWN,
                "grade": None,
                "rules_version": None,
                "not_judged": None,
                "findings": [],
            }
        ],
    }


def test_a_run_that_is_not_over_has_nulls_where_nothing_is_known() -> None:
    shown = json.run_object(Run(8, 1, "docs", SLOT, RunState.RUNNING, started_at=SLOT))
    unknown = ("pages", "accounting", "snapshots", "changed_pages", "digest", "duration_ms")
    assert [shown[name] for name in unknown] == [None] * len(unknown)


def test_the_details_repeat_the_run_and_add_its_header_sets() -> None:
    shown = json_module.loads(json.details(REPORT))
    assert shown["run"] == 7
    assert shown["header_sets"][0]["headers"][0] == ["Server", "nginx"]
    assert shown["not_stored"][1]["samples"] == [
        {"url": "https://gone.example.com/", "error": "dns: no such host"}
    ]
    assert shown["masked"] == [{"header": "x-served-by-pod", "distinct_values": 61, "responses": 70}]


def test_a_summary_says_what_a_person_wants_to_know() -> None:
    assert text.summary(REPORT, 100).splitlines() == [
        "docs: finished",
        "run 7, slot 2026-11-22T10:00:00Z, took 5.1 s (229 pages/s)",
        "digest sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "asked for by ann@host: release 12",
        "",
        "Pages      1,200 found: 1,170 stored, 20 denied by robots.txt, 4 outside the site, 6 failed",
        "Answers    200: 1,150   404: 20",
        "Headers    12 different sets, 3 new; 41 pages changed since the last run",
        "",
        "Response headers",
        "",
        "  #1  1,100 pages, status 200  [4c4c4c4c4c4c]",
        "      Server: nginx",
        "      X-Frame-Options: DENY",
        "      also: Date",
        "      https://example.com/",
        "      https://example.com/a",
        "",
        "  #2  70 pages, status 301, 302, new  [464646464646]",
        "      Server: apache",
        "      Location: /b",
        "",
        "Not stored",
        "  6 pages failed: the host name does not resolve",
        "      https://gone.example.com/  (no such host)",
        "  4 pages outside the site",
        "      https://elsewhere.example/",
        "",
        "Masked, since they differ on nearly every response",
        "  x-served-by-pod: 61 values in 70 responses",
        "",
        "Everything:    headersweep show 7",
        "Every page:    headersweep export 7 --format csv",
        "Failed again:  headersweep rerun 7 --failed",
    ]


def test_a_similar_set_is_shown_by_what_differs_from_the_first() -> None:
    common = [(f"X-{number}", "same") for number in range(6)]
    first = _set(*common, ("Server", "nginx"), pages=100)
    other = _set(*common[1:], ("Server", "apache"), ("Vary", "Accept"), pages=50)
    shown = text.summary(dataclasses.replace(REPORT, sets=(first, other)), 100)
    assert (
        "      as #1, but\n"
        "        without x-0\n"
        "        server: apache instead of nginx\n"
        "        with vary: Accept\n"
    ) in shown


def test_the_top_ten_are_shown_and_the_rest_is_counted() -> None:
    sets = tuple(_set(("Server", str(number)), pages=100 - number) for number in range(13))
    shown = text.summary(dataclasses.replace(REPORT, sets=sets), 100)
    assert "  #10  " in shown
    assert "  #11  " not in shown
    assert "  and 3 more sets on 267 pages" in shown
    assert "  #13  " in text.summary(dataclasses.replace(REPORT, sets=sets), 100, full=True)


@pytest.mark.parametrize("state", [RunState.PLANNED, RunState.RUNNING])
def test_a_run_that_is_not_over_says_how_far_it_is_and_how_to_go_on(state: RunState) -> None:
    run = Run(8, 1, "docs", SLOT, state, started_at=SLOT)
    shown = text.summary(RunReport(run, found=30, done=10), 100)
    assert "10 of 30 found so far are done" in shown
    assert "headersweep resume 8" in shown


def test_no_line_is_wider_than_the_terminal() -> None:
    wide = _set(("Content-Security-Policy", "x" * 500), samples=("https://example.com/" + "y" * 500,))
    lines = text.summary(
        dataclasses.replace(REPORT, sets=(wide,), run=dataclasses.replace(RUN, digest=None)), 92
    )
    assert max(map(len, lines.splitlines())) <= 92


def test_foreign_text_cannot_move_the_cursor() -> None:
    evil = _set(
        ("X-Evil", "\x1b[2Jgone\x9b0m"), malformed=("\x07bell",), samples=("https://example.com/\x1b",)
    )
    trouble = Trouble(Outcome.FAILED, "reset", 1, (("https://example.com/", "reset: \x1b]0;title\x07"),))
    shown = text.summary(dataclasses.replace(REPORT, sets=(evil,), troubles=(trouble,)), 100)
    assert [line for line in shown.splitlines() if not line.isprintable()] == []
    assert r"X-Evil: \x1b[2Jgone\x9b0m" in shown
    assert r"malformed: \x07bell" in shown


def test_every_outcome_state_and_reason_has_words() -> None:
    from headersweep.states import FailureReason, TrapReason

    assert set(text.OUTCOMES) == set(Outcome)
    assert set(text.STATES) == set(RunState)
    assert set(text.REASONS) == set(FailureReason) | set(TrapReason)


def test_the_list_of_runs_lines_up() -> None:
    waiting = Run(8, 1, "a-longer-name", SLOT, RunState.PLANNED, requested_by="schedule")
    assert text.run_table([waiting, RUN]).splitlines() == [
        "RUN  SITE           SLOT                  STATE     PAGES  FAILED  SETS  NEW  CHANGED   TOOK  LAST ASKED BY",
        "  8  a-longer-name  2026-11-22T10:00:00Z  planned       -       -     -    -        -      -  schedule",
        "  7  docs           2026-11-22T10:00:00Z  finished  1,170       6    12    3       41  5.1 s  failed pages put back by bob@host: dns is back",
    ]


def test_what_was_done_to_a_run_and_what_it_waits_for_are_shown() -> None:
    made = Action(RunAction.RERUN, "bob\x1b[2J", "", SLOT, 1, made_run=9)
    waiting = (Standstill("paused", "paused by ann"), Standstill("splay", "starts at noon", SLOT))
    run = Run(8, 1, "docs", SLOT, RunState.RUNNING, requested_by="schedule")
    shown = text.summary(RunReport(run, actions=(FAILED_AGAIN, made), waiting=waiting), 100).splitlines()
    for line in (
        "asked for by schedule",
        "Waits      paused by ann",
        "           starts at noon",
        "What was done to it",
        "  2026-11-22T11:00:00Z  failed pages put back by bob@host: dns is back",
        "  2026-11-22T10:00:00Z  run again as run 9 by bob\\x1b[2J",
    ):
        assert line in shown
    told = json_module.loads(json.details(RunReport(run, actions=(FAILED_AGAIN,), waiting=waiting)))
    assert told["actions"] == [ACTION_SHOWN]
    assert told["waiting"] == [
        {"kind": "paused", "until": None, "said": "paused by ann"},
        {"kind": "splay", "until": "2026-11-22T10:00:00Z", "said": "starts at noon"},
    ]


def test_an_empty_list_says_what_to_type() -> None:
    assert "headersweep sweep" in text.run_table([])


def _visit(**changes: Any) -> dict[str, Any]:
    return {
        "url": "https://example.com/",
        "outcome": 1,
        "status": 200,
        "fetched_at": SLOT,
        "elapsed_ms": 12,
        "error": None,
        **changes,
    }


def test_an_export_line_has_exactly_the_agreed_keys_in_order() -> None:
    evidence = json.evidence(b"\x01" * 32, (("Server", 'a"b'), ("Server", "ä")), ("no colon",))
    line = json.export_line(_visit(), evidence)
    assert line.endswith("}\n")
    assert list(json_module.loads(line).items()) == [
        ("url", "https://example.com/"),
        ("outcome", "stored"),
        ("status", 200),
        ("content_hash", f"sha256:{'01' * 32}"),
        ("headers", [["Server", 'a"b'], ["Server", "ä"]]),
        ("malformed", ["no colon"]),
        ("fetched_at", "2026-11-22T10:00:00Z"),
        ("elapsed_ms", 12),
        ("error", None),
    ]


def test_a_failed_visit_exports_without_headers() -> None:
    visit = _visit(outcome=6, status=None, error="dns: no such host", elapsed_ms=None)
    shown = json_module.loads(json.export_line(visit, json.evidence(None, (), ())))
    assert (shown["content_hash"], shown["headers"], shown["error"]) == (None, [], "dns: no such host")


def test_csv_survives_commas_quotes_and_line_breaks() -> None:
    line = csv.line(csv.cells(_visit(url='https://example.com/?a="b",c', error="one\ntwo"), b"\x01" * 32))
    read = next(csv_module.DictReader(io.StringIO(line), fieldnames=csv.COLUMNS))
    assert (read["url"], read["error"]) == ('https://example.com/?a="b",c', "one\ntwo")


def test_csv_never_carries_a_formula() -> None:
    assert csv.line(["=HYPERLINK(1)", "-1+1", -1]).strip() == "'=HYPERLINK(1),'-1+1,-1"


@pytest.mark.parametrize(
    ("states", "changed", "fail_on", "code"),
    [
        ([RunState.FINISHED], 0, "none", ExitCode.DONE),
        ([RunState.FINISHED], 5, "none", ExitCode.DONE),
        ([RunState.FINISHED], 5, "drift", ExitCode.FINDINGS),
        ([RunState.FINISHED], 0, "drift", ExitCode.DONE),
        ([RunState.FINISHED], 5, "low", ExitCode.DONE),
        ([RunState.FINISHED, RunState.FAILED], 5, "drift", ExitCode.PARTIAL),
        ([RunState.FAILED], 0, "none", ExitCode.PARTIAL),
        ([RunState.CANCELLED], 0, "none", ExitCode.PARTIAL),
        ([RunState.PLANNED], 0, "drift", ExitCode.DONE),
    ],
)
def test_exit_codes(states: list[RunState], changed: int, fail_on: str, code: ExitCode) -> None:
    runs = [dataclasses.replace(RUN, state=state, changed_pages=changed) for state in states]
    assert results.exit_code(runs, fail_on, {7: Report(7, "docs", SLOT, "finished")}) is code


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"stored": 95, "failed": 5}, ExitCode.DONE),
        ({"stored": 94, "failed": 6}, ExitCode.PARTIAL),
        ({"stored": 94, "failed": 3, "robots_unreachable": 3}, ExitCode.PARTIAL),
        ({"stored": 20, "failed": 0, "skipped_limit": 500}, ExitCode.DONE),
    ],
)
def test_a_partial_run_exits_with_4_for_missed_pages_not_for_the_limit_that_was_asked_for(
    counts: dict[str, int], code: ExitCode
) -> None:
    run = dataclasses.replace(RUN, state=RunState.PARTIAL, accounting=counts)
    assert results.exit_code([run], "none") is code


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (3725, "1:02:05")])
def test_clocks(seconds: float, shown: str) -> None:
    assert words.clock(seconds) == shown


def test_a_header_whose_value_is_volatile_is_named_without_it() -> None:
    item = dataclasses.replace(
        _set(("Server", "nginx"), ("X-Request-Id", "206994f136ef9c79")),
        lines=(("server", "nginx"), ("x-request-id", "<request-id>")),
    )
    rendered = text.summary(dataclasses.replace(REPORT, sets=(item,)), 100)
    assert "206994f136ef9c79" not in rendered
    assert "also: X-Request-Id" in rendered


def test_failures_that_would_come_again_are_not_offered_to_be_repeated() -> None:
    denied = Trouble(Outcome.FAILED, "address_denied", 6, (("http://127.0.0.1/", "address_denied"),))
    rendered = text.summary(dataclasses.replace(REPORT, troubles=(denied,)), 100)
    assert "--allow-private" in rendered
    assert "rerun" not in rendered
    assert "rerun 7 --failed" in text.summary(REPORT, 100)
