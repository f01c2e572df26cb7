from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import health
from cli.health import Level
from cli.render import checkup
from headersweep import settings
from headersweep.settings import Settings


def test_secrets_are_masked_and_origins_are_named(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://:password@host:6379/0")
    environ = {
        "HEADERSWEEP_DATABASE_URL": "postgresql://user:password@host/name",
        "HEADERSWEEP_BROKER_URL_FILE": str(tmp_path / "url"),
    }
    checks = list(health.settings_in_use(settings.from_mapping(environ), environ))
    found = {check.name: check.found for check in checks}
    assert "password" not in checkup.as_text(checks)
    assert found["setting database_url"] == "(set, not shown), from the environment"
    assert found["setting broker_url"] == f"(set, not shown), from the file {tmp_path}/url"
    assert found["setting home"] == "'.headersweep', default"


def test_a_misspelt_setting_fails_and_nothing_else_is_tried() -> None:
    checks = list(health.examine({"HEADERSWEEP_HOEM": "x"}))
    assert checks[-1].level is Level.FAIL
    assert "HEADERSWEEP_HOEM" in checks[-1].found


def test_a_home_that_does_not_exist_yet_is_fine(tmp_path: Path) -> None:
    assert health.home(Settings(home=str(tmp_path / "new" / "home"))).level is Level.OK


def test_a_clock_that_is_off_is_worth_a_warning() -> None:
    assert health.skew(datetime.now(UTC)).level is Level.OK
    assert health.skew(datetime.now(UTC) - timedelta(seconds=30)).level is Level.WARN


def test_a_turned_kill_switch_says_who_and_how_to_undo_it() -> None:
    switch = SimpleNamespace(
        paused=True, changed_by="ann", changed_at=datetime(2026, 11, 22, tzinfo=UTC), reason="load"
    )
    check = health.paused(switch)
    assert (check.level, check.todo) == (Level.WARN, "headersweep unpause")
    assert "ann" in check.found
    assert health.paused(None).level is Level.OK


@pytest.mark.parametrize(
    ("kind", "ages", "embedded", "level"),
    [
        ("worker", [3.0, 500.0], False, Level.OK),
        ("worker", [500.0], False, Level.WARN),
        ("worker", [], True, Level.OK),
        ("beat", [], False, Level.OK),
    ],
)
def test_heartbeats(kind: str, ages: list[float], embedded: bool, level: Level) -> None:
    assert health.heartbeat(kind, ages, embedded=embedded).level is level


def test_the_text_ends_with_the_sum() -> None:
    checks = [health.ok("a", "x"), health.fail("b", "two\nlines", "do this")]
    assert checkup.as_text(checks).splitlines() == [
        "ok    a  x",
        "fail  b  two lines",
        "         -> do this",
        "1 failed, 0 to look at, 2 checks",
    ]


@pytest.mark.parametrize(
    ("database_url", "level"),
    [("", Level.WARN), ("postgresql://h/d", Level.OK)],
    ids=["embedded", "configured"],
)
def test_little_free_space_matters_where_the_database_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str, level: Level
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=42_000_000))
    check = health.home(Settings(home=str(tmp_path), database_url=database_url))
    assert check.level is level


def test_a_folder_without_site_files_is_fine(tmp_path: Path) -> None:
    assert health.site_files(Settings(sites=str(tmp_path))).level is Level.OK
