"""What it costs to wait: no sweep due, 1,000 sites: ``python -m benchmarks.idle --seconds 60``.

A home of its own with embedded servers, a thousand site files whose slots are half a day away, ``headersweep up``. When
it has settled, the CPU seconds of every process of that home are read from /proc twice, as long apart as asked; ended
children (of Postgres above all) are counted with the process that started them. The result is a share of one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import cpu
from tests.processes import _program
from tests.processes._program import Home, Program

TARGET_PERCENT = 2.0
READY_SECONDS = 60.0
AHEAD = timedelta(hours=12)
SITE = """\
name = "site{number}"
start_urls = ["https://www{number}.example/"]
owner = "web team <web@example.com>"
expected_result = "about 500 pages"
rollback_note = "git revert in infra/nginx, then make deploy"
schedule = "{minute} {hour} * * *"
timezone = "UTC"
"""
TICKS = (
    "SELECT count(*) FROM heartbeats WHERE kind IN ('worker', 'beat') AND seen_at > now() - interval '15 s'"
)
RUNS = "SELECT count(*) FROM runs"


@dataclass(frozen=True)
class Figures:
    """CPU seconds by kind of process, over so many seconds of the wall clock."""

    seconds: float
    by_kind: dict[str, float]

    @property
    def percent(self) -> float:
        """All of it, as a share of one core."""
        return 100 * sum(self.by_kind.values()) / self.seconds


def write_sites(home: Home, count: int) -> None:
    """Site files whose next slot is about half a day away."""
    hour = (datetime.now(UTC) + AHEAD).hour
    home.sites.mkdir()
    for number in range(count):
        text = SITE.format(number=number, minute=number % 60, hour=hour)
        (home.sites / f"site{number}.toml").write_text(text, encoding="utf-8")


@contextmanager
def running(home: Home, workers: int) -> Iterator[Program]:
    """``headersweep up``, from the moment when every worker and the beat gave a sign of life."""
    program = home.start("up", HEADERSWEEP_WORKERS=str(workers))
    try:
        _program.until(
            lambda: program.workers() and program.beats(), READY_SECONDS, "the start of everything"
        )
        wanted = len(program.workers()) + 1
        _program.until(lambda: alive(home) == wanted, READY_SECONDS, "a heartbeat of everybody")
        yield program
    finally:
        program.stop()
        program.wait()


def alive(home: Home) -> int:
    """How many workers and beats said lately that they live."""
    return _number(home, TICKS)


def _number(home: Home, query: str) -> int:
    with home.database() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def kind_of(pid: int) -> str:
    """What a process is, in the words of the table."""
    line = (cpu.PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if "celery -A worker" in line:
        return "beat" if " beat " in line else "worker"
    if line.startswith("postgres:"):
        return "Postgres, " + _title(line)
    if "postgres" in line.partition(" ")[0]:
        return "Postgres, postmaster and ended children"
    return "broker" if "-server" in line.partition(" ")[0] else "up"


def _title(line: str) -> str:
    """``postgres: cluster: walwriter`` as the kind of process that it is."""
    title = line.split(": ", 2)[-1].strip()
    return title if not title.startswith("headersweep ") else "connections"


def used(pids: list[int]) -> dict[str, float]:
    """CPU seconds so far, by kind of process."""
    total: dict[str, float] = {}
    for pid in pids:
        if (process := cpu.read(pid)) is not None:
            kind, seconds = kind_of(pid), process.own_seconds + process.ended_children_seconds
            total[kind] = total.get(kind, 0.0) + seconds
    return total


def measure(home: Home, seconds: float) -> Figures:
    """The CPU seconds of all processes of a home over an interval."""
    first, began = used(home.processes()), time.monotonic()
    time.sleep(seconds)
    took, last = time.monotonic() - began, used(home.processes())
    return Figures(took, {kind: last.get(kind, 0.0) - first.get(kind, 0.0) for kind in first | last})


def show(figures: Figures, title: str) -> None:
    """A table by process, and the sum against the target."""
    print(f"\n{title}")
    for kind, seconds in sorted(figures.by_kind.items(), key=lambda pair: -pair[1]):
        print(f"  {kind:<44} {seconds:7.2f} s  {100 * seconds / figures.seconds:6.2f} % of one core")
    verdict = "" if figures.percent < TARGET_PERCENT else "  MISSED"
    print(
        f"  {'all':<44} {sum(figures.by_kind.values()):7.2f} s  {figures.percent:6.2f} %"
        f"  (target {TARGET_PERCENT:g} %){verdict}"
    )


def one(made: Home, sites: int, workers: int, settle: float, seconds: float) -> Figures:
    """Measure one number of workers in a home of its own."""
    home = made.copy_to(_program.new_folder())
    try:
        write_sites(home, sites)
        applied = home.run("sites", "apply")
        assert applied.code == 0, applied.err
        with running(home, workers) as program:
            time.sleep(settle)
            figures = measure(home, seconds)
            assert alive(home) == len(program.workers()) + 1, "somebody did not work at the end"
            assert _number(home, RUNS) == 0, "a sweep was due: nothing idle was measured"
            show(figures, f"{sites:,} sites, {len(program.workers())} workers, {figures.seconds:.0f} s")
            return figures
    finally:
        home.close()


def main() -> int:
    """Measure; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=20.0, help="seconds from the first heartbeats on")
    parser.add_argument("--workers", type=int, action="append", help="0: the default; may be given again")
    given = parser.parse_args()
    if not Path("/proc/self/stat").exists():
        print("CPU time is read from /proc, which this system does not have")
        return 2
    with _program.home() as made:
        assert made.run("db", "upgrade").code == 0
        numbers = given.workers or [0, 1]
        all_of_them = [one(made, given.sites, number, given.settle, given.seconds) for number in numbers]
    return int(any(figures.percent >= TARGET_PERCENT for figures in all_of_them))


if __name__ == "__main__":
    sys.exit(main())
