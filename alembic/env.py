"""How migrations run: under an advisory lock, with a short lock timeout that is retried, one transaction each.

The short lock timeout keeps a waiting migration from stalling every reader behind it: a 5 ms change behind a 3 s
transaction stalls readers for 0.2 s instead of 2.7 s (docs/upgrading.md).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection
from typing import Any, Literal

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from headersweep.errors import ConfigurationError, UnavailableError
from models import migrate, schema

ADVISORY_LOCK = 4_801_207_221
LOCK_TIMEOUT_MS: int = context.config.attributes.get("lock_timeout_ms", 2_000)
STATEMENT_TIMEOUT_MS = 600_000
TRIES: int = context.config.attributes.get("tries", 30)
PAUSE_SECONDS = 0.5
LOCK_NOT_AVAILABLE = "55P03"

log = logging.getLogger("alembic.runtime.migration")


def include_object(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Leave out the partitions: they are made as run ids grow, not by migrations."""
    table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
    return not (table and any(table.startswith(f"{parent}_r") for parent in schema.PARTITIONED))


def database_url() -> str:
    """The URL that the caller passed in, else the environment's."""
    url = context.config.attributes.get("database_url") or os.environ.get("HEADERSWEEP_DATABASE_URL", "")
    if not url:
        raise ConfigurationError("no database: set HEADERSWEEP_DATABASE_URL, or use `headersweep db upgrade`")
    return str(make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))


def note_who_may_work_on_it(ctx: MigrationContext, heads: Collection[Any], **_others: Any) -> None:
    """In the migration's own transaction, for programs that do not know this revision."""
    ctx.impl.execute(text(migrate.note(next(iter(heads), None), context.script)))


def configure(**options: Any) -> None:
    """Set up the migration context; the same options online and offline."""
    context.configure(
        target_metadata=schema.metadata,
        include_object=include_object,
        transaction_per_migration=True,
        compare_type=True,
        on_version_apply=note_who_may_work_on_it,  # type: ignore[arg-type] # called with keywords alone
        **options,
    )


def run(connection: Connection) -> None:
    """Run the migrations; wait for busy tables in many short tries instead of one long one."""
    for left in range(TRIES - 1, -1, -1):
        try:
            configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            if left == 0:
                raise UnavailableError(
                    f"a table stayed locked over {TRIES} tries of {LOCK_TIMEOUT_MS} ms; nothing is half done: "
                    "look for long transactions in pg_stat_activity and run `headersweep db upgrade` again"
                ) from error
            connection.rollback()
            time.sleep(PAUSE_SECONDS)
        else:
            return


def online() -> None:
    """Migrate a live database, one migrator at a time."""
    engine = create_engine(database_url(), poolclass=pool.NullPool)
    watch = context.config.attributes.get("watch")  # a rehearsal looks on
    if watch is not None:
        watch(engine)
    with engine.connect() as plain, engine.connect() as connection:
        guard = plain.execution_options(isolation_level="AUTOCOMMIT")
        # Asked again and again rather than waited for: CREATE INDEX CONCURRENTLY waits for every statement that is
        # under way, and so would wait for the other migrator, which waits for this lock.
        while not guard.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}).scalar():
            time.sleep(PAUSE_SECONDS)
        try:
            connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
            connection.execute(text(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}"))
            connection.commit()
            run(connection)
            connection.commit()
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def offline() -> None:
    """Print the SQL instead of running it."""
    literal: Literal[True] = True
    configure(url=database_url(), literal_binds=literal, dialect_opts={"paramstyle": "named"})
    # Whoever runs it by hand gets the same limits as `headersweep db upgrade` sets.
    context.get_context().impl.static_output(f"SET lock_timeout = {LOCK_TIMEOUT_MS};")
    context.get_context().impl.static_output(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS};")
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline()
else:
    online()
