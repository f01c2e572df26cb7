"""A real database with a few rows, and migrations of all kinds to rehearse on copies of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from cli.care import place, rehearsal
from cli.care.measured import Rehearsed
from cli.care.place import Place
from cli.care.rehearsal import Wanted
from models import engine as engines
from models import migrate, partitions

FILLED = (
    "INSERT INTO sites (name, source, definition) SELECT 'site' || i, 'file', '{}' FROM generate_series(1, 50) i",
    """INSERT INTO pages (site_id, depth, url_key, url)
       SELECT 1, 1, decode(md5(i::text), 'hex'), 'http://h1.example/' || i FROM generate_series(1, :n) i""",
    """INSERT INTO visits (run_id, page_id, fetched_at, outcome, error)
       SELECT 1, i, now(), 6, 'timeout' FROM generate_series(1, :n) i""",
)
ROWS = 20_000


def execute(url: str, *statements: str) -> None:
    """Execute, and commit."""
    engine = engines.connect(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), {"n": ROWS} if ":n" in statement else {})


def filled(url: str) -> None:
    """Put some rows into a database at our head."""
    engine = engines.connect(url, poolclass=NullPool)
    with engine.begin() as connection:
        partitions.ensure(connection, 1)
    execute(url, *FILLED)


def place_of(url: str) -> Place:
    """The place of a test's own database, with scratch ones beside it."""
    admin = make_url(url).set(database=place.MAINTENANCE).render_as_string(hide_password=False)
    return Place(url, admin, is_same_server=True, programs=_programs())


def _programs() -> Path:
    from cli.embedded import account, binaries

    return binaries.postgres(account.choose(), Path("unused")).folder


@dataclass
class Said:
    """What was told to the operator."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@contextmanager
def stage(url: str) -> Iterator[tuple[Engine, Place]]:
    """Where scratch databases come and go."""
    where = place_of(url)
    with place.standing(where) as admin:
        yield admin, where


def write(folder: Path, up: str, down: str, revision: str = "f001") -> None:
    """A migration after our head; ``up`` and ``down`` are bodies of Python."""
    body = f'''"""Tried in a test.

Side: pre (before the code): it is no real one.
Note: docs/migrations/{revision}.md
"""

import sqlalchemy as sa
from alembic import op

from models import concurrently

revision = "{revision}"
down_revision = "{migrate.head()}"
branch_labels = None
depends_on = None


def upgrade():
{textwrap.indent(textwrap.dedent(up).strip(), "    ")}


def downgrade():
{textwrap.indent(textwrap.dedent(down).strip(), "    ")}
'''
    (folder / f"{revision}_tried.py").write_text(body, encoding="utf-8")


def rehearsed(
    url: str, folder: Path, said: Callable[[str], None] = lambda _line: None, **wanted: object
) -> Rehearsed:
    """What the rehearsal of that migration measured."""
    asked = Wanted(versions=folder, **wanted)  # type: ignore[arg-type] # as given
    with stage(url) as (admin, where):
        scripts = rehearsal.revisions(url, "f001", folder)
        return next(iter(list(rehearsal.rehearse(admin, where, scripts, asked, said))))
