"""Bring a database to the revision that this program needs, or say that it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from headersweep.errors import ConfigurationError, WrongRevisionError
from models import engine as engines

if TYPE_CHECKING:
    from sqlalchemy import Engine

_HERE = Path(__file__).resolve().parent


def scripts_folder() -> Path:
    """Where the migrations stand: beside the packages in a checkout, inside ``models`` in an installed wheel."""
    for folder in (_HERE.parent / "alembic", _HERE / "_alembic"):
        if (folder / "env.py").is_file() and (folder / "versions").is_dir():
            return folder
    raise ConfigurationError(f"the migrations are missing beside {_HERE}; install headersweep again")


def config(database_url: str = "") -> Config:
    """Alembic's configuration without its file; the URL is passed on in memory, never in arguments."""
    settings = Config()
    settings.set_main_option("script_location", str(scripts_folder()))
    settings.attributes["database_url"] = database_url
    return settings


def head() -> str:
    """The newest revision in the code."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


def current(engine: Engine) -> str | None:
    """The revision of a database; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database_url: str, revision: str = "head") -> None:
    """Migrate to the head, one migrator at a time, and make sure that it was reached."""
    command.upgrade(config(database_url), revision)
    if revision == "head":
        check_head(database_url)


def downgrade(database_url: str, revision: str) -> None:
    """Go back to an older revision."""
    command.downgrade(config(database_url), revision)


def check_head(database_url: str) -> None:
    """Refuse a database that is not at the head, saying which way it is off."""
    engine = engines.connect(database_url, poolclass=NullPool)
    have, want = current(engine), head()
    if have == want:
        return
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if have is not None and have not in known:
        raise WrongRevisionError(
            f"the database is at revision {have}, which this program (at {want}) does not know: install the newer headersweep"
        )
    raise WrongRevisionError(
        f"the database is at revision {have or 'none'}, this program needs {want}: run `headersweep db upgrade`"
    )
