"""A model of a sweep without processes: simulated workers run the real statements, interleaved at random.

What is real: claims, commits, renewals, releases, rescue, closing, what operators do, and the database with its locks
and clock. What is simulated: the web (a fixed graph), the workers' memories, and time, which passes when the columns
that the database compares with its clock are moved back.
"""

from __future__ import annotations

import hashlib
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, text

from headersweep import digest, urls
from headersweep.definition import RobotsMode, Scope, ScopeMode
from headersweep.errors import UsageError
from headersweep.states import FINAL_STATES, Outcome, RunState
from headersweep.urls import PageUrl
from models import shards
from scheduler import finishing, operations, owners, tick
from tests.integration import _lab
from worker import claim as claims
from worker.commit import Committer, Found, ShardBatch
from worker.crawl import ShardCrawl
from worker.page import Item, Result, Snapshot
from worker.runtime import Runtime
from worker.site import RunSite

LEASE_SECONDS = 30.0
BITE = 6
"""Frontier rows loaded at once: so few that every shard is loaded in bites."""

WORKERS = 3
ROUNDS_TO_END = 60

MODEL_SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    stateful_step_count=30,
    phases=[Phase.generate],  # a failure is printed as found: shrinking repeats a database a thousand times
    suppress_health_check=list(HealthCheck),
)


# the web


PAGES = 30
HOSTS = ("a.shop.example", "b.shop.example", "c.shop.example")
FOREIGN = "http://elsewhere.example/"


def _page(text: str) -> PageUrl:
    page = urls.parse(text)
    assert page is not None
    return page


def _graph() -> dict[bytes, tuple[int, list[PageUrl]]]:
    """Every page by key, with its number and its links; each but the first is linked from an earlier one."""
    drawn = random.Random(20260301)  # noqa: S311 - a fixed graph
    pages = [_page(f"http://{HOSTS[n % len(HOSTS)]}/{n}") for n in range(PAGES)]
    linked: list[list[PageUrl]] = [[] for _ in pages]
    for n in range(1, PAGES):
        linked[drawn.randrange(max(0, n - 12), n)].append(pages[n])
    for n in range(PAGES):
        linked[n] += drawn.sample(pages, 2)
    for n in (3, 11):
        linked[n].append(_page(f"{FOREIGN}{n}"))
    return {page.key: (n, linked[n]) for n, page in enumerate(pages)}


GRAPH = _graph()
START = f"http://{HOSTS[0]}/0"


def answer(item: Item) -> Result:
    """What the web answers: some pages fail for good, some at the first try only, some point elsewhere."""
    number, links = GRAPH[item.key]
    result = Result(item, Outcome.STORED, datetime.now(UTC), status=200, found=list(links))
    if number and number % 7 == 0 and not item.attempts:
        return Result(item, None, result.fetched_at, "timeout", retry_seconds=20.0)
    if number in {13, 26}:
        return Result(item, Outcome.FAILED, result.fetched_at, "reset", found=list(links))
    result.snapshot = _snapshot(number)
    if number % 5 == 4:
        result.status, result.target = 301, links[-1]
    return result


def _snapshot(number: int) -> Snapshot:
    canonical = f"headers/1\nserver: {number % 4}\n"
    return Snapshot(hashlib.sha256(canonical.encode()).digest(), canonical, b"Server: x\r\n")


def _undisturbed() -> dict[bytes, digest.Row]:
    """What each page comes to when nothing goes wrong, worked out without the program."""
    rows: dict[bytes, digest.Row] = {}
    waiting = [_page(START)]
    while waiting:
        page = waiting.pop()
        if page.key in rows:
            continue
        if page.key not in GRAPH:
            rows[page.key] = (page.key, "out_of_scope", None, None)
            continue
        result = answer(Item(0, 0, 0, page.url, page.key, attempts=1))
        assert result.outcome is not None
        kept = None if result.snapshot is None else result.snapshot.content_hash
        rows[page.key] = (page.key, result.outcome.label, result.status, kept)
        waiting += result.found
    return rows


UNDISTURBED = _undisturbed()
DIGEST = digest.run_digest(UNDISTURBED[key] for key in sorted(UNDISTURBED))


# the workers


@dataclass
class Memory:
    """What ``Claims`` asks of a runtime: who we are, and the runs that this process knows."""

    owner: str
    sites: OrderedDict[int, RunSite] = field(default_factory=OrderedDict)
    fetcher: None = None
    agent: str = "headersweep"

    def knows(self, run_id: int, generation: int) -> bool:
        site = self.sites.get(run_id)
        return site is not None and site.generation == generation

    def remember(self, site: RunSite) -> None:
        self.sites[site.run_id] = site


class Worker:
    """One simulated process; a crash makes it another one with an empty memory."""

    def __init__(self, lab: _lab.Lab, owner: str, committer: type[Committer]) -> None:
        self.lab = lab
        self.memory = Memory(owner)
        self.crawls: dict[int, ShardCrawl] = {}
        self.sent: list[ShardBatch] = []
        """The batches of the last commit, which may be sent again at any time."""
        self._committer = committer(lab.engine, owner, LEASE_SECONDS)
        self._claims = claims.Claims(cast("Runtime", self.memory), lab.settings(lease_seconds=LEASE_SECONDS))

    def claim(self, limit: int, *, dies: bool = False) -> list[int]:
        """Claim and load, in two transactions; returns the shards claimed."""
        beside = list(self.crawls.values())
        with self.lab.engine.begin() as connection:
            held, _paused = self._claims.rows(connection, limit, beside)
        if held and not dies:
            with self.lab.engine.begin() as connection:
                claimed = self._claims.work_on(connection, held, beside, _nothing)
            for crawl in claimed.crawls:
                crawl.prepared = True
                crawl.known_upto = None  # the site has no history
                crawl.add(*crawl.first)
                self.crawls[crawl.held.id] = crawl
        return [shard.id for shard in held]

    def fetch(self, pages: int) -> None:
        """Visit the next pages of every shard that is held."""
        for crawl in self.crawls.values():
            for _ in range(min(pages, len(crawl._queue))):
                result = answer(crawl._queue.popleft())
                result.found = [page for page in result.found if crawl.site.is_new(page)]
                crawl.results.append(result)
                crawl.solo_done += 1

    def collect(self) -> list[ShardBatch]:
        """Take what the next commit is to write."""
        return [_batch(crawl) for crawl in self.crawls.values()]

    def send(self, batches: list[ShardBatch]) -> set[int]:
        """Commit, as often as is asked for; returns the shards that were lost."""
        if any(batch.results for batch in batches):
            self.sent = batches
        committed = self._committer.commit(batches)
        for batch in batches:
            crawl = self.crawls.get(batch.held.id)
            if crawl is None or crawl.held is not batch.held:
                continue
            if batch.held.id in committed.lost:
                del self.crawls[batch.held.id]
                crawl.site.forget()
                continue
            crawl.top = committed.tops[batch.held.id]
            if batch.held.id in committed.rows:
                items, upto = committed.rows[batch.held.id]
                crawl.add([item for item in items if item.seq > crawl.loaded_upto], upto)
            crawl.committed(batch.results)
        return committed.lost

    def renew(self) -> list[int]:
        """Renew what is held; what is not ours any more stays in memory until a commit says so."""
        with self.lab.engine.begin() as connection:
            values = {**self._named(self.crawls), "lease": LEASE_SECONDS}
            return list(connection.execute(shards.renew(), values).scalars())

    def release(self, *, idle_only: bool) -> None:
        """Hand back what is held, with what was not committed thrown away."""
        going = {key: crawl for key, crawl in self.crawls.items() if crawl.exhausted or not idle_only}
        if not going:
            return
        values = {
            **self._named(going),
            "prepared": [True] * len(going),
            "done_uptos": [crawl.done_upto([]) for crawl in going.values()],
        }
        with self.lab.engine.begin() as connection:
            connection.execute(shards.release(), values)
        for key, crawl in going.items():
            del self.crawls[key]
            crawl.site.forget()

    def _named(self, crawls: dict[int, ShardCrawl]) -> dict[str, Any]:
        held = [crawl.held for crawl in crawls.values()]
        return {
            "owner": self.memory.owner,
            "ids": [shard.id for shard in held],
            "fences": [shard.fence for shard in held],
        }


def _nothing() -> None:
    """Nobody waits to be poked."""


def _batch(crawl: ShardCrawl) -> ShardBatch:
    """What a slice makes of a crawl for its next commit."""
    results = crawl.take().results
    found = [
        Found(page, result.item.depth + 1, crawl.site.verdict(page, result.item.depth + 1))
        for result in results
        for page in result.found
    ]
    progress = any(result.outcome is not None for result in results)
    return ShardBatch(
        held=crawl.held,
        site=crawl.site,
        news=None,
        results=results,
        found=found,
        done_upto=crawl.done_upto(results),
        known_upto=None,
        clear_lost=progress,
        load_after=crawl.loaded_upto,
        load_limit=BITE,
    )


# what must hold after every step


BROKEN = text("""
    SELECT 'frontier rows are numbered 1..top' AS what FROM shards s
    WHERE (s.top, s.top, 1, s.top) <>
          (SELECT count(*), count(DISTINCT f.seq), coalesce(min(f.seq), 1), coalesce(max(f.seq), 0)
           FROM frontier f WHERE f.shard_id = s.id)
    UNION ALL
    SELECT 'every row up to done_upto has a visit or waits to be tried again'
    FROM shards s JOIN frontier f ON f.shard_id = s.id AND f.seq <= s.done_upto
    WHERE NOT EXISTS (SELECT FROM visits v WHERE v.run_id = f.run_id AND v.page_id = f.page_id)
      AND NOT EXISTS (SELECT FROM retries t WHERE t.run_id = f.run_id AND t.page_id = f.page_id)
    UNION ALL
    SELECT 'the counter of visits counts them' FROM shards s
    WHERE s.visited <> (SELECT count(*) FROM frontier f
                        JOIN visits v ON v.run_id = f.run_id AND v.page_id = f.page_id WHERE f.shard_id = s.id)
    UNION ALL
    SELECT 'a page has one visit, and a row in the frontier' FROM visits v
    WHERE (SELECT count(*) FROM frontier f WHERE f.run_id = v.run_id AND f.page_id = v.page_id) <> 1
    GROUP BY v.run_id, v.page_id
    UNION ALL
    SELECT 'a page has at most one visit' FROM visits GROUP BY run_id, page_id HAVING count(*) > 1
    UNION ALL
    SELECT 'a page with its visit is not tried again' FROM retries t JOIN visits v USING (run_id, page_id)
    UNION ALL
    SELECT 'planned_pages counts the pages in scope' FROM runs r
    WHERE r.planned_pages <> (SELECT count(*) FROM frontier f JOIN pages p ON p.id = f.page_id
                              WHERE f.run_id = r.id AND p.url NOT LIKE :foreign)
    UNION ALL
    SELECT 'a done shard has nothing left' FROM shards s
    WHERE s.state = 'done' AND EXISTS (SELECT FROM retries t WHERE t.shard_id = s.id)
    UNION ALL
    SELECT 'a closed run has no lease' FROM shards s JOIN runs r ON r.id = s.run_id
    WHERE r.digest IS NOT NULL AND s.lease_owner IS NOT NULL
    UNION ALL
    SELECT 'a run that ended by itself has no shard left' FROM shards s JOIN runs r ON r.id = s.run_id
    WHERE r.state IN ('finished', 'partial', 'failed') AND s.state <> 'done'
    UNION ALL
    SELECT 'the accounting of a closed run is that of its rows' FROM runs r
    WHERE r.digest IS NOT NULL
      AND (r.discovered, r.discovered - r.unvisited, r.stored, r.failed, r.out_of_scope) <>
          ((SELECT count(*) FROM frontier f WHERE f.run_id = r.id),
           (SELECT count(*) FROM visits v WHERE v.run_id = r.id),
           (SELECT count(*) FROM visits v WHERE v.run_id = r.id AND v.outcome = :stored),
           (SELECT count(*) FROM visits v WHERE v.run_id = r.id AND v.outcome = :failed),
           (SELECT count(*) FROM visits v WHERE v.run_id = r.id AND v.outcome = :out_of_scope))
    UNION ALL
    SELECT 'each generation that ended promised run.finished once' FROM runs r
    WHERE (SELECT array_agg(o.event_id ORDER BY o.id) FROM outbox o) IS DISTINCT FROM
          (SELECT array_agg('run.finished:' || r.id || ':' || g ORDER BY g)
           FROM generate_series(1, r.generation - (r.digest IS NULL)::int) g)
""").bindparams(
    foreign=f"{FOREIGN}%",
    stored=int(Outcome.STORED),
    failed=int(Outcome.FAILED),
    out_of_scope=int(Outcome.OUT_OF_SCOPE),
)

OF_SHARD = """
    SELECT to_jsonb(s) - 'top' - 'visited' - 'state' - 'not_before' AS own,
           (SELECT count(*) FROM frontier f JOIN visits v USING (run_id, page_id) WHERE f.shard_id = s.id) AS visits,
           (SELECT jsonb_agg(t ORDER BY page_id) FROM retries t WHERE t.shard_id = s.id) AS retries
    FROM shards s WHERE s.id = ANY(:ids) ORDER BY s.id
"""
"""What only the holder of a shard may change: others add rows for pages that they found, which opens it again."""

workers = st.integers(0, WORKERS - 1)


class Sweep(RuleBasedStateMachine):
    """One run, some workers, a clock, and operators who do what they like."""

    lab: _lab.Lab
    committer: type[Committer] = Committer

    def __init__(self) -> None:
        super().__init__()
        self.lab.empty()
        self._numbers = count(1)
        self.dead: set[str] = set()
        self.paused = False
        self.fences: dict[int, int] = {}
        self.workers = [self._born() for _ in range(WORKERS)]
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(owners, "dead_here", self.dead.__contains__)
        self._patch.setattr(claims, "LOAD_LIMIT", BITE)
        self.run_id = 0

    def _born(self) -> Worker:
        return Worker(self.lab, f"worker-{next(self._numbers)}", self.committer)

    @initialize(rounds=st.sampled_from([0, 0, 0, 3, ROUNDS_TO_END]))
    def plan(self, rounds: int) -> None:
        """A run that is new, somewhere on its way, or at its end when the faults begin."""
        site = _lab.definition(
            START, scope=Scope(ScopeMode.DOMAIN), robots=RobotsMode.IGNORE, sitemaps=False, max_depth=100
        )
        self.run_id = self.lab.plan(site)
        self._work(0, rounds)

    # workers

    @rule(number=workers, limit=st.integers(1, 4), dies=st.sampled_from([False, False, False, True]))
    def claim(self, number: int, limit: int, dies: bool) -> None:
        held = {
            row.id for row in self.lab.rows("SELECT id FROM shards WHERE lease_until > clock_timestamp()")
        }
        claimed = self.workers[number].claim(limit, dies=dies)
        assert not held & set(claimed), "a shard has one live lease"
        assert not (claimed and (self.paused or self._state() in FINAL_STATES)), (
            "nothing is claimed while it may not"
        )
        if dies:
            self.crash(number)

    @rule(number=workers, pages=st.integers(1, 6))
    def fetch(self, number: int, pages: int) -> None:
        if not self.workers[number].crawls:
            self.claim(number, 4, dies=False)
        self.workers[number].fetch(pages)

    @rule(number=workers, pages=st.integers(0, 6), times=st.integers(1, 2))
    def commit(self, number: int, pages: int, times: int) -> None:
        self.fetch(number, pages)
        batches = self.workers[number].collect()
        for _ in range(times):
            self._send(number, batches)

    @rule(number=workers, rounds=st.integers(1, 4), times=st.integers(1, 2))
    def work_for_a_while(self, number: int, rounds: int, times: int) -> None:
        self._work(number, rounds, times)

    @rule(number=workers, seconds=st.sampled_from([40, 100]))
    def sleep_through_the_lease(self, number: int, seconds: int) -> None:
        """A worker fetches, is stopped for longer than its lease while another takes over, and goes on."""
        self.fetch(number, 3)
        self.time_passes(seconds)
        self.claim((number + 1) % WORKERS, 4, dies=False)
        self.commit(number, 0, 1)

    @rule(number=workers)
    def commit_and_die_before_the_answer(self, number: int) -> None:
        self._send(number, self.workers[number].collect())
        self.crash(number)

    @rule(number=workers)
    def commit_the_last_again(self, number: int) -> None:
        self._send(number, self.workers[number].sent)

    def _send(self, number: int, batches: list[ShardBatch]) -> None:
        """Commit; where the lease was lost before, nothing may change."""
        if not batches:
            return
        worker = self.workers[number]
        rows = self.lab.rows("SELECT id, fence, lease_owner FROM shards WHERE run_id = :id", id=self.run_id)
        holders = {row.id: (row.fence, row.lease_owner) for row in rows}
        lost = [
            batch.held.id
            for batch in batches
            if holders[batch.held.id] != (batch.held.fence, worker.memory.owner)
        ]
        before = self.lab.rows(OF_SHARD, ids=lost)
        assert worker.send(batches) == set(lost), "a commit says which leases are lost"
        assert self.lab.rows(OF_SHARD, ids=lost) == before, "who lost the lease writes nothing"

    @rule(number=workers)
    def renew(self, number: int) -> None:
        self.workers[number].renew()

    @rule(number=workers, idle_only=st.booleans())
    def release(self, number: int, idle_only: bool) -> None:
        self.workers[number].release(idle_only=idle_only)

    @rule(number=workers)
    def crash(self, number: int) -> None:
        self.dead.add(self.workers[number].memory.owner)
        self.workers[number] = self._born()

    # time, and whoever looks after everything

    @rule(seconds=st.sampled_from([5, 25, 40, 100]))
    def time_passes(self, seconds: int) -> None:
        past = {"seconds": seconds}
        self.lab.execute(
            """UPDATE shards SET lease_until = lease_until - make_interval(secs => :seconds),
                                 not_before = not_before - make_interval(secs => :seconds)""",
            **past,
        )
        self.lab.execute(
            "UPDATE retries SET not_before = not_before - make_interval(secs => :seconds)", **past
        )

    @rule(what=st.sampled_from(["finish", "rescue"]))
    def look_after(self, what: str) -> None:
        getattr(self, f"_{what}")()

    def _rescue(self) -> None:
        with self.lab.engine.begin() as connection:
            tick.rescue(connection)
        alive = self.lab.rows("SELECT lease_owner FROM shards WHERE lease_until > clock_timestamp()")
        assert not {row.lease_owner for row in alive} & self.dead, "nobody waits for the lease of the dead"

    def _finish(self) -> None:
        work = "SELECT to_jsonb(s) AS shard FROM shards s ORDER BY id"
        before = self.lab.rows(work)
        if not finishing.finish(self.lab.engine, self.run_id):
            left = any(row.shard["state"] == "open" for row in before)
            assert not left or self.lab.rows(work) == before, "work that goes on is left alone"
            assert left or self._state() in FINAL_STATES, "a run without work is closed"

    # operators

    @rule(what=st.sampled_from(["pause", "cancel", "resume", "rerun_failed"]))
    def operate(self, what: str) -> None:
        getattr(self, f"_{what}")()

    @rule(number=workers)
    def cancel_under_way(self, number: int) -> None:
        """The run is cancelled between a worker's fetch and its commit, which comes too late."""
        self.fetch(number, 3)
        self._cancel()
        self.nothing_is_broken()
        self.commit(number, 0, 1)

    @precondition(lambda self: self.paused)
    @rule()
    def unpause(self) -> None:
        self._operate(operations.unpause)
        self.paused = False

    def _pause(self) -> None:
        self._operate(operations.pause)
        self.paused = True

    def _cancel(self) -> None:
        self._operate(operations.cancel, self.run_id)
        assert self._state() in FINAL_STATES

    def _resume(self) -> None:
        self._operate(operations.resume, self.run_id)
        assert self._state() != RunState.CANCELLED

    def _rerun_failed(self) -> None:
        allowed = self._state() in FINAL_STATES or self._rerun_is_under_way()
        try:
            self._operate(operations.rerun_failed, self.run_id)
        except UsageError:
            assert not allowed, "only a run that goes on is refused"
        else:
            assert allowed, "a run that goes on is refused, unless that is what was asked for"

    def _rerun_is_under_way(self) -> bool:
        return bool(
            self.lab.rows(
                """SELECT FROM run_actions JOIN runs ON runs.id = run_id AND runs.generation = run_actions.generation
                   WHERE run_id = :id AND action = 'rerun_failed'""",
                id=self.run_id,
            )
        )

    def _operate(self, what: Callable[..., object], *values: int) -> None:
        with self.lab.engine.begin() as connection:
            what(connection, *values, "test", "because")

    def _state(self) -> RunState:
        return RunState(self.lab.value("SELECT state FROM runs WHERE id = :id", id=self.run_id))

    # what holds after every step

    @invariant()
    def nothing_is_broken(self) -> None:
        with self.lab.engine.begin() as connection:
            broken = connection.execute(BROKEN).scalars().all()
            self._fences_only_grow(connection)
            run = connection.execute(text("SELECT id, digest FROM runs")).one_or_none()
            if run is not None and run.digest is not None:
                assert finishing.run_digest(connection, run.id) == bytes(run.digest), (
                    "a closed run stays as it is"
                )
        assert not broken, "; ".join(broken)

    def _fences_only_grow(self, connection: Connection) -> None:
        for row in connection.execute(text("SELECT id, fence FROM shards")):
            assert row.fence >= self.fences.get(row.id, 0), "the fencing number only grows"
            self.fences[row.id] = row.fence

    @invariant()
    def one_worker_holds_a_shard(self) -> None:
        held = [crawl.held for worker in self.workers for crawl in worker.crawls.values()]
        fenced = [(shard.id, shard.fence) for shard in held]
        assert len(fenced) == len(set(fenced)), "no two claims have one fencing number"

    # the faults stop

    def teardown(self) -> None:
        try:
            if self.run_id:
                self._end()
        finally:
            self._patch.undo()

    def _end(self) -> None:
        """One healthy worker takes the run to its end, and it is what an undisturbed one would have been."""
        if self.paused:
            self.unpause()
        self._resume()
        for number in range(WORKERS):
            self.crash(number)
        self.time_passes(100)
        self._work(0, ROUNDS_TO_END)
        self._assert_ended()

    def _work(self, number: int, rounds: int, times: int = 1) -> None:
        """What a slice does, round after round, until the run has ended."""
        worker = self.workers[number]
        for _ in range(rounds):
            if self.paused or self._state() in FINAL_STATES:
                break
            self.time_passes(25)  # retries are due, and the lease holds
            worker.claim(9)
            worker.fetch(2 * BITE)
            batches = worker.collect()
            for _ in range(times):
                self._send(number, batches)
            worker.release(idle_only=True)
            self._finish()
            self.nothing_is_broken()

    def _assert_ended(self) -> None:
        run = self.lab.run(self.run_id)
        assert run.state in FINAL_STATES, f"the run ends: {self.lab.describe(self.run_id)}"
        assert {_page(url).key for url in self.lab.visits(self.run_id)} == UNDISTURBED.keys()
        assert bytes(run.digest) == DIGEST, "the digest is that of an undisturbed run"


def sweep(lab: _lab.Lab, committer: type[Committer] = Committer) -> type[Sweep]:
    """The machine on the database of a lab."""
    return cast("type[Sweep]", type("SweepOfLab", (Sweep,), {"lab": lab, "committer": committer}))
