"""Kill anything in the middle of a sweep: nothing is lost, nothing doubled, and the digest is that of a sweep left alone."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.processes import _program
from tests.processes._program import Ended, Home, Program
from tests.site_plan import CALM, Truth
from tests.site_server import SiteServer

PAGES = 261
CONCURRENCY = 4
ORIGINS = 3
COMMIT_PAGES = 20
SLOT = "2026-03-01T10:00:00Z"
RESUME_SECONDS = 15.0

MAX_REPEATED = 2 * COMMIT_PAGES + CONCURRENCY * ORIGINS
"""What two workers may have fetched and not committed: a commit's worth each, and what is in flight."""


@dataclass
class Zoo:
    """The site that is swept again and again, and the digest of an uninterrupted sweep of it."""

    site: SiteServer
    digest: str

    def fetched(self) -> int:
        """How many requests for pages there were."""
        return sum(self.page_hits().values())

    def repeated(self) -> int:
        """How many requests were for pages that had been asked for before."""
        return sum(count - 1 for count in self.page_hits().values())

    def page_hits(self) -> dict[str, int]:
        return {url: count for url, count in self.site.hits().items() if url in self.site.plan.numbers}


def sweep(home: Home, site: SiteServer) -> Program:
    path = _program.site_file(home.folder, site, concurrency=CONCURRENCY)
    home.environ["HEADERSWEEP_COMMIT_PAGES"] = str(COMMIT_PAGES)
    # Three origins, two a slice: both workers have something to lose.
    home.environ["HEADERSWEEP_SHARDS_PER_SLICE"] = "2"
    return home.start("sweep", "--site-file", str(path), "--slot", SLOT, "--format", "json")


@pytest.fixture(scope="module")
def zoo(made_home: Home) -> Iterator[Zoo]:
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(SiteServer(pages=PAGES, origins=ORIGINS, chain=8, delay=0.12, shares=CALM))
        home = made_home.copy_to(_program.new_folder())
        stack.callback(home.close)
        ended = sweep(home, site).wait()
        assert ended.code == 0, ended.err
        found = Zoo(site, ended.only_run["digest"])
        assert found.repeated() == 0
        assert_nothing_lost(home, found)
        yield found


@pytest.fixture
def midway(home: Home, zoo: Zoo) -> Program:
    """A sweep that has done about a third of its pages."""
    zoo.site.forget()
    program = sweep(home, zoo.site)
    _program.until(lambda: zoo.fetched() > PAGES // 3, what="the first third of the sweep")
    assert set(holders(home)) == set(program.workers())
    return program


def holders(home: Home) -> list[int]:
    """The processes that hold leases, as the database has it."""
    query = "SELECT DISTINCT split_part(lease_owner, '/', 2)::int FROM shards WHERE lease_owner IS NOT NULL"
    with home.database() as connection:
        return [pid for (pid,) in connection.execute(query)]


def resume(home: Home, zoo: Zoo, *arguments: str) -> Ended:
    """Go on; new pages must be fetched within 15 s, unless all had been fetched."""
    before, began = len(zoo.page_hits()), time.monotonic()
    program = home.start(*(arguments or ("resume", "--format", "json")), HEADERSWEEP_WORKERS="1")
    expected = sum(truth.status is not None for truth in zoo.site.truth().values())
    if before < expected:
        _program.until(
            lambda: len(zoo.page_hits()) > before or program.process.poll() is not None,
            RESUME_SECONDS,
            "a new page after the interruption",
        )
    ended = program.wait()
    assert ended.code == 0, ended.err
    assert time.monotonic() - began < RESUME_SECONDS + 15
    return ended


def assert_same(
    ended: Ended, home: Home, zoo: Zoo, before: list[int] | None = None, looked_at: Home | None = None
) -> None:
    """The run ended as if nothing had happened, and nothing of it is left running."""
    assert ended.code == 0, ended.err
    run = ended.only_run
    assert run["state"] == "finished"
    assert run["digest"] == zoo.digest
    assert zoo.repeated() <= MAX_REPEATED
    _program.all_gone(before or [])
    assert home.processes() == []
    assert_nothing_lost(looked_at or home, zoo)
    assert home.processes() == []


def assert_nothing_lost(home: Home, zoo: Zoo) -> None:
    with home.database() as connection:
        visits = connection.execute(
            "SELECT p.url, v.outcome, v.status, t.url FROM visits v JOIN pages p ON p.id = v.page_id "
            "LEFT JOIN pages t ON t.id = v.target_page_id"
        ).fetchall()
        runs = connection.execute(
            "SELECT id, state, discovered = stored + robots_denied + robots_unreachable + out_of_scope + trapped "
            "+ failed + skipped_limit, unvisited FROM runs"
        ).fetchall()
        events = connection.execute("SELECT event_id, emitted_at IS NOT NULL FROM outbox").fetchall()
        leases = connection.execute("SELECT count(*) FROM shards WHERE lease_owner IS NOT NULL").fetchone()
        retries = connection.execute("SELECT count(*) FROM retries").fetchone()
    assert len(visits) == len({row[0] for row in visits})
    assert {row[0]: Truth(*row[1:]) for row in visits} == zoo.site.truth()
    assert runs == [(1, "finished", True, 0)]
    assert events == [("run.finished:1:1", True)]
    assert leases == (0,)
    assert retries == (0,)


def test_one_worker_killed(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    _program.kill(holders(home)[:1])
    assert_same(midway.wait(), home, zoo, before)


def test_all_workers_killed(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    _program.kill(midway.workers())
    assert_same(midway.wait(), home, zoo, before)


def test_the_command_killed_then_resume(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    midway.kill()
    assert_same(resume(home, zoo), home, zoo, before)


def test_the_command_killed_then_the_same_slot_again(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    midway.kill()
    path = str(home.folder / "zoo.toml")
    ended = resume(home, zoo, "sweep", "--site-file", path, "--slot", SLOT, "--format", "json")
    assert_same(ended, home, zoo, before)


def test_the_broker_killed(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    _program.kill(home.broker())
    assert_same(midway.wait(), home, zoo, before)


def test_postgres_killed_while_the_command_waits(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    _program.kill(home.postgres())
    ended = midway.wait()
    if ended.code == 7:
        assert "headersweep resume 1" in ended.err
        ended = resume(home, zoo)
    assert_same(ended, home, zoo, before)


def test_postgres_and_the_command_killed(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    _program.kill([midway.pid, *home.postgres()])
    midway.kill()
    assert_same(resume(home, zoo), home, zoo, before)


def test_everything_killed_at_once(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    _program.kill(before)
    midway.kill()
    _program.all_gone(before)
    assert_same(resume(home, zoo), home, zoo, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop(home: Home, zoo: Zoo, midway: Program, number: signal.Signals) -> None:
    before = home.processes()
    midway.stop(number)
    ended = midway.wait()
    assert ended.code == 130
    assert "headersweep resume 1" in ended.err
    assert ended.out == ""
    _program.all_gone(before, 1.0)
    assert holders(home) == []
    assert zoo.repeated() == 0
    assert_same(resume(home, zoo), home, zoo, before)
    assert zoo.repeated() == 0, "what was in flight was finished and kept"


def test_a_second_interrupt_stops_at_once(home: Home, zoo: Zoo, midway: Program) -> None:
    before = home.processes()
    midway.stop(signal.SIGHUP)
    time.sleep(0.1)
    began = time.monotonic()
    midway.stop()
    ended = midway.wait()
    assert ended.code == 130
    assert time.monotonic() - began < 6.0, "it must not wait for what is in flight"
    assert "headersweep resume 1" in ended.err
    _program.all_gone(before, 1.0)
    assert_same(resume(home, zoo), home, zoo, before)


def test_servers_of_ones_own_that_are_killed_and_come_back(home: Home, zoo: Zoo, made_home: Home) -> None:
    """Nobody but their operator starts them again; the command and its workers wait for that."""
    elsewhere = made_home.copy_to(_program.new_folder())
    zoo.site.forget()
    try:
        with elsewhere.servers() as servers:
            home.environ["HEADERSWEEP_DATABASE_URL"] = servers.database_url
            home.environ["HEADERSWEEP_BROKER_URL"] = servers.broker_url
            program = sweep(home, zoo.site)
            _program.until(lambda: zoo.fetched() > PAGES // 3, what="the first third of the sweep")
            _program.kill([*elsewhere.postgres(), *elsewhere.broker()])
            time.sleep(2.0)
            assert program.process.poll() is None
            with elsewhere.servers():
                ended = program.wait()
        assert "Postgres does not answer" in ended.err
        assert_same(ended, home, zoo, looked_at=elsewhere)
    finally:
        elsewhere.close()


def test_workers_and_the_beat_end_when_up_is_killed(home: Home) -> None:
    """Whoever starts `up` again starts new ones; the old ones would go on for ever, and nobody would know."""
    program = home.start("up")
    _program.until(lambda: program.beats() and len(program.workers()) == 2, what="the start of everything")
    children = [*program.beats(), *program.workers()]
    program.kill()
    _program.all_gone(children, RESUME_SECONDS)
