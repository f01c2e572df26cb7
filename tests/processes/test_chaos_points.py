"""A process dies or stops at a named place of the code; clocks are wrong. Each once, on a small site.

Further points, and a commit whose answer is lost, are those of the witnesses (test_chaos_witnesses).
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis

from cli import embedded
from tests.chaos import laboratory, points, said
from tests.chaos.laboratory import Laboratory
from tests.chaos.points import Aim, Deed
from tests.chaos.schedule import Messages, Mode, Schedule
from tests.chaos.witnesses import SITE
from tests.processes import _program
from tests.processes._program import Home


@pytest.fixture(scope="module")
def lab(made_home: Home) -> Iterator[Laboratory]:
    with laboratory.opened(made_home, *SITE) as found:
        yield found


def swept(lab: Laboratory, aim: Aim | None = None, *, mode: Mode = Mode.SWEEP, clock: str = "") -> bool:
    """Sweep once; everything must be right. Whether the point was come to."""
    schedule = Schedule(0, mode, 2, Messages.DELIVERED, (), aim=aim, clock=clock)
    verdict = lab.carried_out(schedule)
    assert verdict.wrong == (), schedule
    return verdict.pointed


@pytest.mark.parametrize(("point", "code"), [("told", 0), ("nowhere", 70)])
def test_a_process_that_cannot_be_meddled_with_ends(home: Home, point: str, code: int) -> None:
    points.meddled(home, Aim(point, Deed.KILL))
    ended = home.run("--version")
    assert ended.code == code, ended.err


def test_every_point_is_a_place_of_the_code(home: Home) -> None:
    points.meddled(home)
    looking = (
        "import importlib, sitecustomize\n"
        "for point in sitecustomize.POINTS.values():\n"
        "    vars(importlib.import_module(point.module))[point.function.partition('.')[0]]\n"
    )
    ended = subprocess.run([sys.executable, "-c", looking], env=home.environment(), check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize("point", ["claimed", "fetched", "written", "committed", "closing", "closed", "told"])
def test_a_worker_killed_at_a_point(lab: Laboratory, point: str) -> None:
    assert swept(lab, Aim(point, Deed.KILL))


@pytest.mark.parametrize("point", ["fetched", "looked"])
def test_a_worker_stopped_at_a_point_beyond_its_lease(lab: Laboratory, point: str) -> None:
    assert swept(lab, Aim(point, Deed.STOP))


@pytest.mark.parametrize("point", ["closed", "told"])
def test_an_up_that_is_stopped_after_its_worker_died_over_the_end_of_a_run(
    lab: Laboratory, point: str
) -> None:
    assert swept(lab, Aim(point, Deed.KILL), mode=Mode.UP)


def test_a_command_killed_after_its_workers_started_and_before_its_doorbell(lab: Laboratory) -> None:
    assert swept(lab, Aim("unrung", Deed.KILL, who="command"))


@pytest.mark.parametrize("seconds", [120, -120])
def test_a_beat_whose_clock_is_wrong_goes_on_ticking(home: Home, seconds: int) -> None:
    points.meddled(home, clock=f"beat:{seconds}")
    with home.servers() as servers, redis.Redis.from_url(embedded.client_url(servers.broker_url)) as client:
        program = home.start("up", HEADERSWEEP_TICK_SECONDS="1", HEADERSWEEP_WORKERS="1")
        _program.until(lambda: client.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0) >= 6)
        if seconds > 0:
            # Behind, its hints are older than they may become, and workers drop them: their own timers tick as well.
            _program.until(lambda: [line for line in said.lines(home) if line["event"] == "beat.ticked"])
        program.stop(signal.SIGTERM)
        assert program.wait().code == 0
    assert said.astray(home)


def test_a_beat_that_is_ahead_and_a_worker_that_is_behind(lab: Laboratory) -> None:
    swept(lab, mode=Mode.UP, clock="beat:120,w1:-120")


def test_clocks_that_are_an_hour_wrong(lab: Laboratory) -> None:
    swept(lab, mode=Mode.UP, clock="beat:-3600,w1:3600")
