"""The dead-man's switch, against a real HTTP server: what it is told, and that nobody waits for it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import text

from headersweep import logs
from headersweep.settings import Settings
from models import engine as engine_module
from scheduler import ping, tick

PAYLOAD = {
    "run_id": 7,
    "site_name": "docs",
    "slot": "2026-11-22T10:00:00+00:00",
    "state": "finished",
    "pages": 53,
    "failed": 0,
    "snapshots": 12,
    "new_snapshots": 3,
    "changed_pages": 1,
    "digest": "sha256:00",
    "duration_ms": 9,
}


class Switch(ThreadingHTTPServer):
    """Remembers what it was told; answers what it is asked to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: list[int] = []
        self.hangs = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/uuid-of-check"


class _Handler(BaseHTTPRequestHandler):
    server: Switch

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append((self.command, self.path, body))
        while self.server.hangs:
            time.sleep(0.05)
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.hangs = False
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(ping, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(ping, "TRY_SECONDS", 0.5)


@pytest.fixture
def lines() -> Callable[[], list[dict[str, Any]]]:
    stream = io.StringIO()
    logs.configure(
        Settings(log="json", ping_url="http://127.0.0.1/uuid-of-check"), stream=stream, is_terminal=False
    )
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def finished(event_id: str = "run.finished:7:1", **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(event_id, {**PAYLOAD, **fields})]


def test_a_finished_run_is_told_with_its_summary_and_an_id_that_repetitions_share(switch: Switch) -> None:
    ping.tell(switch.url, finished())
    ping.tell(switch.url, finished())
    ping.tell(switch.url, finished("run.finished:7:2"))
    ping.wait()
    assert [told[0] for told in switch.told] == ["POST"] * 3
    paths = sorted(path for _, path, _ in switch.told)
    assert all(path.startswith("/uuid-of-check?rid=") for path in paths)
    assert len(set(paths)) == 2
    first = min((body for _, _, body in switch.told), key=lambda body: body["event_id"])
    assert first == {"event": "run.finished", "event_id": "run.finished:7:1", **PAYLOAD}


@pytest.mark.parametrize(
    ("state", "paths"),
    [("partial", ["/uuid-of-check"]), ("failed", ["/uuid-of-check/fail"]), ("cancelled", [])],
)
def test_the_end_of_a_run_decides_what_is_told(switch: Switch, state: str, paths: list[str]) -> None:
    ping.tell(switch.url, finished(state=state))
    ping.wait()
    assert [path.partition("?")[0] for _, path, _ in switch.told] == paths


def test_a_query_of_the_url_is_kept(switch: Switch) -> None:
    ping.tell(switch.url + "?create=1", finished(state="failed"))
    ping.wait()
    assert switch.told[0][1].startswith("/uuid-of-check/fail?create=1&rid=")


def test_without_a_url_nothing_happens() -> None:
    ping.tell("", finished())
    assert not ping._under_way


def test_an_error_of_the_switch_is_tried_once_more(switch: Switch, lines: Callable[[], list[Any]]) -> None:
    switch.answers = [503]
    ping.tell(switch.url, finished())
    ping.wait()
    assert len(switch.told) == 2
    assert lines() == []


def test_a_refusal_is_not_repeated_and_stands_in_the_log(
    switch: Switch, lines: Callable[[], list[Any]]
) -> None:
    switch.answers = [404]
    ping.tell(switch.url, finished())
    ping.wait()
    assert len(switch.told) == 1
    (line,) = lines()
    assert (line["event"], line["level"], line["run.id"]) == ("ping.unanswered", "warning", 7)
    assert line["http.response.status_code"] == 404


def test_a_switch_that_is_down_costs_one_line_and_its_secret_url_is_not_in_it(
    lines: Callable[[], list[Any]],
) -> None:
    ping.tell("http://127.0.0.1:9/uuid-of-check", [*finished(), *finished("run.finished:8:1", run_id=8)])
    ping.wait()
    (line,) = lines()
    assert line["error.type"] == "ConnectionRefusedError"
    assert "uuid-of-check" not in json.dumps(line)


def test_a_switch_that_hangs_delays_nobody(switch: Switch, lines: Callable[[], list[Any]]) -> None:
    switch.hangs = True
    started = time.monotonic()
    ping.tell(switch.url, finished())
    assert time.monotonic() - started < 0.2
    ping.wait()
    assert time.monotonic() - started < 2.0
    assert lines()[0]["error.type"] == "TimeoutError"


def test_the_switch_is_told_behind_the_commit_that_marks_the_event(switch: Switch, database: str) -> None:
    engine = engine_module.connect(database)
    promise = text(
        "INSERT INTO outbox (event_id, event, payload) VALUES ('run.finished:7:1', 'run.finished', :payload)"
    )
    with engine.begin() as connection:
        connection.execute(promise, {"payload": json.dumps(PAYLOAD)})
    assert tick.tick(engine, ping_url=switch.url).emitted == 1
    assert tick.tick(engine, ping_url=switch.url).emitted == 0
    ping.wait()
    assert [body["run_id"] for _, _, body in switch.told] == [7]
    engine.dispose()


def test_a_process_that_ends_at_once_still_tells_the_switch(switch: Switch) -> None:
    program = f"""
        from scheduler import ping
        ping.tell({switch.url!r}, {finished()!r})
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=30)
    assert len(switch.told) == 1
