"""A named statement: what it is, the values it is tried with, and the indexes that its plan must name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ClauseElement

from models.care.samples import Samples

Values = Callable[[Samples], Mapping[str, Any]]

_INSERTS = re.compile(r"\bINSERT\s+INTO\b", re.IGNORECASE)
_CHANGES = re.compile(r"\b(?:UPDATE\s+\w+\s+(?:\w+\s+)?SET|DELETE\s+FROM)\b", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE|KEY\s+SHARE)\b", re.IGNORECASE)


class Way(StrEnum):
    """How a statement may be explained on a database that others work on."""

    READ = "read"
    """Executed, in a transaction that may only read."""
    ROLLED_BACK = "rolled back"
    """Executed with short time limits in a transaction that is rolled back: it locks or changes a few rows by key."""
    PLANNED = "planned"
    """Never executed: it would draw numbers from sequences, which no rollback gives back, or touch a whole run."""


@dataclass(frozen=True)
class Named:
    """One statement of models/, by the name of its module and function.

    A hot one names the ``indexes`` that its plan must use over large tables (``{part}`` is the partition of the open run);
    one without inserts, touches a row by key once in a run, or reads a small table or a whole run on purpose.
    """

    name: str
    build: Callable[[Samples], Executable]
    values: Values
    indexes: frozenset[str] = frozenset()

    def statement(self, samples: Samples) -> Executable:
        """The statement itself."""
        return self.build(samples)

    def parameters(self, samples: Samples) -> dict[str, Any]:
        """The values that it does not bring along itself."""
        return dict(self.values(samples))

    def expected(self, samples: Samples) -> set[str]:
        """The indexes that its plan must name."""
        return {index.format(part=samples.part) for index in self.indexes}

    def way(self, samples: Samples) -> Way:
        """How it may be tried, told by its text."""
        sql = as_text(self.build(samples))
        if _INSERTS.search(sql):
            return Way.PLANNED
        if _CHANGES.search(sql):
            return Way.ROLLED_BACK if self.indexes else Way.PLANNED
        if _LOCKS.search(sql):
            return Way.ROLLED_BACK if self.indexes else Way.PLANNED
        return Way.READ


def as_text(statement: Executable) -> str:
    """The text of a statement as Postgres gets it, values as placeholders."""
    if not isinstance(statement, ClauseElement):
        raise TypeError(f"{statement!r} is no statement")
    return str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def hot(name: str, build: Callable[[], Executable], indexes: str, values: Values = lambda _: {}) -> Named:
    """A statement that is executed all the time, and the indexes (words) that it was written for."""
    return Named(name, lambda _: build(), values, frozenset(indexes.split()))


def hot_with(
    name: str, build: Callable[[Samples], Executable], indexes: str, values: Values = lambda _: {}
) -> Named:
    """The same, of a function that takes its values itself."""
    return Named(name, build, values, frozenset(indexes.split()))


def whole(name: str, build: Callable[[], Executable], values: Values = lambda _: {}) -> Named:
    """A statement whose plan nobody counts on."""
    return Named(name, lambda _: build(), values)


def whole_with(name: str, build: Callable[[Samples], Executable]) -> Named:
    """The same, of a function that takes its values itself."""
    return Named(name, build, lambda _: {})
