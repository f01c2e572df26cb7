"""What commands need around them: settings, servers that run, a database that is reachable and up to date."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

from headersweep import settings as settings_module
from headersweep.errors import UnavailableError
from headersweep.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

FIRST_LINE = 300
"""How much of a driver's message is shown."""


@dataclasses.dataclass(frozen=True)
class Database:
    """A database that answers and has our schema, and the settings with both URLs filled in."""

    engine: Engine
    settings: Settings
    embedded: bool


def settings() -> Settings:
    """The settings that the environment asks for."""
    return settings_module.from_mapping(os.environ)


def notice(message: str) -> None:
    """Tell the operator something that is no result: stderr, above a progress display if there is one."""
    # Not click.echo: it looks for the file below, and so passes by the display's stand-in for stderr.
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@contextmanager
def servers(wanted: Settings) -> Iterator[Settings]:
    """The settings with both URLs filled in; embedded servers run (or are shared) as long as the block."""
    if not settings_module.embedded(wanted):
        yield wanted
        return
    from cli import embedded

    with embedded.running(Path(wanted.home)) as started:
        for line in started.notice:
            notice(line)
        yield dataclasses.replace(wanted, database_url=started.database_url, broker_url=started.broker_url)


def revive(database: Database) -> None:
    """Start embedded servers again that died meanwhile; whoever runs real servers looks after them himself."""
    if not database.embedded:
        return
    from cli import embedded

    for name in embedded.ensure(Path(database.settings.home)):
        notice(f"the embedded {name} had died and was started again")


@contextmanager
def database(*, check_revision: bool = True) -> Iterator[Database]:
    """A database that answers. Embedded: migrated here. Configured: only checked, since others use it too."""
    wanted = settings()
    _configure_logs(wanted)
    with terminated_like_interrupted(), servers(wanted) as filled:
        is_embedded = settings_module.embedded(wanted)
        with engine(filled) as connected:
            if check_revision:
                prepare_schema(filled, embedded=is_embedded)
            yield Database(connected, filled, is_embedded)


@contextmanager
def engine(filled: Settings) -> Iterator[Engine]:
    """An engine that has answered once."""
    from models import engine as engine_module

    created = engine_module.connect(filled.database_url, application="headersweep-cli")
    try:
        with reachable(filled):
            created.connect().close()
        yield created
    finally:
        created.dispose()


def prepare_schema(filled: Settings, *, embedded: bool) -> None:
    """Migrate our own database; of a configured one only look at the revision."""
    from models import migrate

    with reachable(filled):
        if embedded:
            migrate.upgrade(filled.database_url)
        else:
            migrate.check_head(filled.database_url)


@contextmanager
def reachable(filled: Settings) -> Iterator[None]:
    """Turn "Postgres does not answer" into our own error, without the password."""
    with reachable_url(filled.database_url):
        yield


@contextmanager
def reachable_url(database_url: str) -> Iterator[None]:
    """The same for a database that the settings do not name."""
    from sqlalchemy.exc import InterfaceError, OperationalError

    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise unreachable_url(database_url, error) from error


def unreachable(filled: Settings, error: Exception) -> UnavailableError:
    """What to tell when the database of the settings is out of reach."""
    return unreachable_url(filled.database_url, error)


def unreachable_url(database_url: str, error: Exception) -> UnavailableError:
    """What to tell when Postgres is out of reach: where it was looked for, why it failed, what to do."""
    from sqlalchemy.engine import make_url

    reason = " ".join(str(getattr(error, "orig", None) or error).split())[:FIRST_LINE]
    return UnavailableError(
        f"cannot reach Postgres at {place(make_url(database_url))}: {reason}; "
        "is it running? `headersweep doctor` looks at everything that is needed"
    )


def place(url: URL) -> str:
    """Host, port and name of a database; never its user's password."""
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database or ''}"


def is_disconnect(error: Exception) -> bool:
    """Whether an error says that Postgres went away or has no room, rather than that it refused one statement."""
    from sqlalchemy.exc import DBAPIError

    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    lost = state is None or state.startswith(("08", "53", "57P", "58"))
    return error.connection_invalidated or (
        lost and type(error).__name__ in {"OperationalError", "InterfaceError"}
    )


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Within the block SIGTERM, or the end of its terminal, ends the command as Ctrl-C does: what it started is stopped."""

    def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, _interrupt) for number in endings()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def endings() -> list[signal.Signals]:
    """The signals that ask a command to end, beside Ctrl-C; under nohup the terminal's end is none of them."""
    wanted = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    return wanted


class _CurrentStderr:
    """Writes to whatever stderr is now: a progress display swaps it, and log lines must land above it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def _configure_logs(wanted: Settings) -> None:
    from headersweep import logs

    is_terminal = sys.stderr.isatty()
    if is_terminal and wanted.log == "auto" and f"{settings_module.PREFIX}LOG_LEVEL" not in os.environ:
        # Whoever looks at a progress bar did not ask for a log; cron mails, CI and log pipelines get all of it.
        wanted = dataclasses.replace(wanted, log_level="warning")
    logs.configure(wanted, stream=cast("TextIO", _CurrentStderr()), is_terminal=is_terminal)
