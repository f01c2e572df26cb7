"""Probes by real workers: killed in between, waited for by the command, and told by it."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.integration._listening import Listening, allowing, listening, static
from tests.processes import _program
from tests.processes._program import Home

STEPS = 3
PAGES = 5


@pytest.fixture
def site() -> Iterator[Listening]:
    """A start page that lets in everybody, and four other kinds of answers."""
    with listening() as served:
        served.pages["/"] = allowing(lambda _origin: True, credentials=True)
        for number in range(1, PAGES):
            served.pages[f"/{number}"] = static(Access_Control_Allow_Origin=f"https://{number}.example")
        yield served


def site_file(home: Home, site: Listening, **keys: Any) -> str:
    return str(_program.site_file(home.folder, site, sitemaps=False, **keys))


def asked_more_than(site: Listening, count: int) -> bool:
    return len(site.probed) > count


def rows(home: Home, query: str) -> list[Any]:
    with home.database() as connection:
        return list(connection.execute(query))


def test_probes_whose_workers_are_killed_are_answered_once_each_and_the_run_stays_as_it_is(
    home: Home, site: Listening
) -> None:
    site.before = lambda request: time.sleep(0.5) if request.origin else None
    path = site_file(home, site, **{"probes.cors": True})
    sweep = home.start(
        "sweep", "--site-file", path, "--fail-on", "high", "--format", "json", HEADERSWEEP_TICK_SECONDS="1"
    )
    for least in (2, 6):
        _program.until(partial(asked_more_than, site, least), what="probes under way")
        _program.kill(sweep.workers(), signal.SIGKILL)
    ended = sweep.wait()
    assert ended.code == 3, ended.err
    assert "waiting for" in ended.err
    (run,) = ended.json()["runs"]
    assert {each["code"] for each in run["findings"]} >= {"cors.reflected_origin"}

    states = rows(home, "SELECT state, status, count(*) FROM probes GROUP BY state, status")
    assert states == [("answered", 200, PAGES * STEPS)]
    attempts = rows(home, "SELECT sum(attempts)::int, max(attempts) FROM probes")[0]
    asked = Counter((request.path, request.origin) for request in site.probed)
    assert len(asked) == PAGES * STEPS
    assert sum(asked.values()) <= attempts[0] <= PAGES * STEPS + 4
    assert attempts[1] <= 3

    calm = home.run("sweep", "--site-file", path, "--slot", "2026-03-01", "--format", "json")
    assert calm.only_run["digest"] == run["digest"]
    shown = home.run("show", str(run["run"]))
    assert f"cors: {PAGES * STEPS} answered" in shown.out


def test_without_being_asked_for_nothing_but_pages_is_requested(home: Home, site: Listening) -> None:
    ended = home.run("sweep", "--site-file", site_file(home, site), "--format", "json")
    assert ended.code == 0, ended.err
    assert site.probed == []
    assert Counter(request.path for request in site.log) == Counter(["/robots.txt", *site.pages])
    assert rows(home, "SELECT count(*) FROM probes") == [(0,)]
