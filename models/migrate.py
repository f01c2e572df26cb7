"""Bring a database to the revision that this program needs, or say that it is not there."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from headersweep.errors import ConfigurationError, WrongRevisionError
from models import engine as engines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic.script import Script
    from sqlalchemy import Engine

WORKS_WITH = "works with code at "
"""Begins the comment on Alembic's own table; the revisions follow."""

SIDE_PRE = re.compile(r"^Side: pre\b", re.MULTILINE)

_HERE = Path(__file__).resolve().parent


def scripts_folder() -> Path:
    """Where the migrations stand: beside the packages in a checkout, inside ``models`` in an installed wheel."""
    for folder in (_HERE.parent / "alembic", _HERE / "_alembic"):
        if (folder / "env.py").is_file() and (folder / "versions").is_dir():
            return folder
    raise ConfigurationError(f"the migrations are missing beside {_HERE}; install headersweep again")


def config(database_url: str = "", *, versions: Path | None = None) -> Config:
    """Alembic's configuration without its file; the URL is passed on in memory, never in arguments.

    ``versions`` is a folder of further revisions, which nobody's database gets but those that are rehearsed on.
    """
    settings = Config()
    settings.set_main_option("script_location", str(scripts_folder()))
    if versions is not None:
        settings.set_main_option("path_separator", "newline")
        settings.set_main_option("version_locations", f"{scripts_folder() / 'versions'}\n{versions}")
    settings.attributes["database_url"] = database_url
    return settings


def head() -> str:
    """The newest revision in the code."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


@dataclass(frozen=True)
class Step:
    """One migration: its revision, its file from the top of the repository, and its first sentence."""

    revision: str
    path: str
    summary: str


def between(old: str, new: str) -> list[Step]:
    """The migrations that lead from one revision to another, in their order."""
    found = ScriptDirectory.from_config(config()).iterate_revisions(new, old)
    steps = [_step(script) for script in found]
    return steps[::-1]


def _step(script: Script) -> Step:
    doc = (script.doc or "").strip()
    return Step(script.revision, f"alembic/versions/{Path(script.path).name}", doc.partition("\n")[0])


def current(engine: Engine) -> str | None:
    """The revision of a database; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database_url: str, revision: str = "head") -> None:
    """Migrate to the head, one migrator at a time, and make sure that it was reached; never back from a newer one."""
    if revision == "head" and _standing(database_url).is_newer:
        check_head(database_url)
        return
    command.upgrade(config(database_url), revision)
    if revision == "head":
        check_head(database_url)


def downgrade(database_url: str, revision: str) -> None:
    """Go back to an older revision."""
    command.downgrade(config(database_url), revision)


def sql(revision: str, *, versions: Path | None = None) -> str:
    """The SQL of one revision's upgrade, as it would be applied by hand."""
    settings = config("postgresql://nowhere/none", versions=versions)
    settings.output_buffer = io.StringIO()
    script = ScriptDirectory.from_config(settings).get_revision(revision)
    command.upgrade(settings, f"{script.down_revision or 'base'}:{revision}", sql=True)
    return settings.output_buffer.getvalue()


def check_head(database_url: str) -> None:
    """Refuse a database that is not at the head, saying which way it is off.

    A newer one is worked on if it says that our code may: workers of the old version go on during an upgrade.
    """
    have, want = _standing(database_url), head()
    if have.revision == want or (have.is_newer and want in have.works_with):
        return
    if have.is_newer:
        raise WrongRevisionError(
            f"the database is at revision {have.revision}, which this program (at {want}) does not know: install the newer headersweep"
        )
    raise WrongRevisionError(
        f"the database is at revision {have.revision or 'none'}, this program needs {want}: run `headersweep db upgrade`"
    )


@dataclass(frozen=True)
class _Standing:
    """A database's revision, whether it is one of a newer program, and whose code it says it works with."""

    revision: str | None
    is_newer: bool
    works_with: frozenset[str]


def _standing(database_url: str) -> _Standing:
    engine = engines.connect(database_url, poolclass=NullPool)
    have = current(engine)
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if have is None or have in known:
        return _Standing(have, is_newer=False, works_with=frozenset())
    with engine.connect() as connection:
        noted = connection.scalar(text("SELECT obj_description('alembic_version'::regclass, 'pg_class')"))
    names = str(noted or "").removeprefix(WORKS_WITH).split()
    # The first one is the revision that the note is about; one that was left behind by another says nothing.
    return _Standing(have, is_newer=True, works_with=frozenset(names if names[:1] == [have] else ()))


def works_with(scripts: Iterable[Script]) -> list[str]:
    """The revisions whose code may work on the newest of these: back to the last migration that is not *pre*."""
    found = []
    for script in scripts:
        found.append(script.revision)
        if not SIDE_PRE.search(script.longdoc):
            break
    return found


def note(revision: str | None, directory: ScriptDirectory | None = None) -> str:
    """SQL that notes in the database whose code may work on this revision: older code cannot know it from its own files."""
    if revision is None:
        return "COMMENT ON TABLE alembic_version IS NULL"
    scripts = (directory or ScriptDirectory.from_config(config())).walk_revisions("base", revision)
    # Revisions are words of our own files; a comment takes no parameters.
    return f"COMMENT ON TABLE alembic_version IS '{WORKS_WITH}{' '.join(works_with(scripts))}'"
