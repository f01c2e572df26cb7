"""Canaries: sessions that read and write a table all the time, and notice how long they had to wait."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from cli.care.singers import READER, WRITER
from headersweep.errors import HeadersweepError
from models.care import scratch, watching
from models.care.watching import Canary

__all__ = ["READER", "WRITER", "Call", "Flock", "of_tables", "singing"]

END_SECONDS = 660.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Call:
    """One question of a canary: by whom, when, and for how long it had no answer."""

    kind: str
    table: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it waited."""
        return self.ended - self.began


@dataclass
class Flock:
    """Everything that the canaries of some tables noticed; complete when they have stopped."""

    calls: list[Call] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def longest(self, kind: str, since: float = 0.0, until: float = float("inf")) -> float | None:
        """The longest wait of a kind that reached into a stretch of time, in ms; None where nobody asked."""
        found = [
            each.seconds
            for each in self.calls
            if each.kind == kind and each.ended > since and each.began < until
        ]
        return max(found) * 1000 if found else None


def of_tables(engine: Engine, tables: Sequence[str]) -> list[Canary]:
    """What to ask of these tables: one row by its key, as the data have it now."""
    found = []
    with engine.connect() as connection:
        for table in tables:
            named = {"table": scratch.quoted(table)}
            keys = [str(name) for name in connection.scalars(watching.key_columns(), named)]
            column = connection.scalar(watching.plain_column(), named)
            if keys and column is not None:
                row = connection.execute(watching.some_key(table, keys)).first()
                found.append(watching.canary(table, keys, str(column), tuple(row) if row else ()))
    return found


@contextmanager
def singing(database_url: str, canaries: Sequence[Canary]) -> Iterator[Flock]:
    """Ask all of them, each in a session of its own, until the block ends; whoever waits then is waited for."""
    flock = Flock()
    if not canaries:
        yield flock
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.care.singers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        start_new_session=True,  # Ctrl-C is for us; we end them when we are done with them
    )
    try:
        _begin(process, database_url, canaries)
        yield flock
        told = json.loads(process.communicate(timeout=END_SECONDS)[0])
        flock.calls += [Call(*each) for each in told["calls"]]
        flock.errors += told["errors"]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _begin(process: subprocess.Popen[str], database_url: str, canaries: Sequence[Canary]) -> None:
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101 - the same
    asked = [{**dataclasses.asdict(each), "key": [_plain(part) for part in each.key]} for each in canaries]
    process.stdin.write(json.dumps({"url": url, "canaries": asked}) + "\n")
    process.stdin.flush()
    if process.stdout.readline() != "ready\n":
        raise HeadersweepError("the canaries could not reach the scratch database")


def _plain(part: object) -> Any:
    return {"hex": bytes(part).hex()} if isinstance(part, bytes | memoryview) else part
