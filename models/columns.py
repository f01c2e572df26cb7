"""Column types that are the same in every table: aware UTC times, identities, lists of states as CHECKs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity

UTC_TIME = DateTime(timezone=True)


def identity() -> Column[int]:
    """A primary key that Postgres numbers and nobody else."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def one_of(column: str, values: Iterable[Any], name: str) -> CheckConstraint:
    """A CHECK that a column holds one of our states, spelt as in ``headersweep.states``."""
    allowed = ", ".join(f"'{value}'" if isinstance(value, str) else str(int(value)) for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=name)
