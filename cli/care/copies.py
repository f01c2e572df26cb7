"""Scratch databases as they come and go: empty, copied within a server, or through pg_dump."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, TextClause, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from cli.care.place import Place
from cli.embedded.binaries import SYSTEM_FOLDERS
from headersweep.errors import ConfigurationError
from models import engine as engines
from models.care import scratch

LOCK_WAIT_MS = 10_000
SAID_CHARACTERS = 500

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Copy:
    """A scratch database that was filled, how, how fast, and how large it is."""

    name: str
    url: str
    how: str
    seconds: float
    bytes: int


def administer(admin: Engine, statement: TextClause) -> Any:
    """Execute one statement outside of any transaction, without a time limit."""
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        found = connection.execute(statement)
        return found.all() if found.returns_rows else None


def drop(admin: Engine, name: str) -> None:
    """Drop a scratch database; one without our mark is refused, whatever its name."""
    marks = administer(admin, scratch.mark_of(name))
    if not marks:
        return
    if not scratch.has_scratch_name(name) or not marks[0].mark.startswith(scratch.MARK):
        raise ConfigurationError(
            f"the database {name} does not say that it is a scratch database of ours; drop it by hand if it is"
        )
    administer(admin, scratch.drop(name))


def drop_leftovers(
    admin: Engine, source: str, notice: Notice, *, keep: frozenset[str] = frozenset()
) -> list[str]:
    """Drop the rehearsal databases that a crash left, those made for this source; made-up data that are kept stay."""
    dropped = []
    for row in administer(admin, scratch.every()):
        if (
            row.name in keep
            or "_synthetic" in row.name
            or not row.mark.startswith(f"{scratch.MARK}: {_purpose(source)}")
        ):
            continue
        drop(admin, row.name)
        notice(f"dropped the scratch database {row.name}, which an earlier try had left")
        dropped.append(row.name)
    return dropped


def guard(engine: Engine) -> None:
    """Refuse to go on in anything that is not a scratch database of ours, by its name and by its mark."""
    with engine.connect() as connection:
        row = connection.execute(scratch.own_mark()).one()
    if not scratch.has_scratch_name(row.name) or not row.mark.startswith(scratch.MARK):
        raise ConfigurationError(f"{row.name} is not a scratch database of ours; nothing was done to it")


@contextmanager
def made(admin: Engine, place: Place, name: str, template: str | None = None) -> Iterator[str]:
    """A new scratch database for as long as the block; its URL."""
    create(admin, place, name, template)
    try:
        yield place.url_of(name)
    finally:
        drop(admin, name)


def create(
    admin: Engine, place: Place, name: str, template: str | None = None, *, kind: str = "a try"
) -> None:
    """Make a scratch database and mark it at once."""
    administer(admin, scratch.create(name, template))
    administer(admin, scratch.mark(name, _purpose(place.source) + kind))


def is_there(admin: Engine, place: Place, name: str, kind: str) -> bool:
    """Whether there is a scratch database of that kind, made for this source."""
    marks = administer(admin, scratch.mark_of(name))
    return bool(marks) and marks[0].mark == scratch.MARK + ": " + _purpose(place.source) + kind


def _purpose(source: str) -> str:
    return f"made for {source}, "


def copy_within(admin: Engine, place: Place, source: str, name: str) -> Copy:
    """Copy a database that nobody is connected to, file by file."""
    began = time.monotonic()
    create(admin, place, name, source)
    return filled(place, name, "template copy", began)


def copy_through_dump(admin: Engine, place: Place, name: str, kind: str) -> Copy:
    """Copy the real database through pg_dump, while others work on it."""
    began = time.monotonic()
    programs = dump_programs(place)
    create(admin, place, name, kind=kind)
    try:
        _pipe(programs, place.source_url, place.url_of(name))
        tidy(place.url_of(name))
    except BaseException:
        drop(admin, name)
        raise
    return filled(place, name, "pg_dump", began)


def tidy(url: str) -> None:
    """Let the planner know the data, and mark which pages everybody may see, as on a database that lived for a while."""
    engine = engines.connect(url, poolclass=NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (ANALYZE)"))


def filled(place: Place, name: str, how: str, began: float) -> Copy:
    """What is to be told of a scratch database that was just filled."""
    url = place.url_of(name)
    engine = engines.connect(url, poolclass=NullPool)
    with engine.connect() as connection:
        size = connection.execute(scratch.size()).one()
    return Copy(name, url, how, time.monotonic() - began, size.bytes)


def is_used(admin: Engine, name: str) -> bool:
    """Whether anybody is connected to a database, so that it cannot be copied file by file."""
    return bool(administer(admin, scratch.sessions(name))[0][0])


@dataclass(frozen=True)
class Programs:
    """pg_dump and pg_restore of one version."""

    dump: str
    restore: str
    major: int


def dump_programs(place: Place) -> Programs:
    """The oldest pg_dump that is as new as the server, from the embedded server's folder, PATH or the system."""
    wanted = _server_major(place.source_url)
    found = sorted(_programs(place), key=lambda each: each.major)
    for each in found:
        if each.major >= wanted:
            return each
    seen = ", ".join(f"{each.dump} is {each.major}" for each in found) or "none was found"
    raise ConfigurationError(
        f"the server is Postgres {wanted}, and no pg_dump and pg_restore are as new ({seen}): an older one cannot read it. "
        f"Install postgresql-client-{wanted}, or copy within the server while nobody is connected (--base copy)"
    )


def _server_major(url: str) -> int:
    engine = engines.connect(url, poolclass=NullPool)
    with engine.connect() as connection:
        return int(connection.execute(scratch.size()).one().version) // 10_000


def _programs(place: Place) -> Iterator[Programs]:
    on_path = shutil.which("pg_dump")
    folders = [
        *([place.programs] if place.programs else []),
        *([Path(on_path).parent, Path(on_path).resolve().parent] if on_path else []),
        *(Path(path) for pattern in SYSTEM_FOLDERS for path in sorted(glob(pattern))),  # noqa: PTH207 - absolute patterns
    ]
    for folder in dict.fromkeys(folders):
        dump, restore = folder / "pg_dump", folder / "pg_restore"
        major = _major(dump) if dump.is_file() and restore.is_file() else None
        if major is not None:
            yield Programs(str(dump), str(restore), major)


def _major(program: Path) -> int | None:
    try:
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else None


def _pipe(programs: Programs, source_url: str, target_url: str) -> None:
    """Dump into restore, with nothing on the disk in between; passwords go through the environment alone."""
    dump = [programs.dump, "--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
    dump += [f"--lock-wait-timeout={LOCK_WAIT_MS}", "--dbname", _conninfo(source_url)]
    restore = [
        programs.restore,
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--dbname",
        _conninfo(target_url),
    ]
    with tempfile.TemporaryFile("w+") as said:
        first = subprocess.Popen(dump, stdout=subprocess.PIPE, stderr=said, env=_environment(source_url))
        second = subprocess.Popen(restore, stdin=first.stdout, stderr=said, env=_environment(target_url))
        assert first.stdout is not None  # noqa: S101 - a pipe was asked for
        first.stdout.close()
        try:
            codes = (second.wait(), first.wait())
        finally:
            for process in (first, second):
                if process.poll() is None:
                    process.terminate()
                    process.wait()
        if any(codes):
            said.seek(0)
            words = " ".join(said.read().split())[:SAID_CHARACTERS]
            raise ConfigurationError(f"the real data could not be copied: {words}")


def _conninfo(database_url: str) -> str:
    url = make_url(database_url)
    known = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database, **url.query}
    return make_conninfo(**{name: str(value) for name, value in known.items() if value})


def _environment(database_url: str) -> dict[str, str]:
    password = make_url(database_url).password
    return {
        **os.environ,
        "PGAPPNAME": "headersweep-copy",
        **({"PGPASSWORD": str(password)} if password else {}),
    }
