"""The way to Postgres: one engine a process, with time limits on every connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.pool import Pool

STATEMENT_TIMEOUT_MS = 60_000
LOCK_TIMEOUT_MS = 10_000
IDLE_TIMEOUT_MS = 60_000


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
    return create_engine(
        url,
        # Header bytes and cookie names belong into no traceback.
        hide_parameters=True,
        **(pool if poolclass is None else {"poolclass": poolclass}),
        connect_args={"options": options, "application_name": application, "connect_timeout": 10},
    )
