"""Migrations: up, down, side by side, behind a locked table; and what is said of a database at another revision."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.pool import NullPool

from headersweep.errors import UnavailableError, WrongRevisionError
from models import engine as engines
from models import migrate, partitions, shards

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = """
    SELECT 'table' AS kind, concat(c.relkind, ' ', c.relname) AS name FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace
    UNION ALL SELECT 'type', t.typname FROM pg_type t WHERE t.typnamespace = current_schema()::regnamespace
    UNION ALL SELECT 'function', p.proname FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
    UNION ALL SELECT 'constraint', conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace
    ORDER BY 1, 2
"""


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = engines.connect(url, poolclass=NullPool)
    yield engine
    engine.dispose()


def catalogue(url: str) -> list[tuple[str, str]]:
    """Everything that stands in the schema, without Alembic's own table."""
    with engine_of(url) as engine, engine.connect() as connection:
        rows = connection.execute(text(CATALOGUE)).all()
    return [(kind, name) for kind, name in rows if "alembic_version" not in name]


def execute(url: str, statement: str) -> None:
    with engine_of(url) as engine, engine.begin() as connection:
        connection.execute(text(statement))


def scripts() -> list[Script]:
    """Our migrations, the newest first."""
    return list(ScriptDirectory.from_config(migrate.config()).walk_revisions())


def written(revision: str, side: str) -> Script:
    """A migration that does nothing, on one side of the code."""
    module = ModuleType(revision, f"What it does.\n\nSide: {side} (said so): because.\nNote: none\n")
    vars(module).update(revision=revision, down_revision=None)
    return Script(module, revision, "")


def comment(url: str) -> str | None:
    """What the database says of whose code may work on it."""
    with engine_of(url) as engine, engine.connect() as connection:
        found = connection.scalar(text("SELECT obj_description('alembic_version'::regclass, 'pg_class')"))
    return None if found is None else str(found)


@contextmanager
def locked(url: str, table: str) -> Iterator[threading.Event]:
    """A transaction that keeps a table locked until the event is set."""
    release, held = threading.Event(), threading.Event()

    def hold() -> None:
        with engine_of(url) as engine, engine.begin() as connection:
            connection.execute(text(f"LOCK TABLE {table} IN ACCESS SHARE MODE"))
            held.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        yield release
    finally:
        release.set()
        thread.join()


def test_up_and_down_and_up_again_leaves_no_trace(empty_database: str) -> None:
    before = catalogue(empty_database)
    migrate.upgrade(empty_database)
    whole = catalogue(empty_database)
    with engine_of(empty_database) as engine, engine.begin() as connection:
        partitions.ensure(connection, 1)
    migrate.downgrade(empty_database, "base")
    assert catalogue(empty_database) == before
    migrate.upgrade(empty_database)
    assert catalogue(empty_database) == whole
    assert len(whole) > len(before) + 50


def test_upgrading_twice_changes_nothing(database: str) -> None:
    before = catalogue(database)
    migrate.upgrade(database)
    assert catalogue(database) == before


def test_an_empty_database_is_refused_with_what_to_do(empty_database: str) -> None:
    with pytest.raises(
        WrongRevisionError, match=rf"at revision none.*needs {migrate.head()}.*headersweep db upgrade"
    ):
        migrate.check_head(empty_database)


def test_a_database_of_a_newer_program_is_refused_with_what_to_do(database: str) -> None:
    migrate.check_head(database)
    execute(database, "UPDATE alembic_version SET version_num = 'f00d'")
    with pytest.raises(WrongRevisionError, match=r"f00d.*does not know: install the newer headersweep"):
        migrate.check_head(database)


def test_a_database_of_a_newer_program_is_never_migrated(database: str) -> None:
    execute(database, "UPDATE alembic_version SET version_num = 'f00d'")
    with pytest.raises(WrongRevisionError, match="install the newer headersweep"):
        migrate.upgrade(database)


def test_a_database_of_a_newer_program_is_worked_on_where_it_says_that_this_one_may(database: str) -> None:
    execute(database, "UPDATE alembic_version SET version_num = 'f00d'")
    execute(database, f"COMMENT ON TABLE alembic_version IS 'works with code at f00d {migrate.head()}'")
    migrate.check_head(database)
    migrate.upgrade(database)
    with engine_of(database) as engine:
        assert migrate.current(engine) == "f00d"
    execute(database, "COMMENT ON TABLE alembic_version IS 'works with code at f00d 0000'")
    with pytest.raises(WrongRevisionError, match="install the newer headersweep"):
        migrate.check_head(database)


def test_every_migration_leaves_a_note_of_whose_code_may_go_on(empty_database: str) -> None:
    for revision, expected in (("0001", "0001"), ("0002", "0002 0001"), ("0003", "0003 0002 0001")):
        migrate.upgrade(empty_database, revision)
        assert comment(empty_database) == f"works with code at {expected}"
    migrate.downgrade(empty_database, "0001")
    assert comment(empty_database) == "works with code at 0001"


def test_a_migration_of_the_post_side_ends_the_work_of_older_code() -> None:
    chain = [written(*one) for one in (("d", "pre"), ("c", "post"), ("b", "pre"), ("a", "pre"))]
    assert migrate.works_with(chain) == ["d", "c"]


def test_every_migration_names_its_side() -> None:
    for script in scripts():
        assert re.search(r"^Side: (pre|post)\b", script.longdoc, re.MULTILINE), script.path


def test_a_database_that_was_taken_back_is_refused(database: str) -> None:
    migrate.downgrade(database, "base")
    with pytest.raises(WrongRevisionError, match="at revision none"):
        migrate.check_head(database)


def test_upgrades_at_once_wait_for_each_other(empty_database: str) -> None:
    program = "import sys; from models import migrate; migrate.upgrade(sys.argv[1])"
    # Processes, since Alembic keeps its state in its modules.
    both = [
        subprocess.Popen([sys.executable, "-c", program, empty_database], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    migrate.check_head(empty_database)


def test_a_locked_table_is_waited_for_in_short_tries(database: str) -> None:
    with locked(database, "runs") as release, ThreadPoolExecutor(1) as pool:
        downgrade = pool.submit(migrate.downgrade, database, "base")
        time.sleep(2.8)
        # Between two tries readers get through, instead of queueing behind a migration that waits.
        assert not downgrade.done()
        release.set()
        downgrade.result(timeout=20)
    assert catalogue(database) == []


def test_a_table_that_stays_locked_is_given_up_with_nothing_half_done(database: str) -> None:
    before = catalogue(database)
    config = migrate.config(database)
    config.attributes.update(tries=2, lock_timeout_ms=50)
    with (
        locked(database, "probes"),  # the newest revision touches it first
        pytest.raises(UnavailableError, match=r"2 tries of 50 ms; nothing is half done"),
    ):
        command.downgrade(config, "base")
    assert catalogue(database) == before
    migrate.check_head(database)


OLD_RUN = """
    WITH site AS (INSERT INTO sites (name, source, definition) VALUES ('docs', 'file', '{}') RETURNING id),
         origin AS (INSERT INTO origins (scheme, host, port) VALUES ('https', 'docs.example', 443) RETURNING id),
         run AS (INSERT INTO runs (site_id, slot, requested_by, definition)
                 SELECT id, now(), 'test', '{}' FROM site RETURNING id)
    INSERT INTO shards (run_id, origin_id) SELECT run.id, origin.id FROM run, origin
"""


def test_runs_that_are_under_way_go_on_across_the_second_revision_and_back(empty_database: str) -> None:
    migrate.upgrade(empty_database, "0001")
    execute(empty_database, OLD_RUN)
    for _ in range(2):
        migrate.upgrade(empty_database)
        with engine_of(empty_database) as engine, engine.begin() as connection:
            assert connection.execute(shards.due_count()).scalar_one() == 1
        migrate.downgrade(empty_database, "0001")
    # What the old program writes beside the new one may be worked on as well.
    migrate.upgrade(empty_database)
    execute(empty_database, OLD_RUN.replace("docs", "old"))
    with engine_of(empty_database) as engine, engine.begin() as connection:
        assert connection.execute(shards.due_count()).scalar_one() == 2


OLD_VISIT = """
    INSERT INTO visits (run_id, page_id, fetched_at, outcome, error) VALUES (1, :page_id, now(), 6, 'timeout')
"""


def test_old_workers_write_visits_beside_the_sixth_revision(empty_database: str) -> None:
    migrate.upgrade(empty_database, "0005")
    with engine_of(empty_database) as engine, engine.begin() as connection:
        partitions.ensure(connection, 1)
        connection.execute(text(OLD_VISIT), {"page_id": 1})
    migrate.upgrade(empty_database)
    with engine_of(empty_database) as engine, engine.begin() as connection:
        connection.execute(text(OLD_VISIT), {"page_id": 2})
        assert connection.execute(text("SELECT page_id, facts_id FROM visits ORDER BY 1")).all() == [
            (1, None),
            (2, None),
        ]
    migrate.downgrade(empty_database, "0005")
    with engine_of(empty_database) as engine, engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM visits")) == 2


def test_an_index_that_a_broken_off_upgrade_left_is_built_again(empty_database: str) -> None:
    migrate.upgrade(empty_database, "0002")
    execute(empty_database, "CREATE INDEX ix_runs_queued ON runs (state)")
    migrate.upgrade(empty_database)
    with engine_of(empty_database) as engine, engine.begin() as connection:
        definition = connection.scalar(text("SELECT pg_get_indexdef('ix_runs_queued'::regclass)"))
    assert "(site_id, id)" in definition
