"""Planning on a real Postgres: one run a slot, the last of missed ones, none on top of a run at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from headersweep.definition import SiteDefinition
from models import control, runs, sites
from scheduler import planning, seeding, sowing
from scheduler.planning import Plan
from tests.integration._sites import HOUR, NOON, definition, due_at, put

pytestmark = pytest.mark.database
pytest_plugins = ["tests.integration._database"]


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs that were seeded; what seeding writes has tests of its own."""
    run_ids: list[int] = []

    def seed(connection: Connection, run_id: int, site_id: int, definition: SiteDefinition) -> None:
        run_ids.append(run_id)

    def sow(connection: Connection, new: list[sowing.NewRun]) -> None:
        run_ids.extend(run.run_id for run in new)

    monkeypatch.setattr(seeding, "seed", seed)
    monkeypatch.setattr(sowing, "sow", sow)
    return run_ids


@pytest.fixture
def emptied_engine(planning_engine: Engine) -> Iterator[Engine]:
    """An engine for tests that commit; they leave nothing behind."""
    yield planning_engine
    with planning_engine.begin() as connection:
        connection.execute(text("TRUNCATE sites, control CASCADE"))


def slots_of(connection: Connection, site_id: int) -> list[datetime]:
    statement = text("SELECT slot FROM runs WHERE site_id = :site_id ORDER BY slot")
    return list(connection.scalars(statement.bindparams(site_id=site_id)))


def created(plan: Plan) -> list[tuple[str, datetime]]:
    return [(run.site_name, run.slot) for run in plan.created]


def test_a_slot_that_has_come_makes_one_seeded_run_and_sets_the_next_slot(
    planning_connection: Connection, seeded: list[int]
) -> None:
    site_id = put(planning_connection, definition(), NOON)
    plan = planning.plan_due(planning_connection, NOON)
    assert created(plan) == [("docs", NOON)]
    assert seeded == plan.run_ids
    assert slots_of(planning_connection, site_id) == [NOON]
    assert due_at(planning_connection) == NOON + HOUR


def test_a_planned_run_carries_the_definition_of_its_site(
    planning_connection: Connection, seeded: list[int]
) -> None:
    put(planning_connection, definition(rate=3.0), NOON)
    planning.plan_due(planning_connection, NOON)
    run = planning_connection.execute(text("SELECT definition, requested_by, state FROM runs")).one()
    assert SiteDefinition.from_json(run.definition) == definition(rate=3.0)
    assert (run.requested_by, run.state) == ("schedule", "planned")


def test_planning_twice_plans_once(planning_connection: Connection, seeded: list[int]) -> None:
    put(planning_connection, definition(), NOON)
    assert planning.plan_due(planning_connection, NOON)
    assert not planning.plan_due(planning_connection, NOON)


def test_a_slot_that_has_not_come_makes_nothing(planning_connection: Connection, seeded: list[int]) -> None:
    put(planning_connection, definition(), NOON)
    assert planning.plan_due(planning_connection, NOON - timedelta(seconds=1)) == Plan()


def test_of_missed_slots_the_last_is_run(planning_connection: Connection, seeded: list[int]) -> None:
    put(planning_connection, definition(), NOON - 5 * HOUR)
    plan = planning.plan_due(planning_connection, NOON + timedelta(minutes=20))
    assert created(plan) == [("docs", NOON)]
    assert due_at(planning_connection) == NOON + HOUR


def test_a_slot_that_cron_already_ran_is_not_run_again(
    planning_connection: Connection, seeded: list[int]
) -> None:
    site_id = put(planning_connection, definition(), NOON)
    planning.ensure_run(
        planning_connection, site_id=site_id, definition=definition(), slot=NOON, requested_by="cron"
    )
    assert planning.plan_due(planning_connection, NOON) == Plan()
    assert slots_of(planning_connection, site_id) == [NOON]
    assert due_at(planning_connection) == NOON + HOUR


def test_a_slot_is_skipped_while_an_earlier_run_is_at_work(
    planning_connection: Connection, seeded: list[int]
) -> None:
    site_id = put(planning_connection, definition(), NOON)
    first = planning.plan_due(planning_connection, NOON)
    later = planning.plan_due(planning_connection, NOON + HOUR)
    assert not later
    assert [(skip.site_name, skip.slot, skip.blocking_run_id) for skip in later.skipped] == [
        ("docs", NOON + HOUR, first.run_ids[0])
    ]
    assert slots_of(planning_connection, site_id) == [NOON]
    assert due_at(planning_connection) == NOON + 2 * HOUR


def test_an_ended_run_blocks_nothing(planning_connection: Connection, seeded: list[int]) -> None:
    put(planning_connection, definition(), NOON)
    planning.plan_due(planning_connection, NOON)
    planning_connection.execute(
        text(
            """
            UPDATE runs SET state = 'cancelled', finished_at = now(), digest = decode(repeat('00', 32), 'hex'),
                discovered = 0, stored = 0, robots_denied = 0, robots_unreachable = 0, out_of_scope = 0,
                trapped = 0, failed = 0, skipped_limit = 0, unvisited = 0
            """
        )
    )
    assert created(planning.plan_due(planning_connection, NOON + HOUR)) == [("docs", NOON + HOUR)]


def test_nothing_is_planned_while_paused_and_the_last_missed_slot_afterwards(
    planning_connection: Connection, seeded: list[int]
) -> None:
    put(planning_connection, definition(), NOON)
    planning_connection.execute(control.pause(changed_by="ann", reason="outage"))
    assert planning.plan_due(planning_connection, NOON) == Plan()
    assert due_at(planning_connection) == NOON
    planning_connection.execute(control.unpause(changed_by="ann", reason="over"))
    assert created(planning.plan_due(planning_connection, NOON + 3 * HOUR)) == [("docs", NOON + 3 * HOUR)]


def test_a_disabled_site_is_not_planned(planning_connection: Connection, seeded: list[int]) -> None:
    put(planning_connection, definition(enabled=False), NOON)
    assert planning.plan_due(planning_connection, NOON) == Plan()


def test_the_slot_follows_the_zone_of_the_site(planning_connection: Connection, seeded: list[int]) -> None:
    tokyo = definition(schedule="0 9 * * *", timezone="Asia/Tokyo")
    put(planning_connection, tokyo, datetime(2026, 5, 4, 0, 0, tzinfo=UTC))
    assert created(planning.plan_due(planning_connection, NOON)) == [
        ("docs", datetime(2026, 5, 4, 0, 0, tzinfo=UTC))
    ]
    assert due_at(planning_connection) == datetime(2026, 5, 5, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "broken", ['{"key_of_a_newer_program": 1}', '{"schedule": "61 * * * *"}', '{"timezone": "Mars/Olympus"}']
)
def test_a_site_that_cannot_be_read_waits_and_holds_up_nobody(
    planning_connection: Connection, seeded: list[int], broken: str
) -> None:
    put(planning_connection, definition("broken"), NOON - HOUR)
    put(planning_connection, definition("sound"), NOON)
    planning_connection.execute(
        text(
            "UPDATE sites SET definition = definition || CAST(:broken AS jsonb) WHERE name = 'broken'"
        ).bindparams(broken=broken)
    )
    plan = planning.plan_due(planning_connection, NOON)
    assert created(plan) == [("sound", NOON)]
    assert [site.site_name for site in plan.postponed] == ["broken"]
    assert due_at(planning_connection, "broken") == NOON + HOUR


def test_without_a_time_the_clock_of_the_database_decides(
    planning_connection: Connection, seeded: list[int]
) -> None:
    now = planning_connection.scalar(text("SELECT clock_timestamp()"))
    assert now is not None
    put(planning_connection, definition("past"), now - timedelta(days=1))
    put(planning_connection, definition("future"), now + timedelta(days=1))
    assert [run.site_name for run in planning.plan_due(planning_connection).created] == ["past"]


def test_a_run_that_exists_is_found_and_left_as_it_is(
    planning_connection: Connection, seeded: list[int]
) -> None:
    site_id = put(planning_connection, definition(), None)

    def ensure(rate: float) -> planning.EnsuredRun:
        return planning.ensure_run(
            planning_connection,
            site_id=site_id,
            definition=definition(rate=rate),
            slot=NOON,
            requested_by="test",
        )

    first, second = ensure(1.0), ensure(9.0)
    assert first.created
    assert second == (first.run_id, False)
    assert seeded == [first.run_id]
    assert planning_connection.scalar(text("SELECT definition ->> 'rate' FROM runs")) == "1.0"


def test_a_slot_without_a_zone_is_refused(planning_connection: Connection, seeded: list[int]) -> None:
    site_id = put(planning_connection, definition(), None)
    with pytest.raises(ValueError, match="aware"):
        planning.ensure_run(
            planning_connection,
            site_id=site_id,
            definition=definition(),
            slot=NOON.replace(tzinfo=None),
            requested_by="test",
        )


def test_two_planners_and_a_cron_job_at_once_make_one_run(emptied_engine: Engine, seeded: list[int]) -> None:
    with emptied_engine.begin() as connection:
        ids = [put(connection, definition(f"site{number}"), NOON) for number in range(20)]
    barrier = threading.Barrier(3)
    errors: list[Exception] = []

    def plan() -> None:
        barrier.wait()
        with emptied_engine.begin() as connection:
            planning.plan_due(connection, NOON)

    def cron() -> None:
        barrier.wait()
        for number, site_id in enumerate(ids):
            with emptied_engine.begin() as connection:
                planning.ensure_run(
                    connection,
                    site_id=site_id,
                    definition=definition(f"site{number}"),
                    slot=NOON,
                    requested_by="cron",
                )

    def guarded(work: Any) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - reported by the test's own assertion
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (plan, plan, cron)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    with emptied_engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM runs")) == 20
        assert (
            connection.scalar(text("SELECT count(*) FROM sites WHERE next_slot_at = :t").bindparams(t=NOON))
            == 0
        )
    assert len(seeded) == len(set(seeded)) == 20


def test_a_planner_passes_over_the_sites_that_another_one_is_planning(
    emptied_engine: Engine, seeded: list[int]
) -> None:
    with emptied_engine.begin() as connection:
        put(connection, definition(), NOON)
    with emptied_engine.connect() as first, emptied_engine.connect() as second:
        assert planning.plan_due(first, NOON)
        assert planning.plan_due(second, NOON) == Plan()
        first.rollback()
        assert planning.plan_due(second, NOON)
        second.rollback()


def test_a_planner_that_dies_before_its_commit_leaves_the_slot_to_the_next(
    emptied_engine: Engine, seeded: list[int]
) -> None:
    with emptied_engine.begin() as connection:
        site_id = put(connection, definition(), NOON)
    with emptied_engine.connect() as connection:
        planning.plan_due(connection, NOON)
        connection.rollback()
    with emptied_engine.begin() as connection:
        assert planning.plan_due(connection, NOON)
    with emptied_engine.connect() as connection:
        assert slots_of(connection, site_id) == [NOON]
        assert connection.scalar(runs.run_of_slot(site_id, NOON)) is not None


def _fill(connection: Connection, count: int, next_slot_at: datetime) -> None:
    definitions = [definition(f"bulk{number}").as_json() for number in range(count)]
    connection.execute(sites.upsert_file_sites(definitions, [next_slot_at] * count))


def test_a_thousand_due_sites_are_planned_within_two_seconds(
    planning_connection: Connection, seeded: list[int]
) -> None:
    _fill(planning_connection, 1_000, NOON)
    started = time.monotonic()
    plan = planning.plan_due(planning_connection, NOON, limit=1_000)
    duration = time.monotonic() - started
    assert len(plan.created) == 1_000
    assert duration < 2, f"planning took {duration:.2f} s"


def test_ticks_cost_next_to_nothing_with_many_sites_and_none_due(
    planning_connection: Connection, seeded: list[int]
) -> None:
    _fill(planning_connection, 10_000, NOON + HOUR)
    planning_connection.execute(text("ANALYZE sites"))
    started = time.monotonic()
    for _ in range(20):
        assert planning.plan_due(planning_connection, NOON) == Plan()
    assert (time.monotonic() - started) / 20 < 0.05


def test_a_long_backlog_is_planned_in_bites(planning_connection: Connection, seeded: list[int]) -> None:
    _fill(planning_connection, 5, NOON)
    bites = [len(planning.plan_due(planning_connection, NOON, limit=2).created) for _ in range(4)]
    assert bites == [2, 2, 1, 0]
