"""What people get wrong, and what machines do to them: a clear message, the documented exit code, nothing half done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.processes import _program
from tests.processes._program import Home
from tests.site_plan import CALM
from tests.site_server import SiteServer

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
NO_BROKER = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=31, origins=1, chain=3, shares=CALM) as server:
        yield server


@pytest.fixture(scope="module")
def swept(shared_home: Home, site: SiteServer) -> Home:
    """A home with one finished run."""
    path = _program.site_file(shared_home.folder, site)
    ended = shared_home.run("sweep", "--site-file", str(path), "--format", "json")
    assert ended.code == 0, ended.err
    assert ended.only_run["run"] == 1
    return shared_home


@pytest.fixture
def unmade() -> Iterator[Home]:
    """A home in which nothing was ever started; nor must it be for what is wrong at first sight."""
    with _program.home() as home:
        yield home
        assert not home.path.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("sweep", "http://"), 2, "names no host"),
        (("sweep", "http://a b/"), 2, "is no URL"),
        (("sweep", "ftp://127.0.0.1/"), 2, "only http and https"),
        (("sweep", "example.com/docs"), 2, "write https://example.com/docs"),
        (("sweep", "http://user:secret@127.0.0.1/"), 2, "user name or password"),
        (("sweep",), 2, "name a site or an http(s) URL"),
        (("sweep", "nosuchsite"), 2, "no site is called 'nosuchsite'"),
        (("sweep", "http://127.0.0.1/", "--slot", "yesterday"), 2, "no ISO 8601 time"),
        (("sweep", "http://127.0.0.1/", "--concurrency", "0"), 2, "--concurrency"),
        (("sweep", "--site-file", "/no/such/file.toml"), 2, "/no/such/file.toml"),
        (("sweeep",), 2, "No such command"),
        (("show", "one"), 2, "not a valid integer"),
        (("export", "1"), 2, "--format"),
    ],
)
def test_a_command_that_makes_no_sense(
    unmade: Home, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = unmade.run(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert "secret" not in ended.err
    assert "Traceback" not in ended.err


def test_an_unknown_setting(unmade: Home) -> None:
    ended = unmade.run("runs", HEADERSWEEP_COMMIT_SECS="3")
    assert ended.code == 6
    assert "unknown setting HEADERSWEEP_COMMIT_SECS" in ended.err
    assert "HEADERSWEEP_COMMIT_SECONDS" in ended.err


def test_postgres_out_of_reach(unmade: Home) -> None:
    urls = {"HEADERSWEEP_DATABASE_URL": NOWHERE, "HEADERSWEEP_BROKER_URL": NO_BROKER}
    for arguments in (("sweep", "http://127.0.0.1/"), ("runs",), ("resume",), ("sites", "list")):
        ended = unmade.run(*arguments, **urls)
        assert ended.code == 7, (arguments, ended.err)
        assert "cannot reach Postgres at 127.0.0.1:1/none" in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with _program.home() as home:
        ended = home.run("runs", HEADERSWEEP_HOME=str(closed / "home"))
    assert ended.code == 6
    assert str(closed) in ended.err


def test_a_home_that_is_no_folder(unmade: Home) -> None:
    (unmade.folder / "file").write_text("not a folder")
    for name in ("file", "file/below"):
        ended = unmade.run("runs", HEADERSWEEP_HOME=str(unmade.folder / name))
        assert ended.code == 6, ended.err
        assert str(unmade.folder / "file") in ended.err


@pytest.mark.parametrize(
    ("url", "reason", "words"),
    [
        ("http://name.invalid/", "dns", "the host name does not resolve"),
        ("http://127.0.0.1:1/", "refused", "refused"),
    ],
)
def test_a_site_that_cannot_be_reached(swept: Home, url: str, reason: str, words: str) -> None:
    ended = swept.run("sweep", url, "--allow-private", "--format", "json", HEADERSWEEP_WORKERS="1")
    assert ended.code == 4, ended.err
    run = ended.only_run
    assert run["state"] == "failed"
    assert run["accounting"]["failed"] == run["accounting"]["discovered"] == 1
    shown = swept.run("show", str(run["run"]))
    assert words in shown.out
    (trouble,) = swept.run("show", str(run["run"]), "--format", "json").json()["not_stored"]
    assert (trouble["outcome"], trouble["reason"]) == ("failed", reason)


def test_a_private_address_is_refused_and_how_to_allow_it_is_said(swept: Home, site: SiteServer) -> None:
    site.forget()
    ended = swept.run("sweep", site.start_urls[0], HEADERSWEEP_WORKERS="1")
    assert ended.code == 4, ended.err
    assert "--allow-private" in ended.out + ended.err
    assert "allow_addresses" in ended.out + ended.err
    assert site.hits() == {}


def test_a_site_file_with_mistakes_changes_nothing(swept: Home, site: SiteServer) -> None:
    good = _program.site_file(swept.sites, site, "good")
    bad = _program.site_file(swept.sites, site, "bad", colour="red")
    text = bad.read_text()
    bad.write_text(text.replace('owner = "the tests"\n', "") + 'schedule = "61 * * * *"\n')
    line = len(text.splitlines()) - 1
    try:
        for command in (("sites", "apply"), ("sites", "plan"), ("sweep", "--site-file", str(bad))):
            ended = swept.run(*command)
            assert (ended.code, ended.out) == (6, "")
            assert f"{bad}:{line}: " in ended.err
            assert "colour" in ended.err
            assert "owner" in ended.err
            assert f"{bad}:{line + 1}: " in ended.err
        listed = swept.run("sites", "list", "--format", "json").json()["sites"]
        assert not {"good", "bad"} & {each["site"] for each in listed}
    finally:
        good.unlink()
        bad.unlink()


def test_a_run_that_does_not_exist(swept: Home) -> None:
    for command in (
        ("show", "999"),
        ("export", "999", "--format", "jsonl"),
        ("resume", "999"),
        ("rerun", "999"),
        ("rerun", "999", "--failed"),
        ("cancel", "999"),
    ):
        ended = swept.run(*command)
        assert (ended.code, ended.out) == (2, ""), command
        assert "there is no run 999" in ended.err


def test_an_unknown_site_names_those_that_are_close(swept: Home) -> None:
    ended = swept.run("sweep", "zoa")
    assert ended.code == 2
    assert "did you mean zoo?" in ended.err


def test_an_export_to_a_full_disk(swept: Home) -> None:
    for command in (
        ("export", "1", "--format", "jsonl"),
        ("export", "1", "--format", "csv"),
        ("show", "1"),
    ):
        ended = swept.run(*command, "--output", "/dev/full")
        assert ended.code == 1, ended.err
        assert "No space left" in ended.err
        assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_gets_full_keeps_what_was_there(swept: Home) -> None:
    small = swept.folder / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(small)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        target = small / "visits.jsonl"
        target.write_text("the old export\n")
        ended = swept.run("export", "1", "--format", "jsonl", "--output", str(target))
        assert ended.code == 1, ended.err
        assert "No space left" in ended.err
        assert target.read_text() == "the old export\n"
        assert list(small.iterdir()) == [target]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_folder_for_the_output_that_does_not_exist(swept: Home) -> None:
    ended = swept.run("export", "1", "--format", "csv", "--output", "/no/such/folder/file.csv")
    assert ended.code in {2, 6}
    assert "/no/such/folder" in ended.err


def test_a_reader_that_goes_away_is_no_crash(swept: Home) -> None:
    program = subprocess.run(
        ["/bin/sh", "-c", '"$@" | head -n 1', "sh", *_command("export", "1", "--format", "jsonl")],
        env=swept.environment(),
        cwd=swept.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.stdout.startswith('{"url": ')
    assert "Traceback" not in program.stderr
    assert "Error" not in program.stderr


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli", *arguments]


# -- servers of one's own ----------------------------------------------------------------------------------------


@pytest.fixture
def configured(home: Home, made_home: Home) -> Iterator[Home]:
    """A home whose commands are told of servers; they run in another home."""
    servers_home = made_home.copy_to(_program.new_folder())
    try:
        with servers_home.servers() as servers:
            home.environ |= {
                "HEADERSWEEP_DATABASE_URL": servers.database_url,
                "HEADERSWEEP_BROKER_URL": servers.broker_url,
                "HEADERSWEEP_WORKERS": "1",
            }
            yield home
    finally:
        servers_home.close()


def test_a_database_at_the_wrong_revision(configured: Home) -> None:
    url = configured.environ["HEADERSWEEP_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
        newer = configured.run("runs")
        assert newer.code == 6
        assert "install the newer headersweep" in newer.err
        connection.execute("DELETE FROM alembic_version")
        for command in (("sweep", "http://127.0.0.1/"), ("runs",), ("up",)):
            ended = configured.run(*command)
            assert (ended.code, ended.out) == (6, ""), ended.err
            assert "headersweep db upgrade" in ended.err
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert configured.run("runs").code == 6
    upgraded = configured.run("db", "upgrade")
    assert upgraded.code == 0, upgraded.err
    assert configured.run("runs").code == 0


def test_a_broker_that_is_away_only_costs_time(configured: Home, site: SiteServer) -> None:
    site.forget()
    path = str(_program.site_file(configured.folder, site))
    ended = configured.run(
        "sweep", "--site-file", path, "--format", "json", HEADERSWEEP_BROKER_URL=_closed_port()
    )
    assert ended.code == 0, ended.err
    assert "the broker does not answer" in ended.err
    assert ended.only_run["accounting"]["discovered"] == len(site.truth())
    assert configured.processes() == []


def _closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
