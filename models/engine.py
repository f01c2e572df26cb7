"""The way to Postgres: one engine a process, with time limits on every connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.pool import Pool

STATEMENT_TIMEOUT_MS = 60_000
LOCK_TIMEOUT_MS = 10_000
IDLE_TIMEOUT_MS = 60_000

ANSWER_SECONDS = LOCK_TIMEOUT_MS / 1000 + 2.0
"""An answer to a short statement that takes longer than this, waiting for locks included, does not come any more."""

NETWORK = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 12_000}
"""Over TCP the kernel gives up on a silent peer after about as long, not after the hours that it takes by default."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer only so long: Postgres' own limits do not help when the network is cut."""

    patience: float | None = ANSWER_SECONDS
    """For the answer to one statement; None trusts Postgres to give one."""

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        """Wait for an answer; when it does not come in time the connection is closed, and the outcome unknown."""
        if self.patience is None:
            return super().wait(gen, *arguments, **options)
        return super().wait(self._limited(gen, self.patience), *arguments, **options)

    def _limited(self, gen: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
        deadline = time.monotonic() + seconds
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(
                        f"no answer within {seconds:.0f} s; the connection was closed"
                    )
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def connect(
    database_url: str,
    *,
    pool_size: int = 4,
    application: str = "headersweep",
    poolclass: type[Pool] | None = None,
) -> Engine:
    """An engine for ``postgresql://`` URLs; every connection has statement, lock and idle time limits."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} -c timezone=UTC "
        # A sweep begins on empty tables: a generic plan made then would be kept when they are large.
        "-c plan_cache_mode=force_custom_plan"
    )
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 4, "pool_pre_ping": True}
    engine = create_engine(
        url,
        # Header bytes and cookie names belong into no traceback.
        hide_parameters=True,
        **(pool if poolclass is None else {"poolclass": poolclass}),
        connect_args={
            "options": options,
            "application_name": application,
            "connect_timeout": 10,
            **NETWORK,
        },
    )
    event.listen(engine, "do_connect", _connected)
    event.listen(engine, "checkout", _trust)
    event.listen(engine, "checkin", _distrust)
    return engine


def insist(connection: Connection, seconds: float) -> None:
    """Until it is handed back, wait only so long for each answer, though as long as a lock may be waited for."""
    _driver(connection.connection.driver_connection).patience = max(seconds, ANSWER_SECONDS)


def _connected(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    return PatientConnection.connect(*arguments, **options)


def _trust(connection: Any, _record: Any, _proxy: Any) -> None:
    """Whoever uses it may have statements that take minutes, such as closing a large run."""
    _driver(connection).patience = None


def _distrust(connection: Any, _record: Any) -> None:
    """The next thing that is asked of it is whether it is still there."""
    if connection is not None:
        _driver(connection).patience = ANSWER_SECONDS


def _driver(connection: Any) -> PatientConnection:
    if not isinstance(connection, PatientConnection):
        raise TypeError(f"{type(connection).__name__} was not made by models.engine")
    return connection
