"""Closing runs: exactly once, only when nothing is left, with numbers that add up; and opening them again."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from demosite.serving import Answer
from headersweep import urls
from headersweep.errors import UsageError
from headersweep.states import Outcome, RunState
from models import outbox
from scheduler import finishing, operations, tick
from tests.integration._lab import Lab, definition, named
from tests.integration._web import Web, in_turn, moved, page

SITE = definition("http://a.example/", sitemaps=False)


def written(lab: Lab, *, pages: int = 1, failed: int = 0, missing: int = 0, threshold: float = 0.05) -> int:
    """A run with no work left, as if its pages had been visited: stored ones, failed ones, and some without a visit."""
    site = definition("http://a.example/", failure_threshold=threshold)
    run_id = lab.plan(site)
    lab.execute("UPDATE runs SET state = 'running', started_at = now()")
    keys = [urls.parse(f"http://a.example/{n}") for n in range(1, pages + failed + missing)]
    for number, parsed in enumerate(keys, 2):
        assert parsed is not None
        lab.execute(
            "INSERT INTO pages (site_id, depth, url_key, url) VALUES (1, 1, :key, :url)",
            key=parsed.key,
            url=parsed.url,
        )
        lab.execute(
            "INSERT INTO frontier (run_id, page_id, shard_id, seq, depth) VALUES (:run, :page, 1, :page, 1)",
            run=run_id,
            page=number,
        )
    lab.execute(
        "INSERT INTO snapshots (content_hash, canonical, raw) VALUES (:hash, 'headers/1', '') ON CONFLICT DO NOTHING",
        hash=hashlib.sha256(b"x").digest(),
    )
    lab.execute(
        """INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome, error)
           SELECT run_id, page_id, CASE WHEN page_id <= :stored THEN 1 END, now(), CASE WHEN page_id <= :stored THEN 200 END,
                  CASE WHEN page_id <= :stored THEN 1 ELSE 6 END, CASE WHEN page_id > :stored THEN 'timeout' END
           FROM frontier WHERE page_id <= :visited""",
        stored=pages,
        visited=pages + failed,
    )
    lab.execute(
        "UPDATE shards SET state = 'done', known_upto = NULL, top = :n, done_upto = :n",
        n=pages + failed + missing,
    )
    return run_id


# exactly once


def test_of_many_who_close_a_run_at_once_exactly_one_does(lab: Lab) -> None:
    run_id = written(lab)
    barrier = threading.Barrier(6)

    def close(_: int) -> bool:
        barrier.wait()
        return finishing.finish(lab.engine, run_id)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(close, range(6))) == [False] * 5 + [True]
    assert [event.event_id for event in lab.events()] == [f"run.finished:{run_id}:1"]


def test_whoever_finds_a_run_being_closed_for_long_leaves_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "LOCK_TIMEOUT_MS", 100)
    first, second = written(lab), lab.plan(named(SITE, "other"))
    lab.execute("UPDATE shards SET state = 'done', done_upto = top, known_upto = NULL")
    with lab.engine.begin() as connection:
        finishing._lock(connection, first)
        assert not finishing.finish(lab.engine, first)
    assert finishing.finish(lab.engine, first)
    assert lab.run(second).state == RunState.PLANNED


def test_two_last_commits_at_once_leave_a_run_that_somebody_closes(lab: Lab) -> None:
    """Each of two workers sees the other's shard as open; the tick looks again."""
    with_two = definition("http://a.example/", "http://b.example/", failure_threshold=1.0)
    run_id = lab.plan(with_two)
    for shard_id in (1, 2):
        lab.execute(
            """INSERT INTO visits (run_id, page_id, fetched_at, outcome, error)
               SELECT run_id, page_id, now(), 6, 'dns' FROM frontier WHERE shard_id = :id""",
            id=shard_id,
        )
        assert finishing.finish_due(lab.engine) == []
        lab.execute(
            "UPDATE shards SET state = 'done', known_upto = NULL, done_upto = top WHERE id = :id", id=shard_id
        )
    assert tick.tick(lab.engine).finished == [run_id]
    assert tick.tick(lab.engine).finished == []


def test_a_run_with_work_left_is_not_closed(lab: Lab) -> None:
    run_id = written(lab)
    lab.execute("UPDATE shards SET state = 'open'")
    assert not finishing.finish(lab.engine, run_id)
    assert finishing.finish_due(lab.engine) == []
    assert lab.run(run_id).digest is None


def test_a_run_that_lacks_a_visit_is_looked_at_again_instead_of_closed(lab: Lab) -> None:
    run_id = written(lab, missing=1)
    assert not finishing.finish(lab.engine, run_id)
    shard = lab.rows("SELECT state, done_upto FROM shards")[0]
    assert shard == ("open", 0)
    assert lab.run(run_id).state == RunState.RUNNING
    assert lab.events() == []


def test_one_run_that_cannot_be_closed_keeps_no_other_open(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = written(lab)
    good = lab.plan(named(SITE, "good"))
    lab.execute(
        "INSERT INTO visits (run_id, page_id, fetched_at, outcome, error) SELECT run_id, page_id, now(), 6, 'dns'"
        " FROM frontier WHERE run_id = :id",
        id=good,
    )
    lab.execute("UPDATE shards SET state = 'done', done_upto = top, known_upto = NULL")
    lab.execute("UPDATE runs SET definition = '{\"unheard_of\": 1}' WHERE id = :id", id=broken)
    assert finishing.finish_due(lab.engine) == [good]
    assert lab.run(broken).state == RunState.RUNNING


# numbers and states


@pytest.mark.parametrize(
    ("stored", "failed", "threshold", "state"),
    [
        (19, 1, 0.05, RunState.FINISHED),
        (18, 1, 0.05, RunState.PARTIAL),
        (1, 0, 0.0, RunState.FINISHED),
        (99, 1, 0.0, RunState.PARTIAL),
        (1, 9, 0.9, RunState.FINISHED),
    ],
)
def test_a_run_is_partial_beyond_its_threshold_and_not_at_it(
    lab: Lab, stored: int, failed: int, threshold: float, state: RunState
) -> None:
    run_id = written(lab, pages=stored, failed=failed, threshold=threshold)
    assert finishing.finish(lab.engine, run_id)
    run = lab.run(run_id)
    assert (run.state, run.stored, run.failed, run.discovered) == (state, stored, failed, stored + failed)


def test_a_run_none_of_whose_start_pages_could_be_fetched_has_failed(lab: Lab) -> None:
    run_id = written(lab, pages=0, failed=1, threshold=1.0)
    assert finishing.finish(lab.engine, run_id)
    assert lab.run(run_id).state == RunState.FAILED


@pytest.mark.parametrize(
    "lie",
    [
        "stored = stored + 1",
        "unvisited = 1, stored = stored - 1",
        "discovered = NULL",
        "digest = NULL",
        "failed = NULL",
    ],
)
def test_no_run_ends_with_numbers_that_do_not_add_up(lab: Lab, lie: str) -> None:
    run_id = written(lab, pages=3)
    finishing.finish(lab.engine, run_id)
    with pytest.raises(IntegrityError):
        lab.execute(f"UPDATE runs SET {lie}")  # noqa: S608 - written above
    assert lab.run(run_id).stored == 3


# the event


class _CrashError(Exception):
    """The process dies between the log line and the commit."""


def test_the_event_of_a_run_is_written_twice_at_most_and_under_one_id(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(tick.log, "info", lambda _event, **fields: lines.append(fields["event_id"]))
    run_id = written(lab)
    finishing.finish(lab.engine, run_id)

    def die() -> Any:
        raise _CrashError

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_emitted", die)
        with pytest.raises(_CrashError):
            tick.emit(lab.engine)
    assert [tick.emit(lab.engine) for _ in range(3)] == [1, 0, 0]
    assert lines == [f"run.finished:{run_id}:1"] * 2
    assert lab.events()[0].emitted_at is not None


def test_many_emitters_at_once_write_each_event_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(tick.log, "info", lambda _event, **fields: lines.append(fields["event_id"]))
    finishing.finish(lab.engine, written(lab))
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tick.emit, [lab.engine] * 4)) == 1
    assert len(lines) == 1


# opened again


def act(engine: Engine, what: Any, run_id: int) -> Any:
    with engine.begin() as connection:
        return what(connection, run_id, "test", "because")


def test_failed_pages_are_tried_again_and_the_digest_is_that_of_a_run_that_never_failed(
    lab: Lab, web: Web
) -> None:
    web.pages(home=page("/flaky", "/a"), a=page(), below=page())
    broken = Answer(200, [], dropped=True)
    web.routes["/flaky"] = broken
    site = definition(web.start, sitemaps=False)
    runtime = lab.runtime()
    first = lab.work(lab.plan(site), runtime)
    assert (first.state, first.failed, first.generation) == (RunState.PARTIAL, 1, 1)
    web.routes["/flaky"] = page("/below")
    assert act(lab.engine, operations.rerun_failed, first.id) == 1
    before = dict(web.hits)
    again = lab.work(first.id, runtime)
    assert (again.state, again.failed, again.stored, again.generation) == (RunState.FINISHED, 0, 4, 2)
    assert {path for path, n in web.hits.items() if n != before.get(path, 0)} == {"/flaky", "/below"}
    assert again.digest == lab.sweep(named(site, "healthy")).digest != first.digest
    ids = [event.event_id for event in lab.events()]
    assert ids[:2] == [f"run.finished:{first.id}:1", f"run.finished:{first.id}:2"]
    lab.assert_consistent(first.id)


def test_a_robots_txt_that_came_back_is_asked_for_by_a_rerun(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=page())
    web.routes["/robots.txt"] = in_turn(*[page(status=503)] * 3, Answer(404, []))
    runtime = lab.runtime()
    first = lab.work(lab.plan(definition(web.start, sitemaps=False)), runtime)
    assert first.state == RunState.FAILED
    assert act(lab.engine, operations.rerun_failed, first.id) == 1
    assert lab.work(first.id, runtime).stored == 2


def test_what_changed_is_counted_over_all_generations_of_a_run(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a", "/b", "/c"), a=page(), b=page(), c=page())
    site = definition(web.start, sitemaps=False)
    lab.sweep(site)
    web.pages(
        a=page(headers=[("X-New", "1")]), b=page(headers=[("X-New", "1")]), c=Answer(200, [], dropped=True)
    )
    run = lab.sweep(site)
    assert run.changed_pages == 2
    web.pages(c=page(headers=[("X-New", "1")]))
    act(lab.engine, operations.rerun_failed, run.id)
    assert lab.work(run.id).changed_pages == 3


def test_rerunning_what_has_no_failed_page_does_nothing(lab: Lab, web: Web) -> None:
    web.pages(home=page())
    run = lab.sweep(definition(web.start, sitemaps=False))
    assert act(lab.engine, operations.rerun_failed, run.id) == 0
    assert lab.run(run.id) == run
    assert not act(lab.engine, operations.resume, run.id)


def test_a_run_at_work_is_resumed_and_not_rerun(lab: Lab) -> None:
    run_id = lab.plan(SITE)
    assert act(lab.engine, operations.resume, run_id)
    with pytest.raises(UsageError, match="headersweep resume"):
        act(lab.engine, operations.rerun_failed, run_id)
    with pytest.raises(UsageError, match="there is no run 99"):
        act(lab.engine, operations.cancel, 99)


def test_cancelling_stops_a_worker_within_seconds_and_what_it_had_stays(lab: Lab, web: Web) -> None:
    web.pages(home=page(*(f"/{n}" for n in range(200))))
    web.routes |= {f"/{n}": page(delay=0.03) for n in range(200)}
    site = definition(web.start, sitemaps=False, concurrency=2)
    run_id, runtime = lab.plan(site), lab.runtime()
    worker = threading.Thread(target=runtime.crawl_slice)
    worker.start()
    while len(lab.visits(run_id)) < 10:
        time.sleep(0.02)
    assert act(lab.engine, operations.cancel, run_id)
    cancelled = lab.run(run_id)
    time.sleep(1.0)
    hits = sum(web.hits.values())
    worker.join(timeout=10)
    assert not worker.is_alive()
    assert sum(web.hits.values()) == hits < 190
    assert cancelled.state == RunState.CANCELLED
    assert cancelled.stored + cancelled.unvisited == cancelled.discovered == 201
    assert len(lab.visits(run_id)) == cancelled.stored
    assert not act(lab.engine, operations.cancel, run_id)

    assert act(lab.engine, operations.resume, run_id)
    run = lab.work(run_id, runtime)
    assert (run.state, run.stored, run.unvisited, run.generation) == (RunState.FINISHED, 201, 0, 2)
    assert web.hits["/"] == 1
    lab.assert_consistent(run_id)
    assert run.digest == lab.sweep(named(site, "undisturbed")).digest


def test_a_run_cancelled_before_it_began_counts_its_pages_as_unvisited(lab: Lab) -> None:
    run_id = lab.plan(SITE)
    assert act(lab.engine, operations.cancel, run_id)
    run = lab.run(run_id)
    assert (run.discovered, run.unvisited, run.stored) == (1, 1, 0)
    assert [event.payload["state"] for event in lab.events()] == ["cancelled"]


def test_an_older_run_that_ends_late_does_not_rewrite_history(lab: Lab, web: Web) -> None:
    web.pages(home=page(headers=[("X-Version", "1")]))
    site = definition(web.start, sitemaps=False)
    older, newer = lab.plan(site), lab.plan(site)
    lab.execute("UPDATE shards SET not_before = now() + interval '1 hour' WHERE run_id = :id", id=older)
    lab.work(newer)
    spans = lab.rows("SELECT * FROM spans")
    web.pages(home=page(headers=[("X-Version", "2")]))
    lab.execute("UPDATE shards SET not_before = now()")
    assert lab.work(older).changed_pages == 0
    assert lab.rows("SELECT * FROM spans") == spans


def test_a_redirect_that_begins_to_answer_is_a_change(lab: Lab, web: Web) -> None:
    web.pages(home=page("/old"), old=moved("/new"), new=page())
    site = definition(web.start, sitemaps=False)
    lab.sweep(site)
    web.pages(old=page())
    run = lab.sweep(site)
    assert run.changed_pages == 1
    assert {v.outcome for v in lab.visits(run.id).values()} == {Outcome.STORED}
