"""What becomes of slots that were missed, that overlap, that are spread, and of runs outside of their window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from cli import standstill
from headersweep import slots
from headersweep.definition import CatchUp, Overlap, SiteDefinition
from models import control, engine, reports, runs, shards
from scheduler import operations, planning, seeding, sowing, tick
from scheduler.planning import MissedSlots, Plan, SkippedSlot
from tests.integration._sites import HOUR, NOON, definition, due_at, put

pytestmark = pytest.mark.database

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def committed(database: str) -> Iterator[Engine]:
    """An engine on a database of the test's own."""
    pool = engine.connect(database)
    yield pool
    pool.dispose()


def created(plan: Plan) -> list[datetime]:
    return [run.slot for run in plan.created]


def waiting(connection: Connection) -> dict[datetime, tuple[str, datetime | None, datetime | None]]:
    """State and opening of every run, by slot."""
    rows = connection.execute(text("SELECT slot, state, not_before, not_after FROM runs ORDER BY id"))
    return {row.slot: (row.state, row.not_before, row.not_after) for row in rows}


def claimed(connection: Connection) -> list[datetime]:
    """The slots of the runs that a worker can claim a shard of now; nothing is changed."""
    with connection.begin_nested() as savepoint:
        values = {"owner": "me", "lease": 10.0, "limit": 100, "solo": False, "solo_after": 2}
        run_ids = [row.run_id for row in connection.execute(shards.claim(), values)]
        found = connection.execute(
            text("SELECT slot FROM runs WHERE id = ANY(:ids) ORDER BY slot").bindparams(ids=run_ids)
        )
        slots_found = list(found.scalars())
        savepoint.rollback()
    assert connection.execute(shards.due_count()).scalar_one() == len(run_ids)
    return slots_found


def run_of(connection: Connection, slot: datetime) -> int:
    return int(
        connection.execute(text("SELECT id FROM runs WHERE slot = :slot"), {"slot": slot}).scalar_one()
    )


def clock(connection: Connection) -> datetime:
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment


# --- slots that were missed -----------------------------------------------------------------------------------------


def test_with_none_a_missed_slot_makes_no_run_and_is_told(connection: Connection) -> None:
    put(connection, definition(catch_up=CatchUp.NONE), NOON)
    plan = planning.plan_due(connection, NOON + MINUTE + SECOND)
    assert plan == Plan(missed=(MissedSlots("docs", NOON, "none"),))
    assert due_at(connection) == NOON + HOUR


@pytest.mark.parametrize("late", [timedelta(), 10 * SECOND, MINUTE])
def test_with_none_a_slot_whose_tick_came_a_little_late_is_run(
    connection: Connection, late: timedelta
) -> None:
    put(connection, definition(catch_up=CatchUp.NONE), NOON)
    plan = planning.plan_due(connection, NOON + late)
    assert created(plan) == [NOON]
    assert plan.missed == ()


def test_with_last_the_latest_missed_slot_is_run_and_the_rest_is_told(connection: Connection) -> None:
    put(connection, definition(), NOON - 3 * HOUR)
    plan = planning.plan_due(connection, NOON + 20 * MINUTE)
    assert created(plan) == [NOON]
    assert plan.missed == (MissedSlots("docs", NOON - 3 * HOUR, "last"),)


@pytest.mark.parametrize(("late", "expected"), [(30 * MINUTE, [NOON]), (30 * MINUTE + SECOND, [])])
def test_a_slot_older_than_the_window_is_not_caught_up(
    connection: Connection, late: timedelta, expected: list[datetime]
) -> None:
    put(connection, definition(catch_up_window="30m"), NOON)
    plan = planning.plan_due(connection, NOON + late)
    assert created(plan) == expected
    assert bool(plan.missed) is not bool(expected)
    assert due_at(connection) == NOON + HOUR


def test_with_all_every_missed_slot_is_run_one_after_the_other_oldest_first(connection: Connection) -> None:
    put(connection, definition(catch_up=CatchUp.ALL), NOON - 2 * HOUR)
    now = NOON + 20 * MINUTE
    plan = planning.plan_due(connection, now)
    assert created(plan) == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert plan.missed == ()
    assert claimed(connection) == [NOON - 2 * HOUR]
    for slot in (NOON - HOUR, NOON):
        assert planning.release_queued(connection, now) == []
        operations.cancel(connection, run_of(connection, slot - HOUR), "test", "over")
        assert planning.release_queued(connection, now) == [run_of(connection, slot)]
        assert claimed(connection) == [slot]


def test_with_all_the_limit_keeps_the_youngest(connection: Connection) -> None:
    put(connection, definition(catch_up=CatchUp.ALL, catch_up_limit=2), NOON - 5 * HOUR)
    plan = planning.plan_due(connection, NOON)
    assert created(plan) == [NOON - HOUR, NOON]
    assert plan.missed == (MissedSlots("docs", NOON - 5 * HOUR, "all"),)


def test_a_slot_that_has_its_run_already_is_not_caught_up_again(connection: Connection) -> None:
    wanted = definition(catch_up=CatchUp.ALL)
    site_id = put(connection, wanted, NOON - 2 * HOUR)
    ensured = planning.ensure_run(
        connection, site_id=site_id, definition=wanted, slot=NOON - HOUR, requested_by="cron"
    )
    operations.cancel(connection, ensured.run_id, "test", "over")
    assert created(planning.plan_due(connection, NOON)) == [NOON - 2 * HOUR, NOON]


# --- slots that overlap ---------------------------------------------------------------------------------------------


def test_with_skip_a_slot_on_top_of_a_run_at_work_is_skipped(connection: Connection) -> None:
    put(connection, definition(), NOON)
    first = planning.plan_due(connection, NOON).run_ids[0]
    later = planning.plan_due(connection, NOON + HOUR)
    assert later.skipped == (SkippedSlot("docs", NOON + HOUR, first, "overlap"),)
    assert list(waiting(connection)) == [NOON]


def test_with_queue_a_slot_waits_until_the_earlier_run_has_ended(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE), NOON)
    planning.plan_due(connection, NOON)
    later = planning.plan_due(connection, NOON + HOUR)
    assert created(later) == [NOON + HOUR]
    assert later.skipped == ()
    assert claimed(connection) == [NOON]
    assert planning.release_queued(connection, NOON + 2 * HOUR) == []
    operations.cancel(connection, run_of(connection, NOON), "test", "over")
    assert claimed(connection) == []
    assert planning.release_queued(connection, NOON + 2 * HOUR) == later.run_ids
    assert claimed(connection) == [NOON + HOUR]
    assert planning.release_queued(connection, NOON + 2 * HOUR) == []


def test_queued_runs_go_one_at_a_time_and_other_sites_do_not_wait(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE), NOON)
    for number in range(3):
        planning.plan_due(connection, NOON + number * HOUR)
    put(connection, definition("other"), NOON + 3 * HOUR)
    put(connection, definition(overlap=Overlap.QUEUE), None)
    planning.plan_due(connection, NOON + 3 * HOUR)
    assert claimed(connection) == [NOON, NOON + 3 * HOUR]
    operations.cancel(connection, run_of(connection, NOON), "test", "over")
    planning.release_queued(connection, NOON + 3 * HOUR)
    assert claimed(connection) == [NOON + HOUR, NOON + 3 * HOUR]


def test_a_queue_is_only_so_long_and_says_when_it_is_full(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE, catch_up_limit=2), NOON)
    planning.plan_due(connection, NOON)
    second = planning.plan_due(connection, NOON + HOUR)
    third = planning.plan_due(connection, NOON + 2 * HOUR)
    assert created(third) == []
    assert third.skipped == (SkippedSlot("docs", NOON + 2 * HOUR, second.run_ids[0], "queue_full"),)


def test_a_run_that_was_cancelled_while_it_waited_holds_up_nobody(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE), NOON)
    for number in range(3):
        planning.plan_due(connection, NOON + number * HOUR)
    for slot in (NOON + HOUR, NOON):
        operations.cancel(connection, run_of(connection, slot), "test", "over")
    assert planning.release_queued(connection, NOON + 2 * HOUR) == [run_of(connection, NOON + 2 * HOUR)]


def test_with_cancel_the_earlier_run_is_cancelled_and_the_new_one_starts(committed: Engine) -> None:
    with committed.begin() as connection:
        put(connection, definition(overlap=Overlap.CANCEL), NOON)
        planning.plan_due(connection, NOON)
    with committed.begin() as connection:
        planning.plan_due(connection, NOON + HOUR)
        assert claimed(connection) == [NOON]
    planning.arrange(committed, NOON + HOUR)
    with committed.connect() as connection:
        found = waiting(connection)
        assert {slot: state for slot, (state, _, _) in found.items()} == {
            NOON: "cancelled",
            NOON + HOUR: "planned",
        }
        assert claimed(connection) == [NOON + HOUR]
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 1
    planning.arrange(committed, NOON + HOUR)
    with committed.connect() as connection:
        assert waiting(connection) == found


def test_with_cancel_a_lone_slot_cancels_nothing(committed: Engine) -> None:
    with committed.begin() as connection:
        put(connection, definition(overlap=Overlap.CANCEL), NOON)
        planning.plan_due(connection, NOON)
    assert planning.cancel_overtaken(committed) == []


def test_while_paused_nothing_is_cancelled_or_let_go(committed: Engine) -> None:
    with committed.begin() as connection:
        put(connection, definition(overlap=Overlap.CANCEL), NOON)
        planning.plan_due(connection, NOON)
        planning.plan_due(connection, NOON + HOUR)
        connection.execute(control.pause(changed_by="ann", reason="outage"))
    planning.arrange(committed, NOON + HOUR)
    with committed.connect() as connection:
        assert [state for state, _, _ in waiting(connection).values()] == ["planned", "planned"]


def test_a_cancelled_run_locked_by_a_commit_is_left_to_the_next_tick(committed: Engine) -> None:
    with committed.begin() as connection:
        put(connection, definition(overlap=Overlap.CANCEL), NOON)
        planning.plan_due(connection, NOON)
        planning.plan_due(connection, NOON + HOUR)
    with committed.begin() as worker:
        worker.execute(runs.lock(), {"ids": [run_of(worker, NOON)]})
        assert planning.cancel_overtaken(committed) == []
    assert len(planning.cancel_overtaken(committed)) == 1


# --- splay ----------------------------------------------------------------------------------------------------------


def test_a_splayed_run_keeps_its_exact_slot_and_starts_behind_it(connection: Connection) -> None:
    put(connection, definition(splay="30m"), NOON)
    assert created(planning.plan_due(connection, NOON)) == [NOON]
    offset = slots.splay_offset("docs", 30 * MINUTE)
    assert waiting(connection) == {NOON: ("planned", NOON + offset, None)}
    assert due_at(connection) == NOON + HOUR


def test_a_splayed_run_cannot_be_claimed_before_its_start(connection: Connection) -> None:
    now = clock(connection)
    put(connection, definition(splay="24h", schedule="* * * * *"), now - MINUTE)
    (slot,) = created(planning.plan_due(connection, now))
    assert claimed(connection) == []
    start = waiting(connection)[slot][1]
    assert start == max(now, slot + slots.splay_offset("docs", 24 * HOUR))
    connection.execute(text("UPDATE runs SET not_before = not_before - interval '24 hours'"))
    assert claimed(connection) == [slot]


def test_what_is_caught_up_is_spread_as_well(connection: Connection) -> None:
    put(connection, definition(splay="30m"), NOON)
    now = NOON + 40 * MINUTE
    planning.plan_due(connection, now)
    assert waiting(connection)[NOON][1] == now + slots.splay_offset("docs", 30 * MINUTE)


def test_a_queued_run_starts_no_earlier_than_its_splay_says(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE, splay="30m"), NOON)
    planning.plan_due(connection, NOON)
    planning.plan_due(connection, NOON + HOUR)
    operations.cancel(connection, run_of(connection, NOON), "test", "over")
    planning.release_queued(connection, NOON + HOUR)
    assert waiting(connection)[NOON + HOUR][1] == NOON + HOUR + slots.splay_offset("docs", 30 * MINUTE)


# --- windows --------------------------------------------------------------------------------------------------------

NIGHT = "01:00-05:00"
MIDNIGHT = datetime(2026, 5, 5, 0, 0, tzinfo=UTC)


def test_a_slot_outside_of_the_window_makes_a_run_that_waits_for_it(connection: Connection) -> None:
    put(connection, definition(window=NIGHT), NOON)
    planning.plan_due(connection, NOON)
    assert waiting(connection) == {NOON: ("planned", MIDNIGHT + HOUR, MIDNIGHT + 5 * HOUR)}


def test_the_window_is_one_of_the_sites_zone(connection: Connection) -> None:
    put(connection, definition(window=NIGHT, schedule="30 17 * * *", timezone="Asia/Kolkata"), NOON)
    planning.plan_due(connection, NOON)
    assert waiting(connection)[NOON][1] == datetime(2026, 5, 4, 19, 30, tzinfo=UTC)


def test_a_slot_inside_of_the_window_starts_at_once_and_has_to_stop(connection: Connection) -> None:
    put(connection, definition(window=NIGHT), MIDNIGHT + 2 * HOUR)
    planning.plan_due(connection, MIDNIGHT + 2 * HOUR)
    assert waiting(connection) == {MIDNIGHT + 2 * HOUR: ("planned", MIDNIGHT + 2 * HOUR, MIDNIGHT + 5 * HOUR)}


@pytest.mark.parametrize(
    ("now", "rests"),
    [(MIDNIGHT + 5 * HOUR - SECOND, False), (MIDNIGHT + 5 * HOUR, True), (MIDNIGHT + 20 * HOUR, True)],
)
def test_a_run_whose_window_closed_rests_until_the_next_night(
    connection: Connection, now: datetime, rests: bool
) -> None:
    put(connection, definition(window=NIGHT), MIDNIGHT + 2 * HOUR)
    planning.plan_due(connection, MIDNIGHT + 2 * HOUR)
    found = planning.hold_outside_windows(connection, now)
    next_night = MIDNIGHT + 25 * HOUR
    assert [(rest.site_name, rest.until) for rest in found] == ([("docs", next_night)] if rests else [])
    assert (waiting(connection)[MIDNIGHT + 2 * HOUR][1] == next_night) is rests
    assert planning.hold_outside_windows(connection, now) == []


def test_after_days_without_a_tick_a_run_goes_on_in_the_window_that_is_open_now(
    connection: Connection,
) -> None:
    put(connection, definition(window=NIGHT), MIDNIGHT + 2 * HOUR)
    planning.plan_due(connection, MIDNIGHT + 2 * HOUR)
    now = MIDNIGHT + timedelta(days=3, hours=2)
    assert planning.hold_outside_windows(connection, now) == []
    assert waiting(connection)[MIDNIGHT + 2 * HOUR] == ("planned", now, now + 3 * HOUR)


def test_a_closed_window_keeps_a_run_from_workers_even_before_a_tick_sees_it(connection: Connection) -> None:
    put(connection, definition(window=NIGHT), MIDNIGHT + 2 * HOUR)
    (run_id,) = planning.plan_due(connection, MIDNIGHT + 2 * HOUR).run_ids

    def set_opening(before: str, after: str) -> None:
        connection.execute(
            text("""UPDATE runs SET not_before = clock_timestamp() + CAST(:before AS interval),
                    not_after = clock_timestamp() + CAST(:after AS interval)"""),
            {"before": before, "after": after},
        )

    def rests() -> bool:
        return bool(connection.execute(runs.lock(), {"ids": [run_id]}).one().rests)

    set_opening("-1 hour", "1 hour")
    assert (len(claimed(connection)), rests()) == (1, False)
    set_opening("-2 hours", "-1 ms")
    assert (len(claimed(connection)), rests()) == (0, True)
    assert connection.execute(shards.soonest()).scalar() is None
    set_opening("2 seconds", "1 hour")
    assert (len(claimed(connection)), rests()) == (0, True)
    assert 0 < float(connection.execute(shards.soonest()).scalar_one()) <= 2


def test_a_waiting_run_is_not_worth_lingering_for(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE), NOON)
    planning.plan_due(connection, NOON)
    planning.plan_due(connection, NOON + HOUR)
    operations.cancel(connection, run_of(connection, NOON), "test", "over")
    assert connection.execute(shards.soonest()).scalar() is None
    assert connection.execute(runs.lock(), {"ids": [run_of(connection, NOON + HOUR)]}).one().rests


def test_a_run_that_somebody_asks_for_obeys_the_window_but_no_splay(connection: Connection) -> None:
    now = clock(connection).replace(second=0, microsecond=0)
    opens, closes = now + 2 * HOUR, now + 3 * HOUR
    wanted = definition(window=f"{opens:%H:%M}-{closes:%H:%M}")
    site_id = put(connection, wanted, None)
    planning.ensure_run(connection, site_id=site_id, definition=wanted, slot=NOON, requested_by="ann")
    assert waiting(connection) == {NOON: ("planned", opens, closes)}
    free = definition("free", splay="24h")
    site_id = put(connection, free, None)
    planning.ensure_run(connection, site_id=site_id, definition=free, slot=NOON + HOUR, requested_by="ann")
    assert claimed(connection) == [NOON + HOUR]


def test_a_run_that_is_opened_again_outside_of_its_window_waits_for_it(connection: Connection) -> None:
    put(connection, definition(window=NIGHT), MIDNIGHT + 2 * HOUR)
    (run_id,) = planning.plan_due(connection, MIDNIGHT + 2 * HOUR).run_ids
    operations.cancel(connection, run_id, "test", "stop")
    connection.execute(
        text("UPDATE runs SET not_before = now() - interval '9 h', not_after = now() - interval '5 h'")
    )
    operations.resume(connection, run_id, "ann", "go on")
    assert claimed(connection) == []
    assert len(planning.hold_outside_windows(connection, MIDNIGHT + 300 * 24 * HOUR)) == 1


def test_one_run_that_cannot_be_read_holds_up_no_other(connection: Connection) -> None:
    for name in ("broken", "sound"):
        put(connection, definition(name, overlap=Overlap.QUEUE), NOON)
    planning.plan_due(connection, NOON)
    later = planning.plan_due(connection, NOON + HOUR)
    for run in connection.execute(text("SELECT id FROM runs WHERE slot = :slot"), {"slot": NOON}).all():
        operations.cancel(connection, run.id, "test", "over")
    connection.execute(
        text(
            "UPDATE runs SET definition = definition || '{\"newer\": 1}' WHERE definition ->> 'name' = 'broken'"
        )
    )
    assert sorted(planning.release_queued(connection, NOON + HOUR)) == sorted(later.run_ids)
    openings = connection.execute(
        text("SELECT definition ->> 'name' AS name, not_before, not_after FROM runs WHERE slot = :slot"),
        {"slot": NOON + HOUR},
    )
    assert {row.name: (row.not_before, row.not_after) for row in openings} == {
        "broken": (NOON + 2 * HOUR, NOON + 2 * HOUR),
        "sound": (NOON + HOUR, None),
    }


def test_a_site_with_a_start_url_that_is_none_holds_up_no_other(connection: Connection) -> None:
    put(connection, definition("broken"), NOON)
    put(connection, definition("sound"), NOON)
    connection.execute(
        text(
            "UPDATE sites SET definition = definition || '{\"start_urls\": [\"nothing\"]}' WHERE name = 'broken'"
        )
    )
    plan = planning.plan_due(connection, NOON)
    assert [run.site_name for run in plan.created] == ["sound"]
    assert [site.site_name for site in plan.postponed] == ["broken"]


# --- two at once ----------------------------------------------------------------------------------------------------

POLICIES = [
    {"catch_up": CatchUp.NONE},
    {"catch_up": CatchUp.LAST},
    {"catch_up": CatchUp.ALL, "overlap": Overlap.SKIP},
    {"catch_up": CatchUp.ALL, "overlap": Overlap.QUEUE},
    {"catch_up": CatchUp.LAST, "overlap": Overlap.CANCEL},
    {"splay": "1h", "window": NIGHT},
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: "-".join(map(str, policy.values())))
def test_planners_at_once_make_one_run_of_each_slot(committed: Engine, policy: dict[str, Any]) -> None:
    with committed.begin() as connection:
        for number in range(10):
            put(connection, definition(f"site{number}", **policy), NOON - 2 * HOUR)
    barrier, errors = threading.Barrier(3), []

    def plan() -> None:
        barrier.wait()
        try:
            for now in (NOON, NOON + HOUR):
                with committed.begin() as connection:
                    planning.plan_due(connection, now)
                planning.arrange(committed, now)
        except Exception as error:  # noqa: BLE001 - reported by the test's own assertion
            errors.append(error)

    threads = [threading.Thread(target=plan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    for now in (NOON, NOON + HOUR):
        with committed.begin() as connection:
            planning.plan_due(connection, now)
    planning.arrange(committed, NOON + HOUR)
    with committed.connect() as connection:
        assert (
            connection.scalar(text("SELECT max(n) FROM (SELECT count(*) n FROM runs GROUP BY site_id, slot)"))
            == 1
        )
        counts = connection.execute(
            text("SELECT count(*) FROM runs WHERE slot <= :now GROUP BY site_id"), {"now": NOON}
        ).scalars()
        assert set(counts) == {3 if policy.get("catch_up") is CatchUp.ALL else 1}
        open_and_free = text(
            """SELECT max(n) FROM (SELECT count(*) n FROM runs WHERE state IN ('planned', 'running')
               AND not_before IS NOT NULL GROUP BY site_id)"""
        )
        assert connection.scalar(open_and_free) == 1


def test_two_ticks_at_once_cancel_an_overtaken_run_once(committed: Engine) -> None:
    with committed.begin() as connection:
        for number in range(5):
            put(connection, definition(f"site{number}", overlap=Overlap.CANCEL), NOON)
        planning.plan_due(connection, NOON)
        planning.plan_due(connection, NOON + HOUR)
    found: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: found.append(planning.cancel_overtaken(committed))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    cancelled = sorted(run_id for run_ids in found for run_id in run_ids)
    assert len(cancelled) == len(set(cancelled)) == 5
    with committed.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 5


# --- seeding many ---------------------------------------------------------------------------------------------------

ROWS = """
    SELECT r.slot, o.host, s.ordinal, s.known_upto, s.top, s.state, r.planned_pages, f.seq, f.depth, p.url
    FROM runs r JOIN shards s ON s.run_id = r.id JOIN origins o ON o.id = s.origin_id
    LEFT JOIN frontier f ON f.run_id = r.id AND f.shard_id = s.id LEFT JOIN pages p ON p.id = f.page_id
    WHERE r.site_id = :site_id ORDER BY r.id, s.id, f.seq
"""


def test_many_runs_are_seeded_exactly_as_one_is(connection: Connection) -> None:
    def wanted(name: str) -> SiteDefinition:
        urls = [f"https://{host}.example/{path}" for host in ("b", "a") for path in ("", "x", "y", "x#top")]
        return SiteDefinition(name=name, start_urls=tuple(urls), shards=4)

    ids = {name: put(connection, wanted(name), None) for name in ("one", "many", "more")}
    rows = {}
    for name, site_id in ids.items():
        create = runs.create_run(
            site_id=site_id, slot=NOON, definition=wanted(name).as_json(), requested_by="test", reason=""
        )
        ids[name] = site_id
        rows[name] = connection.scalar(create)
    seeding.seed(connection, run_id=rows["one"], site_id=ids["one"], definition=wanted("one"))
    sowing.sow(connection, [sowing.NewRun(rows[name], ids[name], wanted(name)) for name in ("many", "more")])
    found = {
        name: connection.execute(text(ROWS), {"site_id": site_id}).all() for name, site_id in ids.items()
    }
    assert len(found["one"]) >= 6
    assert found["one"] == found["many"] == found["more"]


def test_a_tick_plans_bite_after_bite_until_its_time_is_up(
    committed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with committed.begin() as connection:
        for number in range(5):
            put(connection, definition(f"site{number}"), NOON)
    monkeypatch.setattr(planning, "PLAN_LIMIT", 2)
    monkeypatch.setattr(planning.plan_due, "__kwdefaults__", {"limit": 2})
    monkeypatch.setattr(planning, "PLAN_SECONDS", 0.0)
    assert len(tick.plan(committed)) == 2
    monkeypatch.setattr(planning, "PLAN_SECONDS", 60.0)
    assert len(tick.plan(committed)) == 3
    assert tick.plan(committed) == []


def test_a_waiting_command_says_why_nothing_happens(connection: Connection) -> None:
    put(connection, definition(overlap=Overlap.QUEUE), NOON)
    planning.plan_due(connection, NOON)
    planning.plan_due(connection, NOON + HOUR)
    put(connection, definition("windowed", window=NIGHT), NOON)
    planning.plan_due(connection, NOON)
    opens = clock(connection).replace(microsecond=0) + HOUR
    connection.execute(text("UPDATE runs SET not_before = :t WHERE not_after IS NOT NULL"), {"t": opens})
    ids = [run_id for (run_id,) in connection.execute(text("SELECT id FROM runs ORDER BY id"))]
    told = [standstill.rest(row).said for row in connection.execute(reports.resting(ids))]
    assert told == [
        f"run {ids[1]} waits until run {ids[0]} of docs has ended",
        f"run {ids[2]} of windowed waits until {opens:%Y-%m-%dT%H:%M:%SZ}: the site's window is {NIGHT}",
    ]
