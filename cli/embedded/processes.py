"""What runs on this machine: known by name and command line, so that an id from an old file is never trusted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAUSE_SECONDS = 0.01
LISTING_SECONDS = 10

#: How to end a server, from the polite way to the last one: (signal, seconds until the next).
Ladder = tuple[tuple[signal.Signals, float], ...]
Send = Callable[[int, signal.Signals], None]


@dataclass(frozen=True)
class Mark:
    """What tells a server of ours from all other processes, an editor with its settings open among them."""

    programs: tuple[str, ...]
    text: str


def is_running(pid: int, mark: Mark) -> bool:
    """Whether this process lives and is the one meant; a zombie does not live."""
    name, line = _process(pid)
    return name in mark.programs and mark.text in line


def is_alive(pid: int) -> bool:
    """Whether there is such a process at all: for one just launched, which may still bear the shell's name."""
    return bool(_process(pid)[0])


def marked(mark: Mark) -> list[int]:
    """All living processes of a server."""
    return [pid for pid in _pids() if is_running(pid, mark)]


def read_pid(path: Path) -> int | None:
    """The process id on the first line of a file, unchecked."""
    try:
        return int(path.read_bytes().split(b"\n", 1)[0])
    except (OSError, ValueError):
        return None


def end(pid: int, mark: Mark, ladder: Ladder, send: Send = os.kill) -> None:
    """End a process of ours and wait until it is gone."""
    for name, seconds in ladder:
        if not is_running(pid, mark):
            return
        with contextlib.suppress(ProcessLookupError):
            send(pid, name)
        if wait_until_gone([pid], mark, seconds):
            return


def wait_until_gone(pids: Iterable[int], mark: Mark, seconds: float) -> bool:
    """Whether all of them ended in time."""
    waiting = list(pids)
    for _ in ticks(seconds):
        waiting = [pid for pid in waiting if is_running(pid, mark)]
        if not waiting:
            return True
    return False


def ticks(seconds: float) -> Iterator[None]:
    """Beats of a short pause until the time is over; the first one comes at once."""
    deadline = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        yield


def _process(pid: int) -> tuple[str, str]:
    """Name and command line of a living process, empty when there is none."""
    if not (PROC / "self").exists():
        return _listed().get(pid, ("", ""))
    try:
        before, _, after = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")
        line = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return "", ""
    # A dead server stays as a zombie where process 1 of a container reaps nothing.
    dead = after.split()[0] in {"Z", "X"}
    return ("", "") if dead else (before.partition("(")[2], os.fsdecode(line.replace(b"\0", b" ")))


def _pids() -> list[int]:
    if not (PROC / "self").exists():
        return list(_listed())
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _listed() -> dict[int, tuple[str, str]]:
    """The same from ps, for systems without /proc."""
    command = ["ps", "-axww", "-o", "pid=,stat=,ucomm=,command="]
    listing = subprocess.run(command, capture_output=True, text=True, timeout=LISTING_SECONDS, check=False)
    rows = (line.split(maxsplit=3) for line in listing.stdout.splitlines())
    return {int(pid): (name, line) for pid, state, name, line in rows if "Z" not in state}
