"""What a tick of the planner costs with 100,000 sites: none due, 1,000 due, all of them due at once.

    python -m benchmarks.planning postgresql://user@host/scratch [--sites 100000]

The database is one of its own that this run may fill: everything in it is dropped first. A tick is what the beat does:
plan in bites for about a second, then arrange what waits. Seeding and commits are in the figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from headersweep import logs, settings
from headersweep.definition import Overlap, SiteDefinition
from models import engine as engines
from models import migrate, sites
from scheduler import planning

SCHEDULES = ("0 2 * * *", "30 3 * * *", "15 4 * * MON", "0 */6 * * *")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
DUE_AT_ONCE = 1_000
LOADED_AT_ONCE = 5_000
TARGET_SECONDS = 2.0


def definition(number: int) -> SiteDefinition:
    """A site like many others; every fifth has a policy of each kind."""
    policies: dict[str, Any] = {"splay": "30m", "window": "01:00-05:00", "overlap": Overlap.QUEUE}
    return SiteDefinition(
        name=f"site{number}",
        start_urls=(f"https://www{number}.example/",),
        owner="web team <web@example.com>",
        expected_result="About 500 pages, all with HSTS and a CSP.",
        rollback_note="git revert in infra/nginx, then make deploy",
        schedule=SCHEDULES[number % len(SCHEDULES)],
        timezone=ZONES[number // 7 % len(ZONES)],
        **(policies if number % 5 == 0 else {}),
    )


def load(engine: Engine, count: int) -> None:
    """Start from an empty database with this many sites, none of them due."""
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    migrate.upgrade(engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for first in range(0, count, LOADED_AT_ONCE):
        rows = [definition(number).as_json() for number in range(first, min(first + LOADED_AT_ONCE, count))]
        with engine.begin() as connection:
            connection.execute(sites.upsert_file_sites(rows, [tomorrow] * len(rows)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def make_due(engine: Engine, count: int) -> None:
    """Let the next slot of this many sites have come half a minute ago."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE sites SET next_slot_at = clock_timestamp() - interval '30 s' WHERE id <= :n"),
            {"n": count},
        )


def tick(engine: Engine) -> tuple[float, int]:
    """Seconds that a tick took, and how many runs it made."""
    started = time.perf_counter()
    planned = len(planning.plan(engine))
    return time.perf_counter() - started, planned


def show(name: str, seconds: list[float], planned: int) -> None:
    """One line of the result."""
    longest = max(seconds)
    verdict = "" if longest < TARGET_SECONDS else f"  MISSED: {TARGET_SECONDS:g} s"
    median = statistics.median(seconds)
    print(
        f"{name:<24} ticks {len(seconds):>4}  median {median * 1000:8.1f} ms  longest {longest * 1000:8.1f} ms"
        f"  sites planned {planned:>7,}  {planned / sum(seconds):8,.0f} sites/s{verdict}"
    )


def measure(engine: Engine, count: int) -> None:
    """Measure the three cases, one after the other, on the same database."""
    tick(engine)  # the first builds connections and caches
    quiet = [tick(engine) for _ in range(50)]
    show("none due", [seconds for seconds, _ in quiet], 0)
    make_due(engine, DUE_AT_ONCE)
    seconds, planned = tick(engine)
    show(f"{DUE_AT_ONCE:,} due", [seconds], planned)
    make_due(engine, count)
    busy = []
    while True:
        seconds, planned = tick(engine)
        left = count_due(engine)
        busy.append((seconds, planned))
        if not left:
            break
    show(f"{count:,} due", [seconds for seconds, _ in busy], sum(planned for _, planned in busy))
    after = [tick(engine) for _ in range(20)]
    show(f"none due, {open_runs(engine):,} open", [seconds for seconds, _ in after], 0)


def count_due(engine: Engine) -> int:
    """How many sites still wait to be planned."""
    with engine.connect() as connection:
        return int(
            connection.execute(
                text("SELECT count(*) FROM sites WHERE enabled AND next_slot_at <= clock_timestamp()")
            ).scalar_one()
        )


def open_runs(engine: Engine) -> int:
    """How many runs have not ended."""
    with engine.connect() as connection:
        statement = text("SELECT count(*) FROM runs WHERE state IN ('planned', 'running')")
        return int(connection.execute(statement).scalar_one())


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="a scratch database; everything in it is dropped")
    parser.add_argument("--sites", type=int, default=100_000)
    given = parser.parse_args()
    engine = engines.connect(given.url)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        logs.configure(settings.from_mapping({}), stream=nowhere, is_terminal=False)
        started = time.perf_counter()
        load(engine, given.sites)
        print(f"{given.sites:,} sites loaded in {time.perf_counter() - started:.1f} s")
        measure(engine, given.sites)
    engine.dispose()


if __name__ == "__main__":
    main()
