"""What the tests of the engine share: a lab on a database that may be committed to, and a small web to write pages for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from headersweep import politeness
from tests import servers
from tests.integration import _lab, _web
from worker import prepare


@pytest.fixture(scope="session")
def lab_database(admin_url: str, template_name: str) -> Iterator[str]:
    """One database for all labs of this process: emptying it is ten times cheaper than cloning another one."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with servers.fresh_database(admin_url, f"hs_test_{os.getpid()}_{worker}_lab", template_name) as url:
        yield url


@pytest.fixture
def lab(lab_database: str, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[_lab.Lab]:
    """Workers in this process, without Celery, on an empty database; impatient ones."""
    monkeypatch.setattr(politeness, "BACKOFF_FIRST_SECONDS", 1.0)
    monkeypatch.setattr(politeness, "RETRY_FIRST_SECONDS", 0.4)
    monkeypatch.setattr(prepare, "QUICK_RETRY_SECONDS", (0.1, 0.2))
    with _lab.opened(lab_database, broker_url) as lab:
        lab.empty()
        yield lab


@pytest.fixture
def web() -> Iterator[_web.Web]:
    """One origin on loopback; ``with _web.serving() as other`` makes more."""
    with _web.serving() as web:
        yield web
