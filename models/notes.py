"""Notes: copies of the records of changes. The file that people review in git is the source; its hash tells an edit."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    TextClause,
    text,
)

from headersweep.notes import NoteKind
from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

_TEXTS = ("title", "owner", "command", "reason", "metric", "expected_result", "actual_result", "rollback")

notes = Table(
    "notes",
    metadata,
    identity(),
    Column("site_id", BigInteger, ForeignKey("sites.id")),
    Column("run_before", BigInteger, ForeignKey("runs.id")),
    Column("run_after", BigInteger, ForeignKey("runs.id")),
    Column("stored_at", UTC_TIME, nullable=False, server_default=text("clock_timestamp()")),
    Column("written", Date, nullable=False),
    # False while a field is left to be filled in.
    Column("complete", Boolean, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    *(Column(name, Text, nullable=False) for name in _TEXTS),
    Column("files", ARRAY(Text), nullable=False),
    Column("stored_by", Text, nullable=False),
    # The file as it was, and what tells whether it was edited since.
    Column("body", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    one_of("kind", NoteKind, "kind"),
    CheckConstraint("slug ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
    CheckConstraint(
        f"NOT complete OR ({' AND '.join(f'btrim({name}) <> ' + repr('') for name in _TEXTS)})",
        name="says_all",
    ),
    CheckConstraint("NOT complete OR kind = 'baseline' OR cardinality(files) > 0", name="names_files"),
    CheckConstraint("run_before <> run_after", name="two_runs"),
    CheckConstraint("octet_length(content_hash) = 32", name="content_hash_length"),
    CheckConstraint("octet_length(body) <= 262144", name="body_length"),
    Index("ix_notes_site_id", "site_id"),
    Index("ix_notes_run_before", "run_before"),
    Index("ix_notes_run_after", "run_after"),
    info={
        KEEPS: "The notes on changes, as their files had them when they were stored: reason, owner, command, metric, rollback."
    },
)


def put() -> TextClause:
    """Keep a note by its slug. No row comes back where it is kept just so already; ``is_new`` tells it from an edit."""
    return text("""
        INSERT INTO notes AS n (site_id, run_before, run_after, written, complete, slug, kind, title, owner, command,
                                reason, metric, expected_result, actual_result, rollback, files, stored_by, body,
                                content_hash)
        VALUES (:site_id, :run_before, :run_after, :written, :complete, :slug, :kind, :title, :owner, :command,
                :reason, :metric, :expected_result, :actual_result, :rollback, CAST(:files AS text[]), :stored_by, :body,
                :content_hash)
        ON CONFLICT (slug) DO UPDATE SET
            site_id = excluded.site_id, run_before = excluded.run_before, run_after = excluded.run_after,
            written = excluded.written, complete = excluded.complete, kind = excluded.kind, title = excluded.title,
            owner = excluded.owner, command = excluded.command, reason = excluded.reason, metric = excluded.metric,
            expected_result = excluded.expected_result, actual_result = excluded.actual_result,
            rollback = excluded.rollback, files = excluded.files, stored_by = excluded.stored_by, body = excluded.body,
            content_hash = excluded.content_hash, stored_at = clock_timestamp()
        WHERE (n.content_hash, n.complete) IS DISTINCT FROM (excluded.content_hash, excluded.complete)
        RETURNING id, xmax = 0 AS is_new
    """)


def of_slug() -> TextClause:
    """The note :slug with the name of its site. Plan: uq_notes_slug."""
    return text("""
        SELECT n.*, s.name AS site FROM notes n LEFT JOIN sites s ON s.id = n.site_id WHERE n.slug = :slug
    """)


def of_all() -> TextClause:
    """Every note with the name of its site, the newest first."""
    return text("""
        SELECT n.*, s.name AS site FROM notes n LEFT JOIN sites s ON s.id = n.site_id ORDER BY n.slug DESC
    """)
