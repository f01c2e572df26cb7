"""Every error that headersweep raises on purpose, and the exit code it ends the program with.

    HeadersweepError                 1   something expected went wrong
    ├── UsageError                   2   what was asked for makes no sense
    ├── ConfigurationError           6   a setting or the deployment is wrong
    │   ├── SiteFileError            6   a site file has mistakes; nothing was applied
    │   ├── NoteFileError            6   notes have mistakes
    │   └── WrongRevisionError       6   the database is not at the revision this program needs
    ├── UnavailableError             7   Postgres or Redis is out of reach
    ├── BusyError                    5   the same run is being worked on elsewhere
    ├── LeaseLostError               1   another worker holds the shard now; nothing of ours was written
    └── InterruptedRunError        130   stopped by the operator; the run can be resumed

A message says what happened, where, and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit code means: a contract with cron jobs and scripts."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    FINDINGS = 3
    PARTIAL = 4
    BUSY = 5
    CONFIGURATION = 6
    UNAVAILABLE = 7
    INTERRUPTED = 130


class HeadersweepError(Exception):
    """Something expected went wrong."""

    exit_code = ExitCode.UNEXPECTED


class UsageError(HeadersweepError):
    """What was asked for makes no sense."""

    exit_code = ExitCode.USAGE


class ConfigurationError(HeadersweepError):
    """A setting or the deployment is wrong."""

    exit_code = ExitCode.CONFIGURATION


@dataclass(frozen=True)
class Mistake:
    """One mistake in a file that a person wrote: where it stands and what is allowed there."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class SiteFileError(ConfigurationError):
    """A site file has mistakes; nothing was applied."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class NoteFileError(ConfigurationError):
    """Notes have mistakes."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class WrongRevisionError(ConfigurationError):
    """The database is not at the revision that this program needs."""


class UnavailableError(HeadersweepError):
    """Postgres or Redis is out of reach."""

    exit_code = ExitCode.UNAVAILABLE


class BusyError(HeadersweepError):
    """The same run is being worked on elsewhere."""

    exit_code = ExitCode.BUSY


class LeaseLostError(HeadersweepError):
    """Another worker holds the shard now; nothing of ours was written."""


class InterruptedRunError(HeadersweepError):
    """Stopped by the operator; the run can be resumed."""

    exit_code = ExitCode.INTERRUPTED
