"""What the lint says of SQL, on both sides of each rule."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cli.care import lint

BEFORE = {("table", "visits"): "p RANGE (run_id)", ("table", "visits_r0"): "r", ("table", "runs"): "r"}
LIMITED = "SET lock_timeout = 2000;\n"

CASES = [
    ("CREATE INDEX ix ON visits (a);", ["index-not-concurrently"]),
    ("CREATE UNIQUE INDEX ix ON runs (a);", ["index-not-concurrently"]),
    ("create index if not exists ix on runs (a);", ["index-not-concurrently"]),
    ("CREATE INDEX CONCURRENTLY ix ON runs (a);", []),
    ("CREATE INDEX ix ON ONLY visits (a);", []),
    ("CREATE INDEX ix ON fresh (a);", []),
    ("ALTER TABLE runs ADD COLUMN a UUID DEFAULT gen_random_uuid();", ["volatile-default"]),
    ("ALTER TABLE runs ADD COLUMN a TIMESTAMPTZ DEFAULT clock_timestamp() NOT NULL;", ["volatile-default"]),
    ("ALTER TABLE runs ADD COLUMN a TIMESTAMPTZ DEFAULT now();", []),
    ("ALTER TABLE runs ADD COLUMN a INTEGER DEFAULT 7 NOT NULL;", []),
    ("ALTER TABLE runs ADD COLUMN a BIGINT;", []),
    ("ALTER TABLE fresh ADD COLUMN a UUID DEFAULT gen_random_uuid();", []),
    ("ALTER TABLE runs ALTER COLUMN a SET NOT NULL;", ["set-not-null"]),
    (
        (
            "ALTER TABLE runs ADD CONSTRAINT ck CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE runs VALIDATE CONSTRAINT ck;\n"
            "ALTER TABLE runs ALTER COLUMN a SET NOT NULL;"
        ),
        [],
    ),
    (
        "ALTER TABLE runs ADD CONSTRAINT ck CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE runs ALTER COLUMN a SET NOT NULL;",
        ["set-not-null"],
    ),
    (
        (
            "ALTER TABLE runs ADD CONSTRAINT ck CHECK (b IS NOT NULL) NOT VALID;\nALTER TABLE runs VALIDATE CONSTRAINT ck;\n"
            "ALTER TABLE runs ALTER COLUMN a SET NOT NULL;"
        ),
        ["set-not-null"],
    ),
    ("ALTER TABLE visits ALTER COLUMN a TYPE BIGINT;", ["type-change"]),
    ("ALTER TABLE visits ALTER COLUMN a SET DATA TYPE BIGINT;", ["type-change"]),
    ("ALTER TABLE visits ALTER COLUMN a SET DEFAULT 1;", []),
    ("ALTER TABLE runs ADD CONSTRAINT fk FOREIGN KEY(a) REFERENCES sites (id);", ["foreign-key-at-once"]),
    ("ALTER TABLE runs ADD CONSTRAINT fk FOREIGN KEY(a) REFERENCES sites (id) NOT VALID;", []),
    ("CREATE TABLE fresh (a BIGINT, FOREIGN KEY(a) REFERENCES runs (id));", []),
    ("-- CREATE INDEX ix ON visits (a);\nSELECT 1;", []),
]


@pytest.mark.parametrize(("sql", "rules"), CASES)
def test_what_is_said_of_a_statement(sql: str, rules: list[str]) -> None:
    assert [remark.rule for remark in lint.of_sql(LIMITED + sql, BEFORE)] == rules


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("SELECT 1;", ["no-lock-timeout"]),
        ("SET lock_timeout = 0;\nSELECT 1;", ["no-lock-timeout"]),
        ("SET lock_timeout = 2000;\nSELECT 1;", []),
        ("SET LOCAL lock_timeout = '2s';\nSELECT 1;", []),
        ("SET lock_timeout TO 500;", []),
    ],
)
def test_without_a_limit_on_locks_there_is_a_remark(sql: str, rules: list[str]) -> None:
    assert [remark.rule for remark in lint.of_sql(sql, BEFORE)] == rules


def test_every_rule_of_ours_has_a_case() -> None:
    said = {rule for _sql, rules in CASES for rule in rules}
    assert said == {rule for rule, _pattern, _advice in lint.RULES}


def test_a_remark_is_accepted_with_a_reason_in_the_file() -> None:
    text = "# lint: accept type-change: the table has ten rows\n# lint: accept no-lock-timeout:\n"
    assert dict(lint.ACCEPT.findall(text)) == {"type-change": "the table has ten rows"}


def _program(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "squawk"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_what_squawk_says_is_taken_over_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = '[{"rule_name": "ban-drop-column", "message": "Dropping a column", "line": 3}]'
    _program(tmp_path, f"cat >/dev/null; echo '{answer}'; exit 1", monkeypatch)
    assert [(each.rule, each.message) for each in lint.squawk("SELECT 1;")] == [
        ("squawk-ban-drop-column", "Dropping a column")
    ]


def test_without_squawk_or_with_one_that_says_nothing_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lint.squawk("SELECT 1;") == []
    monkeypatch.setenv("PATH", os.defpath)
    _program(tmp_path, "exit 3", monkeypatch)
    assert lint.squawk("SELECT 1;") == []
