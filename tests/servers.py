"""Postgres and the broker for tests: the embedded ones unless URLs are given; databases that come and go in them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

DATABASE_VARIABLE = "HEADERSWEEP_TEST_DATABASE_URL"
BROKER_VARIABLE = "HEADERSWEEP_TEST_BROKER_URL"
HOME_VARIABLE = "TEST_HOME_OF_HEADERSWEEP"


@dataclass(frozen=True)
class Urls:
    """Where the servers are. The database is one to create others from, not one to work in."""

    database: str
    broker: str


@contextlib.contextmanager
def running(home: Path, environ: dict[str, str]) -> Iterator[Urls]:
    """The servers that the environment names, else embedded ones in ``home``, shared with whoever uses that home."""
    if environ.get(DATABASE_VARIABLE) and environ.get(BROKER_VARIABLE):
        yield Urls(environ[DATABASE_VARIABLE], environ[BROKER_VARIABLE])
        return
    from cli import embedded

    with embedded.running(home) as servers:
        yield Urls(
            environ.get(DATABASE_VARIABLE) or servers.owner_url,
            environ.get(BROKER_VARIABLE) or servers.broker_url,
        )


def shared_home() -> Path:
    """One home for all processes of one test run; outside of pytest's folders, which other accounts cannot enter."""
    # The first process to ask names it; those that it starts inherit the name.
    default = str(Path(tempfile.gettempdir()) / f"headersweep-tests-{os.getpid()}")
    return Path(os.environ.setdefault(HOME_VARIABLE, default))


def remove_home(home: Path) -> None:
    """Remove what the embedded servers left, once nobody uses them any more."""
    shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def fresh_database(admin_url: str, name: str, template: str | None = None) -> Iterator[str]:
    """A new database, empty or cloned from another one that nobody is connected to; dropped afterwards."""
    url = make_url(admin_url)
    clone = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    _administer(admin_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + clone)
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        _administer(admin_url, drop.format(sql.Identifier(name)))


def _administer(admin_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(statement)
