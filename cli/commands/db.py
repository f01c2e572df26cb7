"""``headersweep db``: the database's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli import offers

if TYPE_CHECKING:
    from sqlalchemy import Engine


@click.group(short_help="Look after the database's schema.")
def db() -> None:
    """Look after the database's schema. The embedded database is migrated by every command by itself."""


@db.command(short_help="Bring the schema to the revision that this program needs.")
@offers.note_flag
def upgrade(*, with_note: bool) -> None:
    """Bring the schema to the revision that this program needs. Safe to repeat, and at the same time."""
    from cli import context, output
    from models import migrate

    with context.database(check_revision=False) as database:
        before = migrate.current(database.engine)
        with context.reachable(database.settings):
            migrate.upgrade(database.settings.database_url)
        output.emit(f"revision {_revision(database.engine)}")
        after = migrate.current(database.engine)
        # What was made from nothing was changed for nobody.
        if before is not None and after is not None and before != after:
            offers.make(database.engine, offers.of_upgrade(before, after), at_once=with_note)


@db.command(short_help="Print the schema's revision; exit with 6 when it is not the one needed.")
def current() -> None:
    """Print the schema's revision; exit with 6 when it is not the one that this program needs."""
    from cli import context, output
    from models import migrate

    with context.database(check_revision=False) as database:
        output.emit(f"revision {_revision(database.engine)}")
        migrate.check_head(database.settings.database_url)


def _further() -> None:
    from cli.commands import db_care, db_rehearse

    db.add_command(db_care.plans)
    db.add_command(db_care.indexes)
    db.add_command(db_rehearse.rehearse)
    db.add_command(db_rehearse.synthesize)


_further()


def _revision(engine: Engine) -> str:
    from cli import health

    return health.revision(engine) or "none: no migration ever ran"
