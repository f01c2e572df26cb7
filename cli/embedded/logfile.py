"""The servers' own log files: kept small, and quoted when something goes wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from headersweep.errors import ConfigurationError, HeadersweepError, UnavailableError

KEPT_BYTES = 8 * 1024 * 1024
QUOTED_LINES = 8
QUOTED_BYTES = 4096


@dataclass(frozen=True)
class LogFile:
    """One server's log file."""

    path: Path

    def size(self) -> int:
        """How long it is; 0 when it is not there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def keep_small(self) -> None:
        """Move a file that grew too long aside, in place of the one before: the server opens its file for appending."""
        if self.size() > KEPT_BYTES:
            kept = self.read_from(self.size() - KEPT_BYTES)
            with _opened(self.path.with_suffix(".old.log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as old:
                old.write(kept)
            with _opened(self.path, os.O_WRONLY) as log:
                log.truncate(0)

    def read_from(self, offset: int) -> bytes:
        """What was written behind this offset."""
        try:
            with _opened(self.path, os.O_RDONLY) as log:
                log.seek(offset)
                return log.read()
        except FileNotFoundError:
            return b""

    def tail(self, offset: int) -> str:
        """The last lines behind this offset."""
        text = self.read_from(max(offset, self.size() - QUOTED_BYTES)).decode("utf-8", "replace")
        return "\n".join(text.strip().splitlines()[-QUOTED_LINES:])


def failure(what: str, said: str) -> HeadersweepError:
    """The error for a server that did not come up, with what it said and what to do about it."""
    text = f"{what}\n{said}".rstrip()
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return UnavailableError(
            f"{text}\nThe disk is full: make room on it, or set HEADERSWEEP_HOME to another disk."
        )
    if "Permission denied" in said or "Read-only file system" in said:
        return ConfigurationError(
            f"{text}\nGive the servers' account back its folder, or set another HEADERSWEEP_HOME."
        )
    return UnavailableError(text)


def _opened(path: Path, flags: int) -> BinaryIO:
    # Never through a link: as root we would follow one that the servers' account has made.
    opened = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(opened, "rb") if flags == os.O_RDONLY else os.fdopen(opened, "wb")
