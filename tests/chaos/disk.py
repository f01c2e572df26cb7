"""A small disk for the database, and its being full: a tmpfs where one may be mounted, else a limit on files."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cli.embedded import place
from cli.embedded.postgres import Postgres
from tests.processes._program import Home

ROOM = 256 * 1024 * 1024
PIECE = 4096
TOP_UP_SECONDS = 0.1
BALLAST = "ballast"


@contextlib.contextmanager
def small(home: Home) -> Iterator[bool]:
    """Put the data of a home's Postgres, which must not run, on a file system of its own; whether that worked."""
    folder = Postgres(place.locate(home.path)).data
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.mkdir()
    used = sum(path.lstat().st_size for path in kept.rglob("*"))
    mounted = _mounted(folder, used + ROOM)
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", str(folder)], check=True)
        shutil.rmtree(kept)
        yield mounted
    finally:
        if mounted:
            home.end()
            subprocess.run(["umount", str(folder)], check=True)


def described() -> str:
    """Which of the two it will be here."""
    with tempfile.TemporaryDirectory() as folder:
        if not _mounted(Path(folder), PIECE):
            return "a stand-in: a limit on the growth of Postgres' files (nothing may be mounted here)"
        subprocess.run(["umount", folder], check=True)
    return "a small file system, filled"


def _mounted(folder: Path, size: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "headersweep-test", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def filled(home: Home) -> Iterator[None]:
    """No room is left on that file system: what Postgres wants to write fails as on any full disk."""
    ballast = Postgres(place.locate(home.path)).data / BALLAST
    over = threading.Event()
    keeper = threading.Thread(target=_keep_full, args=(ballast, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()
        ballast.unlink(missing_ok=True)


def _keep_full(ballast: Path, over: threading.Event) -> None:
    with ballast.open("ab", buffering=0) as stream:
        while not over.is_set():
            _top_up(stream.fileno())
            over.wait(TOP_UP_SECONDS)


def _top_up(number: int) -> None:
    end = os.fstat(number).st_size
    size = os.fstatvfs(number).f_bavail * os.fstatvfs(number).f_frsize
    while size >= PIECE:
        try:
            os.posix_fallocate(number, end, size)
            end += size
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            # Somebody else was faster: what is left is less.
            size //= 2


@contextlib.contextmanager
def limited(home: Home) -> Iterator[None]:
    """A stand-in where nothing may be mounted: no process of Postgres may write to a file."""
    try:
        _limit_all(home, "0")
        yield
    finally:
        _limit_all(home, "unlimited")


def refusals(home: Home) -> int:
    """How often Postgres said that it could not write."""
    said = Postgres(place.locate(home.path)).log.path.read_text(encoding="utf-8", errors="replace")
    return said.count("No space left on device") + said.count("File too large")


def _limit_all(home: Home, size: str) -> None:
    account = place.locate(home.path).account
    for pid in home.postgres():
        # As that account: not every root may do this to somebody else's process. One that has just ended is no matter.
        account.run(["prlimit", "--pid", str(pid), f"--fsize={size}:unlimited"])
