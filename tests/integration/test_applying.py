"""Applying site files on a real Postgres, and the commands around it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from headersweep import sitefiles, slots
from headersweep.definition import SiteDefinition
from headersweep.errors import ExitCode
from headersweep.sitediff import ChangeKind
from models import sites
from scheduler import applying

pytestmark = pytest.mark.database
pytest_plugins = ["tests.integration._database"]

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DOCS = SiteDefinition(
    name="docs",
    start_urls=("https://docs.example/",),
    owner="web team",
    expected_result="500 pages",
    rollback_note="git revert",
    schedule="0 3 * * *",
)
SHOP = dataclasses.replace(DOCS, name="shop", schedule=None)
THREE = datetime(2026, 5, 5, 3, 0, tzinfo=UTC)


def site(connection: Connection, name: str = "docs") -> Any:
    return connection.execute(sites.get_site(name)).one()


def kinds(changes: list[Any]) -> dict[str, ChangeKind]:
    return {change.name: change.kind for change in changes}


def test_applying_adds_sites_with_their_next_slot(planning_connection: Connection) -> None:
    changes = applying.apply(planning_connection, [DOCS, SHOP], NOON)
    assert kinds(changes) == {"docs": ChangeKind.ADDED, "shop": ChangeKind.ADDED}
    assert site(planning_connection, "docs").next_slot_at == THREE
    assert site(planning_connection, "shop").next_slot_at is None


def test_applying_twice_changes_nothing_more(planning_connection: Connection) -> None:
    applying.apply(planning_connection, [DOCS], NOON)
    before = site(planning_connection)
    assert kinds(applying.apply(planning_connection, [DOCS], NOON + DAY)) == {"docs": ChangeKind.UNCHANGED}
    assert site(planning_connection) == before


def test_a_plan_changes_nothing(planning_connection: Connection) -> None:
    assert kinds(applying.plan(planning_connection, [DOCS])) == {"docs": ChangeKind.ADDED}
    assert planning_connection.execute(sites.list_sites()).all() == []


def test_a_slot_that_has_come_survives_an_apply_that_does_not_touch_the_schedule(
    planning_connection: Connection,
) -> None:
    applying.apply(planning_connection, [DOCS], NOON)
    applying.apply(planning_connection, [dataclasses.replace(DOCS, rate=9.0, max_rate=9.0)], NOON + 3 * DAY)
    assert site(planning_connection).next_slot_at == THREE


def test_another_schedule_or_zone_counts_from_now(planning_connection: Connection) -> None:
    applying.apply(planning_connection, [DOCS], NOON)
    applying.apply(planning_connection, [dataclasses.replace(DOCS, timezone="Asia/Tokyo")], NOON)
    assert site(planning_connection).next_slot_at == datetime(2026, 5, 4, 18, 0, tzinfo=UTC)


def test_a_site_whose_file_is_gone_is_disabled_and_comes_back_with_its_history(
    planning_connection: Connection,
) -> None:
    applying.apply(planning_connection, [DOCS, SHOP], NOON)
    before = site(planning_connection)
    applying.apply(planning_connection, [SHOP], NOON)
    gone = site(planning_connection)
    assert (gone.id, gone.enabled, gone.next_slot_at) == (before.id, False, None)
    applying.apply(planning_connection, [DOCS, SHOP], NOON + DAY)
    back = site(planning_connection)
    assert (back.id, back.enabled, back.next_slot_at) == (before.id, True, THREE + DAY)


def test_what_is_switched_off_by_hand_is_switched_on_by_the_next_apply(
    planning_connection: Connection,
) -> None:
    applying.apply(planning_connection, [DOCS], NOON)
    applying.set_enabled(planning_connection, site(planning_connection), enabled=False, now=NOON)
    assert (site(planning_connection).enabled, site(planning_connection).next_slot_at) == (False, None)
    assert kinds(applying.apply(planning_connection, [DOCS], NOON)) == {"docs": ChangeKind.CHANGED}
    assert (site(planning_connection).enabled, site(planning_connection).next_slot_at) == (True, THREE)


def test_switching_on_does_not_catch_up_what_passed_meanwhile(planning_connection: Connection) -> None:
    applying.apply(planning_connection, [dataclasses.replace(DOCS, enabled=False)], NOON)
    assert site(planning_connection).next_slot_at is None
    applying.set_enabled(planning_connection, site(planning_connection), enabled=True, now=NOON + 7 * DAY)
    assert site(planning_connection).next_slot_at == THREE + 7 * DAY


def test_a_refused_site_takes_all_others_with_it(planning_engine: Engine) -> None:
    broken = dataclasses.replace(DOCS, name="x" * 201)
    with pytest.raises(DBAPIError), planning_engine.begin() as connection:
        applying.apply(connection, [SHOP, broken], NOON)
    with planning_engine.connect() as connection:
        assert connection.execute(sites.list_sites()).all() == []


# --- the commands -----------------------------------------------------------------------------------------------


class Heard:
    """What was logged, and how many sites another connection saw at that moment."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[tuple[str, dict[str, Any], int]] = []

    def info(self, event: str, **fields: Any) -> None:
        with self.engine.connect() as connection:
            seen = connection.scalar(text("SELECT count(*) FROM sites WHERE enabled"))
        self.events.append((event, fields, int(seen or 0)))


@pytest.fixture
def heard(planning_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """The commands work on the test's database; what they log is heard."""
    from cli import context

    @contextmanager
    def database(**_options: Any) -> Iterator[Any]:
        yield SimpleNamespace(engine=planning_engine)

    listener = Heard(planning_engine)
    # A variable of ours that is no setting would be refused by the settings.
    monkeypatch.delenv("HEADERSWEEP_TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(context, "database", database)
    monkeypatch.setattr(applying, "log", listener)
    yield listener
    with planning_engine.begin() as connection:
        connection.execute(text("TRUNCATE sites CASCADE"))


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / f"{name}.toml").write_text(
        f"""name = "{name}"
start_urls = ["https://{name}.example/"]
owner = "web team"
expected_result = "500 pages"
rollback_note = "git revert"
"""
        + "\n".join(lines),
        encoding="utf-8",
    )


def run(*arguments: str, folder: Path | None = None) -> Result:
    from cli.main import group

    place = ["--sites", str(folder)] if folder else []
    return CliRunner().invoke(group, ["sites", *arguments, *place])


def test_plan_and_apply_tell_the_same_changes_and_only_apply_makes_them(heard: Heard, tmp_path: Path) -> None:
    write(tmp_path, "docs", 'schedule = "0 3 * * *"')
    planned = run("plan", folder=tmp_path)
    assert planned.exit_code == 0
    assert "+ docs: new" in planned.stdout
    assert "Nothing was changed" in planned.stdout
    assert run("list").stdout.startswith("no sites yet")
    applied = run("apply", folder=tmp_path)
    assert applied.exit_code == 0, applied.output
    assert "1 added, 0 changed, 0 disabled, 0 unchanged" in applied.stdout
    fields = {"sites": 1, "added": 1, "changed": 0, "disabled": 0, "unchanged": 0}
    assert heard.events == [("sites.applied", fields, 1)]
    assert "docs" in run("list").stdout


def test_changes_are_told_key_by_key(heard: Heard, tmp_path: Path) -> None:
    write(tmp_path, "docs")
    write(tmp_path, "old")
    run("apply", folder=tmp_path)
    write(tmp_path, "docs", "rate = 2")
    (tmp_path / "old.toml").unlink()
    told = run("plan", folder=tmp_path).stdout
    assert "~ docs: changed\n" in told
    assert "    rate: 1.0 -> 2.0\n" in told
    assert "- old: its file is gone" in told
    document = json.loads(run("apply", "--format", "json", folder=tmp_path).stdout)
    assert document["schema_version"] == 1
    assert document["applied"] is True
    assert document["counts"] == {"added": 0, "changed": 1, "disabled": 1, "unchanged": 0}
    assert {"key": "rate", "old": 1.0, "new": 2.0} in document["sites"][0]["differences"]


def test_one_mistake_in_one_file_applies_none_of_them(heard: Heard, tmp_path: Path) -> None:
    write(tmp_path, "docs")
    write(tmp_path, "shop", "ownr = 1")
    refused = run("apply", folder=tmp_path)
    assert refused.exit_code == ExitCode.CONFIGURATION
    assert f"{tmp_path / 'shop.toml'}:6: unknown key 'ownr'; did you mean owner?" in refused.stderr
    assert run("list").stdout.startswith("no sites yet")
    assert heard.events == []


def test_a_folder_without_site_files_is_a_clear_error(heard: Heard, tmp_path: Path) -> None:
    refused = run("plan", folder=tmp_path)
    assert refused.exit_code == ExitCode.CONFIGURATION
    assert "no site file" in refused.stderr


def test_show_prints_what_is_known(heard: Heard, tmp_path: Path) -> None:
    write(tmp_path, "docs", 'schedule = "0 3 * * *"', "[scope]", 'exclude = ["/a*", "/b*"]')
    run("apply", folder=tmp_path)
    shown = run("show", "docs").stdout
    assert "web team" in shown
    assert "/a*, /b*" in shown
    document = json.loads(run("show", "docs", "--format", "json").stdout)
    wanted = sitefiles.load(tmp_path)[0].definition
    assert SiteDefinition.from_json(document["site"]["definition"]) == wanted
    assert document["site"]["next_slot"].endswith("T03:00:00Z")
    listed = json.loads(run("list", "--format", "json").stdout)
    assert listed["sites"] == [document["site"]]


def test_an_unknown_site_is_a_usage_error_with_a_hint(heard: Heard, tmp_path: Path) -> None:
    write(tmp_path, "docs")
    run("apply", folder=tmp_path)
    for command in ("show", "enable", "disable"):
        refused = run(command, "dosc")
        assert refused.exit_code == ExitCode.USAGE
        assert "did you mean docs?" in refused.stderr


def test_a_site_is_switched_off_and_on_by_hand_and_told_what_apply_will_do(
    heard: Heard, tmp_path: Path
) -> None:
    write(tmp_path, "docs", 'schedule = "0 3 * * *"')
    run("apply", folder=tmp_path)
    heard.events.clear()
    off = run("disable", "docs")
    assert "docs is disabled" in off.stdout
    assert "next `headersweep sites apply` does what the site's file says" in off.stdout
    assert json.loads(run("show", "docs", "--format", "json").stdout)["site"]["next_slot"] is None
    on = run("enable", "docs")
    assert "docs is enabled; its next slot is" in on.stdout
    assert [(event, seen) for event, _, seen in heard.events] == [("site.disabled", 0), ("site.enabled", 1)]
    assert all(fields["site_name"] == "docs" for _, fields, _ in heard.events)


def test_the_next_slots_are_shown_in_both_clocks_with_splay_and_window(heard: Heard, tmp_path: Path) -> None:
    policy = ('timezone = "Asia/Kolkata"', 'splay = "10m"', 'window = "01:00-05:00"')
    write(tmp_path, "docs", 'schedule = "30 2 * * *"', *policy)
    write(tmp_path, "manual")
    write(tmp_path, "off", 'schedule = "0 3 * * *"', "enabled = false")
    run("apply", folder=tmp_path)
    offset = slots.splay_offset("docs", timedelta(minutes=10))
    document = json.loads(run("next", "--count", "2", "--format", "json").stdout)
    (site,) = document["sites"]  # the others have no slots to come
    assert (site["site"], site["splay_seconds"]) == ("docs", offset.total_seconds())
    assert site["window"] == "01:00-05:00"
    first, second = (datetime.fromisoformat(slot["slot"]) for slot in site["slots"])
    assert second - first == timedelta(days=1)
    assert (first.hour, first.minute) == (21, 0)
    assert datetime.fromisoformat(site["slots"][0]["starts_at"]) == first + offset
    assert site["slots"][0]["local"].endswith("T02:30:00+05:30")
    shown = run("next").stdout
    assert shown.startswith("docs: '30 2 * * *' in Asia/Kolkata, starts ")
    assert len(shown.splitlines()) == 2 + 5


def test_a_site_without_slots_to_come_says_why_when_asked_for(heard: Heard, tmp_path: Path) -> None:
    write(tmp_path, "manual")
    write(tmp_path, "off", 'schedule = "0 3 * * *"', "enabled = false")
    run("apply", folder=tmp_path)
    assert run("next").stdout == "no enabled site has a schedule\n"
    shown = run("next", "manual", "off").stdout
    assert "manual: no schedule; it is swept only on request" in shown
    assert "off: disabled; `headersweep sites enable off` changes that" in shown
    assert run("next", "nobody").exit_code == ExitCode.USAGE
