"""Plans of all statements on live data, verdicts on indexes, and data that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.pool import NullPool

from cli.care import copies, indexes, plans, schema, synthesis
from cli.health_database import sequences
from headersweep.errors import UsageError
from models import engine as engines
from models import migrate
from models.care import catalogue, explain, registry, samples, scratch
from models.care.statement import Way


@pytest.fixture
def filled(database: str) -> Iterator[Engine]:
    """A database with a little of everything, made up."""
    synthesis.fill(engines.connect(database, poolclass=NullPool), synthesis.Shape(9000), guarded=False)
    copies.tidy(database)  # not in the middle of a test, by autovacuum
    engine = engines.connect(database)
    yield engine
    engine.dispose()


def contents(engine: Engine) -> dict[str, object]:
    """A sum over every table, and where every sequence stands."""
    before = schema.of(engine)
    sums: dict[str, object] = dict(schema.sums(engine, schema.kept_columns(before, before)))
    with engine.connect() as connection:
        for row in connection.execute(catalogue.sequences()):
            sums[row.name] = row.last_value
    return sums


def test_explaining_every_statement_changes_nothing_and_every_statement_works(filled: Engine) -> None:
    before = contents(filled)
    found = plans.capture_all(filled)
    assert {plan.name for plan in found} == registry.STATEMENTS.keys()
    assert [(plan.name, plan.remark) for plan in found if not plan.works] == []
    assert [(plan.name, plan.remark) for plan in found if plan.way is Way.READ and not plan.executed] == []
    assert sum(plan.executed for plan in found) > 100
    assert contents(filled) == before
    assert len(before) > 25


def test_the_samples_come_from_the_data(filled: Engine) -> None:
    with filled.connect() as connection:
        taken = samples.taken(connection)
        asked = text("SELECT count(*) FROM visits WHERE run_id = :run AND page_id = ANY(:pages)")
        rows = connection.execute(asked, {"run": taken.run, "pages": taken.many}).scalar_one()
    assert rows == len(taken.pages) > 0
    assert taken.site_name.startswith("site-")
    assert taken.open_run > taken.run


def test_an_empty_database_has_plans_too(database: str) -> None:
    found = plans.capture_all(engines.connect(database, poolclass=NullPool))
    assert [(plan.name, plan.remark) for plan in found if not plan.works] == []


def test_a_record_tells_later_that_a_plan_became_worse(filled: Engine, tmp_path: Path) -> None:
    record = tmp_path / "plans.json"
    record.write_text(plans.as_record(plans.capture_all(filled)), encoding="utf-8")
    old = plans.from_record(record)
    assert plans.compare(old, plans.capture_all(filled), 2.0).worse == ()
    with filled.begin() as connection:
        connection.execute(text("ALTER TABLE pages DROP CONSTRAINT uq_pages_site_id_url_key"))
    worse = plans.compare(old, plans.capture_all(filled), 2.0).worse
    assert any(line.startswith("frontier.page_ids:") for line in worse), worse


def test_a_file_that_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="no record of plans"):
        plans.from_record(tmp_path / "x.json")
    with pytest.raises(UsageError, match="cannot read"):
        plans.from_record(tmp_path / "gone.json")


def plan(**changes: object) -> explain.Plan:
    base = explain.Plan(
        "a.b",
        Way.READ,
        executed=True,
        indexes=("pk_a",),
        large=("a",),
        buffers=100,
        nodes=("Index Scan on pk_a",),
    )
    return replace(base, **changes)  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        ({}, 0),
        ({"buffers": 200}, 0),
        ({"buffers": 201}, 1),
        ({"indexes": (), "sequential": ("a",), "buffers": 101}, 2),
        ({"indexes": (), "sequential": ("a",), "buffers": 90}, 0),  # reads less: nothing to complain about
        ({"indexes": ("ix_other",), "buffers": 101}, 1),
        ({"indexes": (), "sequential": ("a",), "large": (), "buffers": 101}, 0),  # a table of a few pages
        ({"indexes": ("ix_other", "pk_a"), "buffers": 101}, 0),
        ({"nodes": (), "remark": "gone"}, 1),
    ],
)
def test_what_is_worse(now: dict[str, object], worse: int) -> None:
    assert len(plans.compare([plan()], [plan(**now)], 2.0).worse) == worse


def test_growth_of_a_few_buffers_is_never_worse() -> None:
    few = plan(buffers=1)
    assert plans.compare([few], [plan(buffers=1 + plans.LITTLE - 1)], 2.0).worse == ()
    assert len(plans.compare([few], [plan(buffers=1 + plans.LITTLE)], 2.0).worse) == 1


def test_a_partition_with_another_number_is_the_same_index() -> None:
    old, new = plan(indexes=("visits_r1000_pkey",)), plan(indexes=("visits_r2000_pkey",), buffers=101)
    assert plans.compare([old], [new], 2.0) == plans.Comparison()


def verdicts(engine: Engine) -> dict[tuple[str, str], indexes.Verdict]:
    return {(verdict.kind, verdict.name): verdict for verdict in indexes.examine(engine).verdicts}


def test_indexes_that_do_the_same_are_named_once_and_never_the_one_that_a_constraint_needs(
    filled: Engine,
) -> None:
    with filled.begin() as connection:
        for statement in (
            "CREATE INDEX ix_twin_a ON pages (depth)",
            "CREATE INDEX ix_twin_b ON pages (depth)",
            "CREATE INDEX ix_prefix ON pages (site_id)",  # the unique constraint begins with it
            "CREATE INDEX ix_partial ON pages (site_id) WHERE depth > 3",
            "CREATE INDEX ix_descending ON pages (site_id DESC)",
        ):
            connection.execute(text(statement))
    found = {name for kind, name in verdicts(filled) if kind == "duplicate"}
    assert "ix_prefix" in found
    assert len(found & {"ix_twin_a", "ix_twin_b"}) == 1
    assert not found & {"ix_partial", "ix_descending", "uq_pages_site_id_url_key", "pk_pages"}


def test_an_index_that_a_constraint_or_uniqueness_rests_on_is_never_called_unused(filled: Engine) -> None:
    unused = {name for kind, name in verdicts(filled) if kind == "unused"}
    with filled.connect() as connection:
        asked = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique"
        unique = set(connection.scalars(text(asked)))
    assert unused
    assert not unused & unique


def test_a_foreign_key_without_an_index_is_missing_one_until_it_has_it(filled: Engine) -> None:
    assert ("missing", "fk_shards_origin_id_origins") in verdicts(filled)
    assert ("missing", "fk_pages_site_id_sites") not in verdicts(
        filled
    )  # the unique constraint begins with it
    with filled.begin() as connection:
        connection.execute(text("CREATE INDEX ix_shards_origin ON shards (origin_id)"))
    assert ("missing", "fk_shards_origin_id_origins") not in verdicts(filled)


def test_a_bloated_index_is_estimated(filled: Engine) -> None:
    with filled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in (
            "CREATE TABLE worn (id int)",
            "INSERT INTO worn SELECT i FROM generate_series(1, 100000) i",
            "CREATE INDEX ix_worn ON worn (id)",
            "CREATE INDEX ix_whole ON pages (url)",
            "DELETE FROM worn WHERE id % 10 > 0",
            "VACUUM (ANALYZE) worn",
        ):
            connection.execute(text(statement))
    found = verdicts(filled)
    assert "REINDEX INDEX CONCURRENTLY ix_worn" in found["bloated", "ix_worn"].todo
    assert ("bloated", "ix_whole") not in found


def test_a_sequence_is_reported_above_four_fifths(filled: Engine) -> None:
    def level(last: int) -> str:
        with filled.begin() as connection:
            connection.execute(text("CREATE SEQUENCE IF NOT EXISTS little MAXVALUE 1000"))
            connection.execute(text("SELECT setval('little', :last)"), {"last": last})
        with filled.connect() as connection:
            return str(sequences(connection.execute(catalogue.sequences()).all()).level)

    assert level(800) == "ok"
    assert level(801) == "warn"


def test_made_up_data_are_the_same_for_the_same_seed_and_add_up(filled: Engine, empty_database: str) -> None:
    other = engines.connect(empty_database, poolclass=NullPool)
    migrate.upgrade(empty_database)
    synthesis.fill(other, synthesis.Shape(9000), guarded=False)
    tables = {
        "pages": ["url", "url_key"],
        "visits": ["run_id", "page_id", "snapshot_id", "outcome", "elapsed_ms"],
        "spans": ["page_id"],
    }
    assert schema.sums(filled, tables) == schema.sums(other, tables)
    shape = synthesis.Shape(9000)
    with filled.connect() as connection:
        counts = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM visits), (SELECT count(*) FROM frontier), (SELECT count(*) FROM spans)"
            )
        ).one()
        changed = connection.execute(
            text("SELECT count(*) FROM spans WHERE first_run_id > :sites"), {"sites": shape.sites}
        ).scalar_one()
    assert counts[0] == counts[1] == shape.rounds * shape.pages
    assert counts[2] == shape.pages + changed
    assert 0.0 <= changed / (shape.pages * max(1, shape.rounds - 1)) < 0.03


def test_data_are_made_up_in_scratch_databases_alone(database: str) -> None:
    with pytest.raises(Exception, match="not a scratch database of ours"):
        synthesis.fill(engines.connect(database, poolclass=NullPool), synthesis.Shape(10))


def test_names_of_scratch_databases() -> None:
    for name in (
        scratch.name_for("a"),
        scratch.base_name("a"),
        scratch.synthetic_name("a"),
        scratch.synthetic_name("a", "b2"),
    ):
        assert scratch.has_scratch_name(name)
    assert scratch.has_scratch_name(scratch.name_for("x" * 63))
    for name in (
        "a",
        "a_rehearsal",
        "a_rehearsal_base2",
        "postgres",
        "rehearsal_base",
        "a_rehearsal_" + "0" * 7,
    ):
        assert not scratch.has_scratch_name(name)
    with pytest.raises(ValueError, match="no name of a scratch"):
        scratch.drop("production")
