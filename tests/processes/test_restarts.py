"""Two workers under `up`: stopped by the kill switch, and restarted one after the other, in the middle of a sweep."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.processes import _program
from tests.processes._program import Home, Program
from tests.site_plan import Shares
from tests.site_server import SiteServer

PAGES = 121
DELAY_SECONDS = 0.4
"""Long enough that there are always pages in flight."""

STEADY = Shares(slow=0, busy=0, limited=0, broken=0)
"""No answer that makes a sweep with a limited rate slow down."""

STOP_SECONDS = 10.0
"""What a worker that is asked to stop may take."""


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=PAGES, origins=2, chain=4, delay=DELAY_SECONDS, shares=STEADY) as server:
        yield server


@pytest.fixture
def up(home: Home, site: SiteServer) -> Iterator[Program]:
    """Everything in the foreground with two workers, each of which holds one of the two origins of a run under way."""
    home.environ |= {"HEADERSWEEP_WORKERS": "2", "HEADERSWEEP_SHARDS_PER_SLICE": "1"}
    program = home.start("up", HEADERSWEEP_TICK_SECONDS="1")
    _program.until(lambda: len(nodes(home)) == 2, what="two workers")
    site.forget()
    path = str(_program.site_file(home.folder, site))
    planned = home.run("sweep", "--site-file", path, "--rate", "3", "--no-wait")
    assert planned.code == 0, planned.err
    _program.until(lambda: len(holders(home)) == 2, what="both workers at work")
    yield program
    program.stop(signal.SIGTERM)
    assert program.wait().code == 0


def nodes(home: Home) -> set[str]:
    """The workers that reported themselves and did not sign off."""
    query = "SELECT name FROM heartbeats WHERE kind = 'worker' AND seen_at > now() - interval '10 s'"
    with home.database() as connection:
        return {name for (name,) in connection.execute(query)}


def holders(home: Home) -> set[int]:
    """The processes that hold leases."""
    query = "SELECT DISTINCT split_part(lease_owner, '/', 2)::int FROM shards WHERE lease_owner IS NOT NULL"
    with home.database() as connection:
        return {pid for (pid,) in connection.execute(query)}


def state(home: Home) -> str:
    return str(home.run("show", "1", "--format", "json").json()["state"])


def page_hits(site: SiteServer) -> dict[str, int]:
    return {url: count for url, count in site.hits().items() if url in site.plan.numbers}


def assert_as_if_undisturbed(home: Home, site: SiteServer) -> None:
    """Every page was asked for once, and the run ended as one that nobody disturbed does."""
    ended = home.run("resume", "1", "--format", "json")
    assert ended.code == 0, ended.err
    assert set(page_hits(site).values()) == {1}
    expected = {url for url, truth in site.truth().items() if truth.status is not None}
    assert set(page_hits(site)) == expected
    path = str(_program.site_file(home.folder, site, concurrency=16))
    calm = home.run("sweep", "--site-file", path, "--slot", "2026-03-01", "--format", "json")
    assert ended.only_run["digest"] == calm.only_run["digest"]


def restart(home: Home, up: Program, worker: int) -> None:
    """Ask one worker to stop, in time and cleanly, and wait until its successor is at work."""
    before = nodes(home)
    _program.kill([worker], signal.SIGTERM)
    _program.all_gone([worker], STOP_SECONDS)
    assert worker not in holders(home), "it handed back what it held"
    _program.until(lambda: len(nodes(home)) == 2 and nodes(home) != before, what="its successor")
    assert worker not in up.workers()


def test_all_workers_restarted_one_after_the_other_lose_and_repeat_nothing(
    home: Home, site: SiteServer, up: Program
) -> None:
    for worker in up.workers():
        restart(home, up, worker)
    assert state(home) == "running", "the sweep outlasted the restarts, else they proved nothing"
    assert_as_if_undisturbed(home, site)


def test_the_kill_switch_stops_all_workers_and_lets_them_go_on(
    home: Home, site: SiteServer, up: Program
) -> None:
    assert up.process.poll() is None
    assert home.run("pause", "--reason", "change window").code == 0
    time.sleep(2.0)
    standing = sum(page_hits(site).values())
    time.sleep(2.0)
    assert sum(page_hits(site).values()) == standing < PAGES
    _program.until(lambda: not holders(home), STOP_SECONDS, "the end of all slices")
    assert home.run("unpause", "--reason", "the change is done").code == 0
    assert_as_if_undisturbed(home, site)
