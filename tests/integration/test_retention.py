"""Retention: what is past it goes, what is open, fresh or newest stays, and nobody has to wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from cli import report
from cli.commands import export
from cli.render import text as text_render
from headersweep.errors import UsageError
from headersweep.states import Outcome
from models import engine as engine_module
from models import partitions
from models.frontier import frontier, pages
from models.runs import ACCOUNTS
from models.snapshots import snapshots
from models.visits import visits
from scheduler import operations, retention, tick

OVER = {**dict.fromkeys((*ACCOUNTS, "unvisited"), 0), "stored": 1, "discovered": 1, "digest": b"d" * 32}
SHIFT = text(
    "UPDATE heartbeats SET seen_at = seen_at - make_interval(secs => :seconds) WHERE name = 'retention'"
)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = engine_module.connect(database)
    yield made
    made.dispose()


class World:
    """Runs in several partitions; the newest is run 5000."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            site = "INSERT INTO sites (name, source, definition) VALUES ('docs', 'adhoc', '{}') RETURNING id"
            self.site_id = connection.execute(text(site)).scalar_one()
            block = {
                "content_hash": b"h" * 32,
                "canonical": "headers/1\nserver: a\n",
                "raw": b"Server: a\r\n",
            }
            self.snapshot_id = connection.execute(
                insert(snapshots).values(block).returning(snapshots.c.id)
            ).scalar_one()
            page = {
                "site_id": self.site_id,
                "url_key": b"k" * 16,
                "url": "https://docs.example.com/",
                "depth": 0,
            }
            self.page_id = connection.execute(insert(pages).values(page).returning(pages.c.id)).scalar_one()
        self.run(5000, days=0)

    def run(self, run_id: int, days: float, state: str = "finished") -> None:
        """A run of one page that ended so many days ago, with its visit and its frontier row."""
        values: dict[str, Any] = {"id": run_id, "site_id": self.site_id, "state": state, "days": days}
        values |= dict.fromkeys(OVER) if state == "running" else OVER
        names = ", ".join(OVER)
        places = ", ".join(f":{name}" for name in OVER)
        with self.engine.begin() as connection:
            partitions.ensure(connection, run_id)
            connection.execute(
                text(f"""
                INSERT INTO runs (id, site_id, slot, started_at, finished_at, state, requested_by, definition, {names})
                OVERRIDING SYSTEM VALUE
                SELECT :id, :site_id, to_timestamp(:id), now() - interval '999 days',
                    CASE WHEN :state <> 'running' THEN now() - make_interval(secs => :days * 86400) END,
                    :state, 'ann', '{{"name": "docs"}}', {places}
                """),
                values,
            )
            self._rows(connection, run_id)

    def _rows(self, connection: Any, run_id: int) -> None:
        visit = {"snapshot_id": self.snapshot_id, "status": 200, "outcome": int(Outcome.STORED)}
        keys = {"run_id": run_id, "page_id": self.page_id}
        connection.execute(insert(frontier), {**keys, "shard_id": 1, "seq": 1, "depth": 0})
        connection.execute(insert(visits), {**keys, **visit, "fetched_at": datetime.now(UTC)})
        shown = """
            INSERT INTO site_snapshots (site_id, snapshot_id, first_run_id, last_run_id)
            VALUES (:site, :snapshot, :run, :run) ON CONFLICT (site_id, snapshot_id) DO UPDATE
            SET first_run_id = least(site_snapshots.first_run_id, excluded.first_run_id)
        """
        connection.execute(text(shown), {"site": self.site_id, "snapshot": self.snapshot_id, "run": run_id})

    def event(self, name: str, days: float | None) -> None:
        """A log event that was promised, and written so many days ago or never."""
        promise = """
            INSERT INTO outbox (event_id, event, payload, emitted_at)
            VALUES (:name, 'run.finished', '{}', now() - make_interval(days => CAST(:days AS int)))
        """
        with self.engine.begin() as connection:
            connection.execute(text(promise), {"name": name, "days": days})

    def events(self) -> list[str]:
        """The events that are kept, by name."""
        with self.engine.connect() as connection:
            return list(connection.execute(text("SELECT event_id FROM outbox ORDER BY 1")).scalars())

    def sitemap(self, run_id: int) -> None:
        """A run that ended long ago (but for the newest), with a sitemap that was read."""
        if run_id != 5000:
            self.run(run_id, days=200)
        noted = """
            WITH origin AS (INSERT INTO origins (scheme, host, port) VALUES ('http', 'h' || :run, 80) RETURNING id),
                 shard AS (INSERT INTO shards (run_id, origin_id, state) SELECT :run, id, 'done' FROM origin RETURNING id)
            INSERT INTO sitemaps (run_id, url_key, shard_id, url, done_at)
            SELECT :run, decode(md5('a'), 'hex'), id, 'http://h/sitemap.xml', now() FROM shard
        """
        with self.engine.begin() as connection:
            connection.execute(text(noted), {"run": run_id})

    def sitemaps(self) -> list[int]:
        """The runs whose sitemaps are still known."""
        with self.engine.connect() as connection:
            return list(connection.execute(text("SELECT run_id FROM sitemaps ORDER BY 1")).scalars())

    def parts(self) -> list[str]:
        """The partitions that there are."""
        with self.engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT c.relname FROM pg_class c WHERE c.relname ~ '^(visits|frontier)_r' AND c.relkind = 'r'"
                )
            )
            return sorted(found.scalars())


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


NEWEST = ["frontier_r5000", "visits_r5000"]


def test_partitions_whose_runs_are_all_past_retention_are_dropped_visits_first(world: World) -> None:
    world.run(1001, days=91)
    world.run(1999, days=200)
    assert retention.drop_old(world.engine, 90) == ["visits_r1000", "frontier_r1000"]
    assert world.parts() == NEWEST


@pytest.mark.parametrize(
    ("days", "state"), [(89, "finished"), (91, "running")], ids=["a fresh run", "an open run"]
)
def test_one_run_that_is_fresh_or_open_keeps_its_whole_partition(
    world: World, days: float, state: str
) -> None:
    world.run(1001, days=200)
    world.run(1002, days=days, state=state)
    assert retention.drop_old(world.engine, 90) == []
    assert "visits_r1000" in world.parts()


def test_the_partition_of_the_newest_run_stays_however_old_it_is(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE runs SET finished_at = now() - interval '999 days'"))
        partitions.ensure(connection, 6000)
    assert retention.drop_old(world.engine, 90) == []
    assert world.parts() == ["frontier_r5000", "frontier_r6000", "visits_r5000", "visits_r6000"]


def test_what_was_noted_of_sitemaps_goes_with_the_frontier(world: World) -> None:
    world.run(999, days=1)
    for run_id in (998, 1001, 5000):
        world.sitemap(run_id)
    assert retention.drop_old(world.engine, 90) == ["visits_r1000", "frontier_r1000"]
    assert world.sitemaps() == [998, 5000], "998 is old, but shares its partition with a fresh run"


def test_events_go_when_they_were_written_long_ago_and_never_before(world: World) -> None:
    ages = {"written long ago": 91, "written lately": 89, "never written": None}
    for name, days in ages.items():
        world.event(name, days)
    retention.drop_old(world.engine, 90)
    assert world.events() == ["never written", "written lately"]


def test_more_events_than_go_at_once_go_in_several_bites(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 2)
    for number in range(5):
        world.event(f"old {number}", 91)
    world.event("fresh", 1)
    retention.drop_old(world.engine, 90)
    assert world.events() == ["fresh"]


def test_zero_days_keep_everything_for_good(world: World) -> None:
    world.run(1001, days=9999)
    assert retention.drop_old(world.engine, 0) == []
    assert "visits_r1000" in world.parts()


def test_it_is_looked_at_once_an_hour_by_whoever_ticks_first(world: World) -> None:
    assert retention.drop_old(world.engine, 90) == []
    world.run(1001, days=91)
    assert retention.drop_old(world.engine, 90) == []
    with world.engine.begin() as connection:
        connection.execute(SHIFT, {"seconds": 3601})
    assert tick.tick(world.engine, retention_days=90).dropped == ["visits_r1000", "frontier_r1000"]


def test_a_partition_in_use_is_left_alone_and_tried_again_a_minute_later(world: World) -> None:
    world.run(1001, days=91)
    with world.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM visits WHERE run_id = 1001"))
        assert retention.drop_old(world.engine, 90) == ["frontier_r1000"]
    assert "visits_r1000" in world.parts()
    with world.engine.begin() as connection:
        connection.execute(SHIFT, {"seconds": 61})
    assert retention.drop_old(world.engine, 90) == ["visits_r1000"]


def test_a_run_that_is_being_opened_again_keeps_its_visits(world: World) -> None:
    world.run(1001, days=91, state="cancelled")
    with world.engine.begin() as opener:
        operations.resume(opener, 1001, "ann", "")
        assert retention.drop_old(world.engine, 90) == []
    with world.engine.begin() as connection:
        connection.execute(SHIFT, {"seconds": 3601})
    assert retention.drop_old(world.engine, 90) == []
    assert "visits_r1000" in world.parts()


def test_a_run_past_retention_is_still_shown_and_says_what_is_gone(world: World) -> None:
    world.run(1001, days=91)
    retention.drop_old(world.engine, 90)
    with world.engine.connect() as connection:
        shown = report.collect(connection, 1001, retention_days=90)
    assert shown.visits_dropped
    assert shown.run.accounting is not None
    assert shown.run.accounting["stored"] == 1
    rendered = text_render.summary(shown, 100, full=True)
    assert "Visits older than 90 days were dropped" in rendered
    assert "server: a" in rendered.lower()
    assert "export" not in rendered


def test_a_run_past_retention_cannot_be_exported_resumed_or_have_its_failures_repeated(world: World) -> None:
    world.run(1001, days=91, state="cancelled")
    retention.drop_old(world.engine, 90)
    with world.engine.connect() as connection:
        with pytest.raises(UsageError, match="dropped by retention"):
            export._refuse_dropped(connection, report.find_run(connection, 1001))
        with pytest.raises(UsageError, match="headersweep rerun 1001"):
            operations.resume(connection, 1001, "ann", "")
        with pytest.raises(UsageError, match="dropped by retention"):
            operations.rerun_failed(connection, 1001, "ann", "")


def test_a_run_within_retention_says_nothing_about_it(world: World) -> None:
    with world.engine.connect() as connection:
        shown = report.collect(connection, 5000, retention_days=90)
        export._refuse_dropped(connection, shown.run)
    assert not shown.visits_dropped
    assert "dropped" not in text_render.summary(shown, 100, full=True)
