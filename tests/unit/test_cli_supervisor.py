from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli import supervisor
from cli.supervisor import Heartbeat, Supervisor
from headersweep.errors import ConfigurationError
from headersweep.settings import Settings


class FakeProcess:
    """A child that lives until a signal or the test ends it."""

    def __init__(self, pid: int, *, stubborn: bool = False) -> None:
        self.pid = pid
        self.code: int | None = None
        self.stubborn = stubborn

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        if self.code is None:
            raise subprocess.TimeoutExpired("child", timeout or 0)
        return self.code


class World:
    """Fake processes, heartbeats and time."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.starts: list[float] = []
        self.processes: list[FakeProcess] = []
        self.commands: list[list[str]] = []
        self.environs: list[Mapping[str, str]] = []
        self.signals: list[tuple[int, int]] = []
        self.heartbeats: list[Heartbeat] = []
        self.stubborn = False
        self.settings = Settings(
            home=str(tmp_path),
            database_url="postgresql://u:hunter2@h/d",
            broker_url="redis://:hunter2@h:6379/0",
        )
        self.supervisor = Supervisor(
            self.settings, lambda: self.heartbeats, spawn=self.spawn, clock=lambda: self.now
        )
        monkeypatch.setattr(os, "killpg", self.kill)

    def spawn(self, command: list[str], environ: Mapping[str, str], log_file: Path) -> FakeProcess:
        self.commands.append(command)
        self.starts.append(self.now)
        self.environs.append(environ)
        self.processes.append(FakeProcess(100 + len(self.processes), stubborn=self.stubborn))
        return self.processes[-1]

    def kill(self, pid: int, number: int) -> None:
        self.signals.append((pid, number))
        process = next(item for item in self.processes if item.pid == pid)
        if number == signal.SIGKILL or not process.stubborn:
            process.code = -number

    def node(self, index: int) -> str:
        command = self.commands[index]
        return command[command.index("-n") + 1].partition("@")[0]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def _let_all_die(world: World, seconds: int) -> None:
    for _ in range(seconds):
        world.processes[-1].code = 1
        world.supervisor.poll()
        world.now += 1


def test_secrets_reach_children_through_the_environment_and_never_as_arguments(world: World) -> None:
    world.supervisor.start_workers(1)
    world.supervisor.start_beat()
    assert not any("hunter2" in part for command in world.commands for part in command)
    assert world.environs[0]["HEADERSWEEP_DATABASE_URL"] == "postgresql://u:hunter2@h/d"
    assert world.environs[0]["HEADERSWEEP_BROKER_URL"] == "redis://:hunter2@h:6379/0"


def test_children_are_told_settings_and_no_variable_that_settings_refuse(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headersweep import settings

    monkeypatch.setenv("HEADERSWEEP_DATABASE_URL_FILE", "/run/secrets/database_url")
    changed = dataclasses.replace(world.settings, workers=3, contact="mailto:a@b.example", home="relative")
    told = settings.from_mapping(supervisor.environment(changed))
    assert told == dataclasses.replace(
        changed,
        log="json",
        supervisor_pid=os.getpid(),
        home=str(Path("relative").absolute()),
        sites=str(Path("sites").absolute()),
    )


def test_a_dead_worker_is_replaced_after_a_pause_that_grows(world: World) -> None:
    world.supervisor.start_workers(1)
    _let_all_die(world, seconds=10)
    # The pauses are 1, 2 and 4 s; that a later child is dead is seen a second after its start.
    assert [later - sooner for sooner, later in itertools.pairwise(world.starts)] == [1, 3, 5]


def test_a_worker_that_lived_long_is_replaced_at_once(world: World) -> None:
    world.supervisor.start_workers(1)
    world.now += 60
    world.processes[0].code = -9
    world.supervisor.poll()
    world.supervisor.poll()
    assert len(world.processes) == 2


def test_a_silent_worker_is_killed_and_replaced_under_a_new_name(world: World) -> None:
    world.supervisor.start_workers(2)
    world.now += 300
    world.heartbeats = [Heartbeat(f"{world.node(0)}@host", 91.0), Heartbeat(f"{world.node(1)}@host", 1.0)]
    world.supervisor.poll()
    world.supervisor.poll()
    world.supervisor.poll()
    assert world.signals == [(100, signal.SIGKILL)]
    assert len(world.processes) == 3
    assert world.node(2) != world.node(0)


def test_a_worker_that_is_late_but_within_three_leases_is_left_alone(world: World) -> None:
    world.supervisor.start_workers(1)
    world.heartbeats = [Heartbeat(f"{world.node(0)}@host", 59.0)]
    world.supervisor.poll()
    assert world.signals == []


def test_the_heartbeats_of_other_commands_do_not_matter(world: World) -> None:
    world.supervisor.start_workers(1)
    world.heartbeats = [Heartbeat("w1-1@host", 900.0)]
    world.supervisor.poll()
    assert world.signals == []


def test_workers_that_all_die_at_once_are_given_up_with_what_they_said(world: World, tmp_path: Path) -> None:
    world.supervisor.start_workers(1)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "worker-1.log").write_text("Traceback\nImportError: no lxml\n\n")
    with pytest.raises(ConfigurationError, match="ImportError: no lxml"):
        _let_all_die(world, seconds=100)


def test_stopping_asks_first_and_kills_what_does_not_listen(world: World) -> None:
    world.supervisor.start_workers(1)
    world.stubborn = True
    world.supervisor.start_beat()
    world.supervisor.stop(grace=0)
    assert world.signals == [(100, signal.SIGTERM), (101, signal.SIGTERM), (101, signal.SIGKILL)]
    assert world.supervisor.is_empty


@pytest.mark.parametrize(
    ("wanted", "setting", "cores", "count"), [(3, 2, 8, 3), (None, 2, 8, 2), (None, 0, 8, 4)]
)
def test_how_many_workers_are_started(
    wanted: int | None, setting: int, cores: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert supervisor.worker_count(wanted, Settings(workers=setting)) == count
