"""Judging: once for each combination and version, by any number of judges, never in the way of closing a run."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from cli import grading, report, results, reviewed
from cli.render import findings as findings_of
from cli.render import text
from demosite.serving import Answer
from headersweep.errors import ExitCode
from headersweep.states import RunState
from models import partitions, reviews
from models.reviews import findings, judgements, run_sets
from review import judge
from review.finding import Finding, Severity
from review.received import Received
from scheduler import judging, operations, rejudging
from scheduler.reviewed import Answered
from tests.integration import _rules
from tests.integration._lab import Lab, definition
from tests.integration._web import Web, moved, page

A, B = ("X-Mark", "a"), ("X-Mark", "b")
CHANGED_VERSION = judge.RULES_VERSION + 1


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    _rules.install(monkeypatch)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Received]:
    """What judge was asked for, each time that it was."""
    calls: list[Received] = []
    real = judge.judge

    def counted(received: Received) -> judge.Judgement:
        calls.append(received)
        return real(received)

    monkeypatch.setattr(judge, "judge", counted)
    return calls


def marked(web: Web) -> None:
    """Five pages: two marked a, one marked b that is an error, one bare, one redirect to it."""
    web.pages(
        home=page("/a", "/b", "/bare", "/moved", headers=[A]),
        a=page(headers=[A]),
        b=page(headers=[B], status=404),
        bare=page(),
        moved=moved("/bare"),
    )


def swept(lab: Lab, web: Web, name: str = "lab") -> int:
    marked(web)
    return int(lab.sweep(definition(web.start, name=name, sitemaps=False)).id)


def kept_sets(lab: Lab, run_id: int) -> list[tuple[int, int, str, int]]:
    """Status, pages, scheme and number of samples of each set of a run."""
    rows = lab.rows("SELECT * FROM run_sets WHERE run_id = :id ORDER BY status, pages", id=run_id)
    return [(row.status, row.pages, row.scheme, len(row.sample_page_ids)) for row in rows]


def kept_findings(lab: Lab) -> list[tuple[str, str, str, int]]:
    rows = lab.rows(
        """SELECT f.code, f.severity, f.subject, j.status FROM findings f JOIN judgements j ON j.id = f.judgement_id
           WHERE j.rules_version = :version ORDER BY 1, 3, 4""",
        version=judge.RULES_VERSION,
    )
    return [tuple(row) for row in rows]


def review_of(lab: Lab, run_id: int) -> Any:
    with lab.engine.connect() as connection:
        run = report.find_run(connection, run_id)
    return reviewed.of_run(lab.engine, run)


def many_pages(lab: Lab, pages: int = 20_000, sets: int = 50) -> int:
    """A closed run of so many pages, whose header sets are not known yet."""
    run_id = lab.plan(definition("http://many.example/", sitemaps=False))
    with lab.engine.begin() as connection:
        partitions.ensure(connection, run_id)
    lab.execute(
        """INSERT INTO snapshots (content_hash, canonical, raw)
           SELECT sha256(i::text::bytea), 'headers/1', convert_to('X-Mark: ' || i, 'UTF8') FROM generate_series(1, :n) i""",
        n=sets,
    )
    lab.execute(
        """INSERT INTO pages (site_id, depth, url_key, url)
           SELECT 1, 1, decode(md5(i::text), 'hex'), 'https://many.example/' || i FROM generate_series(1, :n) i""",
        n=pages,
    )
    lab.execute(
        """INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome)
           SELECT :run, p.id, s.id, now(), 200, 1 FROM pages p JOIN snapshots s ON s.id % :sets = p.id % :sets
           WHERE p.url LIKE 'https:%'""",
        run=run_id,
        sets=sets,
    )
    lab.execute(
        """UPDATE runs SET state = 'finished', started_at = now(), finished_at = now(), digest = sha256(''), stored = :n,
               discovered = :n, robots_denied = 0, robots_unreachable = 0, out_of_scope = 0, trapped = 0, failed = 0,
               skipped_limit = 0, unvisited = 0, changed_pages = 0 WHERE id = :id""",
        id=run_id,
        n=pages,
    )
    return run_id


# what a closed run has


def test_a_run_is_closed_with_its_sets_and_judged(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    assert kept_sets(lab, run_id) == [
        (200, 1, "http", 1),
        (200, 2, "http", 2),
        (302, 1, "http", 1),
        (404, 1, "http", 1),
    ]
    assert kept_findings(lab) == [
        ("mark.found", "high", "a", 200),
        ("mark.found", "medium", "b", 404),
        ("mark.missing", "low", "", 200),
        ("mark.missing", "low", "", 302),
    ]


def test_the_report_of_a_run_groups_its_findings_by_cause(lab: Lab, web: Web) -> None:
    review = review_of(lab, swept(lab, web))
    assert [(each.code, each.subject, each.severity, each.pages) for each in review.causes] == [
        ("mark.found", "a", Severity.HIGH, 2),
        ("mark.found", "b", Severity.MEDIUM, 1),
        ("mark.missing", "", Severity.LOW, 2),
    ]
    assert review.causes[0].evidence == "X-Mark: a"
    assert set(review.causes[0].sample_urls) == {web.start, web.url("/a")}
    assert (review.pages, review.rules_version, review.owner) == (5, judge.RULES_VERSION, "tests")


def test_the_causes_are_logged_by_severity_once_a_run(lab: Lab, web: Web) -> None:
    with capture_logs() as logged:
        run_id = swept(lab, web)
        judging.judge_run(lab.engine, run_id)
    (event,) = [line for line in logged if line["event"] == "run.judged"]
    assert (event["run_id"], event["rules_version"]) == (run_id, judge.RULES_VERSION)
    assert [event[severity] for severity in ("high", "medium", "low", "info")] == [1, 1, 1, 0]


def test_fifty_sets_are_judged_fifty_times_however_many_pages_show_them(
    lab: Lab, asked: list[Received]
) -> None:
    run_id = many_pages(lab)
    done = judging.judge_run(lab.engine, run_id)
    assert (done.judged, len(asked)) == (50, 50)
    assert kept_sets(lab, run_id) == [(200, 400, "https", 3)] * 50
    assert {received.scheme for received in asked} == {"https"}
    assert sum(cause.pages for cause in review_of(lab, run_id).causes) == 20_000


def test_what_one_run_had_judged_no_other_judges_again(lab: Lab, web: Web, asked: list[Received]) -> None:
    swept(lab, web)
    before = len(asked)
    other = swept(lab, web, name="other")
    assert len(asked) == before == 4
    assert len(review_of(lab, other).causes) == 3


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("/", [("/", 200)]),
        ("/once", [("/once", 301), ("/", 200)]),
        ("/twice", [("/twice", 302), ("/once", 301), ("/", 200)]),
        ("/gone", [("/gone", 404)]),
    ],
)
def test_a_grade_is_given_for_what_the_start_page_leads_to(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch, start: str, found: list[tuple[str, int]]
) -> None:
    web.pages(home=page(headers=[A]), once=moved("/", 301), twice=moved("/once"), gone=page(status=404))
    given: list[Sequence[Answered]] = []
    monkeypatch.setattr(grading, "grade", lambda answers, _: given.append(answers))
    run_id = lab.sweep(definition(web.url(start), sitemaps=False)).id
    assert review_of(lab, run_id).grade is None
    assert [(answer.url, answer.status) for answer in given[0]] == [(web.url(path), n) for path, n in found]
    assert (("X-Mark", "a") in given[0][-1].pairs) is (found[-1] == ("/", 200))


def test_redirects_in_a_circle_come_to_an_end(lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages(home=moved("/a"), a=moved("/"))
    given: list[Sequence[Answered]] = []
    monkeypatch.setattr(grading, "grade", lambda answers, _: given.append(answers))
    review_of(lab, lab.sweep(definition(web.start, sitemaps=False)).id)
    assert len(given[0]) == reviews.HOPS + 1


# any number of times, by any number of judges


def test_judging_again_changes_nothing(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    before = lab.rows("SELECT * FROM judgements ORDER BY id")
    assert judging.judge_run(lab.engine, run_id).judged == 0
    assert lab.rows("SELECT * FROM judgements ORDER BY id") == before
    assert len(kept_findings(lab)) == 4


def test_two_judges_at_once_write_everything_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = many_pages(lab, pages=200)
    barrier, real = threading.Barrier(2), judging.keep

    def together(*given: Any) -> int:
        barrier.wait(10)
        return real(*given)

    monkeypatch.setattr(judging, "keep", together)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: judging.judge_run(lab.engine, run_id), range(2)))
    assert sorted(each.judged for each in done) == [0, 50]
    assert lab.value("SELECT count(*) FROM findings") == 50


def test_a_run_that_is_closed_again_has_the_sets_of_all_that_it_saw(lab: Lab, web: Web) -> None:
    marked(web)
    web.routes["/a"] = Answer(200, [], dropped=True)
    run_id = lab.sweep(definition(web.start, sitemaps=False)).id
    assert (200, 2, "http", 2) not in kept_sets(lab, run_id)
    marked(web)
    with lab.engine.begin() as connection:
        operations.rerun_failed(connection, run_id, "test", "")
    lab.work(run_id)
    assert sum(pages for _, pages, *_ in kept_sets(lab, run_id)) == 5
    assert (200, 2, "http", 2) in kept_sets(lab, run_id)


def test_a_run_at_work_is_not_judged(lab: Lab) -> None:
    run_id = lab.plan(definition("http://a.example/", sitemaps=False))
    assert review_of(lab, run_id) is None
    assert judging.judge_run(lab.engine, run_id).judged == 0


def test_a_cancelled_run_is_judged_by_whoever_asks(lab: Lab, web: Web) -> None:
    run_id = lab.plan(definition(web.start, sitemaps=False))
    lab.execute("UPDATE runs SET state = 'running', started_at = now()")
    with lab.engine.begin() as connection:
        operations.cancel(connection, run_id, "test", "")
    assert review_of(lab, run_id).causes == ()


# defects


def test_a_check_that_fails_keeps_no_run_open_and_no_other_set_from_being_judged(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(received: Received) -> Iterator[Finding]:
        if received.values("x-mark") == ("b",):
            raise ZeroDivisionError
        yield from _rules.marks(received)

    _rules.install(monkeypatch, breaks)
    with capture_logs() as logged:
        run_id = swept(lab, web)
    assert lab.run(run_id).state == RunState.FINISHED
    (event,) = [line for line in logged if line["event"] == "run.unjudged"]
    assert (event["log_level"], event["error_type"], event["sets"]) == ("error", "ZeroDivisionError", 1)
    assert len(kept_findings(lab)) == 3
    review = review_of(lab, run_id)
    assert review.not_judged == 1
    assert findings_of.summary(review, 100)[-1].startswith("  not judged: 1 page, since that failed")
    _rules.install(monkeypatch)
    assert review_of(lab, run_id).not_judged == 0
    assert len(kept_findings(lab)) == 4


def test_a_defect_around_the_checks_keeps_no_other_run_open(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "keep", lambda *_: 1 // 0)
    with capture_logs() as logged:
        first, second = swept(lab, web), swept(lab, web, name="other")
    told = [line["run_id"] for line in logged if line["event"] == "run.unjudged"]
    assert told == [first, second]
    assert [lab.run(run_id).state for run_id in (first, second)] == [RunState.FINISHED] * 2


def test_the_digest_does_not_depend_on_judging(lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = swept(lab, web)
    monkeypatch.setattr(judging, "keep", lambda *_: 1 // 0)
    assert lab.run(swept(lab, web, name="other")).digest == lab.run(judged).digest


@pytest.mark.parametrize("value", [b"no\x00thing", b"\xff\xfe", b"\xe2\x80\xa8", b"'; DROP TABLE runs"])
def test_any_bytes_in_a_header_can_be_kept_as_evidence(lab: Lab, value: bytes) -> None:
    run_id = many_pages(lab, pages=50)
    lab.execute("UPDATE snapshots SET raw = :raw WHERE id = 7", raw=b"X-Mark: " + value)
    assert judging.judge_run(lab.engine, run_id).judged == 50
    assert len(review_of(lab, run_id).causes) == 50


# runs from before


def test_a_run_that_was_closed_without_sets_gets_them_from_its_visits(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    sets = kept_sets(lab, run_id)
    lab.execute("TRUNCATE findings, judgements, run_sets")
    assert len(review_of(lab, run_id).causes) == 3
    assert kept_sets(lab, run_id) == sets


def test_the_sets_of_a_run_that_was_closed_again_without_sets_are_made_anew(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    sets = kept_sets(lab, run_id)
    lab.execute("DELETE FROM run_sets WHERE pages = 2")
    assert len(review_of(lab, run_id).causes) == 3
    assert kept_sets(lab, run_id) == sets


def test_whoever_may_only_read_sees_what_was_judged(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    standby = dataclasses.replace(lab, engine=lab.engine.execution_options(postgresql_readonly=True))
    assert len(review_of(standby, run_id).causes) == 3
    lab.execute("TRUNCATE findings, judgements")
    assert [len(review_of(standby, run_id).causes), review_of(standby, run_id).not_judged] == [0, 5]
    lab.execute("TRUNCATE run_sets")
    assert review_of(standby, run_id) is None


def test_a_list_of_runs_does_not_read_the_visits_of_old_ones(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    lab.execute("DELETE FROM run_sets")
    with lab.engine.connect() as connection:
        run = report.find_run(connection, run_id)
    assert reviewed.of_run(lab.engine, run, make_sets=False) is None
    assert kept_sets(lab, run_id) == []


def test_of_a_run_whose_visits_were_dropped_first_nothing_is_said(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    lab.execute("DELETE FROM run_sets")
    lab.execute("DELETE FROM visits")
    assert review_of(lab, run_id) is None
    with lab.engine.connect() as connection:
        shown = report.collect(connection, run_id)
    assert "Findings   not known" in text.summary(shown, 100)


def test_a_run_past_retention_keeps_its_findings_and_its_sets_with_their_pages(lab: Lab, web: Web) -> None:
    run_id = swept(lab, web)
    lab.execute("DELETE FROM visits")
    assert len(review_of(lab, run_id).causes) == 3
    with lab.engine.connect() as connection:
        shown = report.collect(connection, run_id)
    assert shown.visits_dropped
    assert sorted((each.pages, each.statuses) for each in shown.sets) == [
        (1, (200,)),
        (1, (302,)),
        (1, (404,)),
        (2, (200,)),
    ]


# rules that change


def stricter(received: Received) -> Iterator[Finding]:
    """The mark b is no finding any more, the mark a matters less, and a bare page has one thing more."""
    for finding in _rules.marks(received):
        if finding.subject != "b":
            yield finding
    if not received.has("x-mark"):
        yield ADDED.found()


ADDED = _rules.rule("mark.added", Severity.MEDIUM)
LESS = _rules.rule("mark.found", Severity.LOW)


def lesser(received: Received) -> Iterator[Finding]:
    for finding in stricter(received):
        yield LESS.found(finding.evidence, finding.subject) if finding.code == LESS.code else finding


def test_rejudging_says_what_came_what_went_and_what_matters_less(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch, asked: list[Received]
) -> None:
    run_id = swept(lab, web)
    web.routes.clear()
    hits = dict(web.hits)
    _rules.install(monkeypatch, lesser, LESS, _rules.BARE, ADDED, version=CHANGED_VERSION)
    for again in (4, 0):
        done = rejudging.rejudge(lab.engine, run_id)
        assert (done.judged, done.compared_with, done.rules_version) == (
            again,
            CHANGED_VERSION - 1,
            CHANGED_VERSION,
        )
        assert [
            (each.code, each.subject, each.before and tuple(each.before), each.after and tuple(each.after))
            for each in done.changes
        ] == [
            ("mark.added", "", None, (Severity.MEDIUM, 2)),
            ("mark.found", "b", (Severity.MEDIUM, 1), None),
            ("mark.found", "a", (Severity.HIGH, 2), (Severity.LOW, 2)),
        ]
    assert web.hits == hits
    assert len(asked) == 8


def test_rules_that_say_the_same_change_nothing(lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = swept(lab, web)
    _rules.install(monkeypatch, version=CHANGED_VERSION)
    done = rejudging.rejudge(lab.engine, run_id)
    assert (done.compared_with, done.changes, done.sets) == (CHANGED_VERSION - 1, (), 4)


def test_without_older_rules_there_is_nothing_to_compare_with(lab: Lab, web: Web) -> None:
    done = rejudging.rejudge(lab.engine, swept(lab, web))
    assert (done.compared_with, done.changes, done.judged) == (None, (), 0)


def test_the_newest_of_the_older_rules_is_compared_with(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = swept(lab, web)
    for version in (CHANGED_VERSION, CHANGED_VERSION + 1):
        _rules.install(monkeypatch, lesser, LESS, _rules.BARE, ADDED, version=version)
        done = rejudging.rejudge(lab.engine, run_id)
    assert (done.compared_with, done.changes) == (CHANGED_VERSION, ())


def test_a_finding_of_a_rule_that_is_not_known_here_is_left_out(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = swept(lab, web)
    _rules.install(monkeypatch, _rules.marks, _rules.BARE)
    assert {cause.code for cause in review_of(lab, run_id).causes} == {"mark.missing"}


# what it is for


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("none", ExitCode.DONE), ("high", ExitCode.FINDINGS), ("low", ExitCode.FINDINGS)],
)
def test_a_run_with_findings_exits_with_3_where_that_was_asked_for(
    lab: Lab, web: Web, fail_on: str, code: ExitCode
) -> None:
    review = review_of(lab, swept(lab, web))
    assert results.exit_code([], fail_on, {1: review}) is code


# what the database refuses


def test_the_severities_of_the_tables_are_those_of_the_review() -> None:
    assert tuple(Severity) == reviews.SEVERITIES


def _judgement(**changes: Any) -> dict[str, Any]:
    values = {"snapshot_id": 1, "status": 200, "scheme": "http", "facts_id": 9, "rules_version": 1}
    return {**values, "response_class": "document", "judged": True, **changes}


def _set(**changes: Any) -> dict[str, Any]:
    values = {"run_id": 1, "snapshot_id": 1, "status": 299, "scheme": "http", "pages": 1}
    return {**values, "sample_page_ids": [1], **changes}


def _finding(**changes: Any) -> dict[str, Any]:
    values = {"judgement_id": 1, "ordinal": 99, "code": "a.b", "severity": "low"}
    return {**values, "subject": "", "evidence": "", "detail": "", **changes}


GOOD = [(judgements, _judgement()), (run_sets, _set()), (findings, _finding())]
BAD = [
    (judgements, _judgement(scheme="ftp")),
    (judgements, _judgement(response_class="page")),
    (judgements, _judgement(rules_version=0)),
    (judgements, _judgement(snapshot_id=999_999)),
    (run_sets, _set(scheme="HTTP")),
    (run_sets, _set(pages=0)),
    (run_sets, _set(sample_page_ids=[])),
    (run_sets, _set(sample_page_ids=[1, 2, 3, 4])),
    (run_sets, _set(run_id=999_999)),
    (findings, _finding(severity="critical")),
    (findings, _finding(ordinal=0)),
    (findings, _finding(code="csp")),
    (findings, _finding(judgement_id=999_999)),
]


def test_the_database_takes_what_is_right_once_and_nothing_that_is_wrong(lab: Lab) -> None:
    judging.judge_run(lab.engine, many_pages(lab, pages=50))
    for table, values in GOOD:
        with lab.engine.begin() as connection:
            connection.execute(insert(table).values(**values))
    for table, values in [*GOOD, *BAD]:
        with pytest.raises(IntegrityError), lab.engine.begin() as connection:
            connection.execute(insert(table).values(**values))
