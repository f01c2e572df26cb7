"""Items about Postgres: rights, reach, passwords, durability, back-ups, schema."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from cli.selfcheck.place import NETWORK_OF_CONTAINERS, Check, Place
from headersweep.checklist import Area, Item, Looked, fail, ok, unknown
from headersweep.errors import HeadersweepError
from models import selfcheck
from models.care import catalogue

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

OLD_BACKUP_HOURS = 26
"""A nightly back-up that takes its time is younger."""

LOCAL = ("localhost", "127.", "::1", "/")
_POWERS = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")


def role(place: Place) -> Looked:
    """What our role could do that it does not need."""
    found = place.row(selfcheck.role_rights())
    powers = [name.removeprefix("rol") for name in _POWERS if getattr(found, name)]
    powers += [f"member of {name}" for name in found.member_of]
    if not powers:
        return ok(f"the role {found.rolname} has no right beyond its tables")
    said = f"the role {found.rolname} has: {', '.join(powers)}"
    if place.embedded:
        return ok(f"{said}; the embedded server is reached through a socket in a private folder only")
    return fail(said)


def grants(place: Place) -> Looked:
    """What everybody with a login may do."""
    found = place.rows(selfcheck.public_grants())
    if not found:
        return ok("nobody else was granted anything on our schema and tables")
    return fail(*(f"PUBLIC has {row.right} on {row.thing}" for row in found))


def reach(place: Place) -> Looked:
    """Whether somebody on the network could listen, or knock."""
    found = place.row(selfcheck.reach())
    listens: str = found.listen_addresses
    if place.embedded or not listens:
        return ok("it listens on a unix socket only")
    said = f"listen_addresses = {listens!r}, ssl = {found.ssl}"
    is_far = found.client is not None and not str(found.client).startswith(LOCAL)
    if is_far and not found.encrypted:
        return _in_clear(place, said, found.client)
    if _is_wide(listens) and found.ssl != "on":
        return fail(said, "it answers on every address of its machine, in clear text")
    return ok(said)


def _in_clear(place: Place, said: str, client: str) -> Looked:
    if place.in_container and ipaddress.ip_address(client).is_private:
        return unknown(said, f"in clear text, {NETWORK_OF_CONTAINERS}")
    return fail(said, f"this connection came over the network from {client}, in clear text")


def _is_wide(listens: str) -> bool:
    return any(each.strip() in {"*", "0.0.0.0", "::"} for each in listens.split(","))  # noqa: S104 - looked for, not bound


def authentication(place: Place) -> Looked:
    """Whether the database lets us in without the password: whoever reaches it would get in, too."""
    url = make_url(place.settings.database_url)
    refusal = _knock(url)
    if refusal is not None:
        return refusal
    if place.embedded:
        return ok("no password is needed, but its socket is in a private folder")
    if not url.password and place.row(selfcheck.reach()).client is None:
        return ok("no password is used: the socket's own rules (such as peer) decide who comes in")
    if "sslcert" in url.query:
        return ok("a client certificate opens it, no password")
    return fail("the server let us in without the password (`trust` in pg_hba.conf)")


def _knock(url: URL) -> Looked | None:
    """What came of a connection without the password; None where it was let in."""
    import psycopg

    # Neither PGPASSWORD nor a password file may open the door for us here.
    bare = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    try:
        psycopg.connect(bare, password="", passfile="/nonexistent/pgpass", connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if error.pgconn is not None and error.pgconn.needs_password:
            return ok("without the password the connection is refused")
        return unknown("it could not be asked without the password")
    return None


def durability(place: Place) -> Looked:
    """Whether a power cut could tear what was committed."""
    found = [f"{row.name} = {row.setting}" for row in place.rows(selfcheck.durability())]
    return fail(*found) if found else ok("fsync, full_page_writes and synchronous_commit are on")


def migration_head(place: Place) -> Looked:
    """Whether the schema is the one that this program needs."""
    from cli import health
    from models import migrate

    try:
        migrate.check_head(place.settings.database_url)
    except HeadersweepError as error:
        return fail(str(error))
    return ok(f"revision {health.revision(place.engine)}")


def invalid_indexes(place: Place) -> Looked:
    """Whether an index was left half built."""
    found = [str(row.name) for row in place.rows(catalogue.invalid()) if not row.is_being_built]
    if found:
        return fail(f"not valid, so not used: {', '.join(found)}")
    return ok("every index is valid")


def backup(place: Place) -> Looked:
    """How old the newest back-up is, as far as anything on this machine or the server tells."""
    stamp = place.settings.backup_stamp
    if stamp:
        return _stamped(Path(stamp))
    hours = place.row(selfcheck.archived()).hours
    if isinstance(hours, float):
        said = f"the server archived its log {hours:.1f} hours ago"
        return ok(said) if hours <= OLD_BACKUP_HOURS else fail(said)
    return unknown(
        "HEADERSWEEP_BACKUP_STAMP names no file that a back-up touches, and the server archives no log"
    )


def _stamped(stamp: Path) -> Looked:
    try:
        hours = (time.time() - stamp.stat().st_mtime) / 3600
    except OSError as error:
        return fail(f"{stamp}, which a back-up should touch: {error.strerror}")
    said = f"{stamp} was touched {hours:.1f} hours ago"
    return ok(said) if hours <= OLD_BACKUP_HOURS else fail(said)


CHECKS = (
    Check(
        Item(
            "self.database_role", Area.PERMISSIONS, "The database role has only the rights that it needs",
            "pg_roles for the role of HEADERSWEEP_DATABASE_URL",
            "neither superuser nor any other right over the whole server",
            "ALTER ROLE ... SUPERUSER, as before; nothing of headersweep needs it",
            "ALTER ROLE headersweep NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS; REVOKE the memberships",
        ),
        role,
    ),
    Check(
        Item(
            "self.database_grants", Area.PERMISSIONS, "Nobody else may read or change our tables",
            "what PUBLIC was granted on our schema and tables",
            "no grant to PUBLIC",
            "GRANT it again to the roles that turn out to need it, by name",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        ),
        grants,
    ),
    Check(
        Item(
            "self.database_reach", Area.PERMISSIONS, "The database cannot be listened to, nor reached by everybody",
            "listen_addresses and ssl of the server, and how this connection came",
            "the local machine only, or encrypted",
            "set listen_addresses back, and restart Postgres",
            "listen_addresses = 'localhost', or ssl = on and sslmode=verify-full in the URL",
        ),
        reach,
    ),
    Check(
        Item(
            "self.database_password", Area.SECRETS, "The database asks for the password",
            "a connection without the password",
            "it is refused",
            "put the old line back into pg_hba.conf, and reload",
            "scram-sha-256 instead of trust in pg_hba.conf, then: SELECT pg_reload_conf()",
        ),
        authentication,
    ),
    Check(
        Item(
            "self.durability", Area.LOGGING, "What was committed survives a power cut",
            "fsync, full_page_writes and synchronous_commit of the server",
            "all on",
            "set them back, and reload; they make Postgres faster and a crash fatal",
            "fsync = on, full_page_writes = on, synchronous_commit = on in postgresql.conf",
        ),
        durability,
    ),
    Check(
        Item(
            "self.migration_head", Area.LOGGING, "The schema is at the revision of the program",
            "the revision that the database says it has",
            "the head, or a newer one that says our code may go on",
            "docs/upgrading.md: `alembic downgrade`, revision by revision",
            "headersweep db upgrade",
        ),
        migration_head,
    ),
    Check(
        Item(
            "self.invalid_indexes", Area.LOGGING, "Every index is whole",
            "pg_index", "no index is invalid", "nothing to undo: an invalid index serves nobody",
            "DROP INDEX CONCURRENTLY it, then CREATE INDEX CONCURRENTLY as in its migration",
        ),
        invalid_indexes,
    ),
    Check(
        Item(
            "self.backup", Area.LOGGING, "There is a back-up of last night",
            "the file that HEADERSWEEP_BACKUP_STAMP names, else when the server last archived its log",
            f"at most {OLD_BACKUP_HOURS} hours old",
            "nothing to undo",
            "let the back-up job touch a file when it succeeded, and name it in HEADERSWEEP_BACKUP_STAMP; or declare it",
        ),
        backup,
    ),
)  # fmt: skip
