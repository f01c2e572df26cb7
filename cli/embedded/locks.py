"""Who uses the servers, and who may start or stop them: locks that the kernel drops when their holder is killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from cli.embedded import processes
from cli.embedded.place import Place, explained
from headersweep.errors import UnavailableError

DECISION_SECONDS = 600.0


@contextlib.contextmanager
def deciding(place: Place, seconds: float = DECISION_SECONDS) -> Iterator[None]:
    """Be the only one who starts or stops the servers of this home."""
    with _opened(place, "start.lock") as lock:
        if not any(_taken(lock, fcntl.LOCK_EX) for _ in processes.ticks(seconds)):
            raise UnavailableError(
                f"process {_holder(lock)} has been starting or stopping the servers in {place.state} for over "
                f"{seconds:.0f} s; look at their logs there, end that process, and try again"
            )
        with contextlib.suppress(OSError):  # a full disk; it is only for the message above
            os.pwrite(lock, f"{os.getpid():<20}\n".encode(), 0)
        yield


@contextlib.contextmanager
def using(place: Place) -> Iterator[None]:
    """Count as a user of the servers, who must not be stopped."""
    with _opened(place, "users.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def is_used(place: Place) -> bool:
    """Whether any process uses the servers; to be asked inside ``deciding``, or two who ask see each other."""
    with _opened(place, "users.lock") as lock:
        return not _taken(lock, fcntl.LOCK_EX)


@contextlib.contextmanager
def _opened(place: Place, name: str) -> Iterator[int]:
    path = place.state / name
    with explained(place):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        place.give(path)
    try:
        yield lock
    finally:
        os.close(lock)


def _taken(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> str:
    return os.pread(lock, 20, 0).decode("ascii", "replace").strip()
