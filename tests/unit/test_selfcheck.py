"""``checklist --self`` on both sides of each look, without servers: folders with modes, a /proc of our own, rows as given."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast
from urllib.parse import quote

import pytest
from sqlalchemy.exc import OperationalError

from cli.selfcheck import broker, database, files, running, sites, table
from cli.selfcheck.place import Check, Place
from headersweep import checklist
from headersweep.checklist import Area, Declaration, Item, Line, Looked, Verdict, fail, ok, unknown
from headersweep.definition import RobotsMode, SiteDefinition
from headersweep.settings import Settings

STRONG = "8f2b6c1d9e0a47f3b5c2"
DATABASE = f"postgresql://headersweep:{STRONG}@127.0.0.1/headersweep"
BROKER = f"redis://:{STRONG[::-1]}@127.0.0.1:6379/0"
TODAY = date(2026, 11, 28)


@dataclasses.dataclass(frozen=True)
class Faked(Place):
    """A place whose database answers what the test says."""

    answers: Sequence[Any] = ()

    def rows(self, _statement: object) -> list[Any]:
        return list(self.answers)

    def row(self, _statement: object) -> Any:
        return self.answers[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o755)
    return made


def place(home: Path, *answers: Any, embedded: bool = False, **changes: Any) -> Faked:
    processes = changes.pop("processes", home / "no-proc")
    environ = changes.pop("environ", {})
    values = {"database_url": DATABASE, "broker_url": BROKER, "home": str(home), "sites": str(home / "sites")}
    settings = Settings(**{**values, **changes})
    return Faked(settings, environ, cast("Any", None), embedded, processes, (), answers)


def row(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**values)


# files of secrets


@pytest.mark.parametrize(
    ("mode", "folder_mode", "verdict"),
    [
        (0o600, 0o755, Verdict.OK),
        (0o640, 0o755, Verdict.OK),
        (0o644, 0o755, Verdict.FAIL),
        (0o602, 0o755, Verdict.FAIL),
        (0o660, 0o755, Verdict.FAIL),
        (0o444, 0o700, Verdict.OK),
        (0o444, 0o710, Verdict.FAIL),
        (0o600, 0o777, Verdict.FAIL),
        (0o600, 0o1777, Verdict.OK),
    ],
)
def test_files_of_secrets(home: Path, mode: int, folder_mode: int, verdict: Verdict) -> None:
    folder = home / "secrets"
    folder.mkdir()
    path = folder / "url"
    path.touch()
    path.chmod(mode)
    folder.chmod(folder_mode)
    looked = files.secret_files(place(home, environ={"HEADERSWEEP_DATABASE_URL_FILE": str(path)}))
    folder.chmod(0o700)
    assert looked.verdict is verdict, looked


def test_a_file_of_a_secret_that_vanished_fails_and_none_is_none(home: Path) -> None:
    gone = files.secret_files(place(home, environ={"HEADERSWEEP_DATABASE_URL_FILE": str(home / "gone")}))
    assert gone == fail(f"{home / 'gone'}: No such file or directory")
    assert files.secret_files(place(home)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("HEADERSWEEP_DATABASE_URL", DATABASE, Verdict.FAIL),
        ("HEADERSWEEP_DATABASE_URL", "postgresql:///headersweep?password=x", Verdict.FAIL),
        ("HEADERSWEEP_DATABASE_URL", "postgresql+psycopg://headersweep@/headersweep?host=/run", Verdict.OK),
        ("HEADERSWEEP_BROKER_URL", "rediss://:p%40ss@[::1]:6379/0", Verdict.FAIL),
        ("HEADERSWEEP_BROKER_URL", "redis://[::1]:6379/0", Verdict.OK),
        ("HEADERSWEEP_BROKER_URL", "redis+socket:///run/redis.sock", Verdict.OK),
        ("HEADERSWEEP_BROKER_URL", "redis://[::1", Verdict.FAIL),
        ("HEADERSWEEP_PING_URL", "https://switch.example/x", Verdict.FAIL),
        ("HEADERSWEEP_PING_URL", "", Verdict.OK),
    ],
)
def test_secrets_in_the_environment(home: Path, name: str, value: str, verdict: Verdict) -> None:
    looked = files.environment(place(home, environ={name: value}))
    assert looked.verdict is verdict
    assert files.environment(place(home, environ={name: value}, embedded=True)).verdict is Verdict.OK
    assert not any(value and value in each for each in looked.evidence)


@pytest.mark.parametrize(
    ("password", "said"),
    [(STRONG, ""), ("a" * 15, "fewer than 16"), ("a" * 16, ""), ("PostGres", "well-known word")],
)
def test_strength(home: Path, password: str, said: str) -> None:
    looked = files.strength(
        place(home, database_url=DATABASE.replace(STRONG, password), broker_url="redis://h")
    )
    assert looked.verdict is (Verdict.FAIL if said else Verdict.OK)
    assert said in looked.evidence[0]
    assert password not in looked.evidence[0] or password == STRONG


# processes


def process(processes: Path, pid: int, *words: str, sockets: Sequence[str] = ()) -> None:
    folder = processes / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "cmdline").write_bytes("\0".join(words).encode() + b"\0")
    for number, inode in enumerate(sockets):
        (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


@pytest.fixture
def processes(home: Path) -> Path:
    made = home.parent / "proc"
    (made / "net").mkdir(parents=True)
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    line = "   0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n"
    (made / "net" / "tcp").write_text(
        head + line.format(port=8765, state="0A", inode=111) + line.format(port=5432, state="01", inode=222)
    )
    return made


@pytest.mark.parametrize(
    ("password", "line", "is_shown"),
    [
        (STRONG, f"psql {STRONG}", True),
        ("p@ss/word with 16", "celery --broker redis://:p%40ss%2Fword%20with%2016@h", True),
        (STRONG, f"psql {STRONG[1:]}", False),
        ("postgres", "postgres: checkpointer", False),
        ("postgres", "/usr/lib/postgresql/15/bin/postgres -D /data", False),
        ("postgres", "x --password=postgres", True),
        ("postgres", "redis://:postgres@h", True),
        ("postgres", "x --user=postgres_owner", False),
    ],
)
def test_passwords_in_command_lines(
    home: Path, processes: Path, password: str, line: str, *, is_shown: bool
) -> None:
    process(processes, 7, *line.split())
    url = DATABASE.replace(STRONG, quote(password, safe=""))
    looked = files.process_list(
        place(home, processes=processes, database_url=url, broker_url="redis://127.0.0.1")
    )
    assert looked.verdict is (Verdict.FAIL if is_shown else Verdict.OK)
    assert not is_shown or looked.evidence == (
        "process 7 shows the password of the database in its command line",
    )


def test_processes_that_end_meanwhile_and_systems_without_proc(home: Path, processes: Path) -> None:
    (processes / "8").mkdir()
    assert files.process_list(place(home, processes=processes)).verdict is Verdict.OK
    assert files.process_list(place(home)).verdict is Verdict.UNKNOWN
    assert files.listeners(place(home)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("line", "is_ours"),
    [
        ("/opt/headersweep/bin/headersweep up", True),
        ("/usr/bin/python3.11 /opt/bin/headersweep sweep docs", True),
        ("python -m cli up", True),
        ("/opt/bin/python /opt/bin/celery -A worker worker", True),
        ("/opt/bin/celery -A worker beat", True),
        ("/opt/bin/celery -A workers worker", False),
        ("vim /etc/headersweep", False),
        ("grep -A worker celery.log", False),
        ("", False),
    ],
)
def test_which_processes_are_ours(line: str, *, is_ours: bool) -> None:
    assert files.is_ours(line.split()) is is_ours


def test_a_process_of_ours_that_listens_is_found_and_others_may(home: Path, processes: Path) -> None:
    process(processes, 7, "postgres", sockets=["111"])
    process(processes, 8, "/opt/bin/celery", "-A", "worker", "worker", sockets=["222"])
    assert files.listeners(place(home, processes=processes)).verdict is Verdict.OK
    process(processes, 9, "/opt/bin/celery", "-A", "worker", "beat", sockets=["111"])
    looked = files.listeners(place(home, processes=processes))
    assert looked == fail("process 9 listens on tcp port 8765")


def test_a_process_of_ours_that_runs_as_root(
    home: Path, processes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(processes, 9, "/opt/bin/celery", "-A", "worker", "beat")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(files, "_uid", lambda *_: 0)
    assert files.account(place(home, processes=processes)) == fail("process 9 runs as root")
    monkeypatch.setattr(files, "_uid", lambda *_: 1000)
    assert files.account(place(home, processes=processes)).verdict is Verdict.OK
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert files.account(place(home, processes=processes)) == fail("this command runs as root")


# folders and logs


def test_folders_that_all_may_write(home: Path) -> None:
    folder = home / "sites"
    assert files.home(place(home)).verdict is Verdict.OK
    folder.mkdir(mode=0o755)
    site = folder / "docs.toml"
    site.touch()
    (folder / "dangling.toml").symlink_to(home / "nowhere")
    assert files.home(place(home)).verdict is Verdict.OK
    site.chmod(0o666)
    assert str(site) in files.home(place(home)).evidence[0]
    site.chmod(0o644)
    folder.chmod(0o777)
    assert files.home(place(home)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run.finished", ""),
        (f"connect {STRONG}", "a password of ours"),
        ("Authorization: Bearer " + "abcd" * 6, "bearer token"),
        (f"{STRONG}\n" + "x" * files.LOG_BYTES, ""),
    ],
)
def test_secrets_in_logs(home: Path, text: str, said: str) -> None:
    (home / "deep").mkdir()
    (home / "deep" / "worker.log").write_text(text)
    looked = files.logs(place(home))
    assert looked.verdict is (Verdict.FAIL if said else Verdict.OK)
    assert said in looked.evidence[0]
    assert STRONG not in looked.evidence[0]


def test_a_log_that_is_not_ours_to_read_is_unknown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "worker.log").touch()
    assert files.logs(place(home / "none")).verdict is Verdict.OK
    monkeypatch.setattr(files, "_end", lambda _path: None)
    assert files.logs(place(home)) == unknown(f"{home / 'worker.log'} cannot be read by this account")


# the database, by its rows

NO_POWERS = dict.fromkeys(database._POWERS, False)


@pytest.mark.parametrize(
    ("changes", "embedded", "verdict"),
    [
        ({}, False, Verdict.OK),
        ({"rolsuper": True}, False, Verdict.FAIL),
        ({"rolsuper": True}, True, Verdict.OK),
        ({"rolcreatedb": True}, False, Verdict.FAIL),
        ({"member_of": ["pg_write_all_data"]}, False, Verdict.FAIL),
    ],
)
def test_the_role(home: Path, changes: dict[str, Any], verdict: Verdict, *, embedded: bool) -> None:
    found = row(rolname="headersweep", **{**NO_POWERS, "member_of": [], **changes})
    assert database.role(place(home, found, embedded=embedded)).verdict is verdict


@pytest.mark.parametrize(
    ("listens", "ssl", "client", "encrypted", "verdict"),
    [
        ("", "off", None, False, Verdict.OK),
        ("localhost", "off", "127.0.0.1", False, Verdict.OK),
        ("localhost, 10.0.0.5", "off", "::1", False, Verdict.OK),
        ("*", "off", "127.0.0.1", False, Verdict.FAIL),
        ("127.0.0.1, ::", "off", None, False, Verdict.FAIL),
        ("*", "on", "10.0.0.7", True, Verdict.OK),
        ("*", "on", "10.0.0.7", False, Verdict.FAIL),
        ("*", "on", "8.8.8.8", False, Verdict.FAIL),
    ],
)
def test_the_reach_of_the_database(
    home: Path, listens: str, ssl: str, client: str | None, verdict: Verdict, *, encrypted: bool
) -> None:
    found = row(listen_addresses=listens, ssl=ssl, client=client, encrypted=encrypted)
    assert database.reach(place(home, found, environ={})).verdict is verdict
    in_pod = place(home, found, environ={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    is_far = client == "10.0.0.7" and not encrypted
    assert database.reach(in_pod).verdict is (Verdict.UNKNOWN if is_far else verdict)


@pytest.fixture
def knocked(monkeypatch: pytest.MonkeyPatch) -> list[Looked | None]:
    """What a connection without the password comes to."""
    answers: list[Looked | None] = [None]
    monkeypatch.setattr(database, "_knock", lambda _url: answers[0])
    return answers


@pytest.mark.parametrize(
    ("url", "client", "verdict"),
    [
        (DATABASE, "127.0.0.1", Verdict.FAIL),
        (DATABASE, None, Verdict.FAIL),
        ("postgresql:///headersweep", None, Verdict.OK),
        ("postgresql://headersweep@db.internal/headersweep", "10.0.0.7", Verdict.FAIL),
        ("postgresql://headersweep@db/headersweep?sslcert=/etc/c.pem", "10.0.0.7", Verdict.OK),
    ],
)
def test_whoever_is_let_in_without_a_password(
    home: Path, knocked: list[Looked | None], url: str, client: str | None, verdict: Verdict
) -> None:
    there = place(home, row(client=client), database_url=url)
    assert database.authentication(there).verdict is verdict
    assert database.authentication(dataclasses.replace(there, embedded=True)).verdict is Verdict.OK
    knocked[0] = ok("refused")
    assert database.authentication(there) == ok("refused")


def test_rows_that_tell_of_grants_durability_and_indexes(home: Path) -> None:
    for look, found in (
        (database.grants, row(right="UPDATE", thing="table sites")),
        (database.durability, row(name="fsync", setting="off")),
        (database.invalid_indexes, row(name="left_behind", is_being_built=False)),
    ):
        assert look(place(home)).verdict is Verdict.OK
        assert look(place(home, found)).verdict is Verdict.FAIL


@pytest.mark.parametrize(("hours", "verdict"), [(25.9, Verdict.OK), (26.1, Verdict.FAIL)])
def test_the_age_of_a_back_up(home: Path, hours: float, verdict: Verdict) -> None:
    stamp = home / "stamp"
    stamp.touch()
    then = time.time() - hours * 3600
    os.utime(stamp, (then, then))
    assert database.backup(place(home, backup_stamp=str(stamp))).verdict is verdict
    assert database.backup(place(home, row(hours=hours))).verdict is verdict


def test_a_back_up_that_nobody_knows_of(home: Path) -> None:
    assert database.backup(place(home, row(hours=None))).verdict is Verdict.UNKNOWN
    gone = database.backup(place(home, backup_stamp=str(home / "none")))
    assert gone.verdict is Verdict.FAIL
    assert "No such file" in gone.evidence[0]


# the broker


@pytest.mark.parametrize(
    ("bind", "is_wide"),
    [
        ("", True),
        ("*", True),
        ("* -::*", True),
        ("0.0.0.0", True),
        ("127.0.0.1 -::", True),
        ("127.0.0.1 -::1", False),
        ("10.0.0.5", False),
    ],
)
def test_binds_that_are_wide(bind: str, *, is_wide: bool) -> None:
    assert broker._is_wide(bind) is is_wide


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("redis://:p%40ss@[::1]:6379/0", "redis://[::1]:6379/0"),
        ("rediss://user:pw@h:1/0?ssl_cert_reqs=required", "rediss://h:1/0?ssl_cert_reqs=required"),
        ("redis://h/0?password=pw&db=1", "redis://h/0?db=1"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ],
)
def test_the_url_of_somebody_who_was_told_no_password(url: str, bare: str) -> None:
    assert broker.without_password(url) == bare


@pytest.mark.parametrize(
    ("url", "told", "open_at", "verdict"),
    [
        ("redis://127.0.0.1:6379/0", {"bind": "127.0.0.1"}, [], Verdict.OK),
        ("redis://[::1]:6379/0", {"bind": "127.0.0.1 -::1"}, [], Verdict.OK),
        ("redis://localhost/0", {"bind": "*"}, [], Verdict.FAIL),
        ("redis://localhost/0", {}, [], Verdict.OK),
        ("redis://localhost/0", {}, ["10.0.0.5"], Verdict.FAIL),
        ("redis://cache.internal/0", {}, [], Verdict.FAIL),
        ("rediss://cache.internal/0", {}, [], Verdict.OK),
        ("redis+socket:///run/redis.sock", {"port": "0"}, [], Verdict.OK),
        ("redis+socket:///run/redis.sock", {"port": "6379", "bind": "*"}, [], Verdict.FAIL),
        ("unix:///run/redis.sock", {}, [], Verdict.UNKNOWN),
    ],
)
def test_the_reach_of_the_broker(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    told: dict[str, str],
    open_at: list[str],
    *,
    verdict: Verdict,
) -> None:
    monkeypatch.setattr(broker, "_setting", lambda _place, name: told.get(name))
    monkeypatch.setattr(broker, "outer_addresses", lambda: ["10.0.0.5", "2001:db8::5"])
    monkeypatch.setattr(broker, "_answers", lambda address, _port: address in open_at)
    assert broker.reach(place(home, broker_url=url)).verdict is verdict
    assert broker.reach(place(home, broker_url=url, embedded=True)).verdict is Verdict.OK


@pytest.mark.parametrize(("address", "verdict"), [("172.18.0.3", Verdict.UNKNOWN), ("8.8.8.8", Verdict.FAIL)])
def test_a_broker_over_a_network_of_containers_is_unknown(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str, verdict: Verdict
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", (address, 0))])
    broker_url = "redis://redis:6379/0"
    inside = place(home, broker_url=broker_url, environ={"KUBERNETES_SERVICE_HOST": "x"})
    assert broker.reach(inside).verdict is verdict
    assert broker.reach(place(home, broker_url=broker_url)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [("noeviction", Verdict.OK), ("allkeys-lru", Verdict.FAIL), (None, Verdict.UNKNOWN)],
)
def test_eviction(home: Path, monkeypatch: pytest.MonkeyPatch, policy: str | None, verdict: Verdict) -> None:
    monkeypatch.setattr(broker, "_setting", lambda *_: policy)
    assert broker.eviction(place(home)).verdict is verdict


class Pinged:
    """A client whose PING ends in some way."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def ping(self) -> None:
        if self.error:
            raise self.error


def test_what_a_ping_without_the_password_comes_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis import exceptions

    answers = {
        Verdict.FAIL: None,
        Verdict.OK: exceptions.AuthenticationError("NOAUTH"),
        Verdict.UNKNOWN: exceptions.ConnectionError("refused"),
    }
    for verdict, error in answers.items():
        client = Pinged(error)
        monkeypatch.setattr(broker, "_client", lambda _url, client=client: client)
        assert broker.password(place(home)).verdict is verdict


def test_a_socket_that_is_closed_to_others_needs_no_password(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "_client", lambda _url: Pinged(None))
    path = home / "redis.sock"
    path.touch()
    path.chmod(0o770)
    assert broker.password(place(home, broker_url=f"redis+socket://{path}")).verdict is Verdict.OK
    path.chmod(0o777)
    assert broker.password(place(home, broker_url=f"redis+socket://{path}")).verdict is Verdict.FAIL


# sites

SITE = SiteDefinition(
    "docs", ("https://docs.example.com/",), owner="web@example.com", expected_result="x", rollback_note="y"
)


@pytest.mark.parametrize(
    ("look", "changes", "verdict"),
    [
        (sites.addresses, {}, Verdict.OK),
        (sites.addresses, {"allow_addresses": ("10.0.0.0/8", "172.16.0.0/12", "fc00::/7")}, Verdict.OK),
        (sites.addresses, {"allow_addresses": ("8.0.0.0/7",)}, Verdict.FAIL),
        (sites.addresses, {"allow_addresses": ("169.254.169.254/32",)}, Verdict.FAIL),
        (sites.addresses, {"allow_addresses": ("fd00::/8",)}, Verdict.FAIL),
        (sites.certificates, {}, Verdict.OK),
        (sites.certificates, {"allow_unverified_tls": True}, Verdict.FAIL),
        (sites.politeness, {}, Verdict.OK),
        (sites.politeness, {"rate": 0.0}, Verdict.FAIL),
        (sites.politeness, {"robots": RobotsMode.IGNORE}, Verdict.FAIL),
        (sites.politeness, {"rate": 0.0, "start_urls": ("http://127.0.0.1/",)}, Verdict.OK),
        (sites.contact, {}, Verdict.OK),
        (sites.contact, {"owner": "the web team"}, Verdict.FAIL),
        (sites.contact, {"owner": "the web team", "start_urls": ("http://127.0.0.1/",)}, Verdict.OK),
        (sites.owners, {"rollback_note": ""}, Verdict.OK),
        (sites.owners, {"rollback_note": "", "schedule": "@daily"}, Verdict.FAIL),
        (sites.owners, {"schedule": "@daily"}, Verdict.OK),
    ],
)
def test_sites(home: Path, look: Any, changes: dict[str, Any], verdict: Verdict) -> None:
    definition = dataclasses.replace(SITE, **changes).as_json()
    looked = look(place(home, row(name="docs", definition=definition)))
    assert looked.verdict is verdict, looked
    assert verdict is Verdict.OK or looked.evidence[0].startswith("docs: ")


def test_a_contact_speaks_for_all_sites(home: Path) -> None:
    nameless = row(definition=dataclasses.replace(SITE, owner="").as_json())
    assert sites.contact(place(home, nameless, contact="mailto:a@b.example")).verdict is Verdict.OK


# how it runs


@pytest.mark.parametrize(
    ("look", "changes", "verdict"),
    [
        (running.log_format, {"log": "json"}, Verdict.OK),
        (running.log_format, {"log": "console"}, Verdict.FAIL),
        (running.log_level, {"log_level": "info"}, Verdict.OK),
        (running.log_level, {"log_level": "debug"}, Verdict.FAIL),
        (running.log_level, {"log_level": "warning"}, Verdict.FAIL),
        (running.retention, {"retention_days": 1}, Verdict.OK),
        (running.retention, {"retention_days": 0}, Verdict.FAIL),
        (running.dead_mans_switch, {"ping_url": "https://x"}, Verdict.OK),
        (running.dead_mans_switch, {}, Verdict.UNKNOWN),
    ],
)
def test_settings(home: Path, look: Any, changes: dict[str, Any], verdict: Verdict) -> None:
    assert look(place(home, **changes)).verdict is verdict


@pytest.mark.parametrize(("apart", "verdict"), [(4.0, Verdict.OK), (-4.0, Verdict.OK), (7.0, Verdict.FAIL)])
def test_the_clock(home: Path, apart: float, verdict: Verdict) -> None:
    then = datetime.now(UTC) + timedelta(seconds=apart)
    assert running.clock(place(home, (then,))).verdict is verdict


@pytest.mark.parametrize(
    ("paused", "hours", "verdict"),
    [(False, 99, Verdict.OK), (True, 23, Verdict.OK), (True, 25, Verdict.FAIL)],
)
def test_the_kill_switch(home: Path, hours: int, verdict: Verdict, *, paused: bool) -> None:
    since = datetime.now(UTC) - timedelta(hours=hours)
    state = row(paused=paused, changed_at=since, changed_by="ann", reason="")
    assert running.pause(place(home, state)).verdict is verdict


def test_heartbeats_and_promises(home: Path) -> None:
    assert running.beat(place(home, row(sites=0))).verdict is Verdict.OK
    for age, verdict in ((59.0, Verdict.OK), (61.0, Verdict.FAIL)):
        beats = [row(sites=1, kind="worker", age_seconds=age), row(kind="command", age_seconds=1.0)]
        assert running.beat(place(home, *beats)).verdict is verdict
    assert running.beat(place(home, row(sites=1, kind="command", age_seconds=1.0))).verdict is Verdict.FAIL
    assert running.promises(place(home, row(waiting=0))).verdict is Verdict.OK
    assert running.promises(place(home, row(waiting=1))).verdict is Verdict.FAIL


# trouble, and what is settled


class DriverError(Exception):
    """What a driver says in several lines."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "/x"), "No such file or directory: /x"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (
            OperationalError("SELECT 1", {}, DriverError("no table\nLINE 1")),
            "the database says: no table",
        ),
    ],
)
def test_trouble_leaves_an_item_unknown(home: Path, error: Exception, said: str) -> None:
    def look(_place: Place) -> Looked:
        raise error

    item = next(iter(table.ITEMS.values()))
    assert table.looked(Check(item, look), place(home)) == unknown(f"cannot look: {said}")


ITEM = Item("self.x", Area.LOGGING, "x", "x", "x", "x", "x")
SAID = Declaration("self.x", "ann", TODAY, "I looked")


@pytest.mark.parametrize(
    ("looked", "declared", "today", "verdict", "owner"),
    [
        (unknown("?"), (), TODAY, Verdict.UNKNOWN, "us"),
        (unknown("?"), (SAID,), TODAY, Verdict.DECLARED, "ann"),
        (unknown("?"), (SAID,), TODAY + timedelta(days=1), Verdict.FAIL, "ann"),
        (unknown("?"), (dataclasses.replace(SAID, item="self.y"),), TODAY, Verdict.UNKNOWN, "us"),
        (ok("!"), (SAID,), TODAY, Verdict.OK, "us"),
        (fail("!"), (SAID,), TODAY, Verdict.FAIL, "us"),
    ],
)
def test_a_declaration_counts_where_nobody_knows_until_its_day(
    looked: Looked, declared: tuple[Declaration, ...], today: date, verdict: Verdict, owner: str
) -> None:
    line: Line = checklist.settle(ITEM, looked, "us", declared, today)
    assert (line.verdict, line.owner) == (verdict, owner)
    assert line.evidence[: len(looked.evidence)] == looked.evidence


def test_every_item_of_a_deployment_says_everything() -> None:
    assert len(table.ITEMS) == len(table.CHECKS) >= 30
    for name, item in table.ITEMS.items():
        assert name.startswith("self.")
        assert all((item.title, item.looks_at, item.expected, item.rollback, item.fix))
    # Headers are for sites: nothing of ours serves any.
    assert {item.area for item in table.ITEMS.values()} == set(Area) - {Area.HEADERS}
