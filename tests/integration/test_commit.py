"""Commits: nothing of a lost lease is written, nothing twice, whatever happens to the COMMIT itself."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from headersweep import urls
from headersweep.definition import SiteDefinition
from headersweep.states import Outcome
from models import shards
from models.schema import metadata
from scheduler import operations
from tests.integration._lab import FIRST_SLOT, Lab, definition
from tests.integration._web import Web, page
from tests.site_plan import CALM, Shares
from tests.site_server import SiteServer
from worker.commit import Committed, Committer, Found, ShardBatch, load_rows
from worker.crawl import Held, News
from worker.page import Item, Result, Snapshot
from worker.site import RunSite

CLOCKS = ("lease_until", "fetched_at", "blocked_until", "next_request_at", "not_before", "first_seen_at")
PATIENT = Shares(redirect=10, broken=5, missing=5, slow=0, busy=1, limited=0, reset=3)


@dataclasses.dataclass
class Bench:
    """One run of several origins, with one shard held for each."""

    lab: Lab
    site: RunSite
    held: list[Held]
    owner: str = "me"

    def committer(self, engine: Engine | None = None) -> Committer:
        return Committer(engine or self.lab.engine, self.owner, 30.0)

    def first_item(self, number: int) -> Item:
        with self.lab.engine.begin() as connection:
            return load_rows(connection, self.held[number], 0, 1, self.held[number].top)[0][0]

    def batch(self, number: int, **changes: Any) -> ShardBatch:
        """The start page of a shard was stored, and led to a page of its own."""
        held, item = self.held[number], self.first_item(number)
        values: dict[str, Any] = {
            "held": held,
            "site": self.site,
            "news": News(2.0, 1, 60.0),
            "results": [stored(item, f"x-shard: {number}")],
            "found": [found(f"http://h{number}.example/next", 1)],
            "done_upto": 1,
            "known_upto": None,
            "clear_lost": True,
            **changes,
        }
        return ShardBatch(**values)


def stored(item: Item, header: str) -> Result:
    canonical = f"headers/1\n{header}\n"
    snapshot = Snapshot(hashlib.sha256(canonical.encode()).digest(), canonical, header.encode())
    return Result(item, Outcome.STORED, datetime.now(UTC), status=200, snapshot=snapshot)


def found(url: str, depth: int, decided: tuple[Outcome, str | None] | None = None) -> Found:
    parsed = urls.parse(url)
    assert parsed is not None
    return Found(parsed, depth, decided)


def run_site(run_id: int, site: SiteDefinition) -> RunSite:
    return RunSite(run_id, 1, 1, site.name, FIRST_SLOT, site, frozenset())


@pytest.fixture
def bench(lab: Lab) -> Bench:
    site = definition("http://h0.example/", "http://h1.example/", max_pages=10_000)
    run_id = lab.plan(site)
    values = {"owner": "me", "lease": 30.0, "limit": 9, "solo": False, "solo_after": 2}
    with lab.engine.begin() as connection:
        rows = connection.execute(shards.claim(), values).all()
    held = [
        Held(r.id, r.run_id, r.origin_id, r.fence, r.top, r.done_upto, r.known_upto, r.lost_leases, None)
        for r in sorted(rows, key=lambda row: row.id)
    ]
    return Bench(lab, run_site(run_id, site), held)


def contents(lab: Lab, *, clocks: bool = True) -> dict[str, Any]:
    """Everything that is kept, without what a clock says unless wanted."""
    kept = {}
    for table in metadata.sorted_tables:
        # As text: Postgres knows times that Python does not.
        rows = lab.rows(f"SELECT to_jsonb(t) AS row FROM {table.name} t")  # noqa: S608 - a name of ours
        kept[table.name] = sorted(
            str({name: value for name, value in row.row.items() if clocks or name not in CLOCKS})
            for row in rows
        )
    return kept


def steal(lab: Lab, held: Held) -> None:
    lab.execute("UPDATE shards SET fence = fence + 1, lease_owner = 'thief' WHERE id = :id", id=held.id)


# fencing


def test_nothing_of_a_lost_lease_is_written_and_the_other_shards_are(bench: Bench) -> None:
    lab, lost = bench.lab, bench.held[0]
    steal(lab, lost)
    before = lab.rows("SELECT * FROM shards WHERE id = :id", id=lost.id)
    answer = bench.committer().commit([bench.batch(0), bench.batch(1)])
    assert answer.lost == {lost.id}
    assert set(lab.visits(lost.run_id)) == {"http://h1.example/"}
    assert [row.url for row in lab.rows("SELECT url FROM pages WHERE depth > 0")] == [
        "http://h1.example/next"
    ]
    assert [row.canonical for row in lab.rows("SELECT canonical FROM snapshots")] == [
        "headers/1\nx-shard: 1\n"
    ]
    assert lab.rows("SELECT * FROM shards WHERE id = :id", id=lost.id) == before
    told = {row.host: row.backoff_level for row in lab.rows("SELECT host, backoff_level FROM origins")}
    assert told == {"h0.example": 0, "h1.example": 1}
    assert lab.value("SELECT planned_pages FROM runs") == 3


def test_nothing_at_all_is_written_when_every_lease_is_lost(bench: Bench) -> None:
    lab = bench.lab
    batches = [bench.batch(0), bench.batch(1)]
    for held in bench.held:
        steal(lab, held)
    before = contents(lab)
    assert bench.committer().commit(batches).lost == {held.id for held in bench.held}
    assert contents(lab) == before


def test_a_lease_of_the_same_number_held_by_another_is_lost_too(bench: Bench) -> None:
    bench.lab.execute("UPDATE shards SET lease_owner = 'you'")
    assert len(bench.committer().commit([bench.batch(0), bench.batch(1)]).lost) == 2


def test_what_was_fetched_for_a_run_that_was_cancelled_meanwhile_is_dropped(bench: Bench) -> None:
    lab, run_id = bench.lab, bench.site.run_id
    batches = [bench.batch(0)]
    with lab.engine.begin() as connection:
        assert operations.cancel(connection, run_id, "test", "enough")
    before = contents(lab)
    assert bench.committer().commit(batches).lost == {bench.held[0].id}
    assert contents(lab) == before
    assert lab.run(run_id).unvisited == 2


# repeats


def test_a_commit_repeated_changes_nothing(bench: Bench) -> None:
    batches = [
        bench.batch(
            0,
            found=[
                found("http://h0.example/a", 1),
                found("http://x.example/", 1, (Outcome.OUT_OF_SCOPE, None)),
            ],
        ),
        bench.batch(
            1, results=[Result(bench.first_item(1), None, datetime.now(UTC), "timeout", retry_seconds=9.0)]
        ),
    ]
    committer = bench.committer()
    committer.commit(batches)
    once = contents(bench.lab, clocks=False)
    committer.commit(batches)
    bench.committer().commit(batches)
    assert contents(bench.lab, clocks=False) == once
    assert [row.attempts for row in bench.lab.rows("SELECT attempts FROM retries")] == [1]
    assert bench.lab.value("SELECT sum(visited) FROM shards") == 2


class LostAnswer(Engine):
    """An engine whose COMMIT succeeds while its answer gets lost, as often as asked for."""

    def __init__(self, real: Engine, times: int) -> None:
        self._real, self.times = real, times

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._real.begin() as connection:
            yield connection
        if self.times:
            self.times -= 1
            raise OperationalError(
                "COMMIT", {}, Exception("server closed the connection"), connection_invalidated=True
            )


def test_a_commit_whose_answer_was_lost_is_repeated_without_a_trace(bench: Bench) -> None:
    committer = bench.committer(LostAnswer(bench.lab.engine, 2))
    batches = [bench.batch(0), bench.batch(1)]
    answers: list[Committed] = []
    for _ in range(3):
        with contextlib.suppress(OperationalError):
            answers.append(committer.commit(batches))
    assert len(answers) == 1
    assert answers[0].lost == set()
    assert len(bench.lab.visits(bench.site.run_id)) == 2
    assert [row.visited for row in bench.lab.rows("SELECT visited FROM shards ORDER BY id")] == [1, 1]
    assert bench.lab.value("SELECT planned_pages FROM runs") == 4


def test_a_sweep_whose_commits_lose_their_answers_ends_as_if_nothing_had_happened(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SiteServer(pages=61, origins=2, chain=4, shares=CALM) as site:
        calm = lab.sweep(definition(*site.start_urls, name="calm"))
        commit, numbers = Committer.commit, iter(range(1000))

        def forgetful(self: Committer, batches: list[ShardBatch]) -> Committed:
            answer = commit(self, batches)
            if next(numbers) % 3 == 0:
                raise OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)
            return answer

        monkeypatch.setattr(Committer, "commit", forgetful)
        troubled = lab.sweep(definition(*site.start_urls, name="troubled"))
    assert next(numbers) > 3
    assert troubled.digest == calm.digest
    lab.assert_consistent(troubled.id)


# races


def test_commits_that_race_for_the_same_new_pages_number_them_densely(bench: Bench) -> None:
    lab = bench.lab
    same = [found(f"http://h{n % 3}.example/p{n}", 1) for n in range(300)]
    barrier = threading.Barrier(2)

    def work(number: int) -> Committed:
        # Two workers: what one of them knows the other does not.
        mine = dataclasses.replace(bench, site=run_site(bench.site.run_id, bench.site.definition))
        batch = mine.batch(number, found=same if number else list(reversed(same)))
        committer = mine.committer()
        barrier.wait()
        return committer.commit([batch])

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(work, range(2)))
        assert [answer.lost for answer in answers] == [set(), set()]
    rows = lab.rows("SELECT shard_id, array_agg(seq ORDER BY seq) AS seqs FROM frontier GROUP BY 1")
    tops = {row.id: row.top for row in lab.rows("SELECT id, top FROM shards")}
    assert len(rows) == 3
    assert all(row.seqs == list(range(1, tops[row.shard_id] + 1)) for row in rows)
    assert sum(tops.values()) == 302 == lab.value("SELECT planned_pages FROM runs")


def test_a_shard_that_nobody_holds_and_that_got_work_is_claimed_at_once(bench: Bench) -> None:
    bench.lab.execute(
        "UPDATE shards SET lease_owner = NULL, lease_until = NULL WHERE id = :id", id=bench.held[1].id
    )
    bench.committer().commit([bench.batch(0), bench.batch(1)])
    own = bench.committer().commit([bench.batch(0, found=[found("http://h0.example/new", 1)])])
    other = bench.committer().commit([bench.batch(0, found=[found("http://h1.example/new", 1)])])
    assert (own.new_shards, other.new_shards) == (False, True)


def test_the_low_water_mark_never_passes_a_page_that_is_neither_visited_nor_to_be_retried(lab: Lab) -> None:
    with SiteServer(pages=81, origins=2, chain=4, shares=PATIENT) as site:
        run_id = lab.plan(definition(*site.start_urls, failure_threshold=0.9))
        done = threading.Event()
        overtaken: list[Any] = []

        def watch() -> None:
            while not done.wait(0.02):
                overtaken.extend(
                    lab.rows(
                        """SELECT f.* FROM frontier f JOIN shards s ON s.id = f.shard_id WHERE f.seq <= s.done_upto
                           AND NOT EXISTS (SELECT FROM visits v WHERE v.run_id = f.run_id AND v.page_id = f.page_id)
                           AND NOT EXISTS (SELECT FROM retries t WHERE t.run_id = f.run_id AND t.page_id = f.page_id)"""
                    )
                )

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            lab.work(run_id, lab.runtime(commit_pages=7, commit_seconds=0.05, slice_seconds=1.0))
        finally:
            done.set()
            watcher.join()
    assert overtaken == []
    lab.assert_consistent(run_id)


# pages found by a shard that is lost


def test_pages_found_by_a_shard_that_was_lost_are_found_again(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages(home=page("/a", "/b"), a=page("/c"), b=page(), c=page())
    commit, calls = Committer.commit, iter(range(1000))

    def robbed(self: Committer, batches: list[ShardBatch]) -> Committed:
        if batches and next(calls) == 1:
            for batch in batches:
                steal(lab, batch.held)
        return commit(self, batches)

    monkeypatch.setattr(Committer, "commit", robbed)
    run_id, runtime = lab.plan(definition(web.start, sitemaps=False)), lab.runtime(commit_seconds=0.1)
    runtime.crawl_slice()
    assert lab.rows("SELECT lease_owner FROM shards") == [("thief",)]
    lab.execute("UPDATE shards SET lease_until = now() - interval '1 second'")
    assert lab.work(run_id, runtime).stored == 4


def test_a_worker_that_lost_the_database_for_a_while_hands_back_what_it_held(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages(home=page("/a"), a=page())
    commit, failing = Committer.commit, [True]

    def away(self: Committer, batches: list[ShardBatch]) -> Committed:
        if failing:
            raise OperationalError("COMMIT", {}, Exception("away"), connection_invalidated=True)
        return commit(self, batches)

    monkeypatch.setattr(Committer, "commit", away)
    run_id, runtime = lab.plan(definition(web.start, sitemaps=False)), lab.runtime(lease_seconds=1.5)
    report = runtime.crawl_slice()
    assert report is not None
    assert report.abandoned
    failing.clear()
    lab.execute("UPDATE shards SET lease_until = now() + interval '1 hour'")
    run = lab.work(run_id, runtime, seconds=5)
    assert run.stored == 2
    assert lab.value("SELECT lost_leases FROM shards") == 0
