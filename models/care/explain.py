"""What Postgres does for a statement: its plan, the indexes it uses, and how many buffers it reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import Connection, Executable, TextClause, UpdateBase, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from models.care.samples import Samples
from models.care.statement import Named, Way
from models.care.structure import OWN

READ_TIMEOUT_MS = 20_000
WRITE_TIMEOUT_MS = 2_000
LARGE_PAGES = 32
LOCK_TIMEOUT_MS = 200
"""Whoever waits behind a statement that we try waits no longer than this."""


class Explain(Executable, ClauseElement):
    """A statement with EXPLAIN before it; its parameters are given as usual."""

    inherit_cache = False

    def __init__(self, statement: Executable, *, analyze: bool) -> None:
        self.statement = statement
        self.analyze = analyze


@compiles(Explain)
def _compile_explain(element: Explain, compiler: SQLCompiler, **options: Any) -> str:
    return (
        f"{_explain(element.analyze)} {compiler.process(cast('ClauseElement', element.statement), **options)}"
    )


def _explain(analyze: bool) -> str:
    return f"EXPLAIN ({'ANALYZE, BUFFERS, TIMING OFF, ' if analyze else ''}FORMAT JSON)"


@dataclass(frozen=True)
class Plan:
    """What a statement's plan was, and what it cost where it was executed."""

    name: str
    way: Way
    executed: bool
    indexes: tuple[str, ...] = ()
    sequential: tuple[str, ...] = ()
    large: tuple[str, ...] = ()
    """The tables in it that are too large to be read as a whole lightly."""
    rows: int | None = None
    buffers: int | None = None
    time_ms: float | None = None
    nodes: tuple[str, ...] = ()
    remark: str = ""
    expected: tuple[str, ...] = field(default=())

    @property
    def works(self) -> bool:
        """Whether this revision of the schema knows the statement at all."""
        return bool(self.nodes)


def large_tables() -> TextClause:
    """The tables of more than :pages pages."""
    return text(f"""
        SELECT c.relname FROM pg_class c
        WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > :pages * 8192 AND {OWN}
    """).bindparams(pages=LARGE_PAGES)  # noqa: S608 - a constant of models.care


def capture_all(connection: Connection, wanted: Iterable[Named], samples: Samples) -> list[Plan]:
    """The plans of these statements, and which of their tables are large."""
    large = set(connection.scalars(large_tables()))
    connection.rollback()
    found = [capture(connection, named, samples) for named in wanted]
    return [replace(plan, large=tuple(sorted(large & set(plan.large)))) for plan in found]


def capture(connection: Connection, named: Named, samples: Samples) -> Plan:
    """The plan of one statement, executed where that harms nobody; nothing that it does is kept."""
    way = named.way(samples)
    expected = tuple(sorted(named.expected(samples)))
    if way is not Way.PLANNED:
        try:
            return _plan(
                named, way, _tried(connection, named, samples, way), executed=True, expected=expected
            )
        except DBAPIError as error:
            remark = f"not executed: {_said(error)}"
        finally:
            connection.rollback()
    else:
        remark = ""
    try:
        return _plan(
            named, way, _planned(connection, named, samples), executed=False, remark=remark, expected=expected
        )
    except DBAPIError as error:
        return Plan(named.name, way, executed=False, remark=_said(error), expected=expected)
    finally:
        connection.rollback()


def _tried(connection: Connection, named: Named, samples: Samples, way: Way) -> dict[str, Any]:
    if way is Way.READ:
        connection.execute(text("SET TRANSACTION READ ONLY"))
    limit = READ_TIMEOUT_MS if way is Way.READ else WRITE_TIMEOUT_MS
    connection.execute(text(f"SET LOCAL statement_timeout = {limit}"))
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
    return answer(connection, named.statement(samples), named.parameters(samples), analyze=True)


def _planned(connection: Connection, named: Named, samples: Samples) -> dict[str, Any]:
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
    return answer(connection, named.statement(samples), named.parameters(samples), analyze=False)


def answer(
    connection: Connection, statement: Executable, values: Mapping[str, Any], *, analyze: bool
) -> dict[str, Any]:
    """The document that EXPLAIN gives for a statement."""
    if isinstance(statement, UpdateBase):  # the compiler knows how to write these as whole statements only
        compiled = statement.compile(dialect=connection.dialect)
        answered = connection.exec_driver_sql(f"{_explain(analyze)} {compiled}", compiled.params)
    else:
        answered = connection.execute(Explain(statement, analyze=analyze), dict(values))
    found = answered.scalar_one()
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]
    return plan


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every node of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def _plan(  # noqa: PLR0913 - what is known of a plan
    named: Named,
    way: Way,
    found: Mapping[str, Any],
    *,
    executed: bool,
    expected: tuple[str, ...],
    remark: str = "",
) -> Plan:
    top = found["Plan"]
    every = list(nodes(top))
    ran = [node for node in every if not executed or node.get("Actual Loops", 1)]
    return Plan(
        named.name,
        way,
        executed,
        indexes=_distinct(node["Index Name"] for node in every if "Index Name" in node),
        sequential=_distinct(node["Relation Name"] for node in ran if node["Node Type"] == "Seq Scan"),
        large=_distinct(node["Relation Name"] for node in every if "Relation Name" in node),
        rows=round(top["Actual Rows"] * top["Actual Loops"]) if executed else None,
        buffers=sum(top.get(f"{kind} Blocks", 0) for kind in _BUFFERS) if executed else None,
        time_ms=found.get("Execution Time"),
        nodes=tuple(_shape(node) for node in every),
        remark=remark,
        expected=expected,
    )


_BUFFERS = ("Shared Hit", "Shared Read", "Local Hit", "Local Read", "Temp Read")


def _shape(node: Mapping[str, Any]) -> str:
    where = node.get("Index Name") or node.get("Relation Name")
    return f"{node['Node Type']} on {where}" if where else str(node["Node Type"])


def _distinct(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _said(error: DBAPIError) -> str:
    """The first line of what Postgres said: no values of rows stand there."""
    return str(error.orig).strip().splitlines()[0][:200]
