"""A database of their own for the tests of site, run and planning statements: made once, dropped at the end.

Most tests take ``planning_connection``, which is rolled back; the few that commit take ``planning_engine`` and clean up.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from models import engine as engine_module
from models.schema import metadata

VARIABLE = "HEADERSWEEP_TEST_DATABASE_URL"


@pytest.fixture(scope="session")
def planning_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine on an empty database with the whole schema."""
    server = make_url(_server_url(request)).set(drivername="postgresql+psycopg")
    name = f"planning_{os.getpid()}_{secrets.token_hex(3)}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = engine_module.connect(server.set(database=name).render_as_string(hide_password=False))
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            for table in ("frontier", "visits"):
                connection.execute(
                    text(f"CREATE TABLE {table}_p0 PARTITION OF {table} FOR VALUES FROM (0) TO (1000000)")
                )
        yield engine
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture
def planning_connection(planning_engine: Engine) -> Iterator[Connection]:
    """A connection whose every change is rolled back."""
    with planning_engine.connect() as connection:
        yield connection
        connection.rollback()


def _server_url(request: pytest.FixtureRequest) -> str:
    given = os.environ.get(VARIABLE, "")
    if given:
        return given
    try:
        return str(request.getfixturevalue("database_url"))
    except pytest.FixtureLookupError:
        pytest.skip(f"set {VARIABLE}")
