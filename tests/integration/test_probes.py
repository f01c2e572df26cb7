"""Probes over real HTTP and a real Postgres: what is asked, what is found, and that nothing is asked unless the site wants it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from headersweep.definition import Probes, RobotsMode, SiteDefinition
from headersweep.probes import MAX_ATTEMPTS, GivenUp, PlannedProbe, ProbeKind, ProbeRequest, ProbeState
from headersweep.states import RunState
from models import control, probes
from review import report
from review.policy.baseline import Baseline
from review.probes import cors, kinds
from scheduler import operations, policies, probing, retention, reviewed, tick
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


def test_a_part_of_the_site_that_looks_like_all_others_until_it_is_asked_is_found(
    lab: Lab, site: Listening
) -> None:
    site.pages["/shop/1"] = allowing(lambda origin: origin == "null", vary=False)
    site.pages["/shop/2"] = static()
    run = lab.sweep(wanting(site))
    probe(lab)
    assert {request.path for request in site.probed} == {"/", "/shop/1"}
    assert codes(lab, run.id) == {"cors.reflected_null": "medium"}


# the run is not touched, and nothing is asked twice


def test_probes_change_neither_digest_nor_accounting_and_are_planted_once(lab: Lab, site: Listening) -> None:
    plain = lab.sweep(definition(site.url("/"), sitemaps=False))
    run = lab.sweep(wanting(site))
    probe(lab)
    assert bytes(lab.run(run.id).digest) == bytes(plain.digest)
    lab.assert_consistent(run.id)
    before = lab.rows("SELECT * FROM probes ORDER BY id")
    with lab.engine.begin() as connection:
        assert probing.plant(connection, lab.run(run.id), run.state) == 0
    assert lab.rows("SELECT * FROM probes ORDER BY id") == before


def test_a_run_that_was_cancelled_gets_none(lab: Lab, site: Listening) -> None:
    run_id = lab.plan(wanting(site))
    with lab.engine.begin() as connection:
        assert operations.cancel(connection, run_id, "ann", "no")
    assert lab.value("SELECT count(*) FROM probes") == 0


def test_a_run_that_was_opened_again_keeps_what_was_answered(lab: Lab, site: Listening) -> None:
    run = lab.sweep(wanting(site))
    probe(lab)
    answered = lab.rows("SELECT id, ended_at FROM probes ORDER BY id")
    lab.execute("UPDATE visits SET outcome = 6, snapshot_id = NULL, status = NULL, error = 'reset'")
    with lab.engine.begin() as connection:
        assert operations.rerun_failed(connection, run.id, "ann", "again") == 1
    assert lab.work(run.id).generation == 2
    probe(lab)
    assert lab.rows("SELECT id, ended_at FROM probes WHERE state = 'answered' ORDER BY id") == answered


def test_cookies_of_an_answer_are_masked_and_no_body_is_kept(lab: Lab, site: Listening) -> None:
    site.pages["/"] = static(Set_Cookie="session=verysecret; Path=/")
    lab.sweep(wanting(site))
    probe(lab)
    rows = lab.rows("SELECT raw, evidence FROM probes")
    assert len(rows) == 3
    assert all(b"verysecret" not in bytes(row.raw) and b"session=" in bytes(row.raw) for row in rows)
    assert {row.evidence for row in rows} == {None}
    assert {("cookie" in each.headers, "authorization" in each.headers) for each in site.log} == {
        (False, False)
    }


def test_what_a_kind_reads_of_a_body_is_kept_and_no_more(
    lab: Lab, site: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(status: int, body: bytes) -> dict[str, Any]:
        return {"status": status, "has_x": b"x" in body, "read": len(body)}

    monkeypatch.setitem(kinds.READERS, ProbeKind.CORS, read)
    lab.sweep(wanting(site))
    probe(lab)
    expected = {"status": 200, "has_x": True, "read": len(site.body("/"))}
    assert [row.evidence for row in lab.rows("SELECT evidence FROM probes")] == [expected] * 3


# what pages obey, probes obey


def test_robots_txt_is_obeyed_unless_the_site_ignores_it(lab: Lab, site: Listening) -> None:
    run = lab.sweep(wanting(site, robots=RobotsMode.IGNORE))
    probe(lab)
    assert lab.value("SELECT count(*) FROM probes WHERE state = 'answered'") == 3
    asked = len(site.probed)
    lab.execute("DELETE FROM probes")
    site.robots = "User-agent: headersweep\nDisallow: /"
    lab.execute('UPDATE runs SET definition = definition || \'{"robots": "obey"}\'')
    with lab.engine.begin() as connection:
        assert probing.plant(connection, lab.run(run.id), run.state) == 3
    probe(lab)
    rows = lab.rows("SELECT DISTINCT state, error, attempts FROM probes")
    assert [tuple(row) for row in rows] == [(ProbeState.FAILED, GivenUp.ROBOTS_DENIED, 1)]
    assert len(site.probed) == asked


def test_requests_keep_the_pace_of_the_origin_and_go_one_at_a_time(lab: Lab, site: Listening) -> None:
    moments: list[float] = []
    site.before = lambda _request: moments.append(time.monotonic())
    lab.sweep(wanting(site, rate=2.0, max_rate=2.0))
    probe(lab)
    del moments[: len(site.log) - len(site.probed)]
    assert len(moments) == 3
    assert all(after - before > 0.3 for before, after in itertools.pairwise(moments))


def test_nothing_is_asked_while_everything_is_paused_or_the_site_is_disabled(
    lab: Lab, site: Listening
) -> None:
    run_id = lab.plan(wanting(site))
    runtime = lab.runtime()
    runtime.start_probing = lambda: None  # type: ignore[method-assign]
    lab.work(run_id, runtime)
    for hinder, allow in (
        (control.pause(changed_by="t", reason=""), control.unpause(changed_by="t", reason="")),
        (text("UPDATE sites SET enabled = false"), text("UPDATE sites SET enabled = true")),
    ):
        with lab.engine.begin() as connection:
            connection.execute(hinder)
        assert runtime.probe() == 0
        assert not tick.tick(lab.engine).due_probes
        assert waiting(lab, run_id) == 0
        with lab.engine.begin() as connection:
            connection.execute(allow)
    assert site.probed == []
    assert waiting(lab, run_id) == 3
    assert runtime.probe() == 3
    assert waiting(lab, run_id) == 0


def waiting(lab: Lab, run_id: int) -> int:
    with lab.engine.connect() as connection:
        return int(connection.execute(probes.workable_count(), {"run_ids": [run_id]}).scalar_one())


def test_a_probe_that_the_site_does_not_want_any_more_is_not_made(lab: Lab, site: Listening) -> None:
    planted(lab, site)
    lab.execute("UPDATE sites SET definition = definition - 'probes'")
    assert lab.runtime().probe() == 0
    tick.tick(lab.engine)
    assert errors(lab) == {GivenUp.SWITCHED_OFF}
    assert site.probed == []


def test_a_probe_that_a_person_asked_for_is_made_whatever_the_file_says(lab: Lab, site: Listening) -> None:
    run = lab.sweep(definition(site.url("/"), sitemaps=False))
    request = ProbeRequest(site.url("/"), headers=(("Origin", "https://a.example"),))
    asked = [PlannedProbe(ProbeKind.CORS, site.url("/"), 1, request)]
    with lab.engine.begin() as connection:
        assert probing.add(connection, run.id, run.site_id, asked, "ann@host") == 1
        assert probing.add(connection, run.id, run.site_id, asked, "ben@host") == 0
    probe(lab)
    assert [each.origin for each in site.probed] == ["https://a.example"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("UPDATE probes SET planted_at = now() - interval '25 hours'", GivenUp.EXPIRED),
        ("UPDATE runs SET not_after = now() - interval '1 second'", GivenUp.EXPIRED),
        ("UPDATE probes SET attempts = 3", GivenUp.LOST),
    ],
)
def test_what_nobody_will_make_ends(lab: Lab, site: Listening, change: str, error: GivenUp) -> None:
    planted(lab, site)
    lab.execute(change)
    assert lab.runtime().probe() == 0
    tick.tick(lab.engine)
    assert errors(lab) == {error}
    assert site.probed == []


def planted(lab: Lab, site: Listening) -> int:
    """A closed run whose probes wait: no worker of it is there any more."""
    runtime = lab.runtime()
    runtime.start_probing = lambda: None  # type: ignore[method-assign]
    run = lab.work(lab.plan(wanting(site)), runtime)
    assert lab.value("SELECT count(*) FROM probes WHERE state = 'waiting' AND attempts = 0") == 3
    return int(run.id)


def errors(lab: Lab) -> set[str]:
    return {row.error for row in lab.rows("SELECT error FROM probes")}


def test_an_address_that_is_not_allowed_is_not_connected_to(lab: Lab, site: Listening) -> None:
    planted(lab, site)
    lab.execute('UPDATE runs SET definition = definition || \'{"allow_addresses": [], "robots": "ignore"}\'')
    probe(lab)
    assert errors(lab) == {"address_denied"}
    assert site.probed == []


def test_an_answer_that_asks_for_rest_is_tried_again_three_times_at_most_and_kept(
    lab: Lab, site: Listening
) -> None:
    planted(lab, site)
    site.statuses["/"] = 502
    deadline = time.monotonic() + 20
    while lab.value("SELECT count(*) FROM probes WHERE state = 'waiting'") and time.monotonic() < deadline:
        lab.runtime().probe()
        lab.execute("UPDATE probes SET not_before = now()")
    assert [tuple(row) for row in lab.rows("SELECT state, status, attempts FROM probes")] == [
        (ProbeState.ANSWERED, 502, MAX_ATTEMPTS)
    ] * 3
    assert len(site.probed) == 9


def test_a_server_that_is_away_ends_as_a_failure_with_its_reason(lab: Lab) -> None:
    with listening() as away:
        away.pages["/"] = static()
        planted(lab, away)
    deadline = time.monotonic() + 20
    while lab.value("SELECT count(*) FROM probes WHERE state = 'waiting'") and time.monotonic() < deadline:
        lab.runtime().probe()
        lab.execute("UPDATE probes SET not_before = now()")
    assert errors(lab) == {"refused"}


# defects


def test_a_defect_in_choosing_probes_keeps_no_run_from_being_closed(
    lab: Lab, site: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_anything: object) -> list[PlannedProbe]:
        raise LookupError("a defect")

    monkeypatch.setitem(probing.PLANTERS, ProbeKind.CORS, broken)
    assert lab.sweep(wanting(site)).state == RunState.FINISHED
    assert lab.value("SELECT count(*) FROM probes") == 0


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE probes SET request = '{"url": "http://127.0.0.1/", "method": "DELETE"}' WHERE step = 1""",
        """UPDATE probes SET request = '{}' WHERE step = 1""",
    ],
)
def test_a_request_that_nobody_may_send_ends_as_a_defect_and_the_others_go_on(
    lab: Lab, site: Listening, change: str
) -> None:
    planted(lab, site)
    lab.execute(change)
    probe(lab)
    rows = lab.rows("SELECT state, error FROM probes ORDER BY step")
    assert [tuple(row) for row in rows] == [("failed", "defect"), ("answered", None), ("answered", None)]


def test_a_run_that_cannot_be_read_holds_up_no_other(lab: Lab, site: Listening) -> None:
    broken = planted(lab, site)
    lab.execute("UPDATE runs SET definition = definition || '{\"unknown\": 1}'")
    other = lab.sweep(definition(site.url("/"), name="other", sitemaps=False, probes=CORS))
    probe(lab)
    rows = lab.rows("SELECT DISTINCT run_id, state, error FROM probes ORDER BY run_id")
    assert [tuple(row) for row in rows] == [(broken, "failed", "defect"), (other.id, "answered", None)]


# baselines


def test_what_a_baseline_was_answered_is_not_new(lab: Lab, site: Listening) -> None:
    site.pages["/"] = allowing(lambda _origin: True)
    run = lab.sweep(wanting(site))
    probe(lab)
    with lab.engine.begin() as connection:
        others = report.of_run(reviewed.of_run(connection, run.id))
        approved = Baseline(run.id, "o", "r", date(2999, 1, 1), "n", frozenset())
        policies.approve(connection, run.site_id, approved, "ann@host")
        causes = policies.causes(connection, run.id, reviewed.header_sets(connection, run.id), others)
    assert {cause.is_new for cause in causes if cause.code == "cors.reflected_origin"} == {False}


# claims


def claim(lab: Lab, owner: str, limit: int = 20) -> list[Any]:
    with lab.engine.begin() as connection:
        return list(connection.execute(probes.claim(), {"owner": owner, "lease": 60.0, "limit": limit}).all())


def settle(lab: Lab, row: Any, owner: str, status: int = 200) -> bool:
    values = {
        "id": row.id,
        "fence": row.fence,
        "owner": owner,
        "state": "answered",
        "status": status,
        "raw": b"",
    }
    values |= {"error": None, "evidence": None, "elapsed_ms": 1}
    with lab.engine.begin() as connection:
        return connection.execute(probes.settle(), values).first() is not None


def test_one_probe_at_an_origin_at_a_time_in_the_order_of_the_steps(lab: Lab, site: Listening) -> None:
    planted(lab, site)
    (first,) = claim(lab, "a")
    assert (first.step, first.attempts, first.fence) == (1, 1, 1)
    assert claim(lab, "b") == []
    assert settle(lab, first, "a")
    (second,) = claim(lab, "b")
    assert second.step == 2
    with pytest.raises(IntegrityError, match="uq_probes_one_at_an_origin"):
        lab.execute("UPDATE probes SET lease_owner = 'c', lease_until = now() WHERE step = 3")


def test_whoever_lost_its_lease_writes_nothing(lab: Lab, site: Listening) -> None:
    planted(lab, site)
    (lost,) = claim(lab, "a")
    lab.execute("UPDATE probes SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL")
    (again,) = claim(lab, "b")
    assert (again.id, again.attempts, again.fence) == (lost.id, 2, 2)
    assert not settle(lab, lost, "a", 500)
    assert settle(lab, again, "b")
    assert not settle(lab, again, "b", 500)
    assert lab.value("SELECT status FROM probes WHERE step = 1") == 200


def test_a_step_waits_for_its_gap_behind_the_step_before(lab: Lab, site: Listening) -> None:
    planted(lab, site)
    lab.execute("UPDATE probes SET gap = 3600 WHERE step = 2")
    (first,) = claim(lab, "a")
    assert settle(lab, first, "a")
    assert claim(lab, "a") == []
    wait = "SELECT extract(epoch FROM not_before - now()) FROM probes WHERE step = 2"
    assert 3500 < lab.value(wait) <= 3600


def test_a_worker_that_stops_hands_back_what_it_had_claimed(lab: Lab, site: Listening) -> None:
    planted(lab, site)
    runtime = lab.runtime()
    site.before = lambda request: runtime.stop() if request.origin else None
    assert runtime.probe() == 1
    rows = lab.rows("SELECT state, attempts, lease_owner FROM probes ORDER BY step")
    assert [tuple(row) for row in rows] == [("answered", 1, None), ("waiting", 0, None), ("waiting", 0, None)]


# retention


def test_probes_go_with_the_visits_but_for_those_of_a_baseline(lab: Lab, site: Listening) -> None:
    run = lab.sweep(wanting(site))
    probe(lab)
    other = lab.sweep(wanting(site))
    probe(lab)
    lab.execute(
        """INSERT INTO baselines (site_id, run_id, expires, owner, reason, rollback_note, approved_by)
           VALUES (:site_id, :id, '2099-01-01', 'o', 'r', 'n', 'ann')""",
        site_id=run.site_id,
        id=run.id,
    )
    lab.execute("UPDATE runs SET finished_at = now() - interval '100 days'")
    lab.execute("INSERT INTO runs (site_id, slot, requested_by, definition) OVERRIDING SYSTEM VALUE SELECT :s, now(), 't', '{}'", s=run.site_id)  # fmt: skip
    lab.execute("ALTER TABLE runs ALTER COLUMN id RESTART WITH 5000")
    lab.execute("UPDATE runs SET state = 'running', started_at = now() WHERE id > :id", id=other.id)
    lab.execute("DELETE FROM runs WHERE id > :id", id=other.id)
    lab.execute(
        "INSERT INTO runs (site_id, slot, requested_by, definition) VALUES (:s, now(), 't', '{}')",
        s=run.site_id,
    )
    assert "visits_r0" in retention.drop_old(lab.engine, 90)
    assert {row.run_id for row in lab.rows("SELECT run_id FROM probes")} == {run.id}
