"""Rehearsals of migrations on a copy of real rows: what is measured, what is refused, and what is left behind."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from cli.care import copies, notes, place, rehearsal, schema
from cli.care.measured import Limits
from cli.care.rehearsal import Wanted
from cli.render import rehearsed as render
from headersweep.errors import BusyError, ConfigurationError, UsageError
from models import engine as engines
from models import migrate
from models.care import scratch
from tests.integration import _rehearsals
from tests.integration._rehearsals import Said, rehearsed, stage, write

GOOD = "op.add_column('sites', sa.Column('colour', sa.Text(), nullable=True))"
GOOD_BACK = "op.drop_column('sites', 'colour')"


def both(*lines: str) -> str:
    return "\n".join(lines)


@pytest.fixture
def source(database: str) -> str:
    """A database with rows in it, that nobody is connected to."""
    _rehearsals.filled(database)
    return database


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest, admin_url: str) -> Iterator[None]:
    yield
    engine = engines.connect(admin_url, poolclass=NullPool)
    with engine.connect() as connection:
        left = [row.name for row in connection.execute(scratch.every())]
    assert left == []


def test_a_good_migration_is_within_its_limits_and_leaves_the_real_database_alone(
    source: str, tmp_path: Path
) -> None:
    write(tmp_path, GOOD, GOOD_BACK)
    before = schema.of(engines.connect(source, poolclass=NullPool))
    result = rehearsed(source, tmp_path)
    assert [step.name for step in result.steps] == ["up", "down", "up again"]
    assert result.unclean == []
    assert result.comparison.worse == ()
    assert result.remarks == []
    assert result.touched == ("sites",)
    assert result.steps[0].locked == {"sites": "AccessExclusiveLock"}
    assert result.steps[0].rewritten == []
    assert result.loses == ["column sites.colour"]
    assert result.checked_rows == 50
    assert schema.of(engines.connect(source, poolclass=NullPool)) == before


def test_a_rewrite_is_seen_with_its_lock_its_log_and_how_long_everybody_waited(
    source: str, tmp_path: Path
) -> None:
    write(
        tmp_path,
        """
        op.alter_column("pages", "depth", type_=sa.BigInteger())
        op.execute("SELECT 1 INTO TEMP slow FROM pg_sleep(0.4)")
        """,
        'op.alter_column("pages", "depth", type_=sa.SmallInteger())',
    )
    result = rehearsed(source, tmp_path, limits=Limits(writer_stall_ms=100, reader_stall_ms=100))
    change = result.steps[0].statements[0]
    assert change.locks["pages"] == "AccessExclusiveLock"
    assert change.rewritten == ("pages",)
    assert change.wal_bytes > 100_000
    assert (result.steps[0].reader_ms or 0) > 300
    assert (result.steps[0].writer_ms or 0) > 300
    assert {remark.rule for remark in result.remarks} >= {"type-change"}
    assert [line for line in result.exceeded if "up: a writer waited" in line]
    assert [line for line in result.exceeded if "up: a reader waited" in line]
    assert "EXCEEDED: lint: type-change" in render.as_text([result])


def test_an_index_that_is_not_built_concurrently_stops_writers_and_not_readers(
    source: str, tmp_path: Path
) -> None:
    write(
        tmp_path,
        """
        op.create_index("ix_pages_depth", "pages", ["depth"])
        op.execute("SELECT 1 INTO TEMP slow FROM pg_sleep(0.4)")
        """,
        'op.drop_index("ix_pages_depth")',
    )
    result = rehearsed(source, tmp_path)
    up = result.steps[0]
    assert up.locked["pages"] == "ShareLock"
    assert (up.writer_ms or 0) > 350
    assert (up.reader_ms or 0) < (up.writer_ms or 0)
    assert {remark.rule for remark in result.remarks} >= {"index-not-concurrently"}


def test_a_dropped_index_is_a_plan_that_became_worse(source: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        'op.drop_constraint("uq_pages_site_id_url_key", "pages")',
        'op.create_unique_constraint("uq_pages_site_id_url_key", "pages", ["site_id", "url_key"])',
    )
    result = rehearsed(source, tmp_path)
    worse = [line for line in result.comparison.worse if line.startswith("frontier.page_ids:")]
    assert any("uq_pages_site_id_url_key" in line or "reads all of pages" in line for line in worse)


def test_a_way_back_that_forgets_something_is_not_clean(source: str, tmp_path: Path) -> None:
    write(tmp_path, both(GOOD, "op.create_index('ix_sites_source', 'sites', ['source'])"), GOOD_BACK)
    result = rehearsed(source, tmp_path)
    assert "after down the schema differs: came: index ix_sites_source" in result.unclean
    assert any("up again failed" in line and "ix_sites_source" in line for line in result.unclean)


def test_a_way_back_that_leaves_a_default_behind_is_not_clean(source: str, tmp_path: Path) -> None:
    write(tmp_path, "op.alter_column('sites', 'source', server_default='file')", "pass")
    result = rehearsed(source, tmp_path)
    assert any("sites.source" in line and "after down" in line for line in result.unclean)


def test_rows_that_a_migration_should_not_touch_are_missed(source: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        both(GOOD, "op.execute('DELETE FROM pages WHERE id = 7')"),
        GOOD_BACK,
    )
    result = rehearsed(source, tmp_path)
    assert "after up the table pages has 19,999 rows instead of 20,000" in result.unclean


def test_values_that_a_migration_should_not_touch_are_compared(source: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        both(GOOD, """op.execute("UPDATE sites SET name = 'other' WHERE name = 'site7'")"""),
        GOOD_BACK,
    )
    result = rehearsed(source, tmp_path)
    assert any("rows of sites differ" in line for line in result.unclean)


def test_with_somebody_connected_the_copy_goes_through_a_dump(source: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, GOOD_BACK)
    said = Said()
    with engines.connect(source, poolclass=NullPool).connect() as worker:
        worker.execute(text("SELECT 1"))
        result = rehearsed(source, tmp_path, said)
        with pytest.raises(ConfigurationError, match="somebody is connected"):
            rehearsed(source, tmp_path, base="copy")
    assert any("was made by pg_dump" in line for line in said.lines)
    assert result.unclean == []
    assert next(size.rows for size in result.sizes if size.table == "visits") == _rehearsals.ROWS


def test_scratch_databases_may_be_on_another_server(source: str, tmp_path: Path) -> None:
    """Then nothing can be copied file by file, whoever is connected."""
    write(tmp_path, GOOD, GOOD_BACK)
    said = Said()
    where = dataclasses.replace(_rehearsals.place_of(source), is_same_server=False)
    with place.standing(where) as admin:
        scripts = rehearsal.revisions(source, "f001", tmp_path)
        (result,) = rehearsal.rehearse(admin, where, scripts, Wanted(versions=tmp_path), said)
        with pytest.raises(UsageError, match="works within one server"):
            list(rehearsal.rehearse(admin, where, scripts, Wanted(base="copy", versions=tmp_path), said))
    assert any("was made by pg_dump" in line for line in said.lines)
    assert result.unclean == []


def test_a_migration_that_fails_on_the_real_rows_is_told_and_leaves_nothing(
    source: str, tmp_path: Path
) -> None:
    write(tmp_path, "op.create_unique_constraint('uq_pages_depth', 'pages', ['depth'])", "pass")
    result = rehearsed(source, tmp_path)
    assert [step.name for step in result.steps] == ["up"]
    assert any("up failed: could not create unique index" in line for line in result.unclean)
    assert "NOT CLEAN: up failed" in render.as_text([result])


def test_an_older_pg_dump_than_the_server_is_explained(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(copies, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    where = dataclasses.replace(_rehearsals.place_of(source), programs=None)
    with pytest.raises(
        ConfigurationError,
        match=r"the server is Postgres \d+, and no pg_dump.*is 9\).*Install postgresql-client",
    ):
        copies.dump_programs(where)


def test_what_a_crash_left_is_found_and_dropped_by_the_next_rehearsal(source: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, GOOD_BACK)
    said = Said()
    with stage(source) as (admin, where):
        left = scratch.name_for(where.source)
        copies.create(admin, where, left)
    rehearsed(source, tmp_path, said)
    assert any(left in line and "dropped" in line for line in said.lines)


def test_nothing_but_its_own_scratch_databases_is_ever_touched(source: str, database: str) -> None:
    with pytest.raises(ConfigurationError, match="not a scratch database of ours"):
        copies.guard(engines.connect(source, poolclass=NullPool))
    with stage(source) as (admin, where):
        with pytest.raises(ConfigurationError, match="no name of a scratch database"):
            where.url_of(where.source)
        with pytest.raises(ConfigurationError, match="does not say that it is a scratch"):
            copies.drop(admin, where.source)
        named_alike = scratch.name_for(where.source)
        copies.administer(admin, scratch.create(named_alike))  # by somebody else: without our mark
        with pytest.raises(ConfigurationError, match="does not say that it is a scratch"):
            copies.drop(admin, named_alike)
        with pytest.raises(ConfigurationError, match="not a scratch database of ours"):
            copies.guard(engines.connect(where.url_of(named_alike), poolclass=NullPool))
        copies.administer(admin, scratch.mark(named_alike, "now it is"))
        copies.drop(admin, named_alike)


def test_the_very_first_revision_is_rehearsed_on_nothing(source: str) -> None:
    with stage(source) as (admin, where):
        scripts = rehearsal.revisions(source, "0001")
        (result,) = rehearsal.rehearse(admin, where, scripts, Wanted(), Said())
    assert result.unclean == []
    assert result.touched == ()
    assert "table visits" in result.loses


def test_two_rehearsals_at_once_are_refused(source: str) -> None:
    with stage(source), pytest.raises(BusyError, match="somebody else"), stage(source):
        pass


def test_a_revision_that_does_not_exist_is_a_usage_error(source: str) -> None:
    with pytest.raises(UsageError, match=r"no revision 9999; there are 0001"):
        rehearsal.revisions(source, "9999")


def test_without_a_revision_what_is_missing_is_rehearsed_and_else_the_newest(source: str) -> None:
    assert [script.revision for script in rehearsal.revisions(source, None)] == [migrate.head()]
    migrate.downgrade(source, "0005")
    missing = [script.revision for script in rehearsal.revisions(source, None)]
    assert missing[0] == "0006"
    assert missing[-1] == migrate.head()


def test_a_base_that_is_kept_serves_the_next_try(source: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, GOOD_BACK)
    said = Said()
    rehearsed(source, tmp_path, base="dump", keep_base=True)
    rehearsed(source, tmp_path, said, base="dump", keep_base=True)
    assert any("is used again" in line for line in said.lines)
    assert not any("was made by" in line for line in said.lines)
    rehearsed(source, tmp_path, base="dump")


def test_data_can_be_made_up_for_a_rehearsal(source: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, GOOD_BACK)
    result = rehearsed(source, tmp_path, synthesize=3000)
    rows = {size.table: size.rows for size in result.sizes}
    assert 2900 < rows["visits"] <= 3000
    assert rows["visits"] == rows["frontier"]
    assert result.unclean == []


def test_a_role_that_may_not_make_databases_is_told_what_to_do(source: str) -> None:
    role = f"poor_{time.monotonic_ns()}"
    with engines.connect(source, poolclass=NullPool).begin() as connection:
        connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        with pytest.raises(
            ConfigurationError, match=rf"{role} may not make databases.*ALTER ROLE {role} CREATEDB"
        ):
            place.insist_on_right(connection)
        connection.rollback()


def test_the_note_keeps_what_a_person_wrote_and_replaces_what_was_measured(
    source: str, tmp_path: Path
) -> None:
    write(tmp_path, GOOD, GOOD_BACK)
    result = rehearsed(source, tmp_path)
    path = tmp_path / "f001.md"
    notes.write(path, result, command="headersweep db rehearse f001", owner="Ann")
    first = path.read_text(encoding="utf-8")
    for part in ("Owner", "Reason", "Side", "Files", "Commands", "Expected result", "Rollback"):
        assert f"**{part}:**" in first
    assert "Ann" in first
    assert notes.hash_in(first) == result.hash
    assert "ALTER TABLE sites ADD COLUMN colour TEXT" in first
    path.write_text(
        first.replace("Tried in a test", "In a person's words") + "\nAnd a last word.\n", encoding="utf-8"
    )
    notes.write(path, result, command="headersweep db rehearse f001 again")
    second = path.read_text(encoding="utf-8")
    assert "In a person's words" in second
    assert second.endswith("\nAnd a last word.\n")
    assert second.count("## Measured") == 1
    assert "again" in second


def test_a_migration_that_waits_for_a_busy_table_is_counted_in_tries(source: str, tmp_path: Path) -> None:
    """What is measured belongs to the try that succeeded."""
    write(tmp_path, GOOD, GOOD_BACK)
    from cli.care import watch

    with (
        stage(source) as (admin, where),
        copies.made(admin, where, scratch.name_for(where.source), where.source) as url,
    ):
        held, release = threading.Event(), threading.Event()

        def hold() -> None:
            with engines.connect(url, poolclass=NullPool).begin() as busy:
                busy.execute(text("LOCK TABLE sites IN ACCESS SHARE MODE"))
                held.set()
                release.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        threading.Timer(3.0, release.set).start()
        step = watch.step("up", url, watch.up("f001"), (), versions=tmp_path)
        thread.join()
    assert [statement.tries for statement in step.statements] == [2]
