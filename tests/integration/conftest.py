"""What the tests of the engine share: a lab on a database of the test's own, and a small web whose pages it writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headersweep import politeness
from tests.integration import _lab, _web
from worker import prepare


@pytest.fixture
def lab(database: str, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[_lab.Lab]:
    """Workers in this process, without Celery, on a database that may be committed to; impatient ones."""
    monkeypatch.setattr(politeness, "BACKOFF_FIRST_SECONDS", 1.0)
    monkeypatch.setattr(politeness, "RETRY_FIRST_SECONDS", 0.4)
    monkeypatch.setattr(prepare, "QUICK_RETRY_SECONDS", (0.1, 0.2))
    with _lab.opened(database, broker_url) as lab:
        yield lab


@pytest.fixture
def web() -> Iterator[_web.Web]:
    """One origin on loopback; ``with _web.serving() as other`` makes more."""
    with _web.serving() as web:
        yield web
