"""Scratch databases: made for one purpose, known by their name and by their mark, and dropped again.

Nothing here touches a database that has not both: a name that ends as ours do, and the comment that says who made it.
"""

from __future__ import annotations

import re
import secrets

from sqlalchemy import TextClause, text

MARK = "headersweep scratch database"
"""Begins the comment on every database of ours; what follows says what it is for."""

LOCK = 4_801_207_223
"""The advisory lock of whoever makes and drops scratch databases on a server: one at a time."""

LONGEST_NAME = 63
_NAME = re.compile(r".+_rehearsal_(?:base|empty|[0-9a-f]{8})|.+_synthetic(?:_[a-z0-9]+)?")


def name_for(source: str) -> str:
    """A new name for a copy of a database, different every time."""
    return _named(source, f"rehearsal_{secrets.token_hex(4)}")


def base_name(source: str) -> str:
    """The name of the copy that others are copied from."""
    return _named(source, "rehearsal_base")


def synthetic_name(source: str, word: str = "") -> str:
    """The name of a database whose data are made up."""
    return _named(source, f"synthetic_{word}" if word else "synthetic")


def has_scratch_name(name: str) -> bool:
    """Whether a name follows the rule."""
    return _NAME.fullmatch(name) is not None and len(name.encode()) <= LONGEST_NAME


def _named(source: str, ending: str) -> str:
    return f"{source[: LONGEST_NAME - len(ending) - 1]}_{ending}"


def quoted(name: str) -> str:
    """An identifier; statements on databases take no parameters."""
    escaped = name.replace('"', '""').replace(":", r"\:")
    return f'"{escaped}"'


def mark_of(name: str) -> TextClause:
    """The comment on a database; no row where there is no such database."""
    return text(
        "SELECT coalesce(shobj_description(oid, 'pg_database'), '') AS mark FROM pg_database WHERE datname = :name"
    ).bindparams(name=name)


def own_mark() -> TextClause:
    """The name and the comment of the database that one is connected to."""
    return text("""
        SELECT datname AS name, coalesce(shobj_description(oid, 'pg_database'), '') AS mark
        FROM pg_database WHERE datname = current_database()
    """)


def every() -> TextClause:
    """The databases with our mark, with their sizes."""
    return text(r"""
        SELECT datname AS name, shobj_description(oid, 'pg_database') AS mark, CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) ELSE 0 END AS bytes
        FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE :mark || '%' ORDER BY datname
    """).bindparams(mark=MARK)


def sessions(name: str) -> TextClause:
    """How many sessions are in a database."""
    return text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'"
    ).bindparams(name=name)


def size() -> TextClause:
    """The bytes of the database that one is connected to, and the version of the server as a number."""
    return text(
        "SELECT pg_database_size(current_database()) AS bytes, current_setting('server_version_num')::int AS version"
    )


def may_create() -> TextClause:
    """Whether this role may make databases, and its name."""
    return text(
        "SELECT rolname AS role, rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user"
    )


def take_lock() -> TextClause:
    """One boolean: whether nobody else makes or drops scratch databases now. Kept as long as the session."""
    return text("SELECT pg_try_advisory_lock(:key)").bindparams(key=LOCK)


def create(name: str, template: str | None = None) -> TextClause:
    """Make a database, empty or as a copy of one that nobody is connected to. Not in a transaction."""
    # file_copy is three times as fast as the default where there is much to copy, and costs a checkpoint.
    of = f"TEMPLATE {quoted(template)} STRATEGY file_copy" if template else "TEMPLATE template0"
    return text(f"CREATE DATABASE {quoted(name)} {of}")


def mark(name: str, purpose: str) -> TextClause:
    """Say in the database's comment that it is ours."""
    words = f"{MARK}: {purpose}".replace("'", "''").replace(":", r"\:")
    return text(f"COMMENT ON DATABASE {quoted(name)} IS '{words}'")


def drop(name: str) -> TextClause:
    """Drop a database with whoever is connected to it. The caller has looked at its mark."""
    if not has_scratch_name(name):
        raise ValueError(f"{name} is no name of a scratch database")
    return text(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
