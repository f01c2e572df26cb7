"""Where results go: stdout, or a file that appears whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from headersweep.errors import HeadersweepError, UsageError

HINT = "nothing is lost: the run stays in the database, ask again with `headersweep show` or `export`"


def check(path: str | None) -> None:
    """Refuse an output file that cannot be written, before any work is done for it."""
    if path is None:
        return
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise UsageError(f"--output {path} is a folder; name a file")
    if not folder.is_dir():
        raise UsageError(f"--output {path}: the folder {folder} does not exist")
    if not os.access(folder if _is_replaceable(path) else path, os.W_OK):
        raise UsageError(f"--output {path} may not be written by this user")


@contextmanager
def writing(path: str | None, hint: str = HINT) -> Iterator[TextIO]:
    """A stream for results. A file is written beside its place and renamed when whole; a full disk leaves no half."""
    try:
        if path is None:
            yield sys.stdout
            sys.stdout.flush()
        elif _is_replaceable(path):
            with _whole(Path(path)) as stream:
                yield stream
        else:
            with Path(path).open("w", encoding="utf-8", newline="") as stream:
                yield stream
    except OSError as error:
        # EPIPE is a reader that has seen enough (`| head`); click ends quietly on it.
        if error.errno == errno.EPIPE:
            raise
        raise HeadersweepError(f"cannot write {path or 'stdout'}: {error.strerror}; {hint}") from error


def _is_replaceable(path: str) -> bool:
    """Whether a rename may take the file's place: not for pipes and devices."""
    return Path(path).is_file() or not Path(path).exists()


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    # Through a link, the file behind it is replaced and the link stays.
    place = path.resolve()
    half = place.with_name(f"{place.name}.tmp")
    try:
        with half.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(place)
    finally:
        half.unlink(missing_ok=True)


def emit(text: str, path: str | None = None, hint: str = HINT) -> None:
    """Write one finished text and its last line break."""
    with writing(path, hint) as stream:
        stream.write(f"{text}\n")
