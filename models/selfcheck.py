"""What the database tells about how it is kept: rights of our role, who may reach it, what it risks."""

from __future__ import annotations

from sqlalchemy import TextClause, text

POWERFUL = (
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
    "pg_write_all_data",
    "pg_signal_backend",
)
"""Predefined roles that nothing of ours needs."""


def role_rights() -> TextClause:
    """What our role may do beyond its own tables, and of which powerful roles it is a member."""
    return text("""
        SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
               ARRAY(SELECT p.rolname FROM pg_roles p
                     WHERE p.rolname = ANY(CAST(:powerful AS text[])) AND pg_has_role(current_user, p.oid, 'MEMBER')
                     ORDER BY 1) AS member_of
        FROM pg_roles WHERE rolname = current_user
    """).bindparams(powerful=list(POWERFUL))


def public_grants() -> TextClause:
    """What everybody with a login may do in our schema: create in it, or read and change our tables."""
    return text("""
        SELECT 'schema ' || n.nspname AS thing, g.privilege_type AS right
        FROM pg_namespace n, aclexplode(n.nspacl) g
        WHERE n.nspname = current_schema() AND g.grantee = 0 AND g.privilege_type = 'CREATE'
        UNION ALL
        SELECT 'table ' || c.relname, g.privilege_type
        FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = current_schema()::regnamespace AND g.grantee = 0 AND c.relkind IN ('r', 'p', 'S')
        ORDER BY 1, 2 LIMIT 20
    """)


def reach() -> TextClause:
    """Where the server listens, whether this connection came over a network, and whether it is encrypted."""
    return text("""
        SELECT current_setting('listen_addresses') AS listen_addresses, current_setting('ssl') AS ssl,
               host(inet_client_addr()) AS client,
               coalesce((SELECT s.ssl FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()), false) AS encrypted
    """)


def durability() -> TextClause:
    """The settings without which a power cut loses or tears what was committed."""
    return text("""
        SELECT name, setting FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'
           OR name = 'synchronous_commit' AND setting = 'off'
        ORDER BY 1
    """)


def archived() -> TextClause:
    """How many hours ago the server last archived a piece of its log; NULL where it never did."""
    return text("""
        SELECT CAST(extract(epoch FROM clock_timestamp() - last_archived_time) / 3600 AS float) AS hours
        FROM pg_stat_archiver
    """)


def late_promises() -> TextClause:
    """How many promised events wait for longer than ten minutes."""
    return text("""
        SELECT count(*) AS waiting FROM outbox
        WHERE emitted_at IS NULL AND created_at < clock_timestamp() - interval '10 minutes'
    """)


def scheduled_sites() -> TextClause:
    """How many sites the schedule has to care for."""
    return text("""
        SELECT count(*) AS sites FROM sites WHERE enabled AND definition ->> 'schedule' IS NOT NULL
    """)


def definitions() -> TextClause:
    """The enabled sites with their definitions."""
    return text("SELECT name, definition FROM sites WHERE enabled ORDER BY name")
