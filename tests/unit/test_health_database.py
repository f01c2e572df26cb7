"""What ``doctor`` says of the database's inside, on both sides of each bound."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cli import health_database
from cli.health import Level


def test_invalid_and_duplicate_indexes_are_named_with_what_to_do() -> None:
    assert health_database.invalid_indexes([]).level is Level.OK
    bad = health_database.invalid_indexes(["ix_a", "ix_b"])
    assert (bad.level, "REINDEX INDEX CONCURRENTLY ix_b" in bad.todo) == (Level.WARN, True)
    assert health_database.duplicate_indexes([]).level is Level.OK
    assert health_database.duplicate_indexes(["ix_a"]).level is Level.WARN


@pytest.mark.parametrize(("used", "level"), [(0.8, Level.OK), (0.8001, Level.WARN)])
def test_sequences_above_four_fifths(used: float, level: Level) -> None:
    assert health_database.sequences([SimpleNamespace(name="a_id_seq", used=used)]).level is level


def test_without_sequences_there_is_nothing_to_say() -> None:
    assert health_database.sequences([]).found == "none"


@pytest.mark.parametrize(("seconds", "level"), [(300.0, Level.OK), (301.0, Level.WARN)])
def test_a_transaction_that_has_been_open_for_long(seconds: float, level: Level) -> None:
    row = SimpleNamespace(seconds=seconds, pid=7, application_name="", state="idle in transaction")
    check = health_database.oldest_transaction(row)
    assert check.level is level
    assert "process 7 (no name, idle in transaction)" in check.found


def test_no_transaction_is_open() -> None:
    assert health_database.oldest_transaction(None).level is Level.OK


@pytest.mark.parametrize(("used", "level"), [(1.0, Level.OK), (1.8, Level.OK), (1.81, Level.WARN)])
def test_the_age_of_transaction_numbers(used: float, level: Level) -> None:
    assert health_database.transaction_numbers(used).level is level


def test_the_largest_tables_are_named() -> None:
    rows = [SimpleNamespace(name=f"t{i}", bytes=10_000_000 - i, rows=1000) for i in range(7)]
    found = health_database.tables(rows).found
    assert found.startswith("70 MB in all; t0 10.0 MB (1,000 rows)")
    assert "t4" in found
    assert "t5" not in found
