"""A look at the SQL of a migration before anybody runs it: our own few rules, and squawk's where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic.script import Script

from cli.care.schema import Schema, tables
from models import migrate

SQUAWK_SECONDS = 60

ACCEPT = re.compile(r"#\s*lint:\s*accept\s+([\w-]+):\s*(\S.*)")
"""In the revision's file: which rule is accepted in it, and why."""

NOT_OURS = (
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-text-field",
    "prefer-robust-stmts",
)
"""Rules of squawk that we do not follow: narrow columns save a tenth of a visit, Alembic's own table is what it is, and a
migration is one transaction, so that none begins in the middle."""

_CALL = re.compile(r"\b([a-z_]\w*)\s*\(", re.IGNORECASE)
_HARMLESS = {
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "cast",
    "date",
    "decode",
    "coalesce",
    "interval",
}


@dataclass(frozen=True)
class Remark:
    """What is wrong with one statement, what to write instead, and why it was accepted all the same."""

    rule: str
    message: str
    statement: str
    accepted: str = ""


def of_revision(script: Script, before: Schema, versions: Path | None = None) -> list[Remark]:
    """What is to be said of a revision's upgrade, given the schema that it finds."""
    sql = migrate.sql(script.revision, versions=versions)
    reasons = dict(ACCEPT.findall(Path(script.path).read_text(encoding="utf-8")))
    found = [*of_sql(sql, before), *squawk(sql)]
    return [
        Remark(each.rule, each.message, each.statement, reasons.get(each.rule, "").strip()) for each in found
    ]


def of_sql(sql: str, before: Schema) -> list[Remark]:
    """What our own rules say."""
    known = {*tables(before), *(name for kind, name in before if kind == "table")}
    found = [] if _has_limit(sql) else [_no_limit()]
    validated = set(re.findall(r"VALIDATE CONSTRAINT\s+(\S+?);?$", sql, re.IGNORECASE | re.MULTILINE))
    checks = _not_null_checks(sql)
    for statement in statements(sql):
        found += _of_statement(statement, known, {name for name in checks if checks[name] in validated})
    return found


def statements(sql: str) -> Iterator[str]:
    """The statements one by one, each on one line; comments are left out."""
    plain = re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE)
    for part in re.split(r";\s*(?:\n|\Z)", plain):
        if part.strip():
            yield " ".join(part.split())


def _of_statement(statement: str, known: set[str], checked: set[str]) -> Iterator[Remark]:
    for rule, pattern, advice in RULES:
        found = pattern.search(statement)
        if found and found["table"].strip('"') in known and not _is_fine(rule, found, statement, checked):
            yield Remark(rule, f"{advice} ({found['table']})", statement[:200])


def _is_fine(rule: str, found: re.Match[str], statement: str, checked: set[str]) -> bool:
    if rule == "volatile-default":
        return not _is_volatile(found["value"])
    if rule == "foreign-key-at-once":
        return "NOT VALID" in statement.upper()
    if rule == "set-not-null":
        return f"{found['table']}.{found['column']}".replace('"', "") in checked
    return False


def _is_volatile(default: str) -> bool:
    """Whether a default is worked out anew for each row, so that the table is rewritten; unknown functions count as such."""
    return any(name.lower() not in _HARMLESS for name in _CALL.findall(default))


_TABLE = r'(?:ONLY\s+)?(?P<table>"?\w+"?)'
RULES = (
    (
        "index-not-concurrently",
        re.compile(
            rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)(?:IF\s+NOT\s+EXISTS\s+)?\S+\s+ON\s+(?!ONLY){_TABLE}",
            re.IGNORECASE,
        ),
        "an index on a table that is there stops all writers while it is built: build it with models.concurrently.build",
    ),
    (
        "volatile-default",
        re.compile(rf"ALTER\s+TABLE\s+{_TABLE}\s+ADD\s+COLUMN\s+.*?\bDEFAULT\s+(?P<value>.+)", re.IGNORECASE),
        "a default that differs from row to row rewrites the table under an exclusive lock: add the column, then fill it in bites",
    ),
    (
        "set-not-null",
        re.compile(
            rf"ALTER\s+TABLE\s+{_TABLE}\s+ALTER\s+COLUMN\s+(?P<column>\S+)\s+SET\s+NOT\s+NULL", re.IGNORECASE
        ),
        "reads the whole table under an exclusive lock: add CHECK (... IS NOT NULL) NOT VALID, VALIDATE it, then SET NOT NULL",
    ),
    (
        "type-change",
        re.compile(
            rf"ALTER\s+TABLE\s+{_TABLE}\s+ALTER\s+COLUMN\s+\S+\s+(?:SET\s+DATA\s+)?TYPE\b", re.IGNORECASE
        ),
        "may rewrite the table under an exclusive lock: add a new column, fill it in bites, and change over",
    ),
    (
        "foreign-key-at-once",
        re.compile(rf"ALTER\s+TABLE\s+{_TABLE}\s+ADD\s+.*?\bFOREIGN\s+KEY\b", re.IGNORECASE),
        "checks every row while writers of both tables wait: add it NOT VALID, then VALIDATE it",
    ),
)


def _not_null_checks(sql: str) -> dict[str, str]:
    """Columns (table.column) for which a constraint says that they are not null, with its name."""
    pattern = re.compile(
        rf"ALTER\s+TABLE\s+{_TABLE}\s+ADD\s+CONSTRAINT\s+(\S+)\s+CHECK\s+\(+\"?(\w+)\"?\s+IS\s+NOT\s+NULL\)+\s+NOT\s+VALID",
        re.IGNORECASE,
    )
    return {f"{table}.{column}".replace('"', ""): name for table, name, column in pattern.findall(sql)}


def _has_limit(sql: str) -> bool:
    return re.search(r"SET\s+(?:LOCAL\s+)?lock_timeout\s*(?:=|TO)\s*'?[1-9]", sql, re.IGNORECASE) is not None


def _no_limit() -> Remark:
    return Remark(
        "no-lock-timeout",
        "without lock_timeout everybody queues behind a change that waits: SET lock_timeout before it",
        "",
    )


def squawk(sql: str) -> list[Remark]:
    """What squawk says, where it is installed."""
    program = shutil.which("squawk")
    if program is None:
        return []
    command = [program, "--reporter", "json", "--stdin-filepath", "migration.sql"]
    command += [f"--exclude={','.join(NOT_OURS)}"]
    try:
        said = subprocess.run(
            command, input=sql, capture_output=True, text=True, timeout=SQUAWK_SECONDS, check=False
        ).stdout
        found = json.loads(said or "[]")
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return [_squawked(each) for each in found]


def _squawked(each: dict[str, object]) -> Remark:
    return Remark(f"squawk-{each.get('rule_name')}", str(each.get("message", "")), f"line {each.get('line')}")
