"""What goes wrong in a sweep, and when: drawn from a seed, the same in every process."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

MOST_STRIKES = 4
LONGEST_OUTAGE = 2.0
LONGEST_SILENCE = 5.0


class Fault(StrEnum):
    """One thing that goes wrong at one moment."""

    WORKER_KILLED = "a worker killed"
    WORKERS_KILLED = "all workers killed"
    WORKER_FROZEN = "a worker frozen beyond its lease"
    COMMAND_KILLED = "the command killed"
    BEAT_KILLED = "the beat killed"
    BROKER_KILLED = "the broker killed"
    BROKER_EMPTIED = "the broker emptied"
    BROKER_FROZEN = "the broker silent"
    POSTGRES_STOPPED = "Postgres stopped at once"
    SESSIONS_ENDED = "database sessions ended"
    EVERYTHING_KILLED = "everything killed"


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

    def __str__(self) -> str:
        strikes = "; ".join(map(str, self.strikes))
        return f"{self.mode}, {self.workers} workers, messages {self.messages}: {strikes}"

    @property
    def faults(self) -> int:
        """How many faults there are, that of the messages not counted."""
        return len(self.strikes)


def drawn(seed: int, lease_seconds: float) -> Schedule:
    """The schedule of a seed. Each fault has its turn in consecutive seeds; the rest is chance."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    mode = dice.choice(tuple(Mode))
    possible = [fault for fault in Fault if mode is Mode.UP or fault is not Fault.BEAT_KILLED]
    faults = [possible[seed % len(possible)], *dice.choices(possible, k=dice.randint(0, MOST_STRIKES - 1))]
    dice.shuffle(faults)
    moments = sorted(dice.uniform(0.02, 0.95) for _ in faults)
    return Schedule(
        seed,
        mode,
        workers=dice.randint(2, 4),
        messages=dice.choice((Messages.DELIVERED, Messages.DELIVERED, Messages.DROPPED, Messages.DOUBLED)),
        strikes=tuple(
            Strike(at, fault, _seconds(fault, dice, lease_seconds))
            for at, fault in zip(moments, faults, strict=True)
        ),
    )


def _seconds(fault: Fault, dice: random.Random, lease_seconds: float) -> float:
    if fault is Fault.WORKER_FROZEN:
        return lease_seconds + dice.uniform(0.5, 2.0)
    if fault is Fault.BROKER_FROZEN:
        return dice.uniform(1.0, LONGEST_SILENCE)
    return dice.uniform(0.0, LONGEST_OUTAGE)
