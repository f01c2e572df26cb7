from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from cli import drifting, report, reviewed
from cli.render import drift as render
from cli.report import Run
from headersweep.definition import SiteDefinition
from headersweep.errors import ExitCode, UsageError
from headersweep.policies import Profile
from headersweep.states import Outcome
from models import drift
from models.frontier import pages
from models.runs import ACCOUNTS, runs
from models.sites import site_masks, sites
from models.snapshots import snapshots
from models.spans import spans
from models.visits import visits
from review.diffing import Difference, Move
from review.directions import Direction
from review.policy.baseline import Baseline
from review.reports import html, junit, markdown, sarif
from scheduler import policies

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
NO_DEFAULT_PARTITION = text(
    "SELECT partdefid = 0 FROM pg_partitioned_table WHERE partrelid = 'visits'::regclass"
)
BARE = "Content-Type: text/html"
SURE = f"{BARE}\r\nX-Content-Type-Options: nosniff"
LOUD = f"{SURE}\r\nX-Powered-By: PHP"
Answers = dict[str, tuple[str, int] | Outcome]
"""What each page of a run answered, by its path: headers and status, or how its visit ended without an answer."""


class History:
    """Runs of a site with visits and spans as the scheduler would have written them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._numbers = count(1)
        if connection.execute(NO_DEFAULT_PARTITION).scalar_one():
            connection.execute(text("CREATE TABLE visits_of_tests PARTITION OF visits DEFAULT"))
        self.site_id = self.site("docs")
        self.pages: dict[str, int] = {}
        self.sets: dict[str, int] = {}
        self.last: dict[str, tuple[str, int]] = {}
        self.first_seen: dict[str, int] = {}

    def site(self, name: str) -> int:
        return self._insert(sites, name=name, source="adhoc", definition={"name": name})

    def run(
        self, answers: Answers, state: str = "finished", site_id: int | None = None, **definition: Any
    ) -> int:
        """A run that is over, with these answers."""
        counts = dict.fromkeys((*ACCOUNTS, "unvisited"), 0) | {
            "stored": len(answers),
            "discovered": len(answers),
        }
        run_id = self._insert(
            runs,
            site_id=site_id or self.site_id,
            slot=SLOT.replace(minute=next(self._numbers) % 60),
            started_at=SLOT,
            finished_at=SLOT.replace(hour=11),
            digest=bytes(32),
            state=state,
            requested_by="ann",
            definition={"name": "docs", "follow_links": True, **definition},
            **counts,
        )
        for path, answer in answers.items():
            self._visit(run_id, path, answer)
        self._carry(run_id, answers)
        return run_id

    def _visit(self, run_id: int, path: str, answer: tuple[str, int] | Outcome) -> None:
        values: dict[str, Any] = {"run_id": run_id, "page_id": self.page(path), "fetched_at": SLOT}
        if isinstance(answer, Outcome):
            values |= {"outcome": int(answer), "error": "timeout"}
        else:
            values |= {
                "outcome": int(Outcome.STORED),
                "snapshot_id": self.snapshot(answer[0]),
                "status": answer[1],
            }
        self.connection.execute(insert(visits).values(**values))

    def _carry(self, run_id: int, answers: Answers) -> None:
        """Spans: closed where a page changed or vanished, opened where it answers anew."""
        for path, before in list(self.last.items()):
            answer = answers.get(path)
            if not isinstance(answer, Outcome) and answer != before:
                self._span(path, before, run_id - 1)
                del self.last[path]
        for path, answer in answers.items():
            if not isinstance(answer, Outcome) and path not in self.last:
                self.last[path], self.first_seen[path] = answer, run_id

    def _span(self, path: str, answer: tuple[str, int], last_run_id: int | None) -> None:
        first = self.first_seen[path]
        values = {"page_id": self.page(path), "first_run_id": first, "site_id": self.site_id,
                  "last_run_id": last_run_id and max(first, last_run_id),
                  "snapshot_id": self.snapshot(answer[0]), "status": answer[1]}  # fmt: skip
        self.connection.execute(insert(spans).values(**values))

    def forget_visits(self) -> None:
        """What retention does; what is left are spans."""
        self.keep_spans()
        self.connection.execute(text("DELETE FROM visits"))

    def keep_spans(self) -> None:
        """Write the spans that go on."""
        for path, answer in self.last.items():
            self._span(path, answer, None)

    def page(self, path: str) -> int:
        if path not in self.pages:
            key = next(self._numbers).to_bytes(16, "big")
            url = f"https://example.com{path}"
            self.pages[path] = self._insert(pages, site_id=self.site_id, depth=0, url=url, url_key=key)
        return self.pages[path]

    def snapshot(self, raw: str) -> int:
        if raw not in self.sets:
            key = next(self._numbers).to_bytes(32, "big")
            block = raw.encode() + b"\r\n"
            self.sets[raw] = self._insert(
                snapshots, content_hash=key, canonical=f"headers/1\n{raw}", raw=block
            )
        return self.sets[raw]

    def _insert(self, table: Any, **fields: Any) -> int:
        return int(self.connection.execute(insert(table).values(**fields).returning(table.c.id)).scalar_one())

    def diff(self, first: int, second: int | None = None) -> Difference:
        return drifting.difference(self.connection, *drifting.pair(self.connection, first, second))

    def approve(self, run_id: int, expires: date = date(2999, 1, 1)) -> None:
        approved = Baseline(run_id, "web team", "agreed", expires, "revert it")
        assert policies.approve(self.connection, self.site_id, approved, "ann@host")

    def found(self, run_id: int) -> Run:
        return report.find_run(self.connection, run_id)


@pytest.fixture
def history(connection: Connection) -> History:
    return History(connection)


def told(found: Difference) -> list[tuple[str, str, int]]:
    return [(one.change.header, str(one.change.direction), one.pages) for one in found.changes]


def moved(found: Difference) -> list[tuple[Move, int, str, int]]:
    return [(one.move, one.status, one.outcome, one.pages) for one in found.moves]


FIRST: Answers = {
    "/a": (SURE, 200),
    "/b": (SURE, 200),
    "/c": (SURE, 200),
    "/d": (BARE, 200),
    "/gone": (SURE, 200),
}
SECOND: Answers = {
    "/a": (BARE, 200),
    "/b": (BARE, 200),
    "/c": (SURE, 404),
    "/d": (LOUD, 200),
    "/new": (BARE, 200),
}


@pytest.mark.parametrize("dropped", [False, True], ids=["visits", "spans"])
def test_pages_are_grouped_by_what_changed_and_the_worst_comes_first(history: History, dropped: bool) -> None:
    old, new = history.run(FIRST), history.run(SECOND)
    if dropped:
        history.forget_visits()
    found = history.diff(old, new)
    assert found.from_spans is dropped
    assert found.changed_pages == 4
    assert told(found) == [
        ("x-content-type-options", "looser", 2),
        (":status", "incomparable", 1),
        ("x-powered-by", "incomparable", 1),
        ("x-content-type-options", "stricter", 1),
    ]
    assert found.changes[0].sample_urls == ("https://example.com/a", "https://example.com/b")
    assert moved(found) == [(Move.APPEARED, 200, "", 1), (Move.VANISHED, 200, "", 1)]


@pytest.mark.parametrize("dropped", [False, True], ids=["visits", "spans"])
def test_the_other_way_round_the_directions_turn(history: History, dropped: bool) -> None:
    old, new = history.run(FIRST), history.run(SECOND)
    if dropped:
        history.forget_visits()
    found = history.diff(new, old)
    assert found.pages(Direction.LOOSER) == 1
    assert found.pages(Direction.STRICTER) == 2
    assert moved(found) == [(Move.APPEARED, 200, "", 1), (Move.VANISHED, 200, "", 1)]


@pytest.mark.parametrize("dropped", [False, True], ids=["visits", "spans"])
def test_between_runs_far_apart_only_the_ends_count(history: History, dropped: bool) -> None:
    ids = [history.run({"/a": (raw, 200)}) for raw in (SURE, BARE, LOUD, SURE, BARE)]
    if dropped:
        history.forget_visits()
    assert told(history.diff(ids[0], ids[3])) == []
    assert told(history.diff(ids[0], ids[4])) == [("x-content-type-options", "looser", 1)]
    assert told(history.diff(ids[1], ids[4])) == []


@pytest.mark.parametrize(
    ("raws", "flapping"),
    [
        ((SURE, BARE, SURE), 1),
        ((SURE, BARE, BARE, SURE), 1),
        ((LOUD, BARE, SURE), 0),
        ((BARE, SURE), 0),
        ((SURE, BARE, BARE, BARE, BARE, SURE), 0),  # longer ago than the last five runs
    ],
)
@pytest.mark.parametrize("dropped", [False, True], ids=["visits", "spans"])
def test_a_page_that_answers_again_as_before_is_flapping(
    history: History, dropped: bool, raws: tuple[str, ...], flapping: int
) -> None:
    ids = [history.run({"/a": (raw, 200)}) for raw in raws]
    if dropped:
        history.forget_visits()
    else:
        history.keep_spans()
    (change, *_) = history.diff(ids[-2], ids[-1]).changes
    assert (change.pages, change.flapping_pages) == (1, flapping)


def test_a_run_did_not_drift_from_itself(history: History) -> None:
    run = history.run(FIRST)
    found = history.diff(run, run)
    assert (found.changed_pages, found.changes, found.moves, found.came, found.went) == (0, (), (), (), ())


def test_a_page_that_failed_is_not_gone(history: History) -> None:
    old, new = history.run({"/a": (SURE, 200)}), history.run({"/a": Outcome.FAILED})
    assert moved(history.diff(old, new)) == [(Move.NOT_ANSWERED, 200, "failed", 1)]
    assert moved(history.diff(new, old)) == [(Move.ANSWERED, 200, "failed", 1)]


@pytest.mark.parametrize(("state", "follow"), [("partial", True), ("cancelled", True), ("finished", False)])
def test_what_a_run_did_not_reach_is_not_gone(history: History, state: str, follow: bool) -> None:
    old, new = history.run({"/a": (SURE, 200)}), history.run({}, state=state, follow_links=follow)
    assert moved(history.diff(old, new)) == [(Move.NOT_VISITED, 200, "", 1)]
    assert moved(history.diff(new, old)) == [(Move.NOT_VISITED, 200, "", 1)]


def test_findings_that_come_and_go_are_named_with_their_pages(history: History) -> None:
    bare, sure = history.run({"/a": (BARE, 200), "/b": (BARE, 200)}), history.run({"/a": (SURE, 200)})
    found, back = history.diff(bare, sure), history.diff(sure, bare)
    assert "x_content_type_options.missing" in [cause.code for cause in found.went]
    assert "x_content_type_options.missing" not in [cause.code for cause in found.came]
    (cause,) = [cause for cause in back.came if cause.code == "x_content_type_options.missing"]
    assert cause.pages == 2


def test_a_header_that_was_masked_between_the_runs_is_no_drift(history: History) -> None:
    old = history.run({"/a": (f"{BARE}\r\nX-Of-Ours: a", 200)})
    new = history.run({"/a": (f"{BARE}\r\nX-Of-Ours: b", 200)})
    assert told(history.diff(old, new)) == [("x-of-ours", "incomparable", 1)]
    mask = {
        "site_id": history.site_id,
        "header_name": "x-of-ours",
        "run_id": new,
        "distinct_values": 51,
        "responses": 60,
    }
    history.connection.execute(insert(site_masks).values(**mask))
    found = history.diff(old, new)
    assert (found.changed_pages, found.changes) == (0, ())


def test_one_number_compares_with_the_run_before_that_came_to_its_end(history: History) -> None:
    first = history.run({"/a": (SURE, 200)})
    history.run({}, state="cancelled")
    history.run({"/a": (BARE, 200)}, site_id=history.site("shop"))
    last = history.run({"/a": (BARE, 200)})
    found = history.diff(last)
    assert (found.old_run, found.new_run) == (first, last)
    with pytest.raises(UsageError, match="is the first of docs"):
        history.diff(first)


def test_the_name_of_a_site_is_its_newest_run_that_came_to_its_end(history: History) -> None:
    first, second = history.run({"/a": (SURE, 200)}), history.run({"/a": (BARE, 200)})
    history.run({}, state="cancelled")
    old, new = drifting.pair(history.connection, "docs", None)
    assert (old.run_id, new.run_id) == (first, second)
    with pytest.raises(UsageError, match="no run of shop was finished yet"):
        drifting.pair(history.connection, history.site("shop") and "shop", None)


@pytest.mark.parametrize("dropped", [False, True], ids=["visits", "spans"])
@pytest.mark.parametrize("shape", ["text", "md", "json"])
def test_a_run_is_compared_with_the_one_that_somebody_approved(
    history: History, dropped: bool, shape: str
) -> None:
    approved = history.run({"/a": (SURE, 200)})
    history.run({"/a": (LOUD, 200)})
    newest = history.run({"/a": (BARE, 200)})
    history.approve(approved)
    if dropped:
        history.forget_visits()
    for named in ("docs", str(newest)):
        old, new, approval = drifting.with_baseline(history.connection, named)
        assert (old.run_id, new.run_id, approval.is_expired) == (approved, newest, False)
    found = drifting.difference(history.connection, old, new)
    assert told(found) == [("x-content-type-options", "looser", 1)]
    assert "x_content_type_options.missing" in [cause.code for cause in found.came]
    assert (found.from_spans, drifting.exit_code(found, "looser")) == (dropped, ExitCode.FINDINGS)
    shown = render.render(found, old, new, shape, 200, approval=approval)
    for word in ("web team", "2999-01-01", "agreed"):
        assert word in shown
    assert "has expired" not in shown


@pytest.mark.parametrize("shape", ["text", "md"])
def test_of_an_approval_that_is_over_people_are_told(history: History, shape: str) -> None:
    run = history.run({"/a": (SURE, 200)})
    history.approve(run, expires=date(2020, 1, 1))
    old, new, approval = drifting.with_baseline(history.connection, "docs")
    found = drifting.difference(history.connection, old, new)
    assert (old.run_id, new.run_id, found.changed_pages) == (run, run, 0)
    shown = render.render(found, old, new, shape, 200, approval=approval)
    assert "nothing changed" in shown
    assert "It has expired: nobody approves of it any longer" in shown
    assert json.loads(render.as_json(found, old, new, approval))["baseline"]["expired"] is True


def test_without_a_baseline_it_is_said_how_to_get_one(history: History) -> None:
    run = history.run({"/a": (SURE, 200)})
    with pytest.raises(UsageError, match="docs has no baseline; `headersweep baseline approve RUN`"):
        drifting.with_baseline(history.connection, str(run))
    with pytest.raises(UsageError, match="no site is called 'dogs'"):
        drifting.with_baseline(history.connection, "dogs")


def test_both_runs_are_judged_by_the_policy_of_the_new_one(history: History) -> None:
    strict = SiteDefinition("docs", ("https://example.com/",), profile=Profile.ASVS_5_L2).as_json()
    old, new = history.run({"/a": (BARE, 200)}), history.run({"/a": (BARE, 200)}, **strict)
    found = history.diff(old, new)
    assert (found.came, found.went) == ((), ())


def test_runs_of_two_sites_are_not_compared(history: History) -> None:
    docs, shop = history.run({}), history.run({}, site_id=history.site("shop"))
    with pytest.raises(UsageError, match=f"run {docs} is of docs, run {shop} of shop"):
        history.diff(docs, shop)
    with pytest.raises(UsageError, match="there is no run 123456789"):
        history.diff(docs, 123456789)


def test_a_run_that_goes_on_is_not_compared(history: History) -> None:
    done = history.run({})
    going = history._insert(
        runs, site_id=history.site_id, slot=SLOT, state="planned", requested_by="ann", definition={}
    )
    with pytest.raises(UsageError, match=f"run {going} is not over yet"):
        history.diff(done, going)


def test_the_exit_code_is_3_for_what_was_not_to_be(history: History) -> None:
    bare, sure = history.run({"/a": (BARE, 200)}), history.run({"/a": (SURE, 200)})
    stricter, looser, same = history.diff(bare, sure), history.diff(sure, bare), history.diff(bare, bare)
    assert [drifting.exit_code(stricter, word) for word in ("none", "drift", "looser")] == [0, 3, 0]
    assert [drifting.exit_code(looser, word) for word in ("none", "drift", "looser")] == [0, 3, 3]
    assert drifting.exit_code(same, "drift") is ExitCode.DONE


def test_the_json_has_what_changed_by_header_and_cause(history: History) -> None:
    old, new = history.run(FIRST), history.run(SECOND)
    found = json.loads(
        render.render(history.diff(old, new), history.found(old), history.found(new), "json", 200)
    )
    assert (found["schema_version"], found["old"]["run"], found["new"]["run"]) == (1, old, new)
    change = found["changes"][0]
    assert (change["header"], change["direction"]) == ("x-content-type-options", "looser")
    assert (change["old"], change["new"], change["pages"]) == (["nosniff"], [], 2)
    assert {one["move"] for one in found["pages"]} == {"appeared", "vanished"}
    assert set(found["findings"]) == {"came", "went"}


@pytest.mark.parametrize("shape", ["text", "md"])
def test_people_are_told_the_same(history: History, shape: str) -> None:
    old, new = history.run(FIRST), history.run(SECOND)
    shown = render.render(history.diff(old, new), history.found(old), history.found(new), shape, 200)
    for word in ("4 pages changed", "1 appeared", "1 vanished", "x-content-type-options", "nosniff"):
        assert word in shown
    assert shown.lower().index("looser") < shown.lower().index("stricter")
    same = render.render(history.diff(old, old), history.found(old), history.found(old), shape, 200)
    assert "nothing changed" in same


@pytest.mark.parametrize("dropped", [False, True], ids=["visits", "spans"])
def test_a_report_of_a_run_has_its_sets_by_status_and_its_causes(history: History, dropped: bool) -> None:
    run = history.run({"/a": (BARE, 200), "/b": (BARE, 200), "/c": (BARE, 404), "/d": (SURE, 200)})
    if dropped:
        history.forget_visits()
    found = reviewed.at_hand(history.connection, history.found(run))
    assert (found.site, found.pages, found.state) == ("docs", 4, "finished")
    assert next((one.status, one.scheme, one.pages) for one in found.sets) == (200, "https", 2)
    assert sorted((one.status, one.pages) for one in found.sets) == [(200, 1), (200, 2), (404, 1)]
    (cause,) = [cause for cause in found.causes if cause.code == "x_content_type_options.missing"]
    assert (cause.pages, cause.snapshots) == (3, 1)
    for renderer in (html, junit, markdown, sarif):
        assert "x_content_type_options.missing" in renderer.render(found)


def test_the_previous_run_of_a_site_is_its_own(history: History) -> None:
    values = {"site_id": history.site_id, "run_id": history.run({})}
    assert history.connection.scalar(drift.previous(), values) is None
