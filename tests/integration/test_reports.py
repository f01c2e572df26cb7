from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from cli import report, standstill
from cli.commands import export
from cli.standstill import Standstill
from headersweep.errors import UsageError
from headersweep.states import Outcome, RunAction, RunState
from models import control, reports
from models.frontier import pages, sitemaps
from models.origins import origins
from models.runs import runs
from models.shards import shards
from models.sites import site_masks, site_snapshots, sites
from models.snapshots import snapshots
from models.visits import visits
from scheduler import operations

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
NO_DEFAULT_PARTITION = text(
    "SELECT partdefid = 0 FROM pg_partitioned_table WHERE partrelid = 'visits'::regclass"
)


class World:
    """One site, built row by row."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._numbers = count(1)
        if connection.execute(NO_DEFAULT_PARTITION).scalar_one():
            connection.execute(text("CREATE TABLE visits_of_tests PARTITION OF visits DEFAULT"))
        self.site_id = self.site("docs")

    def site(self, name: str) -> int:
        return self._insert(sites, name=name, source="adhoc", definition={"name": name})

    def run(self, state: str = "running", site_id: int | None = None, **fields: Any) -> int:
        return self._insert(
            runs,
            site_id=site_id or self.site_id,
            slot=SLOT.replace(minute=next(self._numbers)),
            started_at=SLOT,
            state=state,
            requested_by="ann",
            definition={"name": "docs", "max_pages": 100},
            **fields,
        )

    def shard(self, run_id: int, port: int, **fields: Any) -> int:
        origin_id = self._insert(origins, scheme="https", host="example.com", port=port)
        return self._insert(shards, run_id=run_id, origin_id=origin_id, **fields)

    def snapshot(self, run_id: int, raw: bytes, canonical: str) -> int:
        number = next(self._numbers)
        snapshot_id = self._insert(snapshots, content_hash=bytes([number]) * 32, canonical=canonical, raw=raw)
        self.connection.execute(
            insert(site_snapshots).values(
                site_id=self.site_id, snapshot_id=snapshot_id, first_run_id=run_id, last_run_id=run_id
            )
        )
        return snapshot_id

    def visit(self, run_id: int, path: str, **fields: Any) -> None:
        url = f"https://example.com{path}"
        page_id = self.connection.scalar(
            insert(pages)
            .values(site_id=self.site_id, depth=0, url=url, url_key=next(self._numbers).to_bytes(16, "big"))
            .returning(pages.c.id)
        )
        values = {"outcome": int(Outcome.STORED), "fetched_at": SLOT, **fields}
        self.connection.execute(insert(visits).values(run_id=run_id, page_id=page_id, **values))

    def _insert(self, table: Any, **fields: Any) -> int:
        return int(self.connection.execute(insert(table).values(**fields).returning(table.c.id)).scalar_one())


@pytest.fixture
def world(connection: Connection) -> World:
    return World(connection)


def test_progress_sums_the_shards_of_each_run(world: World) -> None:
    first, second = world.run(), world.run("planned", world.site("shop"))
    held = text(
        "UPDATE shards SET lease_owner = 'w', lease_until = now() + interval '1 minute' WHERE id = :id"
    )
    world.connection.execute(held, {"id": world.shard(first, 443, top=10, visited=4)})
    world.shard(first, 8443, top=5, visited=5)
    rows = world.connection.execute(reports.progress([first, second])).all()
    assert [(row.id, row.state, row.site, row.found, row.done, row.held) for row in rows] == [
        (first, "running", "docs", 15, 9, 1),
        (second, "planned", "shop", 0, 0, 0),
    ]


def test_a_lease_that_ran_out_is_not_held(world: World) -> None:
    run = world.run()
    world.shard(run, 443, top=1, lease_owner="w", lease_until=SLOT.replace(year=2020))
    assert world.connection.execute(reports.progress([run])).one().held == 0


def test_the_newest_runs_come_first_and_one_site_can_be_asked_for(world: World) -> None:
    older, newer = world.run(), world.run()
    other = world.run(site_id=world.site("shop"))
    listed = [row.id for row in world.connection.execute(reports.runs_list(None, 3))]
    assert listed == [other, newer, older]
    assert [row.id for row in world.connection.execute(reports.runs_list("docs", 1))] == [newer]


def test_a_run_that_does_not_exist_is_a_usage_error(world: World) -> None:
    with pytest.raises(UsageError, match="there is no run 123456789"):
        report.find_run(world.connection, 123456789)


def test_a_finished_run_comes_with_its_counts(world: World) -> None:
    names = ("stored", "robots_denied", "robots_unreachable", "out_of_scope", "trapped", "failed")
    accounts = dict.fromkeys((*names, "skipped_limit", "unvisited"), 0)
    counts = {**accounts, "stored": 7, "failed": 1, "discovered": 8}
    run_id = world.run("finished", finished_at=SLOT.replace(second=2), digest=b"\x01" * 32, **counts)
    run = report.find_run(world.connection, run_id)
    assert (run.state, run.pages, run.duration_ms, run.accounting) == (RunState.FINISHED, 7, 2000, counts)
    assert run.max_pages == 100


def test_the_newest_unfinished_run_is_what_resume_goes_on_with(world: World) -> None:
    run = world.run()
    names = ("stored", "robots_denied", "robots_unreachable", "out_of_scope", "trapped", "failed")
    accounts = dict.fromkeys((*names, "skipped_limit", "unvisited", "discovered"), 0)
    world.run("cancelled", finished_at=SLOT, digest=b"\x01" * 32, **accounts)
    assert world.connection.scalar(reports.newest_unfinished()) == run


def test_header_sets_come_by_pages_with_the_first_urls_and_whether_they_are_new(world: World) -> None:
    earlier, run = world.run(), world.run()
    rare = world.snapshot(run, b"Server: rare\r\n", "headers/1\nserver: rare\n")
    common = world.snapshot(earlier, b"Server: common\r\n", "headers/1\nserver: common\n")
    for path in ("/d", "/b", "/c", "/a"):
        world.visit(run, path, snapshot_id=common, status=404 if path == "/a" else 200)
    world.visit(run, "/Z", snapshot_id=rare, status=301)
    world.visit(earlier, "/0", snapshot_id=rare, status=200)
    shown = report.collect(world.connection, run)
    assert [(item.pages, item.statuses, item.is_new, item.pairs) for item in shown.sets] == [
        (4, (200, 404), False, (("Server", "common"),)),
        (1, (301,), True, (("Server", "rare"),)),
    ]
    assert shown.sets[0].samples == tuple(f"https://example.com/{path}" for path in "abc")
    assert [(item.outcome, item.status, item.pages) for item in shown.answers] == [
        (Outcome.STORED, 200, 3),
        (Outcome.STORED, 301, 1),
        (Outcome.STORED, 404, 1),
    ]


def test_troubles_are_grouped_by_their_reason_with_samples(world: World) -> None:
    run = world.run()
    for number in range(5):
        world.visit(run, f"/{number}", outcome=int(Outcome.FAILED), error=f"dns: try {number}")
    world.visit(run, "/t", outcome=int(Outcome.FAILED), error="timeout")
    world.visit(run, "/r", outcome=int(Outcome.ROBOTS_DENIED))
    shown = report.collect(world.connection, run).troubles
    assert [(item.outcome, item.reason, item.pages) for item in shown] == [
        (Outcome.ROBOTS_DENIED, "", 1),
        (Outcome.FAILED, "dns", 5),
        (Outcome.FAILED, "timeout", 1),
    ]
    assert shown[1].samples == tuple((f"https://example.com/{n}", f"dns: try {n}") for n in range(3))


def test_masks_and_sitemaps_are_shown(world: World) -> None:
    run = world.run()
    world.connection.execute(
        insert(site_masks).values(
            site_id=world.site_id, header_name="x-pod", run_id=run, distinct_values=61, responses=70
        )
    )
    world.connection.execute(
        insert(sitemaps).values(
            run_id=run,
            url_key=b"\x02" * 16,
            shard_id=world.shard(run, 443),
            url="https://example.com/sitemap.xml",
            entries=3,
            done_at=SLOT,
        )
    )
    shown = report.collect(world.connection, run)
    assert [(item.name, item.distinct, item.responses) for item in shown.masks] == [("x-pod", 61, 70)]
    assert [(item.url, item.entries, item.is_done) for item in shown.sitemaps] == [
        ("https://example.com/sitemap.xml", 3, True)
    ]


@pytest.fixture
def exported(world: World) -> int:
    run = world.run()
    snapshot = world.snapshot(
        run, b"Server: a\r\nno colon\r\nServer: b\r\n", "headers/1\nserver: a\nserver: b\n"
    )
    for path in ("/b", "/B", "/a", "/ä"):
        world.visit(run, path, snapshot_id=snapshot, status=200, elapsed_ms=5)
    world.visit(run, "/failed", outcome=int(Outcome.FAILED), error="dns: no such host")
    return run


def test_an_export_is_sorted_by_the_bytes_of_the_url(world: World, exported: int) -> None:
    lines = [json.loads(line) for line in export._jsonl(world.connection, exported)]
    assert [line["url"].removeprefix("https://example.com") for line in lines] == [
        "/B",
        "/a",
        "/b",
        "/failed",
        "/ä",
    ]


def test_an_exported_line_carries_the_headers_in_order_and_the_malformed_lines(
    world: World, exported: int
) -> None:
    first = json.loads(next(export._jsonl(world.connection, exported)))
    assert first["headers"] == [["Server", "a"], ["Server", "b"]]
    assert first["malformed"] == ["no colon"]
    assert first["content_hash"].startswith("sha256:")
    assert first["fetched_at"] == "2026-11-22T10:00:00Z"


def test_csv_has_the_same_pages_as_jsonl(world: World, exported: int) -> None:
    rows = list(csv.DictReader("".join(export._csv(world.connection, exported)).splitlines()))
    lines = [json.loads(line) for line in export._jsonl(world.connection, exported)]
    assert [(row["url"], row["outcome"], row["error"]) for row in rows] == [
        (line["url"], line["outcome"], line["error"] or "") for line in lines
    ]


def test_an_export_may_be_read_slowly(world: World, exported: int) -> None:
    list(export._csv(world.connection, exported))
    limits = [
        world.connection.execute(text(f"SHOW {name}")).scalar_one()
        for name in ("statement_timeout", "idle_in_transaction_session_timeout")
    ]
    assert limits == ["0", "0"]


def kinds(world: World, run: int) -> list[str]:
    """What an open run is said to wait for."""
    return [item.kind for item in standstill.of_run(world.connection, run)]


def beat(world: World) -> None:
    world.connection.execute(control.record_heartbeat(name="w1", kind="worker", detail={}))


def test_an_open_run_that_somebody_can_work_on_waits_for_nothing(world: World) -> None:
    run = world.run()
    world.shard(run, 443)
    assert kinds(world, run) == ["no_worker"]
    beat(world)
    assert kinds(world, run) == []


def test_what_an_open_run_waits_for_is_named_with_its_time(world: World) -> None:
    beat(world)
    run = world.run()
    due = datetime(2100, 1, 1, tzinfo=UTC)
    world.shard(run, 1)
    world.shard(run, 2, lost_leases=4, not_before=due)
    world.shard(run, 3, not_before=due.replace(month=2))
    world.shard(run, 4, not_before=due, state="done")
    world.shard(run, 5, not_before=due, lease_owner="w", lease_until=due)
    blocked = text("UPDATE origins SET blocked_until = :until WHERE port = 1")
    world.connection.execute(blocked, {"until": due.replace(month=3)})
    world.connection.execute(control.pause(changed_by="ann@host", reason="change window"))
    found = standstill.of_run(world.connection, run)
    assert [(item.kind, item.until and item.until.month) for item in found] == [
        ("paused", None),
        ("lost_leases", 1),
        ("retry", 2),
        ("origin", 3),
    ]
    assert [item.said for item in found] == [
        "paused by ann@host: change window; `headersweep unpause` lets it go on",
        "https://example.com:2 lost 4 workers in a row; it is tried again at 2100-01-01T00:00:00Z",
        "https://example.com:3 has pages that are tried again at 2100-02-01T00:00:00Z",
        "https://example.com:1 asked for rest until 2100-03-01T00:00:00Z",
    ]
    for port in range(6, 12):
        world.shard(run, port, not_before=due)
    assert kinds(world, run)[-2:] == ["retry", "more"]


def test_a_run_that_waits_for_another_one_says_for_which(world: World) -> None:
    beat(world)
    first = world.run()
    second = world.run(not_before=None)
    assert standstill.of_run(world.connection, second) == (
        Standstill("earlier_run", f"run {second} waits until run {first} of docs has ended"),
    )


def test_a_run_that_is_over_waits_for_nothing_and_says_what_was_done_to_it(world: World) -> None:
    run = world.run()
    for reason in ("power cut", "again"):
        operations.resume(world.connection, run, "ann@host", reason)
    shown = report.collect(world.connection, run)
    assert [item.reason for item in shown.actions] == ["power cut", "again"]
    assert [item.kind for item in shown.waiting] == ["no_worker"]
    (listed,) = report.list_runs(world.connection, "docs", 1)
    assert listed.last_action == shown.run.last_action == shown.actions[-1]
    operations.cancel(world.connection, run, "bob@host", "enough")
    shown = report.collect(world.connection, run)
    assert shown.waiting == ()
    assert (shown.actions[-1].action, shown.actions[-1].asked_by) == (RunAction.CANCEL, "bob@host")
