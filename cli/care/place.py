"""Where the real data are, and where scratch databases may be made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from headersweep.errors import BusyError, ConfigurationError
from models import engine as engines
from models.care import scratch

if TYPE_CHECKING:
    from cli.context import Database

MAINTENANCE = "postgres"
"""The database of every server in which one stands while others are made and dropped."""


@dataclass(frozen=True)
class Place:
    """The real database, a database to stand in while scratch ones come and go, and whether both are on one server."""

    source_url: str = field(repr=False)
    admin_url: str = field(repr=False)
    is_same_server: bool
    programs: Path | None = None
    """The folder of the embedded server's programs."""

    @property
    def source(self) -> str:
        """The name of the real database."""
        return make_url(self.source_url).database or ""

    def url_of(self, name: str) -> str:
        """The way to a scratch database."""
        if not scratch.has_scratch_name(name):
            raise ConfigurationError(f"{name} is no name of a scratch database; nothing was done")
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)


def of(database: Database) -> Place:
    """The place that belongs to a reachable database: for the embedded one as the owner of its server."""
    from cli import embedded

    wanted = database.settings
    if database.embedded:
        with embedded.running(Path(wanted.home)) as servers:
            owner = make_url(servers.owner_url)
        source = owner.set(database=make_url(wanted.database_url).database)
        folder = embedded_programs(Path(wanted.home))
        return _place(source.render_as_string(hide_password=False), wanted.scratch_url, folder)
    return _place(wanted.database_url, wanted.scratch_url, None)


def _place(source_url: str, scratch_url: str, programs: Path | None) -> Place:
    if scratch_url:
        return Place(source_url, scratch_url, is_same_server=False, programs=programs)
    admin = make_url(source_url).set(database=MAINTENANCE).render_as_string(hide_password=False)
    return Place(source_url, admin, is_same_server=True, programs=programs)


def embedded_programs(home: Path) -> Path:
    """The folder of the programs that belong to the embedded Postgres of a home."""
    from cli.embedded import binaries, place

    where = place.locate(home)
    return binaries.postgres(where.account, where.copies).folder


@contextmanager
def standing(place: Place) -> Iterator[Engine]:
    """The only one who makes and drops scratch databases there, for as long as the block; leftovers are gone before."""
    from cli import context

    admin = engines.connect(place.admin_url, application="headersweep-scratch", poolclass=NullPool)
    with context.reachable_url(place.admin_url):
        session = admin.connect().execution_options(isolation_level="AUTOCOMMIT")
    with session:
        if not session.execute(scratch.take_lock()).scalar_one():
            raise BusyError("somebody else makes scratch databases on this server; wait until that is over")
        insist_on_right(session)
        yield admin


def insist_on_right(session: Connection) -> None:
    """Refuse a role that may not make databases, saying who may let it."""
    row = session.execute(scratch.may_create()).one()
    if not row.may:
        raise ConfigurationError(
            f"the role {row.role} may not make databases: let it (ALTER ROLE {row.role} CREATEDB), "
            "or set HEADERSWEEP_SCRATCH_URL to a server where that is allowed"
        )
