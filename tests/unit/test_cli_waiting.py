from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from cli import context, waiting
from headersweep.definition import SiteDefinition
from headersweep.errors import ConfigurationError
from headersweep.settings import Settings
from scheduler import owners


@pytest.fixture
def interrupts() -> Iterator[waiting.Interrupts]:
    with waiting.Interrupts() as counting:
        yield counting


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_a_wish_and_the_second_ends_everything(
    number: signal.Signals, interrupts: waiting.Interrupts
) -> None:
    signal.raise_signal(number)
    assert interrupts.count == 1
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_a_signal_ends_the_sleep(interrupts: waiting.Interrupts) -> None:
    signal.raise_signal(signal.SIGINT)
    began = time.monotonic()
    interrupts.sleep(5)
    assert time.monotonic() - began < 1


def test_afterwards_the_old_handlers_are_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with waiting.Interrupts():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_interrupted_wait_says_how_to_go_on() -> None:
    error = waiting._interrupted([7, 8], has_own=True)
    assert "headersweep resume 7 ; headersweep resume 8" in str(error)
    assert error.exit_code == 130


def test_where_others_work_only_the_waiting_ends() -> None:
    assert "other workers go on with run 7" in str(waiting._interrupted([7], has_own=False))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://user:hunter2@db.example:5433/sweeps", "db.example:5433/sweeps"),
        ("postgresql://user@/sweeps?host=/run/pg", "/run/pg/sweeps"),
        ("postgresql:///sweeps", "localhost/sweeps"),
    ],
)
def test_a_place_names_the_server_and_never_the_password(url: str, place: str) -> None:
    assert context.place(make_url(url)) == place


def test_an_unreachable_postgres_is_explained_without_the_password() -> None:
    settings = Settings(database_url="postgresql://user:hunter2@db.example/sweeps", broker_url="redis://h")
    cause = psycopg.OperationalError("connection refused\nIs the server running?")
    error = context.unreachable(settings, OperationalError("SELECT 1", {}, cause))
    assert error.exit_code == 7
    assert "cannot reach Postgres at db.example/sweeps: connection refused Is the server" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("cause", "lost"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.DiskFull("could not extend file"), True),
        (psycopg.errors.TooManyConnections("sorry, too many clients already"), True),
        (psycopg.errors.LockNotAvailable("lock timeout"), False),
        (psycopg.errors.QueryCanceled("statement timeout"), False),
    ],
)
def test_a_lost_connection_is_told_from_a_refused_statement(cause: psycopg.Error, lost: bool) -> None:
    assert context.is_disconnect(OperationalError("SELECT 1", {}, cause)) is lost


def test_a_worker_is_leaving_when_it_or_whoever_started_it_is_gone() -> None:
    here = owners.own("worker")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        there = owners.of(process.pid, "supervisor")
        assert not owners.leaving({"owner": here, "supervisor": there})
        process.kill()
    assert owners.leaving({"owner": here, "supervisor": there})
    assert owners.leaving({"owner": there, "supervisor": ""})
    # Of another host, or of a version that says less: in doubt it works.
    assert not owners.leaving({"owner": there.replace("/", "x/", 1), "supervisor": ""})
    assert not owners.leaving({})


def _database(contact: str) -> context.Database:
    return context.Database(SimpleNamespace(), Settings(contact=contact), embedded=True)  # type: ignore[arg-type]


def test_a_set_contact_is_used_silently(capsys: pytest.CaptureFixture[str]) -> None:
    site = SiteDefinition("docs", ("https://example.com/",))
    assert waiting.contact(_database("mailto:me@example.com"), [(site, False)]) == "mailto:me@example.com"
    assert capsys.readouterr().err == ""


def test_a_contact_that_was_worked_out_is_said_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    site = SiteDefinition("docs", ("https://example.com/",))
    assert waiting.contact(_database(""), [(site, True)]) == "https://example.com/"
    assert "HEADERSWEEP_CONTACT" in capsys.readouterr().err
    with pytest.raises(ConfigurationError):
        waiting.contact(_database(""), [(site, False)])


def a_wait(**values: object) -> waiting.Wait:
    return waiting.Wait(*[None] * 5, **values)  # type: ignore[arg-type]


def test_a_command_waits_for_probes_says_so_once_and_not_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    wait = a_wait(probes_left=3)
    wait.run_ids = [7]
    assert not waiting._has_probed(wait)
    assert not waiting._has_probed(wait)
    assert capsys.readouterr().err.count("waiting for 3 probes") == 1
    wait.probing_since = time.monotonic() - waiting.PROBES_SECONDS - 1
    assert waiting._has_probed(wait)
    assert "not waiting any longer for 3 probes of run 7" in capsys.readouterr().err


def test_without_probes_a_command_waits_for_the_pages_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert waiting._has_probed(a_wait(probes_left=0))
    assert capsys.readouterr().err == ""
