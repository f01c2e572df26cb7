"""What goes wrong in a sweep, and when: drawn from a seed, the same in every process."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos import points
from tests.chaos.points import Aim

MOST_STRIKES = 4
LONGEST_OUTAGE = 2.0
LONGEST_SILENCE = 5.0
TWO_BEATS = 0.3
"""The share of schedules under ``up`` that have a second beat."""

OWN_SERVERS = 0.2
"""The share of schedules whose servers are given by their URLs, beside those that need it."""


class Fault(StrEnum):
    """One thing that goes wrong at one moment."""

    WORKER_KILLED = "a worker killed"
    WORKERS_KILLED = "all workers killed"
    WORKER_FROZEN = "a worker frozen beyond its lease"
    COMMAND_KILLED = "the command killed"
    BEAT_KILLED = "the beat killed"
    BROKER_KILLED = "the broker killed"
    BROKER_LOST = "the broker killed and back empty"
    BROKER_AWAY = "the broker away and back empty"
    BROKER_EMPTIED = "the broker emptied"
    BROKER_FROZEN = "the broker silent"
    POSTGRES_STOPPED = "Postgres stopped at once"
    POSTGRES_KILLED = "all of Postgres killed"
    POSTGRES_AWAY = "Postgres away"
    POSTGRES_REFUSING = "Postgres refusing connections"
    POSTGRES_CROWDED = "Postgres with too many clients"
    SESSIONS_ENDED = "database sessions ended"
    COMMIT_UNANSWERED = "a commit never answered"
    COMMIT_UNSENT = "the connection cut before a commit"
    COMMIT_UNKNOWN = "the connection cut behind a commit"
    DISK_FULL = "the database's disk full"
    EVERYTHING_KILLED = "everything killed"


NOBODY = frozenset(
    {
        Fault.BEAT_KILLED,
        Fault.BROKER_KILLED,
        Fault.BROKER_LOST,
        Fault.BROKER_AWAY,
        Fault.BROKER_EMPTIED,
        Fault.BROKER_FROZEN,
    }
)
"""What holds up no worker that fetches: no page may be fetched again for it."""

ONE_WORKER = frozenset(
    {
        Fault.WORKER_KILLED,
        Fault.WORKER_FROZEN,
        Fault.COMMIT_UNANSWERED,
        Fault.COMMIT_UNSENT,
        Fault.COMMIT_UNKNOWN,
    }
)
"""What hits one worker; everything else may hit all of them."""

CUTS = frozenset({Fault.COMMIT_UNANSWERED, Fault.COMMIT_UNSENT, Fault.COMMIT_UNKNOWN})
"""The network between one worker and Postgres cut in the middle of a commit."""

OUTAGES = {Fault.BROKER_AWAY: (20.0, 20.0), Fault.POSTGRES_AWAY: (8.0, 12.0)}
"""Long ones, at most one a schedule; a command with embedded servers would end them sooner."""

OURS = CUTS | OUTAGES.keys()
"""What needs servers that the program does not start by itself."""


class Servers(StrEnum):
    """Who starts Postgres and the broker again when they are gone."""

    EMBEDDED = "embedded servers"  # whoever notices first: the command or we
    GIVEN = "given servers"  # we alone; the way to Postgres leads through a proxy


class Mode(StrEnum):
    """How the sweep is run."""

    SWEEP = "sweep"  # the command supervises workers of its own and waits
    UP = "up"  # workers and a beat; the run was only planned


class Messages(StrEnum):
    """What happens to the doorbell's messages, from the start to the end."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    DOUBLED = "doubled"


@dataclass(frozen=True)
class Strike:
    """A fault once this share of the pages has been asked for; what is interrupted stays so for some seconds."""

    at: float
    fault: Fault
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:.0%} {self.fault} ({self.seconds:.1f} s)"


@dataclass(frozen=True)
class Schedule:
    """Everything that is drawn for one seed."""

    seed: int
    mode: Mode
    workers: int
    messages: Messages
    strikes: tuple[Strike, ...]
    beats: int = 1
    servers: Servers = Servers.EMBEDDED
    aim: Aim | None = None
    clock: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        wrong = "; ".join(map(str, (*self.strikes, *([self.aim] if self.aim else []))))
        beats = f", {self.beats} beats" if self.mode is Mode.UP else ""
        clock = f", clocks {self.clock}" if self.clock else ""
        return f"{self.mode}, {self.workers} workers{beats}, {self.servers}, messages {self.messages}{clock}: {wrong}"

    def has(self, fault: Fault) -> bool:
        """Whether it is among the strikes."""
        return any(strike.fault is fault for strike in self.strikes)


def drawn(seed: int, lease_seconds: float) -> Schedule:
    """The schedule of a seed. Each fault has its turn in consecutive seeds; the rest is chance."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    mode = dice.choice(tuple(Mode))
    possible = [fault for fault in Fault if mode is Mode.UP or fault is not Fault.BEAT_KILLED]
    short = [fault for fault in possible if fault not in OUTAGES]
    faults = [possible[seed % len(possible)], *dice.choices(short, k=dice.randint(0, MOST_STRIKES - 1))]
    dice.shuffle(faults)
    moments = sorted(dice.uniform(0.02, 0.95) for _ in faults)
    aim, clock = points.drawn(seed)
    given = dice.random() < OWN_SERVERS or not OURS.isdisjoint(faults)
    return Schedule(
        seed,
        mode,
        workers=dice.randint(2, 4),
        messages=dice.choice((Messages.DELIVERED, Messages.DELIVERED, Messages.DROPPED, Messages.DOUBLED)),
        strikes=tuple(
            Strike(at, fault, _seconds(fault, dice, lease_seconds))
            for at, fault in zip(moments, faults, strict=True)
        ),
        beats=2 if mode is Mode.UP and dice.random() < TWO_BEATS else 1,
        servers=Servers.GIVEN if given else Servers.EMBEDDED,
        aim=aim,
        # A sweep has no beat.
        clock="" if mode is Mode.SWEEP and clock.startswith("beat") else clock,
    )


def _seconds(fault: Fault, dice: random.Random, lease_seconds: float) -> float:
    if fault in OUTAGES:
        return dice.uniform(*OUTAGES[fault])
    if fault is Fault.WORKER_FROZEN:
        return lease_seconds + dice.uniform(0.5, 2.0)
    if fault in {
        Fault.POSTGRES_REFUSING,
        Fault.POSTGRES_CROWDED,
        Fault.DISK_FULL,
        Fault.BROKER_FROZEN,
        *CUTS,
    }:
        return dice.uniform(1.0, LONGEST_SILENCE)
    return dice.uniform(0.0, LONGEST_OUTAGE)
