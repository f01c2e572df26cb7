"""Named crash points and wrong clocks: what a process does to itself at a place of the code (``meddling``), and who helps."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg

from tests.processes import _program
from tests.processes._program import Home

MEDDLING = Path(__file__).resolve().parent / "meddling"
LOOK_SECONDS = 0.02
STOP_SECONDS = 20.0
"""A stopped process is continued after this at the latest, whatever was waited for."""

TAKING_SECONDS = 9.0
"""Within a lease and a tick another process has taken over."""

TAKEABLE = frozenset({"claimed", "fetched", "locking", "committed"})
"""Points at which a process has no shard locked: whatever it holds can be taken over when its lease has run out."""

CLOSING = ("looked", "closing", "closed", "told")
WORKING = (*sorted(TAKEABLE), "written", "unrung")
POINTED = 0.6
ASTRAY = 0.25
MOST_PASSED = 5


class Deed(StrEnum):
    """What a process does to itself."""

    KILL = "kill"
    EXIT = "exit"
    STOP = "stop"
    LOST = "lost"  # the answer to its COMMIT


@dataclass(frozen=True)
class Source:
    """The program that is started: its files, and what is done to its database before (mutations change both)."""

    root: Path = _program.ROOT
    sql: str = ""


@dataclass(frozen=True)
class Aim:
    """Where what is done, once, by the first process of a kind that comes by, or that came by ``after`` times before."""

    point: str
    deed: Deed
    who: str = "worker"
    after: int = 0

    def __str__(self) -> str:
        return f"{self.who} {self.deed} at {self.point!r}"


def drawn(seed: int) -> tuple[Aim | None, str]:
    """What goes wrong inside of a process in the schedule of a seed: a point, clocks, both or nothing."""
    dice = random.Random(f"points of {seed}")  # noqa: S311 - repeatable, not secret
    clock = f"{dice.choice(('beat', 'w1'))}:{dice.choice((-120, 120))}" if dice.random() < ASTRAY else ""
    if dice.random() >= POINTED:
        return None, clock
    point = dice.choice((*CLOSING, *WORKING))
    deeds = [Deed.KILL, Deed.STOP, *([Deed.LOST] if point == "committed" else [])]
    after = 0 if point in CLOSING else dice.randint(0, MOST_PASSED)
    return Aim(point, dice.choice(deeds), after=after), clock


def meddled(home: Home, aim: Aim | None = None, clock: str = "", source: Source = Source()) -> None:
    """Whatever is started in this home from now on names its sessions, and does what was aimed at."""
    home.environ |= {
        "PYTHONPATH": f"{MEDDLING}{os.pathsep}{source.root}",
        "CHAOS_NAMED": "1",
        "CHAOS_CLOCK": clock,
    }
    if aim is not None:
        home.environ |= {
            "CHAOS_POINT": aim.point,
            "CHAOS_DEED": aim.deed,
            "CHAOS_WHO": aim.who,
            "CHAOS_AFTER": str(aim.after),
            "CHAOS_MARK": str(_mark(home)),
        }


def silenced(home: Home) -> None:
    """Whatever is started in this home from now on sends its messages nowhere."""
    home.environ["CHAOS_DROPPED"] = str(_dropped(home))


def dropped(home: Home) -> int:
    """How many messages went nowhere."""
    with contextlib.suppress(FileNotFoundError):
        return _dropped(home).stat().st_size
    return 0


def _dropped(home: Home) -> Path:
    return home.folder / "dropped"


def _mark(home: Home) -> Path:
    return home.folder / "mark"


def struck(home: Home) -> int:
    """The process that came to its point in this home; 0 while none did."""
    with contextlib.suppress(OSError, ValueError):
        return int(_mark(home).read_text(encoding="ascii"))
    return 0


def stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return text.rpartition(")")[2].split()[0] == "T"
    return False


class Helper:
    """A thread that notes when the point was come to, and continues a process that stopped itself there."""

    def __init__(
        self, home: Home, aim: Aim | None, enough: Callable[[int], bool], told: Callable[[], None]
    ) -> None:
        self._home = home
        self._aim = aim
        self._enough = enough
        self._told = told
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._help, daemon=True)
        self.happened = False

    def start(self) -> None:
        if self._aim is not None:
            self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._aim is not None:
            self._thread.join()

    def _help(self) -> None:
        assert self._aim is not None
        while not (pid := struck(self._home)):
            if self._ended.wait(LOOK_SECONDS):
                return
        self.happened = True
        if self._aim.deed is Deed.STOP:
            self._continue(pid)
        self._told()

    def _continue(self, pid: int) -> None:
        until = time.monotonic() + STOP_SECONDS
        try:
            _program.until(lambda: stopped(pid) or not _program.alive(pid), what="the stop")
            while (
                not self._ended.is_set()
                and time.monotonic() < until
                and stopped(pid)
                and not self._enough(pid)
            ):
                time.sleep(LOOK_SECONDS)
        finally:
            _program.kill([pid], signal.SIGCONT)


@contextlib.contextmanager
def helped(
    home: Home, aim: Aim | None, enough: Callable[[int], bool], told: Callable[[], None]
) -> Iterator[Helper]:
    """Somebody looks after the point as long as the block; a stopped process goes on once it is ``enough``."""
    helper = Helper(home, aim, enough, told)
    helper.start()
    try:
        yield helper
    finally:
        helper.stop()


HELD = "SELECT id FROM shards WHERE split_part(lease_owner, '/', 2) = %s"
TAKEN = "SELECT id FROM shards WHERE id = ANY(%s) AND split_part(lease_owner, '/', 2) <> %s"


@dataclass
class TakenOver:
    """Enough once another process holds something that the stopped one held; after some seconds if nobody can."""

    aim: Aim | None
    database: Callable[[], psycopg.Connection[Any]]
    seconds: float
    held: list[int] = field(default_factory=list)
    began: float = 0.0

    def __call__(self, pid: int) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.database() as connection:
            if not self.began:
                self.began = time.monotonic()
                self.held = [shard for (shard,) in connection.execute(HELD, (str(pid),))]
            elif connection.execute(TAKEN, (self.held, str(pid))).fetchone():
                return True
        can_be_taken = self.held and self.aim is not None and self.aim.point in TAKEABLE
        most = TAKING_SECONDS if can_be_taken else self.seconds
        return bool(self.began) and time.monotonic() - self.began >= most
