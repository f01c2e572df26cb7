"""Facts about bodies: each distinct set of them stored once, keyed by the hash of its canonical text."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, LargeBinary, Table, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import identity
from models.metadata import KEEPS, metadata

body_facts = Table(
    "body_facts",
    metadata,
    identity(),
    Column("facts_hash", LargeBinary, nullable=False, unique=True),
    Column("facts", JSONB, nullable=False),
    CheckConstraint("octet_length(facts_hash) = 32", name="facts_hash_length"),
    CheckConstraint("facts ->> 'version' LIKE 'facts/_%'", name="facts_version"),
    info={
        KEEPS: "What was read in bodies that headers are judged with: meta policies, scripts, mixed content. Each distinct set once."
    },
)


def add() -> TextClause:
    """Keep facts; a known hash is left alone. Sorted, so that two writers cannot deadlock."""
    return text("""
        INSERT INTO body_facts (facts_hash, facts)
        SELECT f.hash, CAST(f.canonical AS jsonb)
        FROM unnest(CAST(:hashes AS bytea[]), CAST(:canonicals AS text[])) AS f(hash, canonical)
        ORDER BY 1
        ON CONFLICT (facts_hash) DO NOTHING
    """)


def ids() -> TextClause:
    """The ids of facts given by hash. Plan: uq_body_facts_facts_hash."""
    return text("SELECT id, facts_hash FROM body_facts WHERE facts_hash = ANY(CAST(:hashes AS bytea[]))")


def load() -> TextClause:
    """The facts with these ids. Plan: pk_body_facts."""
    return text("SELECT id, facts FROM body_facts WHERE id = ANY(CAST(:ids AS bigint[]))")
