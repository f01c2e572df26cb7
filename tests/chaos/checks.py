"""What must be true after a sweep, whatever went wrong in it; each question is put to the database or to the site."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.chaos import audit, points, said
from tests.chaos.schedule import NOBODY, ONE_WORKER, Schedule, Strike
from tests.chaos.sweeping import COMMIT_PAGES, CONCURRENCY, Sweep
from tests.site_plan import Kind, Truth
from tests.site_server import SiteServer

IN_FLIGHT = 3 * CONCURRENCY
"""At the three origins together."""

RESUME_SECONDS = 15.0
ORPHAN_SECONDS = 15.0
"""A worker or beat whose command was killed notices it at its next heartbeat, and ends what is in flight first."""

LOOK_SECONDS = 0.1
EVENT = "run.finished:1:1"
HANG_SECONDS = 15.0
"""A worker whose commit gets no answer gives up on that connection by itself within this time."""

QUERIES = {
    "runs that are not finished": "SELECT id, state FROM runs WHERE state <> 'finished'",
    "more or less than one run": "SELECT count(*) FROM runs HAVING count(*) <> 1",
    "accounting that does not add up": "SELECT id FROM runs WHERE unvisited <> 0 OR discovered IS DISTINCT FROM stored "
    "+ robots_denied + robots_unreachable + out_of_scope + trapped + failed + skipped_limit",
    "counts that are not those of the rows": "SELECT r.id FROM runs r WHERE r.discovered IS DISTINCT FROM "
    "(SELECT count(*) FROM visits v WHERE v.run_id = r.id)",
    "header sets that are not those of the rows": "SELECT id FROM runs WHERE stored IS DISTINCT FROM "
    "(SELECT coalesce(sum(pages), 0) FROM run_sets WHERE run_id = runs.id)",
    "pages with more than one visit": "SELECT page_id FROM visits GROUP BY run_id, page_id HAVING count(*) > 1",
    "pages known twice": "SELECT url FROM pages GROUP BY url HAVING count(*) > 1",
    "pages found and not visited": "SELECT f.page_id FROM frontier f LEFT JOIN visits v USING (run_id, page_id) "
    "WHERE v.page_id IS NULL",
    "leases left": "SELECT id, lease_owner FROM shards WHERE lease_owner IS NOT NULL OR lease_until IS NOT NULL",
    "retries left": "SELECT page_id FROM retries",
    "events other than one run.finished, emitted": "SELECT array_agg(event_id) FROM outbox "
    "HAVING count(*) <> 1 OR NOT bool_and(event_id = 'run.finished:1:1' AND emitted_at IS NOT NULL)",
    "sessions in a transaction": "SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
    **audit.QUERIES,
}
"""Each must find nothing."""

VISITS = (
    "SELECT p.url, v.outcome, v.status, t.url FROM visits v JOIN pages p ON p.id = v.page_id "
    "LEFT JOIN pages t ON t.id = v.target_page_id"
)


@dataclass(frozen=True)
class Undisturbed:
    """What a sweep that was left alone came to."""

    digest: str
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """What came of one seed."""

    schedule: Schedule
    wrong: tuple[str, ...]
    struck: tuple[Strike, ...] = ()
    repeated: int = 0
    refused: int = 0
    messages: int = 0
    seconds: float = 0.0
    to_the_end: float = 0.0
    recovered: tuple[float, ...] = ()
    pointed: bool = False


def most_repeated(struck: Iterable[Strike], workers: int) -> int:
    """What may be fetched again: for each worker that a fault may hit a commit's worth, and what is in flight.

    A fault that holds up no worker that fetches allows nothing, and neither do messages or a second beat.
    """
    hit = [strike.fault for strike in struck if strike.fault not in NOBODY]
    return sum((1 if fault in ONE_WORKER else workers) * COMMIT_PAGES + IN_FLIGHT for fault in hit)


def repeated(site: SiteServer) -> int:
    """Requests for pages that had been answered before; a page that is busy at first is asked for twice by right."""
    plan, extra = site.plan, 0
    for url, count in site.hits().items():
        number = plan.numbers.get(url)
        if number is not None:
            extra += max(0, count - (2 if plan.kind(number) in {Kind.BUSY, Kind.LIMITED} else 1))
    return extra


def digest(connection: psycopg.Connection[Any]) -> str:
    """The digest of the only run."""
    row = connection.execute("SELECT encode(digest, 'hex') FROM runs").fetchone()
    return str(row[0]) if row else ""


def refused(sweep: Sweep) -> int:
    """How often a worker was told that its lease is lost: what it held was not written."""
    logs = (sweep.home.path / "logs").glob("worker-*.log")
    return sum(log.read_text(encoding="utf-8", errors="replace").count('"shard.lost"') for log in logs)


def judged(sweep: Sweep, alone: Undisturbed, seconds: float) -> Verdict:
    """Every check on a sweep whose command has ended and whose servers still run."""
    to_the_end = max(0.0, sweep.finished_after())
    again = repeated(sweep.site)
    found = Verdict(
        sweep.schedule,
        (),
        struck=tuple(sweep.struck),
        repeated=again,
        refused=refused(sweep),
        messages=sweep.messages,
        seconds=seconds,
        to_the_end=to_the_end,
        recovered=tuple(sweep.recovered),
        pointed=bool(points.struck(sweep.home)),
    )
    wrong = [*_processes(sweep), *_in_the_database(sweep, alone), *_hung(sweep)]
    wrong += said.wrong(sweep.home, {EVENT}, len(found.struck) + found.pointed)
    if sweep.schedule.clock and not said.astray(sweep.home):
        wrong.append("no clock was wrong")
    most = most_repeated(found.struck, sweep.schedule.workers)
    if found.pointed and sweep.schedule.aim is not None:
        # A command takes its workers with it.
        hit = sweep.schedule.workers if sweep.schedule.aim.who == "command" else 1
        most += hit * COMMIT_PAGES + IN_FLIGHT
    if again > most:
        wrong.append(f"{again} pages fetched again, at most {most} may be")
    if found.recovered and (longest := max(found.recovered)) > RESUME_SECONDS:
        wrong.append(f"nothing was committed for {longest:.1f} s after a fault")
    share = 1.0 - sweep.pages_then / len(sweep.site.plan.numbers)
    if to_the_end > (limit := RESUME_SECONDS + share * alone.seconds):
        wrong.append(f"the end came {to_the_end:.1f} s after the last fault, at most {limit:.1f} s are right")
    return Verdict(**(vars(found) | {"wrong": tuple(wrong)}))


def _in_the_database(sweep: Sweep, alone: Undisturbed) -> list[str]:
    wrong = []
    with sweep.database() as connection:
        for name, query in QUERIES.items():
            if rows := connection.execute(query).fetchall():
                wrong.append(f"{name}: {rows[:5]}")
        visits = {row[0]: Truth(*row[1:]) for row in connection.execute(VISITS)}
        if not connection.execute(audit.SEEN).fetchall()[0][0]:
            wrong.append("the audit saw nothing")
        if digest(connection) != alone.digest:
            wrong.append("another digest than that of a sweep left alone")
    if visits != (truth := sweep.site.truth()):
        others = [url for url in visits.keys() | truth.keys() if visits.get(url) != truth.get(url)]
        wrong += [f"{url}: {visits.get(url)} instead of {truth.get(url)}" for url in others[:5]]
    return wrong


def _processes(sweep: Sweep) -> list[str]:
    deadline = time.monotonic() + ORPHAN_SECONDS
    while (left := _left(sweep)) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return [f"processes left after {ORPHAN_SECONDS:.0f} s: {left}"] if left else []


def _left(sweep: Sweep) -> list[int]:
    servers = {*sweep.home.postgres(), *sweep.home.broker()}
    return sorted(set(sweep.home.processes()) - servers)


def _hung(sweep: Sweep) -> list[str]:
    """A commit that never gets an answer must hang no worker: it leaves that connection by itself."""
    left = [link.left_after for link in sweep.proxy.frozen] if sweep.proxy else []
    return [
        f"a worker clung to a dead connection: {seconds}"
        for seconds in left
        if seconds is None or seconds > HANG_SECONDS
    ]
