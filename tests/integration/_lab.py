"""A sweep without Celery: a database of the test's own, slices run in this process, and what a user would see of it."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, text

from headersweep.addresses import ALLOW_PRIVATE
from headersweep.definition import SiteDefinition
from headersweep.settings import Settings
from headersweep.states import FINAL_STATES, Outcome
from models import engine as engines
from models import sites
from models.schema import metadata
from scheduler import planning, tick
from worker.connection import Deadlines
from worker.fetch import Fetcher
from worker.runtime import Runtime

FIRST_SLOT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE_SECONDS = 60.0
QUICK = Deadlines(connect=2.0, headers=2.0, total=8.0, idle=5.0)


@dataclass(frozen=True)
class Visit:
    """One page of a run as its owner sees it."""

    url: str
    outcome: Outcome
    status: int | None
    target: str | None
    error: str | None
    canonical: str | None
    malformed: bool


@dataclass
class Lab:
    """One database with its workers."""

    engine: Engine
    database_url: str
    broker_url: str
    _slots: Iterator[int] = field(default_factory=itertools.count)
    _runtimes: list[Runtime] = field(default_factory=list)

    def settings(self, **changes: Any) -> Settings:
        """Settings for quick tests; slices are short, so that runs cross their borders."""
        values: dict[str, Any] = {"slice_seconds": 10.0, "commit_seconds": 0.2, **changes}
        return Settings(database_url=self.database_url, broker_url=self.broker_url, **values)

    def runtime(self, **changes: Any) -> Runtime:
        """Another worker; it ends with the test."""
        runtime = Runtime(self.settings(**changes))
        runtime.fetcher = Fetcher(user_agent="headersweep/test", deadlines=QUICK)
        self._runtimes.append(runtime)
        return runtime

    def empty(self) -> None:
        """Forget everything."""
        names = ", ".join(table.name for table in metadata.sorted_tables)
        self.execute(f"TRUNCATE {names} RESTART IDENTITY")
        self.execute("INSERT INTO control (id) VALUES (1)")

    def close(self) -> None:
        """End all workers."""
        for runtime in self._runtimes:
            runtime.close()
        self.engine.dispose()

    # what an operator does

    def plan(self, definition: SiteDefinition, slot: datetime | None = None) -> int:
        """The run of the next slot of a site, not yet worked on."""
        with self.engine.begin() as connection:
            site_id = connection.execute(sites.upsert_adhoc_site(definition.as_json())).scalar_one()
            ensured = planning.ensure_run(
                connection,
                site_id=site_id,
                definition=definition,
                slot=slot or FIRST_SLOT + timedelta(hours=next(self._slots)),
                requested_by="test",
            )
        return ensured.run_id

    def work(
        self, run_id: int, runtime: Runtime | None = None, seconds: float = PATIENCE_SECONDS
    ) -> Row[Any]:
        """Work slices, as a worker does, until the run has ended."""
        runtime = runtime or self.runtime()
        ends_at = time.monotonic() + seconds
        while (run := self.run(run_id)).state not in FINAL_STATES:
            assert time.monotonic() < ends_at, f"the run did not end: {self.describe(run_id)}"
            report = runtime.crawl_slice()
            if report is None or not report.claimed:
                time.sleep(0.05)
                tick.tick(self.engine)
        return run

    def sweep(self, definition: SiteDefinition, **changes: Any) -> Row[Any]:
        """A whole run by a worker of its own."""
        return self.work(self.plan(definition), self.runtime(**changes))

    # what a user sees

    def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        """The answer to a question in SQL."""
        with self.engine.begin() as connection:
            return list(connection.execute(text(statement), values).all())

    def value(self, statement: str, **values: Any) -> Any:
        """The first column of the first row."""
        return self.rows(statement, **values)[0][0]

    def execute(self, statement: str, **values: Any) -> int:
        """Change something behind the program's back; returns how many rows."""
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def run(self, run_id: int) -> Row[Any]:
        """The run's row."""
        return self.rows("SELECT * FROM runs WHERE id = :id", id=run_id)[0]

    def visits(self, run_id: int) -> dict[str, Visit]:
        """What became of each page, by URL."""
        rows = self.rows(
            """SELECT p.url, v.outcome, v.status, t.url AS target, v.error, s.canonical, v.malformed
               FROM visits v JOIN pages p ON p.id = v.page_id LEFT JOIN pages t ON t.id = v.target_page_id
               LEFT JOIN snapshots s ON s.id = v.snapshot_id WHERE v.run_id = :id""",
            id=run_id,
        )
        return {
            row.url: Visit(
                row.url, Outcome(row.outcome), row.status, row.target, row.error, row.canonical, row.malformed
            )
            for row in rows
        }

    def describe(self, run_id: int) -> str:
        """Where a run stands, for a failing test."""
        shards = self.rows("SELECT * FROM shards WHERE run_id = :id ORDER BY id", id=run_id)
        retries = self.rows("SELECT * FROM retries WHERE run_id = :id", id=run_id)
        return "\n".join(str(row._mapping) for row in [*shards, *retries])

    def events(self) -> list[Row[Any]]:
        """The outbox."""
        return self.rows("SELECT event_id, event, payload, emitted_at FROM outbox ORDER BY id")

    def assert_consistent(self, run_id: int) -> None:
        """The invariants that hold for every run that has ended by itself."""
        run = self.run(run_id)
        counted = {
            Outcome(row.outcome).label: row.n
            for row in self.rows(
                "SELECT outcome, count(*) AS n FROM visits WHERE run_id = :id GROUP BY outcome", id=run_id
            )
        }
        assert {o.label: counted.get(o.label, 0) for o in Outcome} == {
            o.label: run._mapping[o.label] for o in Outcome
        }
        assert run.discovered == sum(counted.values())
        assert self.value("SELECT count(*) FROM frontier WHERE run_id = :id", id=run_id) == run.discovered
        for shard in self.rows("SELECT * FROM shards WHERE run_id = :id", id=run_id):
            seqs = [
                row.seq
                for row in self.rows(
                    "SELECT seq FROM frontier WHERE shard_id = :id ORDER BY seq", id=shard.id
                )
            ]
            assert seqs == list(range(1, shard.top + 1))
            assert (shard.state, shard.done_upto, shard.lease_owner) == ("done", shard.top, None)
        assert (
            self.value("SELECT coalesce(sum(visited), 0) FROM shards WHERE run_id = :id", id=run_id)
            == run.discovered
        )
        in_sets = "SELECT coalesce(sum(pages), 0) FROM run_sets WHERE run_id = :id"
        assert self.value(in_sets, id=run_id) == run.stored
        assert self.rows("SELECT * FROM retries WHERE run_id = :id", id=run_id) == []


@contextmanager
def opened(database_url: str, broker_url: str) -> Iterator[Lab]:
    """A lab on a database that may be committed to."""
    lab = Lab(engines.connect(database_url), database_url, broker_url)
    try:
        yield lab
    finally:
        lab.close()


def definition(*start_urls: str, name: str = "lab", **changes: Any) -> SiteDefinition:
    """A site on loopback, swept as fast as it goes."""
    values: dict[str, Any] = {
        "owner": "tests",
        "rate": 0.0,
        "max_rate": 0.0,
        "concurrency": 4,
        "allow_addresses": ALLOW_PRIVATE,
        **changes,
    }
    return SiteDefinition(name=name, start_urls=start_urls, **values)


def named(site: SiteDefinition, name: str) -> SiteDefinition:
    """The same site under another name: one without a history."""
    return dataclasses.replace(site, name=name)
