"""Probes over real HTTP and a real Postgres: what is asked, what is found, and that nothing is asked unless the site wants it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from headersweep.definition import Probes, SiteDefinition
from headersweep.probes import ProbeState
from review.probes import cors
from scheduler import reviewed, tick
from tests.integration._lab import Lab, definition
from tests.integration._listening import Listening, allowing, listening, static

CORS = Probes(cors=True)


@pytest.fixture
def site() -> Iterator[Listening]:
    with listening() as served:
        served.pages["/"] = static()
        yield served


def wanting(site: Listening, **changes: Any) -> SiteDefinition:
    return definition(site.url("/"), sitemaps=False, concurrency=1, probes=CORS, **changes)


def probe(lab: Lab, seconds: float = 20.0) -> None:
    """Make probes as a worker does until none waits."""
    runtime = lab.runtime()
    ends_at = time.monotonic() + seconds
    while lab.value("SELECT count(*) FROM probes WHERE state = 'waiting'"):
        assert time.monotonic() < ends_at, lab.rows("SELECT * FROM probes WHERE state = 'waiting'")
        if not runtime.probe():
            tick.tick(lab.engine)
            time.sleep(0.05)


def codes(lab: Lab, run_id: int) -> dict[str, str]:
    with lab.engine.connect() as connection:
        return {
            found.finding.code: str(found.finding.severity) for found in reviewed.of_run(connection, run_id)
        }


def test_nothing_beyond_the_pages_is_asked_unless_the_site_wants_it(lab: Lab, site: Listening) -> None:
    run = lab.sweep(definition(site.url("/"), sitemaps=False))
    assert lab.runtime().probe() == 0
    assert lab.value("SELECT count(*) FROM probes") == 0
    assert [(request.path, request.origin) for request in site.log] == [("/robots.txt", None), ("/", None)]
    assert codes(lab, run.id) == {}


CASES = {
    "all are let in": (allowing(lambda _origin: True), {"cors.reflected_origin": "low"}),
    "all are let in with credentials": (
        allowing(lambda _origin: True, credentials=True),
        {"cors.reflected_origin": "high"},
    ),
    "one is always named": (static(Access_Control_Allow_Origin="https://app.example"), {}),
    "everybody at once": (static(Access_Control_Allow_Origin="*"), {}),
    "null when it asks": (allowing(lambda origin: origin == "null"), {"cors.reflected_null": "medium"}),
    "null to everybody": (static(Access_Control_Allow_Origin="null"), {}),
    "what begins like the site": (
        allowing(lambda origin: origin.startswith("https://127.0.0.1"), credentials=True),
        {"cors.origin_part_matched": "high"},
    ),
    "the site alone": (allowing(lambda origin: origin == "https://127.0.0.1"), {}),
}


@pytest.mark.parametrize(("page", "expected"), CASES.values(), ids=CASES)
def test_who_is_let_in(lab: Lab, site: Listening, page: object, expected: dict[str, str]) -> None:
    site.pages["/"] = page  # type: ignore[assignment]
    run = lab.sweep(wanting(site))
    probe(lab)
    assert codes(lab, run.id) == expected
    foreign = cors.foreign_host(run.id)
    origins = [f"https://{foreign}", "null", f"https://127.0.0.1.{foreign}"]
    assert [request.origin for request in site.probed] == origins
    states = lab.rows("SELECT state, attempts, status FROM probes ORDER BY step")
    assert [tuple(row) for row in states] == [(ProbeState.ANSWERED, 1, 200)] * 3
