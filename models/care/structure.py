"""What stands in the schema, as text that can be compared, and checksums of what stands in the tables."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import TextClause, text

from models.care.scratch import quoted

OWN = "c.relnamespace = current_schema()::regnamespace AND c.relname <> 'alembic_version'"


def structure() -> TextClause:
    """Everything that stands in the schema: what kind, which name, how it is defined. Not Alembic's own table."""
    return text(f"""
        SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, c.relname AS name,
               concat_ws(' ', c.relkind, array_to_string(c.reloptions, ','), pg_get_partkeydef(c.oid),
                         pg_get_expr(c.relpartbound, c.oid)) AS definition
        FROM pg_class c WHERE {OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL
        SELECT 'column', c.relname || '.' || a.attname,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                         nullif(a.attidentity, ''), nullif(a.attgenerated, ''), 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE {OWN} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'constraint', c.relname || '.' || k.conname,
               pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ' (not validated)' END
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE {OWN}
        UNION ALL
        SELECT 'index', i.relname, pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' (invalid)' END
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid WHERE {OWN}
        UNION ALL
        SELECT 'trigger', c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE {OWN} AND NOT t.tgisinternal
        UNION ALL
        SELECT 'function', p.proname, md5(pg_get_functiondef(p.oid)) FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind IN ('f', 'p')
        UNION ALL
        SELECT 'type', t.typname, coalesce((SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
                                           FROM pg_enum e WHERE e.enumtypid = t.oid), '')
        FROM pg_type t WHERE t.typnamespace = current_schema()::regnamespace AND t.typtype IN ('e', 'd')
        ORDER BY 1, 2
    """)  # noqa: S608 - a constant of this module


def checksum(table: str, columns: Sequence[str]) -> TextClause:
    """How many rows a table has, and a sum over these columns of all of them, in any order. Reads all of it."""
    names = ", ".join(quoted(column) for column in columns)
    return text(f"""
        SELECT count(*) AS rows, coalesce(bit_xor(hash_record_extended(ROW({names}), 0)), 0) AS sum
        FROM {quoted(table)}
    """)  # noqa: S608 - names of our own catalogue


def analyze(table: str) -> TextClause:
    """Let the planner know what stands in a table. Not in a transaction that does anything else."""
    return text(f"ANALYZE {quoted(table)}")


def rough_rows() -> TextClause:
    """The tables with the rows and bytes that Postgres believes them to have, partitions counted with their parents."""
    return text(f"""
        SELECT c.relname AS name, sum(CASE WHEN p.relkind = 'p' THEN 0 ELSE greatest(p.reltuples, 0) END)::bigint AS rows,
               sum(pg_total_relation_size(p.oid))::bigint AS bytes
        FROM pg_class c
        JOIN pg_class p ON p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf)
        WHERE {OWN} AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        GROUP BY c.oid, c.relname ORDER BY 3 DESC, 1
    """)  # noqa: S608 - a constant of this module
