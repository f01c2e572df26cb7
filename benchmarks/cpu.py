"""CPU seconds of other processes, as Linux keeps them under /proc; None where there is no such folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """One line of the process table."""

    pid: int
    parent: int
    own_seconds: float
    ended_children_seconds: float


@dataclass
class Usage:
    """What a command and its workers used: seconds of the wall clock, and of CPU where that can be known."""

    wall_seconds: float = 0.0
    command_cpu: float | None = None
    workers_cpu: float | None = None
    worker_pids: set[int] = field(default_factory=set)
    killed: bool = False
    looks: int = 0


def read(pid: int) -> Process | None:
    """One process; None when it is gone, or the system has no /proc."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="latin-1")
    except OSError:
        return None
    # The name stands in parentheses and may hold anything, even parentheses.
    fields = text.rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    own, ended = (int(fields[11]) + int(fields[12])) / ticks, (int(fields[13]) + int(fields[14])) / ticks
    return Process(pid, int(fields[1]), own, ended)


def children(parent: int) -> list[Process]:
    """The living children of a process."""
    found = (
        (read(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdecimal()) if PROC.is_dir() else ()
    )
    return [process for process in found if process is not None and process.parent == parent]


def is_worker(pid: int) -> bool:
    """Whether a process is one of our workers."""
    with contextlib.suppress(OSError):
        arguments = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        return b"celery" in arguments and b"worker" in arguments
    return False


def family_seconds(parent: int) -> float | None:
    """What a process and all its children, living and ended, used so far."""
    process = read(parent)
    if process is None:
        return None
    living = sum(child.own_seconds + child.ended_children_seconds for child in children(parent))
    return process.own_seconds + process.ended_children_seconds + living


@contextlib.contextmanager
def workers_of(process: subprocess.Popen[bytes], usage: Usage) -> Iterator[None]:
    """Note, while the block lasts, what the workers that a command started use."""
    ended = threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, usage, ended), daemon=True)
    sampler.start()
    try:
        yield
    finally:
        ended.set()
        sampler.join()


def _sample(parent: int, usage: Usage, ended: threading.Event) -> None:
    if not PROC.is_dir():
        return
    seconds: dict[int, float] = {}
    looks = 0
    while not ended.wait(SAMPLE_SECONDS):
        # Looking through all processes costs more than looking at the workers that are known.
        if looks % 10 == 0:
            usage.worker_pids.update(child.pid for child in children(parent) if is_worker(child.pid))
        looks += 1
        for pid in usage.worker_pids:
            if (process := read(pid)) is not None:
                seconds[pid] = process.own_seconds + process.ended_children_seconds
        usage.workers_cpu = sum(seconds.values())
