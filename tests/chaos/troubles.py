"""Trouble that is aimed: one thing goes wrong at one place, where one safeguard is all that helps.

The whole program must be right afterwards; the witnesses take the safeguard away.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from typing import Any

import psycopg

from tests.chaos import audit, checks, points, sweeping
from tests.chaos.laboratory import Laboratory
from tests.chaos.points import Aim, Deed, Source
from tests.chaos.schedule import Messages, Mode, Schedule
from tests.processes import _program
from tests.processes._program import Home, Program

Trouble = Callable[[Laboratory, Source], tuple[str, ...]]
"""Something that goes wrong in a sweep, and what is wrong afterwards."""


def scheduled(
    aim: Aim | None = None,
    *,
    mode: Mode = Mode.SWEEP,
    clock: str = "",
    refused: bool = False,
    messages: Messages = Messages.DELIVERED,
    settings: tuple[tuple[str, str], ...] = (),
) -> Trouble:
    """A sweep under a schedule, judged like any other; the whole program is known to refuse something in it, or not."""

    def trouble(lab: Laboratory, source: Source) -> tuple[str, ...]:
        schedule = Schedule(0, mode, 2, messages, (), aim=aim, clock=clock, settings=settings)
        verdict = lab.carried_out(schedule, source)
        missed = ["nobody came to the point"] if aim is not None and not verdict.pointed else []
        suffered = ["nobody was refused"] if refused and not verdict.refused else []
        return (*verdict.wrong, *missed, *suffered)

    return trouble


ZOMBIE = scheduled(Aim("locking", Deed.STOP), refused=True)
"""A worker stands still inside its commit, before it looks at its fencing numbers, until another has its shards."""

AGAIN = scheduled(Aim("enlisted", Deed.KILL, who="command"))
"""A command dies once its run is committed, and is started again for the same slot."""

UNANSWERED = scheduled(Aim("committed", Deed.LOST))
"""A worker does not hear that its commit was done, and sends it again."""

CLOCKS = scheduled(mode=Mode.UP, clock="beat:-120,w1:120,w2:120")
"""Wall clocks of workers are two minutes ahead of the database's, that of the beat two minutes behind."""

DEAD = scheduled(Aim("fetched", Deed.KILL), settings=(("HEADERSWEEP_LEASE_SECONDS", "60"),))
"""A worker dies whose leases last much longer than anybody should wait for its pages."""

SILENCE = scheduled(mode=Mode.UP, messages=Messages.DROPPED)
"""No message ever arrives."""

FAILING_URL = "http://10.255.255.1/"
"""An address that is not fetched from, whatever answers there: a page that fails at once."""

REOPENED_CHECKS = (
    "runs that are not finished",
    "accounting that does not add up",
    "counts that are not those of the rows",
    "pages found and not visited",
    "leases left",
    *audit.QUERIES,
)
STALE_SECONDS = 4.0
"""More than what a finisher waits for the lock of a run."""

STATE = "SELECT state, generation FROM runs"


def reopened(lab: Laboratory, source: Source) -> tuple[str, ...]:
    """A worker stands still between its look at a run and its closing; the run is closed and opened again meanwhile."""
    home = lab.made.copy_to(_program.new_folder())
    lab.site.forget()
    try:
        with home.servers() as servers:
            audit.install(servers.owner_url, source.sql)
            points.meddled(home, Aim("looked", Deed.STOP), source=source)
            _reopen(home, lab)
            with psycopg.connect(servers.owner_url, autocommit=True) as connection:
                queries = {name: checks.QUERIES[name] for name in REOPENED_CHECKS}
                found = {name: connection.execute(query).fetchall() for name, query in queries.items()}
                state = connection.execute(STATE).fetchall()
            wrong = [f"{name}: {rows[:5]}" for name, rows in found.items() if rows]
            return (*wrong, *([] if state == [("finished", 2)] else [f"the run is {state}"]))
    finally:
        home.close()


def _reopen(home: Home, lab: Laboratory) -> None:
    urls = [*lab.site.start_urls, FAILING_URL]
    path = str(_program.site_file(home.folder, lab.site, start_urls=urls))
    home.environ |= {"HEADERSWEEP_TICK_SECONDS": "1", "HEADERSWEEP_SHARDS_PER_SLICE": "2"}
    assert home.run("sweep", "--site-file", path, "--slot", sweeping.SLOT, "--no-wait").code == 0
    program = home.start("up")
    pid = _program.until(lambda: points.struck(home), what="a worker at its look")
    try:
        # Whoever else wants to close it now: it waits for the lock, or it does not.
        with contextlib.suppress(AssertionError):
            _program.until(lambda: _is_final(home, 1), STALE_SECONDS, "the end of the run by another")
        stale = _is_final(home, 1)
        if not stale:
            _program.kill([pid], signal.SIGCONT)
            _program.until(lambda: _is_final(home, 1), what="the end of the run")
        assert home.run("pause").code == 0
        again = home.run("rerun", "1", "--failed", "--no-wait")
        assert "run.reopened" in again.err, again.err
    finally:
        _program.kill([pid], signal.SIGCONT)
    with contextlib.suppress(AssertionError):
        _program.until(lambda: stale and _is_final(home, 2), STALE_SECONDS, "a stale closing")
    assert home.run("unpause").code == 0
    _program.until(lambda: _is_final(home, 2), what="the end of the run that was opened again")
    _end(program)


def _is_final(home: Home, generation: int) -> bool:
    with home.database() as connection:
        state, now = connection.execute(STATE).fetchall()[0]
    return bool(now > generation or (now == generation and state in {"finished", "partial", "failed"}))


def _end(program: Program) -> None:
    program.stop(signal.SIGTERM)
    ended = program.wait()
    assert ended.code == 0, ended.err


def fired_again(lab: Laboratory, source: Source) -> tuple[str, ...]:
    """A worker dies once it planned the run of a slot, unrung; when the run is over, the slot comes once more."""
    home = lab.made.copy_to(_program.new_folder())
    lab.site.forget()
    try:
        with home.servers() as servers, psycopg.connect(servers.owner_url, autocommit=True) as connection:
            audit.install(servers.owner_url, source.sql)
            points.meddled(home, Aim("planned", Deed.KILL), source=source)
            _fire_twice(home, lab, connection)
            queries = {name: query for name, query in checks.QUERIES.items() if name not in MOMENTARY}
            found = {name: connection.execute(query).fetchall() for name, query in queries.items()}
            same = checks.digest(connection) == lab.alone.digest
        wrong = [f"{name}: {rows[:5]}" for name, rows in found.items() if rows]
        return (*wrong, *([] if same else ["another digest than that of a sweep left alone"]))
    finally:
        home.close()


MOMENTARY = {"sessions in a transaction"}
"""Asked while workers are at work, some may be."""

FIRE = "UPDATE sites SET next_slot_at = date_trunc('day', now()) - interval '20 minutes'"
PLANNED = "SELECT next_slot_at > now() FROM sites"
ALL_OVER = "SELECT count(*) > 0 AND bool_and(state = 'finished') FROM runs"


def _fire_twice(home: Home, lab: Laboratory, connection: psycopg.Connection[Any]) -> None:
    _program.site_file(home.sites, lab.site, schedule="40 23 * * *", catch_up_window="2d")
    assert home.run("sites", "apply").code == 0
    home.environ |= {"HEADERSWEEP_TICK_SECONDS": "1", "HEADERSWEEP_SHARDS_PER_SLICE": "2"}
    program = home.start("up")
    for _ in range(2):
        connection.execute(FIRE)
        for question in (PLANNED, ALL_OVER):
            _program.until(lambda: connection.execute(question).fetchall() == [(True,)], what=question)  # noqa: B023
    assert points.struck(home), "nobody came to the point"
    _end(program)


TROUBLES = {
    "a worker frozen in its commit": ZOMBIE,
    "a command killed after its commit": AGAIN,
    "a commit without an answer": UNANSWERED,
    "clocks that are wrong": CLOCKS,
    "a run that is opened again under a finisher": reopened,
    "a slot that comes twice": fired_again,
}

LONG_TROUBLES = {"a worker that dies with a long lease": DEAD, "no message arrives": SILENCE}
"""Those whose mutations take half a minute and more to be noticed."""
