"""What the processes of a sweep wrote into their logs, and what must not stand there."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.processes._program import Home

FINISHED = "run.finished"
DEFECTS = frozenset({"shard.crashed", "run.stuck"})
"""Said when the program does not understand itself; no fault from outside may lead to that."""


def lines(home: Home) -> Iterator[dict[str, Any]]:
    """Every log line of the commands, workers and beats of a home."""
    for path in (*sorted(home.folder.glob("*.err")), *sorted((home.path / "logs").glob("*.log*"))):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith('{"'):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # cut short by a kill


def astray(home: Home, seconds: float = 60.0) -> int:
    """How many lines were written by a clock that is wrong by more than this."""
    now = datetime.now(UTC)
    times = (datetime.fromisoformat(line["timestamp"]) for line in lines(home))
    return sum(abs((now - moment).total_seconds()) > seconds for moment in times)


def told(home: Home) -> dict[str, int]:
    """How often the end of which run was told, by event id."""
    return collections.Counter(
        str(line.get("event.id")) for line in lines(home) if line.get("event") == FINISHED
    )


def wrong(home: Home, expected: set[str], faults: int) -> list[str]:
    """The end of each run is told at least once, and again only after a fault; nobody tells of a defect of ours."""
    found = told(home)
    most = 1 + faults
    complaints = []
    if found.keys() != expected or any(count > most for count in found.values()):
        complaints.append(
            f"{FINISHED} told as {dict(found)}, expected {sorted(expected)}, {most} times at most"
        )
    defects = collections.Counter(line["event"] for line in lines(home) if line.get("event") in DEFECTS)
    return complaints + [f"a defect of ours: {event} said {count} times" for event, count in defects.items()]
