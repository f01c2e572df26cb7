"""The metadata that every table hangs on, with names for all constraints, and all aggregates imported."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Tables register themselves here when their module is imported; ``models.schema`` imports them all."""

KEEPS = "keeps"
"""Under this name each table says in its ``info`` what it keeps, for ``headersweep explain``."""
