"""What all tests share: a clean environment, reproducible property tests, Postgres and a broker."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Connection
from xdist.scheduler import LoadGroupScheduling

from tests import servers

PROCESSES = "processes"
"""The folder of the tests that start and kill processes."""

SCRATCH = ("/test_care.py", "/test_rehearsal.py")
"""Tests that make scratch databases, which one at a time may do on a server."""

# `HYPOTHESIS_PROFILE=long make test` looks for more; the default finds the same things on every machine.
hypothesis_settings.register_profile(
    "deterministic", derandomize=True, max_examples=60, deadline=None, database=None
)
hypothesis_settings.register_profile("long", max_examples=3000, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deterministic"))

_ENVIRON = dict(os.environ)
_numbers = itertools.count(1)


def pytest_configure() -> None:
    servers.shared_home()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "server_urls" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
        if PROCESSES in item.path.parts:
            item.add_marker(pytest.mark.processes)


class OneAfterTheOther(LoadGroupScheduling):  # type: ignore[misc]  # it has no types
    """Tests that start and kill processes run on one of xdist's workers, one after the other; so do those with scratch databases.

    xdist's own mark for that appends to a test's id, which pytest 9.2 no longer lets it do.
    """

    def _split_scope(self, nodeid: str) -> str:
        if f"/{PROCESSES}/" in nodeid:
            return PROCESSES
        return "scratch databases" if any(name in nodeid for name in SCRATCH) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneAfterTheOther:
    return OneAfterTheOther(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        servers.remove_home(servers.shared_home())


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """No setting of whoever runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HEADERSWEEP_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server_urls() -> Iterator[servers.Urls]:
    """Running servers: the given ones, else embedded ones. Never skipped."""
    with servers.running(servers.shared_home(), _ENVIRON) as urls:
        yield urls


@pytest.fixture(scope="session")
def broker_url(server_urls: servers.Urls) -> str:
    """A broker; tests share it, so they look only at queues of their own."""
    return server_urls.broker


@pytest.fixture(scope="session")
def admin_url(server_urls: servers.Urls) -> str:
    """A database to create others from."""
    return server_urls.database


@pytest.fixture(scope="session")
def template_name(admin_url: str) -> Iterator[str]:
    """A migrated database to clone; nobody may be connected to it."""
    from models import migrate

    name = _database_name("template")
    with servers.fresh_database(admin_url, name) as url:
        migrate.upgrade(url)
        yield name


@pytest.fixture(scope="session")
def database_url(admin_url: str, template_name: str) -> Iterator[str]:
    """A migrated database for tests that roll back; whoever commits takes ``database``."""
    with servers.fresh_database(admin_url, _database_name("shared"), template_name) as url:
        yield url


@pytest.fixture
def database(admin_url: str, template_name: str) -> Iterator[str]:
    """The URL of a migrated database of the test's own: it may commit, and start processes on it."""
    with servers.fresh_database(admin_url, _database_name("own"), template_name) as url:
        yield url


@pytest.fixture
def empty_database(admin_url: str) -> Iterator[str]:
    """The URL of a database without any table."""
    with servers.fresh_database(admin_url, _database_name("empty")) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back after the test."""
    from models import engine

    with ExitStack() as stack:
        pool = engine.connect(database_url, pool_size=1)
        stack.callback(pool.dispose)
        opened = stack.enter_context(pool.connect())
        transaction = opened.begin()
        stack.callback(transaction.rollback)
        yield opened


def _database_name(kind: str) -> str:
    run = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"hs_test_{os.getpid()}_{run}_{kind}_{next(_numbers)}"
