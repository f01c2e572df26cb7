"""Two commands at once in one home: they share the servers, and a slot is still swept once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes import _program
from tests.processes._program import Home
from tests.site_plan import CALM
from tests.site_server import SiteServer

SLOT = "2026-03-01T10:00:00Z"


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=121, origins=2, chain=5, delay=0.1, shares=CALM) as server:
        yield server


@pytest.fixture(scope="module")
def other() -> Iterator[SiteServer]:
    with SiteServer(pages=41, origins=1, chain=3, seed=2, delay=0.05, shares=CALM) as server:
        yield server


def test_two_sites_at_once_share_the_servers(home: Home, site: SiteServer, other: SiteServer) -> None:
    home.environ["HEADERSWEEP_WORKERS"] = "1"
    files = [
        str(_program.site_file(home.folder, server, name))
        for server, name in ((site, "long"), (other, "short"))
    ]
    programs = [home.start("sweep", "--site-file", path, "--format", "json") for path in files]
    _program.until(lambda: all(program.workers() for program in programs), what="both commands at work")
    assert len(home.broker()) == 1
    ended = [program.wait() for program in programs]
    assert [each.code for each in ended] == [0, 0], [each.err for each in ended]
    for each, server in zip(ended, (site, other), strict=True):
        assert each.only_run["accounting"]["discovered"] == len(server.truth())
        assert all(server.hits()[url] == 1 for url in server.plan.numbers if url in server.hits())
    assert home.processes() == []


def test_one_slot_twice_at_once_is_one_run(home: Home, site: SiteServer) -> None:
    home.environ["HEADERSWEEP_WORKERS"] = "1"
    site.forget()
    path = str(_program.site_file(home.folder, site))
    # Slowly, so that a third command comes while it is at work, on a busy machine too.
    command = ("sweep", "--site-file", path, "--slot", SLOT, "--rate", "5", "--format", "json")
    programs = [home.start(*command) for _ in range(2)]
    _program.until(lambda: sum(site.hits().values()) > 20, what="the sweep's start")

    impatient = home.run(*command, "--no-wait")
    assert impatient.code == 5
    assert "run 1 is being worked on elsewhere" in impatient.err
    assert impatient.out == ""

    ended = [program.wait() for program in programs]
    assert [each.code for each in ended] == [0, 0], [each.err for each in ended]
    assert ended[0].only_run == ended[1].only_run
    assert ended[0].only_run["run"] == 1
    assert all(count == 1 for url, count in site.hits().items() if url in site.plan.numbers)

    third = home.run(*command)
    assert third.code == 0
    assert third.only_run == ended[0].only_run
    assert home.processes() == []
