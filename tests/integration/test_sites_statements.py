"""The statements on sites, runs and the kill switch, on a real Postgres."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from headersweep.definition import SiteDefinition
from models import control, runs, sites

pytestmark = pytest.mark.database
pytest_plugins = ["tests.integration._database"]

SLOT = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)


def definition(name: str = "docs", **values: Any) -> SiteDefinition:
    return SiteDefinition(name=name, start_urls=(f"https://{name}.example/",), owner="web team", **values)


def put(connection: Connection, *definitions: SiteDefinition, next_slot_at: datetime | None = None) -> None:
    connection.execute(
        sites.upsert_file_sites([each.as_json() for each in definitions], [next_slot_at] * len(definitions))
    )


def site(connection: Connection, name: str = "docs") -> Any:
    return connection.execute(sites.get_site(name)).one()


def test_a_file_site_is_kept_with_its_definition(planning_connection: Connection) -> None:
    put(planning_connection, definition(rate=2.5), next_slot_at=SLOT)
    row = site(planning_connection)
    assert (row.source, row.enabled, row.next_slot_at) == ("file", True, SLOT)
    assert SiteDefinition.from_json(row.definition) == definition(rate=2.5)


def test_putting_a_site_twice_changes_it_and_keeps_its_id(planning_connection: Connection) -> None:
    put(planning_connection, definition())
    before = site(planning_connection)
    put(planning_connection, definition(enabled=False))
    after = site(planning_connection)
    assert after.id == before.id
    assert after.enabled is False


def test_many_sites_go_in_at_once_and_come_back_by_name(planning_connection: Connection) -> None:
    put(planning_connection, *(definition(name) for name in ("c", "a", "b")))
    assert [row.name for row in planning_connection.execute(sites.list_sites())] == ["a", "b", "c"]


def test_a_site_made_for_a_url_keeps_its_id_and_takes_the_latest_definition(
    planning_connection: Connection,
) -> None:
    first = planning_connection.scalar(sites.upsert_adhoc_site(definition("adhoc").as_json()))
    second = planning_connection.scalar(sites.upsert_adhoc_site(definition("adhoc", rate=7.0).as_json()))
    assert first == second
    assert site(planning_connection, "adhoc").definition["rate"] == 7.0


def test_a_site_made_for_a_url_never_overwrites_a_file_site(planning_connection: Connection) -> None:
    put(planning_connection, definition())
    assert planning_connection.scalar(sites.upsert_adhoc_site(definition(rate=0.0).as_json())) is None
    assert site(planning_connection).definition["rate"] == 1.0


def test_due_sites_are_the_enabled_ones_whose_slot_has_come_longest_due_first(
    planning_connection: Connection,
) -> None:
    put(planning_connection, definition("late"), next_slot_at=SLOT - timedelta(hours=2))
    put(planning_connection, definition("now"), next_slot_at=SLOT)
    put(planning_connection, definition("soon"), next_slot_at=SLOT + timedelta(seconds=1))
    put(planning_connection, definition("never"))
    put(planning_connection, definition("off", enabled=False), next_slot_at=SLOT)
    due = planning_connection.execute(sites.due_sites(SLOT, 10)).all()
    assert [row.name for row in due] == ["late", "now"]
    assert [row.name for row in planning_connection.execute(sites.due_sites(SLOT, 1))] == ["late"]


def test_switching_a_site_off_and_on(planning_connection: Connection) -> None:
    put(planning_connection, definition(), next_slot_at=SLOT)
    site_id = site(planning_connection).id
    planning_connection.execute(sites.set_enabled(site_id, None, enabled=False))
    assert (site(planning_connection).enabled, site(planning_connection).next_slot_at) == (False, None)
    planning_connection.execute(sites.set_enabled(site_id, SLOT, enabled=True))
    assert (site(planning_connection).enabled, site(planning_connection).next_slot_at) == (True, SLOT)


def test_a_slot_has_one_run_however_often_it_is_created(planning_connection: Connection) -> None:
    put(planning_connection, definition())
    site_id = site(planning_connection).id

    def create() -> int | None:
        statement = runs.create_run(
            site_id=site_id, slot=SLOT, definition=definition().as_json(), requested_by="test", reason=""
        )
        found: int | None = planning_connection.scalar(statement)
        return found

    run_id = create()
    assert run_id is not None
    assert create() is None
    assert planning_connection.scalar(runs.run_of_slot(site_id, SLOT)) == run_id


def test_runs_of_many_slots_are_created_at_once_and_only_new_ones_come_back(
    planning_connection: Connection,
) -> None:
    put(planning_connection, definition("a"), definition("b"))
    a, b = site(planning_connection, "a").id, site(planning_connection, "b").id

    def create(*wanted: tuple[int, datetime]) -> set[tuple[int, datetime]]:
        rows = planning_connection.execute(
            runs.create_runs(
                [runs.NewRun(*each, SLOT, None) for each in wanted], requested_by="test", reason=""
            )
        )
        return {(row.site_id, row.slot) for row in rows}

    assert create((a, SLOT)) == {(a, SLOT)}
    assert create((a, SLOT), (b, SLOT)) == {(b, SLOT)}
    open_runs = planning_connection.execute(runs.open_runs_of([a, b])).all()
    assert {(row.site_id, row.slot) for row in open_runs} == {(a, SLOT), (b, SLOT)}


def test_nothing_is_paused_until_somebody_pauses(planning_connection: Connection) -> None:
    assert planning_connection.scalar(control.is_paused()) is False
    assert planning_connection.execute(control.unpause(changed_by="eve", reason="")).first() is None


def test_the_kill_switch_remembers_who_turned_it_first_and_why(planning_connection: Connection) -> None:
    assert planning_connection.execute(control.pause(changed_by="ann", reason="outage")).first() is not None
    assert planning_connection.execute(control.pause(changed_by="bob", reason="me too")).first() is None
    assert planning_connection.scalar(control.is_paused()) is True
    state = planning_connection.execute(control.switch_state()).one()
    assert (state.changed_by, state.reason) == ("ann", "outage")
    assert planning_connection.execute(control.unpause(changed_by="bob", reason="over")).first() is not None
    assert planning_connection.scalar(control.is_paused()) is False


def test_heartbeats_say_how_old_they_are_and_when_the_process_began(planning_connection: Connection) -> None:
    def beat(detail: dict[str, int], *, starting: bool = False) -> None:
        planning_connection.execute(
            control.record_heartbeat(name="worker@a", kind="worker", detail=detail, starting=starting)
        )

    def state() -> Any:
        return planning_connection.execute(control.list_heartbeats()).one()

    beat({"pid": 1})
    first = state()
    assert 0 <= first.age_seconds < 60
    beat({"pid": 1, "shards": 3})
    second = state()
    assert second.started_at == first.started_at
    assert second.seen_at > first.seen_at
    assert second.detail == {"pid": 1, "shards": 3}
    beat({"pid": 2}, starting=True)
    assert state().started_at > first.started_at
    planning_connection.execute(control.forget_heartbeats(3600))
    assert state().detail == {"pid": 2}
    planning_connection.execute(control.forget_heartbeats(-1))
    assert planning_connection.execute(control.list_heartbeats()).all() == []


def test_due_sites_are_found_through_their_index_among_many(planning_connection: Connection) -> None:
    planning_connection.execute(
        text(
            """
            INSERT INTO sites (name, source, definition, next_slot_at)
            SELECT 'site' || n, 'file', '{}', :slot + make_interval(mins => n)
            FROM generate_series(1, 20000) AS n
            """
        ).bindparams(slot=SLOT)
    )
    planning_connection.execute(text("ANALYZE sites"))
    statement = sites.due_sites(SLOT, 1000)
    explained = text(f"EXPLAIN {statement.text}").bindparams(now=SLOT, limit=1000)
    plan = "\n".join(planning_connection.scalars(explained))
    assert "ix_sites_due" in plan
    assert "Sort" not in plan


def test_open_runs_are_found_through_their_index_among_many_ended_ones(
    planning_connection: Connection,
) -> None:
    put(planning_connection, definition())
    planning_connection.execute(
        text(
            """
            INSERT INTO runs (site_id, slot, state, finished_at, digest, discovered, stored, robots_denied,
                robots_unreachable, out_of_scope, trapped, failed, skipped_limit, unvisited, requested_by, definition)
            SELECT :site_id, :slot + make_interval(mins => n), 'finished', now(),
                decode(repeat('00', 32), 'hex'), 0, 0, 0, 0, 0, 0, 0, 0, 0, 'test', '{}'
            FROM generate_series(1, 20000) AS n
            """
        ).bindparams(site_id=site(planning_connection).id, slot=SLOT)
    )
    planning_connection.execute(text("ANALYZE runs"))
    explained = text(f"EXPLAIN {runs.open_runs_of([]).text}").bindparams(site_ids=[1, 2, 3])
    assert "ix_runs_open" in "\n".join(planning_connection.scalars(explained))


def test_a_run_may_be_created_while_a_planner_holds_the_site(planning_engine: Engine) -> None:
    with planning_engine.begin() as connection:
        put(connection, definition("held"), next_slot_at=SLOT)
        site_id = site(connection, "held").id
    try:
        with planning_engine.connect() as planner, planning_engine.connect() as other:
            assert len(planner.execute(sites.due_sites(SLOT, 1)).all()) == 1
            other.execute(text("SET LOCAL lock_timeout = '1s'"))
            statement = runs.create_run(
                site_id=site_id, slot=SLOT, definition={}, requested_by="cron", reason=""
            )
            assert other.scalar(statement) is not None
    finally:
        with planning_engine.begin() as connection:
            connection.execute(text("TRUNCATE sites CASCADE"))
