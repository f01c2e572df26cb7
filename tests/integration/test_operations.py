"""What operators do to runs: the effect of once however often it is given, kept with who and why, and always polite."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from demosite.serving import Answer
from headersweep.errors import UsageError
from headersweep.states import RunState
from scheduler import finishing, operations, reruns
from tests.integration._lab import Lab, definition
from tests.integration._web import Web, in_turn, page

SLOT = datetime(2026, 4, 1, tzinfo=UTC)
REST_SECONDS = 5
"""Longer than a slice waits for what is due soon."""

Deed = Callable[[Connection, int], Any]


def cancel(connection: Connection, run_id: int) -> bool:
    return operations.cancel(connection, run_id, "ann@host", "wrong site")


def resume(connection: Connection, run_id: int) -> bool:
    return operations.resume(connection, run_id, "bob@host", "go on")


def rerun_failed(connection: Connection, run_id: int) -> int:
    return operations.rerun_failed(connection, run_id, "bob@host", "it is back")


def rerun(connection: Connection, run_id: int) -> tuple[int, bool]:
    again = reruns.rerun(connection, run_id, datetime.now(UTC), "bob@host", "after the change")
    return again.run_id, again.created


def act(lab: Lab, deed: Deed, run_id: int) -> Any:
    with lab.engine.begin() as connection:
        return deed(connection, run_id)


def at_once(lab: Lab, *deeds: Callable[[], Any]) -> list[Any]:
    """Do all of them at the same moment; what each returned."""
    barrier = threading.Barrier(len(deeds))

    def do(deed: Callable[[], Any]) -> Any:
        barrier.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def kept(lab: Lab, run_id: int) -> list[tuple[str, str, str, int]]:
    """What stands in the record of a run."""
    rows = lab.rows("SELECT * FROM run_actions WHERE run_id = :id ORDER BY id", id=run_id)
    return [(row.action, row.asked_by, row.reason, row.generation) for row in rows]


@pytest.fixture
def failed(lab: Lab, web: Web) -> int:
    """A run of which two pages failed; they have come back since."""
    web.pages(home=page("/a", "/b"), a=Answer(200, [], dropped=True), b=Answer(200, [], dropped=True))
    run_id: int = lab.sweep(definition(web.start, sitemaps=False)).id
    assert lab.run(run_id).failed == 2
    web.pages(a=page(), b=page())
    return run_id


# -- given twice ---------------------------------------------------------------------------------------------------


def test_what_is_done_to_a_run_is_kept_once_however_often_it_is_given(lab: Lab) -> None:
    run_id = lab.plan(definition("http://a.example/", sitemaps=False))
    assert [act(lab, resume, run_id) for _ in range(2)] == [True, True]
    assert [act(lab, cancel, run_id) for _ in range(2)] == [True, False]
    assert [act(lab, resume, run_id) for _ in range(2)] == [True, True]
    assert kept(lab, run_id) == [
        ("resume", "bob@host", "go on", 1),
        ("cancel", "ann@host", "wrong site", 1),
        ("resume", "bob@host", "go on", 2),
    ]
    run = lab.run(run_id)
    assert (run.generation, run.requested_by) == (2, "test")


def test_the_same_deed_for_another_reason_is_kept_as_well(lab: Lab) -> None:
    run_id = lab.plan(definition("http://a.example/", sitemaps=False))
    long = "because " * 2_000
    for reason in ("power cut", "the disk was full", long, long):
        with lab.engine.begin() as connection:
            operations.resume(connection, run_id, "bob@host", reason)
    assert [reason for _, _, reason, _ in kept(lab, run_id)] == ["power cut", "the disk was full", long]


def test_a_rerun_of_failed_pages_that_is_given_again_while_it_runs_changes_nothing(
    lab: Lab, failed: int
) -> None:
    assert act(lab, rerun_failed, failed) == 2
    before = lab.run(failed)
    assert act(lab, rerun_failed, failed) == 0
    assert lab.run(failed) == before
    assert lab.work(failed).state == RunState.FINISHED
    assert act(lab, rerun_failed, failed) == 0
    assert kept(lab, failed) == [("rerun_failed", "bob@host", "it is back", 2)]


def test_a_rerun_that_is_given_again_while_it_runs_makes_no_other_run(lab: Lab, failed: int) -> None:
    made, created = act(lab, rerun, failed)
    assert created
    assert act(lab, rerun, failed) == (made, False)
    assert lab.run(made).reason == f"rerun of run {failed}: after the change"
    lab.work(made)
    lab.execute("UPDATE runs SET slot = :slot WHERE id = :id", id=made, slot=SLOT)
    assert act(lab, rerun, failed)[1], "the next one is a new run"
    assert [action for action, *_ in kept(lab, failed)] == ["rerun", "rerun"]


def test_of_an_unknown_run_each_deed_says_so(lab: Lab) -> None:
    for deed in (cancel, resume, rerun_failed, rerun):
        with pytest.raises(UsageError, match="there is no run 99; `headersweep runs`"):
            act(lab, deed, 99)


# -- at the same time ----------------------------------------------------------------------------------------------


def test_of_two_reruns_of_failed_pages_at_once_one_puts_them_back(lab: Lab, failed: int) -> None:
    done = at_once(lab, *[lambda: act(lab, rerun_failed, failed)] * 2)
    assert sorted(done) == [0, 2]
    assert lab.run(failed).generation == 2
    assert kept(lab, failed) == [("rerun_failed", "bob@host", "it is back", 2)]
    run = lab.work(failed)
    assert (run.state, run.stored) == (RunState.FINISHED, 3)
    lab.assert_consistent(failed)


def test_of_two_reruns_at_once_both_get_the_same_run(lab: Lab, failed: int) -> None:
    (one, first), (other, second) = at_once(lab, *[lambda: act(lab, rerun, failed)] * 2)
    assert one == other
    assert sorted([first, second]) == [False, True]
    assert lab.value("SELECT count(*) FROM runs") == 2


def test_of_two_who_open_a_cancelled_run_at_once_one_does(lab: Lab) -> None:
    run_id = lab.plan(definition("http://a.example/", sitemaps=False))
    act(lab, cancel, run_id)
    assert at_once(lab, *[lambda: act(lab, resume, run_id)] * 2) == [True, True]
    assert lab.run(run_id).generation == 2
    assert kept(lab, run_id)[1:] == [("resume", "bob@host", "go on", 2)]


@pytest.mark.parametrize("attempt", range(5))
def test_cancelling_a_run_that_ends_at_the_same_moment_ends_it_once(lab: Lab, web: Web, attempt: int) -> None:
    web.pages(home=page())
    run_id = lab.sweep(definition(web.start, sitemaps=False)).id
    lab.execute("DELETE FROM outbox")
    lab.execute("UPDATE runs SET state = 'running', finished_at = NULL, digest = NULL")
    both = [lambda: act(lab, cancel, run_id), lambda: finishing.finish(lab.engine, run_id)]
    cancelled, finished = at_once(lab, *both) if attempt % 2 else at_once(lab, *both[::-1])[::-1]
    assert cancelled != finished
    assert lab.run(run_id).state == (RunState.CANCELLED if cancelled else RunState.FINISHED)
    assert [event.event_id for event in lab.events()] == [f"run.finished:{run_id}:1"]
    assert len(kept(lab, run_id)) == int(cancelled)


# -- politely ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", [resume, rerun_failed, rerun])
def test_an_operator_does_not_make_an_origin_be_asked_before_its_time(lab: Lab, web: Web, deed: Deed) -> None:
    web.pages(home=page("/limited", "/a"), a=page())
    retry_after = [("Retry-After", str(REST_SECONDS))]
    web.routes["/limited"] = in_turn(page(status=429, headers=retry_after), page())
    runtime = lab.runtime()
    run_id = lab.plan(definition(web.start, sitemaps=False, concurrency=1))
    runtime.crawl_slice()
    (asked_to_rest,) = (moment for moment, target in web.log if target == "/limited")
    before = len(web.log)
    assert lab.value("SELECT count(*) FROM origins WHERE blocked_until > clock_timestamp()") == 1
    assert act(lab, cancel, run_id)
    again = act(lab, deed, run_id)
    target = again[0] if deed is rerun else run_id
    assert lab.work(target, runtime).state == RunState.FINISHED
    first_after = web.log[before][0]
    assert first_after - asked_to_rest >= REST_SECONDS - 0.05
    lab.assert_consistent(target)
    assert lab.value("SELECT count(*) FROM origins WHERE blocked_until > clock_timestamp()") == 0
