"""Policies over stored runs: header sets by path scope, and baselines in the database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError

from headersweep.definition import SiteDefinition
from headersweep.policies import Expectation, Policy, Profile, ValueTest, Waiver
from headersweep.states import Outcome
from models import baselines, redirects
from models.frontier import pages
from models.runs import runs
from models.sites import sites
from models.snapshots import snapshots
from models.visits import visits
from review.policy import applying, scopes
from review.policy.baseline import Baseline
from scheduler import policies

pytestmark = pytest.mark.database

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
MISSING = "x_content_type_options.missing"
LEGACY = Waiver(MISSING, "web team", "until it is replaced", date(2999, 1, 1), "ask", path="/legacy/*")
FRAMED = Expectation("framed", "web team", "intranet", "x-frame-options", ValueTest.PRESENT, path="/docs/*")
A_DEFINITION = SiteDefinition("docs", ("https://docs.example/",), profile=Profile.ASVS_5_L2)
POLICY = Policy(expectations=(FRAMED,), waivers=(LEGACY,))


class World:
    """One site with a finished run, built row by row."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        if connection.execute(
            text("SELECT partdefid = 0 FROM pg_partitioned_table WHERE partrelid = 'visits'::regclass")
        ).scalar_one():
            connection.execute(text("CREATE TABLE visits_of_tests PARTITION OF visits DEFAULT"))
        self.site_id = self._insert(sites, name="docs", source="file", definition={"name": "docs"})
        self.run_id = self.run()

    def run(self, minute: int = 0) -> int:
        return self._insert(
            runs, site_id=self.site_id, slot=SLOT.replace(minute=minute), requested_by="ann", definition={}
        )

    def snapshot(self, number: int, raw: bytes) -> int:
        return self._insert(
            snapshots, content_hash=bytes([number]) * 32, canonical=f"headers/1\nx: {number}", raw=raw
        )

    def visit(self, url: str, snapshot_id: int | None, status: int = 200) -> None:
        page_id = self._insert(pages, site_id=self.site_id, depth=1, url_key=url.encode()[-16:], url=url)
        self.connection.execute(
            insert(visits).values(
                run_id=self.run_id,
                page_id=page_id,
                snapshot_id=snapshot_id,
                fetched_at=SLOT,
                status=status if snapshot_id else None,
                outcome=int(Outcome.STORED if snapshot_id else Outcome.FAILED),
                error=None if snapshot_id else "timeout",
            )
        )

    def _insert(self, table: Any, **values: Any) -> int:
        made = self.connection.execute(insert(table).values(**values).returning(table.c.id))
        return int(made.scalar_one())


@pytest.fixture
def world(connection: Connection) -> World:
    made = World(connection)
    plain = made.snapshot(1, b"Content-Type: text/html\r\n")
    framed = made.snapshot(2, b"Content-Type: text/html\r\nX-Frame-Options: DENY\r\n")
    made.visit("https://docs.example/", plain)
    made.visit("https://docs.example/legacy/a-page", plain)
    made.visit("https://docs.example/legacy/another?x=/docs/", plain)
    made.visit("http://docs.example/docs/plain-page", plain)
    made.visit("https://docs.example/docs/framed-page", framed)
    made.visit("https://docs.example/gone-from-here", plain, status=404)
    made.visit("https://docs.example/never-answered", None)
    return made


def test_pages_of_different_path_scopes_are_kept_apart(world: World) -> None:
    sets = policies.header_sets(world.connection, world.run_id, scopes.zones(POLICY))
    found = {(one.content_hash[7:9], one.status, one.scheme, one.zones): one.pages for one in sets}
    assert found == {
        ("01", 200, "https", ("/legacy/*",)): 2,
        ("01", 200, "https", ()): 1,
        ("01", 404, "https", ()): 1,
        ("01", 200, "http", ("/docs/*",)): 1,
        ("02", 200, "https", ("/docs/*",)): 1,
    }
    assert sets[0].sample_urls == (
        "https://docs.example/legacy/a-page",
        "https://docs.example/legacy/another?x=/docs/",
    )


def test_a_policy_with_paths_counts_exactly_the_pages_of_its_paths(world: World) -> None:
    sets = policies.header_sets(world.connection, world.run_id, scopes.zones(POLICY))
    causes = applying.apply(POLICY, sets, date(2026, 11, 23))
    pages_of = {(cause.code, bool(cause.waived_by)): cause.pages for cause in causes}
    assert pages_of[MISSING, True] == 2
    assert pages_of[MISSING, False] == 4
    assert pages_of["policy.expectation", False] == 1


# --- baselines --------------------------------------------------------------------------------------------------


def a_baseline(run_id: int, **changes: Any) -> Baseline:
    values = {"owner": "web team", "reason": "agreed", "expires": date(2999, 1, 1), "rollback_note": "revert"}
    return Baseline(run_id, **{**values, **changes})


def test_a_baseline_says_what_its_run_shows_under_the_policy_of_now(world: World) -> None:
    connection, site_id = world.connection, world.site_id
    assert policies.baseline_of(connection, site_id, Policy()) is None
    assert policies.approve(connection, site_id, a_baseline(world.run_id), "ann@host")
    found = policies.baseline_of(connection, site_id, POLICY)
    assert found is not None
    assert (found.run_id, found.owner, found.expires) == (world.run_id, "web team", date(2999, 1, 1))
    assert {(MISSING, ""), ("policy.expectation", "framed")} <= (found.causes or set())


def test_the_causes_of_a_run_are_those_of_its_policy_and_new_beyond_the_baseline(world: World) -> None:
    connection = world.connection
    world.connection.execute(
        runs.update().where(runs.c.id == world.run_id).values(definition=A_DEFINITION.as_json())
    )
    sets = policies.header_sets(connection, world.run_id, ())
    first = policies.causes(connection, world.run_id, sets)
    assert {cause.is_new for cause in first} == {False}
    assert "policy.nosniff" in {cause.code for cause in first}
    policies.approve(connection, world.site_id, a_baseline(world.run(minute=1)), "ann@host")
    again = policies.causes(connection, world.run_id, sets)
    assert {cause.is_new for cause in again} == {True}


def test_what_only_the_whole_run_shows_is_known_to_the_baseline_too(world: World) -> None:
    page_id = world.connection.execute(text("SELECT min(id) FROM pages")).scalar_one()
    world.connection.execute(
        insert(redirects.run_redirects).values(
            run_id=world.run_id,
            pages=1,
            sample_page_id=page_id,
            kind="hop",
            source="http://docs.example",
            target="",
        )
    )
    world.connection.execute(
        runs.update().where(runs.c.id == world.run_id).values(definition=A_DEFINITION.as_json())
    )
    policies.approve(world.connection, world.site_id, a_baseline(world.run_id), "ann@host")
    sets = policies.header_sets(world.connection, world.run_id)
    found = {cause.code: cause.is_new for cause in policies.causes(world.connection, world.run_id, sets)}
    assert found["redirect.stays_http"] is False
    assert set(found.values()) == {False}


def test_approving_twice_is_approving_once_and_another_run_takes_its_place(world: World) -> None:
    connection, site_id = world.connection, world.site_id
    assert policies.approve(connection, site_id, a_baseline(world.run_id), "ann@host")
    assert not policies.approve(connection, site_id, a_baseline(world.run_id), "bob@host")
    second = world.run(minute=1)
    assert policies.approve(connection, site_id, a_baseline(second, reason="mended"), "bob@host")
    (row,) = connection.execute(baselines.of_all()).all()
    assert (row.site, row.run_id, row.reason, row.approved_by) == ("docs", second, "mended", "bob@host")


def test_a_dropped_baseline_is_gone_and_dropping_it_twice_is_no_error(world: World) -> None:
    policies.approve(world.connection, world.site_id, a_baseline(world.run_id), "ann@host")
    assert policies.drop(world.connection, world.site_id) == world.run_id
    assert policies.drop(world.connection, world.site_id) is None


@pytest.mark.parametrize("key", ["owner", "reason", "rollback_note"])
def test_the_database_keeps_no_baseline_without_an_owner_a_reason_and_a_way_back(
    world: World, key: str
) -> None:
    with pytest.raises(IntegrityError, match="ck_baselines_explained"):
        policies.approve(world.connection, world.site_id, a_baseline(world.run_id, **{key: ""}), "ann@host")
