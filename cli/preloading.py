"""The preload list in a file: read once in a process, when something asks for it, and not before."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from headersweep.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from review.preload import PreloadList

VARIABLE = "HEADERSWEEP_PRELOAD_LIST"


def given(path: str) -> PreloadList:
    """The list in the file that a flag names."""
    try:
        return _read(path)
    except ValueError as error:
        raise UsageError(f"--preload-list {path}: {error}") from error


def configured() -> PreloadList | None:
    """The list in the file that the settings name; None where they name none."""
    from cli import context

    path = context.settings().preload_list
    if not path:
        return None
    try:
        return _read(path)
    except ValueError as error:
        raise ConfigurationError(f"{VARIABLE}={path}: {error}") from error


@lru_cache(maxsize=2)
def _read(path: str) -> PreloadList:
    from review import preload

    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        # The file has no date in it; that of its last change is when somebody fetched it.
        as_of = datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    return preload.parse(text, as_of)
