"""What operators did to runs: who, when and why. Rows are only ever added, in the transaction of the deed itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    TextClause,
    text,
)

from headersweep.states import RunAction
from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

run_actions = Table(
    "run_actions",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    # The run that a rerun made.
    Column("made_run_id", BigInteger, ForeignKey("runs.id")),
    Column("at", UTC_TIME, nullable=False, server_default=text("clock_timestamp()")),
    Column("generation", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    one_of("action", RunAction, "action"),
    CheckConstraint("generation >= 1", name="generation"),
    CheckConstraint("(action = 'rerun') = (made_run_id IS NOT NULL)", name="rerun_made_a_run"),
    # The same request for the same reason is kept once, however often it is typed. Reasons may be long.
    Index(
        "uq_run_actions_once",
        "run_id",
        "generation",
        "action",
        "asked_by",
        text("md5(reason)"),
        text("coalesce(made_run_id, 0)"),
        unique=True,
    ),
    info={KEEPS: "What was done to a run: by whom, when and why."},
)


def add() -> TextClause:
    """Keep what was done to run :run_id; no row comes back when the very same was kept before."""
    return text("""
        INSERT INTO run_actions (run_id, made_run_id, generation, action, asked_by, reason)
        VALUES (:run_id, :made_run_id, :generation, :action, :asked_by, :reason)
        ON CONFLICT (run_id, generation, action, asked_by, md5(reason), coalesce(made_run_id, 0)) DO NOTHING
        RETURNING id
    """)


def of_run() -> TextClause:
    """Everything that was done to run :run_id, the oldest first. Plan: uq_run_actions_once."""
    return text("""
        SELECT action, asked_by, reason, at, generation, made_run_id
        FROM run_actions WHERE run_id = :run_id ORDER BY id
    """)


def last_of(run_ids: Sequence[int]) -> TextClause:
    """The last thing that was done to each of these runs. Plan: uq_run_actions_once."""
    return text("""
        SELECT DISTINCT ON (run_id) run_id, action, asked_by, reason, at, generation, made_run_id
        FROM run_actions WHERE run_id = ANY(CAST(:run_ids AS bigint[])) ORDER BY run_id, id DESC
    """).bindparams(run_ids=list(run_ids))


def was_done() -> TextClause:
    """Whether generation :generation of run :run_id saw this :action. Plan: uq_run_actions_once."""
    return text("""
        SELECT EXISTS (SELECT FROM run_actions
                       WHERE run_id = :run_id AND generation = :generation AND action = :action)
    """)


def open_rerun() -> TextClause:
    """The newest rerun of run :run_id that has not ended. Plan: uq_run_actions_once, ix_runs_open."""
    return text("""
        SELECT a.made_run_id FROM run_actions a JOIN runs r ON r.id = a.made_run_id
        WHERE a.run_id = :run_id AND a.action = 'rerun' AND r.state IN ('planned', 'running')
        ORDER BY a.id DESC LIMIT 1
    """)
