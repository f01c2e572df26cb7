"""What Postgres knows of our tables and indexes: sizes, use, validity, room; and what is running out."""

from __future__ import annotations

from sqlalchemy import TextClause, text

from models.care.structure import OWN

PAGE = 8192
INDEX_TUPLE = 16
"""Bytes of an index entry beside its columns: its header and its place in the page."""


def indexes() -> TextClause:
    """Every index with its table, columns, size, use, and what stands and falls with it.

    Of a partitioned index size and use are those of its parts, which are not listed themselves. ``columns`` are attribute
    numbers (0 for an expression), ``shape`` all else that two indexes must share to be the same.
    """
    return text(f"""
        SELECT i.relname AS name, c.relname AS table_name, pg_get_indexdef(x.indexrelid) AS definition,
               x.indisunique AS is_unique, x.indisvalid AS is_valid,
               EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid) AS is_of_constraint,
               CAST(x.indkey AS int[]) AS columns,
               concat_ws('/', am.amname, x.indclass::text, x.indcollation::text, x.indoption::text) AS shape,
               coalesce(pg_get_expr(x.indpred, x.indrelid), '') AS predicate,
               coalesce(pg_get_expr(x.indexprs, x.indrelid), '') AS expressions,
               x.indnkeyatts AS keys,
               EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid) AS is_being_built,
               parts.bytes, parts.scans, parts.row_count,
               coalesce((SELECT sum(coalesce(nullif(s.avg_width, 0), 8)) FROM pg_stats s
                         JOIN pg_attribute a ON a.attrelid = parts.sample AND a.attname = s.attname
                         JOIN pg_class t ON t.oid = parts.sample
                         WHERE s.schemaname = current_schema() AND s.tablename = t.relname AND a.attnum = ANY(x.indkey)), 0)::int AS width
        FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid JOIN pg_am am ON am.oid = i.relam
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(pg_relation_size(t.relid)), 0)::bigint AS bytes,
                   coalesce(sum(pg_stat_get_numscans(t.relid)), 0)::bigint AS scans,
                   coalesce(sum(greatest(p.reltuples, 0)), 0)::bigint AS row_count,
                   (array_agg(y.indrelid ORDER BY p.reltuples DESC))[1] AS sample
            FROM (SELECT x.indexrelid AS relid WHERE i.relkind = 'i'
                  UNION ALL SELECT tree.relid FROM pg_partition_tree(x.indexrelid) tree WHERE i.relkind = 'I' AND tree.isleaf) t
            JOIN pg_class p ON p.oid = t.relid JOIN pg_index y ON y.indexrelid = t.relid WHERE p.relkind = 'i'
        ) parts
        WHERE {OWN} AND NOT (i.relispartition AND x.indisvalid)
        ORDER BY parts.bytes DESC, i.relname
    """)  # noqa: S608 - a constant of models.care


def foreign_keys_without_index() -> TextClause:
    """Foreign keys whose columns begin no index of their table: deleting what they refer to reads the whole table."""
    return text(f"""
        SELECT k.conname AS name, c.relname AS table_name, k.confrelid::regclass::text AS refers_to,
               (SELECT string_agg(a.attname, ', ' ORDER BY n.place) FROM unnest(k.conkey) WITH ORDINALITY n(number, place)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number) AS columns,
               pg_total_relation_size(c.oid) AS bytes, greatest(c.reltuples, 0)::bigint AS row_count,
               coalesce((SELECT n_tup_del FROM pg_stat_all_tables s WHERE s.relid = k.confrelid), 0) AS deletions
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.contype = 'f' AND {OWN} AND NOT c.relispartition
          AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = k.conrelid AND x.indpred IS NULL AND x.indisvalid
                          AND (CAST(x.indkey AS int[]))[0:cardinality(k.conkey) - 1] @> CAST(k.conkey AS int[]))
        ORDER BY bytes DESC, name
    """)  # noqa: S608 - a constant of models.care


def sequential_scans() -> TextClause:
    """The tables of which much was read from end to end, with how often and how much."""
    return text(f"""
        SELECT c.relname AS table_name, s.seq_scan AS scans, s.seq_tup_read AS row_reads, coalesce(s.idx_scan, 0) AS index_scans,
               pg_table_size(c.oid) AS bytes, s.n_live_tup AS row_count
        FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid
        WHERE {OWN} AND s.seq_scan >= :least_scans AND s.seq_tup_read / s.seq_scan >= :least_rows
        ORDER BY s.seq_tup_read DESC
    """)  # noqa: S608 - a constant of models.care


def counted_since() -> TextClause:
    """Since when Postgres counts how often indexes are used, and for how many days."""
    return text("""
        SELECT coalesce(stats_reset, pg_postmaster_start_time()) AS since,
               extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))::float / 86400 AS days
        FROM pg_stat_database WHERE datname = current_database()
    """)


def invalid() -> TextClause:
    """The indexes that are there and not used: left by a concurrent build that was broken off, unless it goes on."""
    return text(f"""
        SELECT i.relname AS name, c.relname AS table_name,
               EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid) AS is_being_built
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
        WHERE {OWN} AND NOT x.indisvalid ORDER BY 1
    """)  # noqa: S608 - a constant of models.care


def sequences() -> TextClause:
    """How much of each sequence is used up, the fullest first; bounded by the type of its column as well."""
    return text("""
        SELECT s.sequencename AS name, coalesce(s.last_value, 0) AS last_value, s.max_value,
               coalesce(s.last_value, 0)::float / s.max_value AS used
        FROM pg_sequences s WHERE s.schemaname = current_schema() ORDER BY used DESC, name
    """)


def oldest_transaction() -> TextClause:
    """The transaction that has been open for longest in this database, beside our own; no row where there is none."""
    return text("""
        SELECT pid, application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::float AS seconds
        FROM pg_stat_activity
        WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'
        ORDER BY xact_start LIMIT 1
    """)


def never_vacuumed() -> TextClause:
    """How old the oldest transaction number of this database is, as a share of what forces a vacuum."""
    return text("""
        SELECT age(datfrozenxid)::float / current_setting('autovacuum_freeze_max_age')::float AS used
        FROM pg_database WHERE datname = current_database()
    """)
