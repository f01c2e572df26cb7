"""Every hot statement uses the index it was written for, over 20,000 rows and more."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from models import (
    actions,
    baselines,
    control,
    drift,
    facts,
    frontier,
    hardening,
    origins,
    outbox,
    partitions,
    probes,
    redirects,
    reports,
    reviews,
    runs,
    selfcheck,
    shards,
    sites,
    snapshots,
    spans,
    visits,
)
from scheduler import judging
from tests.plans import _load

if TYPE_CHECKING:
    from sqlalchemy import Connection, TextClause

pytestmark = pytest.mark.database

N = _load.ROWS
OPEN_RUN = N + 1
SHARD = N + 1
KEY = bytes.fromhex("c4ca4238a0b923820dcc509a6f75849b")  # md5 of "1"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Case(NamedTuple):
    """A hot statement, values as it gets them, and the indexes that its plan must name."""

    statement: TextClause
    values: dict[str, Any]
    indexes: set[str]


CLAIM = {"owner": "me", "lease": 12.0, "limit": 100, "solo": False, "solo_after": 2}
PAGES = list(range(1, 21))
RULES = {"run_id": 7, "rules_version": 2}
_JUDGED = "uq_judgements_snapshot_id_status_scheme_facts_id_rules_version"

CASES = {
    "shards.claim": Case(shards.claim(), CLAIM, {"ix_shards_open"}),
    "shards.due_count": Case(shards.due_count(), {}, {"ix_shards_open"}),
    "shards.soonest": Case(shards.soonest(), {}, {"ix_shards_open"}),
    "shards.lock": Case(shards.lock(), {"ids": [SHARD]}, {"pk_shards"}),
    "shards.renew": Case(
        shards.renew(), {"ids": [SHARD], "fences": [1], "owner": "me", "lease": 12.0}, {"pk_shards"}
    ),
    "shards.grow": Case(shards.grow(), {"ids": [SHARD], "counts": [5], "decided": [0]}, {"pk_shards"}),
    "shards.advance": Case(
        shards.advance(),
        {
            "ids": [SHARD],
            "done_uptos": [5],
            "visits": [5],
            "known_uptos": [None],
            "clear_losts": [True],
            "settleds": [True],
            "lease": 12.0,
        },
        {"pk_shards"},
    ),
    "shards.release": Case(
        shards.release(),
        {"ids": [SHARD], "fences": [1], "prepared": [True], "done_uptos": [10], "owner": "me"},
        {"pk_shards", "ix_retries_shard_id_not_before", "ix_sitemaps_open"},
    ),
    "shards.lapse": Case(shards.lapse(), {"id": SHARD, "fence": 1, "owner": "me"}, {"pk_shards"}),
    "shards.uncount": Case(
        shards.uncount(), {"run_id": OPEN_RUN, "page_ids": PAGES}, {"frontier_r20000_pkey", "pk_shards"}
    ),
    "shards.leased_owners": Case(shards.leased_owners(), {}, {"ix_shards_open"}),
    "shards.expire": Case(shards.expire(), {"owners": ["gone"]}, {"ix_shards_open"}),
    "shards.of_run": Case(shards.of_run(), {"run_id": OPEN_RUN}, {"uq_shards_run_id_origin_id_ordinal"}),
    "shards.open_count": Case(shards.open_count(), {"run_id": OPEN_RUN}, {"ix_shards_open"}),
    "runs.lock": Case(runs.lock(), {"ids": [OPEN_RUN]}, {"pk_runs"}),
    "runs.load": Case(runs.load(), {"ids": [OPEN_RUN]}, {"pk_runs"}),
    "runs.start": Case(runs.start(), {"ids": [OPEN_RUN]}, {"ix_runs_open"}),
    "runs.count_planned": Case(runs.count_planned(), {"ids": [OPEN_RUN], "counts": [3]}, {"pk_runs"}),
    "runs.released": Case(runs.released(), {"limit": 1000}, {"ix_runs_queued"}),
    "runs.overtaken": Case(runs.overtaken(), {}, {"ix_runs_queued"}),
    "runs.out_of_window": Case(runs.out_of_window(), {"now": NOW, "limit": 1000}, {"ix_runs_windowed"}),
    "runs.set_opening": Case(
        runs.set_opening(), {"ids": [OPEN_RUN], "not_befores": [NOW], "not_afters": [None]}, {"pk_runs"}
    ),
    "runs.open_runs_of": Case(runs.open_runs_of([7, 8]), {}, {"ix_runs_open"}),
    "runs.create_runs": Case(
        runs.create_runs([runs.NewRun(7, NOW, NOW, None)], requested_by="schedule", reason=""),
        {},
        {"pk_sites"},
    ),
    "runs.finishable": Case(runs.finishable(), {"limit": 100}, {"ix_runs_open", "ix_shards_open"}),
    "runs.lock_one": Case(runs.lock_one(), {"id": OPEN_RUN}, {"pk_runs"}),
    "runs.newest": Case(runs.newest(), {}, {"pk_runs"}),
    "origins.find": Case(
        origins.find(),
        {"schemes": ["http"], "hosts": ["h7.example"], "ports": [80]},
        {"uq_origins_scheme_host_port"},
    ),
    "origins.load": Case(origins.load(), {"ids": [7]}, {"pk_origins"}),
    "origins.reserve": Case(origins.reserve(), {"ids": [7], "counts": [1], "gaps": [1.0]}, {"pk_origins"}),
    "origins.resting": Case(origins.resting(), {"ids": [7]}, {"pk_origins"}),
    "origins.give_back": Case(
        origins.give_back(), {"ids": [7], "endss": [NOW], "seconds": [1.0]}, {"pk_origins"}
    ),
    "origins.feedback": Case(
        origins.feedback(), {"ids": [7], "rates": [1.0], "levels": [0], "blocks": [0.0]}, {"pk_origins"}
    ),
    "frontier.page_ids": Case(
        frontier.page_ids(), {"site_ids": [1], "url_keys": [KEY]}, {"uq_pages_site_id_url_key"}
    ),
    "frontier.add_rows": Case(
        frontier.add_rows(),
        {"run_ids": [OPEN_RUN] * 20, "page_ids": PAGES, "shard_ids": [SHARD] * 20, "depths": [1] * 20},
        {"frontier_r20000_pkey", "pk_shards"},
    ),
    "frontier.mark_sitemap": Case(
        frontier.mark_sitemap(), {"run_id": OPEN_RUN, "url_key": KEY, "error": "x"}, {"pk_sitemaps"}
    ),
    "frontier.unmark_sitemaps": Case(
        frontier.unmark_sitemaps(), {"shard_ids": [SHARD]}, {"ix_sitemaps_open"}
    ),
    "frontier.next_rows": Case(
        frontier.next_rows(),
        {"run_id": OPEN_RUN, "shard_id": SHARD, "after": N // 2, "limit": 100},
        {"frontier_r20000_shard_id_seq_run_id_key", "visits_r20000_pkey", "pk_retries", "pk_pages"},
    ),
    "frontier.due_retries": Case(
        frontier.due_retries(),
        {"shard_id": 7, "limit": 100},
        {"ix_retries_shard_id_not_before", "pk_pages"},
    ),
    "frontier.drop_retries": Case(
        frontier.drop_retries(), {"run_ids": [7] * 20, "page_ids": PAGES}, {"pk_retries"}
    ),
    "frontier.known_pages": Case(
        frontier.known_pages(), {"site_id": 1, "after": 0, "limit": 100}, {"uq_spans_open", "pk_pages"}
    ),
    "frontier.open_sitemaps": Case(frontier.open_sitemaps(), {"shard_id": 7}, {"ix_sitemaps_open"}),
    "frontier.forget_sitemaps": Case(
        frontier.forget_sitemaps(), {"low": N - 1000, "high": N}, {"pk_sitemaps"}
    ),
    "facts.ids": Case(facts.ids(), {"hashes": [bytes(32)]}, {"uq_body_facts_facts_hash"}),
    "facts.load": Case(facts.load(), {"ids": [1, 2]}, {"pk_body_facts"}),
    "snapshots.ids": Case(snapshots.ids(), {"hashes": [bytes(32)]}, {"uq_snapshots_content_hash"}),
    "sites.set_next_slots": Case(sites.set_next_slots({7: NOW}), {}, {"pk_sites"}),
    "sites.due_sites": Case(sites.due_sites(NOW, 100), {}, {"ix_sites_due"}),
    "sites.masks": Case(sites.masks(), {"site_ids": [7]}, {"pk_site_masks"}),
    "sites.snapshots_of_site": Case(sites.snapshots_of_site(), {"site_id": 7}, {"pk_site_snapshots"}),
    "visits.drop_failed": Case(
        visits.drop_failed(), {"run_id": OPEN_RUN, "outcomes": [6]}, {"visits_r20000_pkey"}
    ),
    "partitions.droppable": Case(partitions.droppable(90), {"low": None}, {"pk_runs"}),
    "partitions.lock_runs": Case(partitions.lock_runs(7000), {}, {"pk_runs"}),
    "control.anything_due": Case(
        control.anything_due("tick", 60.0),
        {},
        {"ix_runs_open", "ix_sites_due", "ix_outbox_waiting", "ix_probes_waiting"},
    ),
    "outbox.forget": Case(outbox.forget(), {"limit": 1000, "days": 90}, {"pk_outbox"}),
    "baselines.of_site": Case(baselines.of_site(), {"site_id": 7}, {"uq_baselines_site_id"}),
    "baselines.drop": Case(baselines.drop(), {"site_id": 7}, {"uq_baselines_site_id"}),
    "baselines.newest_judged": Case(baselines.newest_judged(), {"site_id": 7}, {"uq_runs_site_id_slot"}),
    "reports.resting": Case(reports.resting([OPEN_RUN]), {}, {"ix_runs_open", "pk_sites"}),
    "reports.held_up": Case(
        reports.held_up(), {"run_id": OPEN_RUN, "limit": 6}, {"uq_shards_run_id_origin_id_ordinal"}
    ),
    "actions.of_run": Case(actions.of_run(), {"run_id": 7}, {"uq_run_actions_once"}),
    "actions.last_of": Case(actions.last_of([7, 8]), {}, {"uq_run_actions_once"}),
    "actions.was_done": Case(
        actions.was_done(), {"run_id": 7, "generation": 1, "action": "resume"}, {"uq_run_actions_once"}
    ),
    "actions.open_rerun": Case(actions.open_rerun(), {"run_id": 7}, {"uq_run_actions_once", "ix_runs_open"}),
    "redirects.drop": Case(redirects.drop(), {"run_id": 7}, {"pk_run_redirects"}),
    "redirects.of_run": Case(redirects.of_run(), {"run_id": 7}, {"pk_run_redirects", "pk_pages"}),
    "reviews.drop_sets": Case(reviews.drop_sets(), {"run_id": 7}, {"pk_run_sets"}),
    "reviews.sets_add_up": Case(reviews.sets_add_up(), {"run_id": 7}, {"pk_run_sets", "pk_runs"}),
    "reviews.count_sets": Case(reviews.count_sets(), {"run_id": 7}, {"pk_run_sets"}),
    "reviews.sets_of_run": Case(
        reviews.sets_of_run(), {"run_id": 7}, {"pk_run_sets", "pk_snapshots", "pk_runs", "pk_site_snapshots"}
    ),
    "reviews.sample_urls": Case(reviews.sample_urls(), {"page_ids": PAGES}, {"pk_pages"}),
    "reviews.unjudged": Case(
        reviews.unjudged(),
        {**RULES, "snapshot_id": 0, "status": 0, "scheme": "", "facts_id": 0, "limit": 100},
        {"pk_run_sets", "pk_snapshots", _JUDGED},
    ),
    "reviews.judgements_of_run": Case(reviews.judgements_of_run(), RULES, {"pk_run_sets", _JUDGED}),
    "reviews.judgements_before": Case(reviews.judgements_before(), RULES, {"pk_run_sets", _JUDGED}),
    "reviews.answers_from": Case(
        reviews.answers_from(),
        {"site_id": 1, "url_key": KEY, "run_id": OPEN_RUN},
        {"uq_pages_site_id_url_key", "visits_r20000_pkey", "pk_pages", "pk_snapshots"},
    ),
    "reviews.findings_of": Case(reviews.findings_of(), {"judgement_ids": PAGES}, {"pk_findings"}),
    "drift.from_spans": Case(
        drift.from_spans(),
        {"site_id": 7, "old": 1, "new": 2, "since": 1},
        {"uq_pages_site_id_url_key", "pk_spans"},
    ),
    "drift.sets_from_spans": Case(
        drift.sets_from_spans(), {"site_id": 7, "run_id": 2}, {"uq_pages_site_id_url_key", "pk_spans"}
    ),
    "drift.snapshots_by_id": Case(
        drift.snapshots_by_id(),
        {"site_id": 7, "run_id": 2, "ids": PAGES},
        {"pk_snapshots", "pk_site_snapshots"},
    ),
    "drift.urls": Case(drift.urls(), {"ids": PAGES}, {"pk_pages"}),
    "drift.since": Case(
        drift.since(), {"site_id": 7, "run_id": OPEN_RUN, "limit": 5}, {"uq_runs_site_id_slot"}
    ),
    "drift.previous": Case(drift.previous(), {"site_id": 7, "run_id": OPEN_RUN}, {"uq_runs_site_id_slot"}),
    "probes.claim": Case(
        probes.claim(),
        {"owner": "me", "lease": 12.0, "limit": 20},
        {"ix_probes_waiting", "pk_origins", "pk_runs"},
    ),
    "probes.due_count": Case(probes.due_count(), {}, {"ix_probes_waiting"}),
    "probes.soonest": Case(probes.soonest(), {}, {"ix_probes_waiting"}),
    "probes.workable_count": Case(probes.workable_count(), {"run_ids": [7]}, {"ix_probes_waiting"}),
    "probes.renew": Case(
        probes.renew(),
        {"ids": [7, 8], "fences": [1, 1], "owner": "me", "lease": 12.0},
        {"uq_probes_one_at_an_origin"},
    ),
    "probes.settle": Case(
        probes.settle(),
        {
            "id": 7,
            "fence": 1,
            "owner": "me",
            "state": "answered",
            "status": 200,
            "raw": b"",
            "error": None,
            "evidence": None,
            "elapsed_ms": 1,
        },
        {"uq_probes_one_at_an_origin", "uq_probes_run_id_kind_key_step"},
    ),
    "probes.put_back": Case(
        probes.put_back(),
        {"id": 7, "fence": 1, "owner": "me", "delay": 1.0, "refund": 0},
        {"uq_probes_one_at_an_origin"},
    ),
    "probes.give_up": Case(probes.give_up(), {}, {"ix_probes_waiting"}),
    "probes.leased_owners": Case(probes.leased_owners(), {}, {"uq_probes_one_at_an_origin"}),
    "probes.free": Case(probes.free(), {"owners": ["gone"]}, {"uq_probes_one_at_an_origin"}),
    "probes.of_run": Case(probes.of_run(), {"run_id": 7}, {"uq_probes_run_id_kind_key_step"}),
    "probes.counts": Case(probes.counts(), {"run_ids": [7, 8]}, {"uq_probes_run_id_kind_key_step"}),
    "probes.candidates": Case(
        probes.candidates(), {"run_id": OPEN_RUN, "limit": 500}, {"pk_run_sets", "pk_pages", "pk_snapshots"}
    ),
    "probes.forget": Case(
        probes.forget(), {"high": 100}, {"uq_probes_run_id_kind_key_step", "ix_baselines_run_id"}
    ),
    "selfcheck.late_promises": Case(selfcheck.late_promises(), {}, {"ix_outbox_waiting"}),
    "outbox.waiting": Case(outbox.waiting(), {"limit": 100}, {"ix_outbox_waiting"}),
}

WHOLE = {
    "shards.insert", "shards.insert_first", "shards.mark_suspect", "shards.clear_quarantined", "shards.reopen", "shards.fence_off",
    "runs.previous", "runs.close", "runs.reopen", "origins.insert", "origins.keep_robots",
    "frontier.add_pages", "frontier.add_retries", "frontier.add_sitemaps", "frontier.close_sitemap",
    "frontier.count_of_run", "visits.add", "visits.any_kept", "visits.outcomes_of_run", "visits.snapshots_of_run", "visits.fold",
    "visits.digest_rows", "visits.start_pages_fetched", "snapshots.add", "facts.add", "sites.add_masks", "sites.keep_snapshots",
    "spans.open_new", "spans.close_changed", "spans.close_vanished", "spans.fold", "outbox.add", "outbox.mark_emitted",
    "actions.add", "redirects.add", "reviews.add_sets", "reviews.add_judgements", "reviews.add_findings",
    "drift.from_visits", "drift.sets_from_visits",
    "baselines.approve", "baselines.of_all", "probes.plant",
    "hardening.secret_urls", "hardening.unverified", "selfcheck.role_rights", "selfcheck.public_grants", "selfcheck.reach", "selfcheck.durability", "selfcheck.archived",
    "selfcheck.invalid_indexes", "selfcheck.scheduled_sites", "selfcheck.definitions",
}  # fmt: skip
"""Statements that insert, touch one row by key once in a run, stop at the first row they meet, or read a whole run on
purpose when it closes; and those of ``checklist --self``, which read the catalogue, or every site once when somebody asks."""


@pytest.fixture(scope="module")
def loaded(database_url: str) -> Iterator[Connection]:
    """One connection with the rows loaded in a transaction that is rolled back at the end."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        _load.fill(connection)
        yield connection
        connection.rollback()
    engine.dispose()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def _bound(statement: TextClause) -> dict[str, Any]:
    """The values that a statement brings along itself."""
    return {name: item.value for name, item in statement._bindparams.items() if item.value is not None}


def explained(connection: Connection, case: Case) -> list[dict[str, Any]]:
    """The nodes of a statement's plan."""
    compiled = case.statement
    explain = text("EXPLAIN (FORMAT JSON) " + compiled.text)
    answer = connection.execute(explain, {**_bound(compiled), **case.values}).scalar_one()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return list(nodes(plan[0]["Plan"]))


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_hot_statement_uses_its_index(loaded: Connection, name: str) -> None:
    plan = explained(loaded, CASES[name])
    used = {node["Index Name"] for node in plan if "Index Name" in node}
    assert CASES[name].indexes <= used, f"{name} uses {sorted(used)}"


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_hot_statement_reads_no_large_table_as_a_whole(loaded: Connection, name: str) -> None:
    large = {
        "sites",
        "origins",
        "runs",
        "shards",
        "snapshots",
        "pages",
        "retries",
        "sitemaps",
        "spans",
        "outbox",
        "run_actions",
        "run_sets",
        "judgements",
        "findings",
        "baselines",
        "probes",
    }
    for node in explained(loaded, CASES[name]):
        if node["Node Type"] == "Seq Scan":
            table = node["Relation Name"]
            assert table not in large, f"{name} reads all of {table}"
            assert not table.startswith(("frontier_r20", "visits_r20"))


NEW_RUN, NEW_PAGES = N + 20, 1_000
NEW_ROWS = (
    "INSERT INTO frontier (run_id, page_id, shard_id, seq, depth) SELECT :run, i, 1, i, 1 FROM generate_series(1, :n) i",
    """INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome)
       SELECT :run, i, i % 50 + 1, now(), 200, 1 FROM generate_series(1, :n) i""",
)
BY_KEY: dict[str, dict[str, Any]] = {
    "frontier.next_rows": {"run_id": NEW_RUN, "shard_id": 1, "after": 0, "limit": 1000},
    "frontier.add_rows": {
        "run_ids": [NEW_RUN] * NEW_PAGES,
        "page_ids": list(range(1, NEW_PAGES + 1)),
        "shard_ids": [1] * NEW_PAGES,
        "depths": [1] * NEW_PAGES,
    },
    "spans.close_changed": {"site_id": 1, "run_id": NEW_RUN, "previous": N},
    "spans.close_vanished": {"site_id": 1, "run_id": NEW_RUN, "previous": N},
    "spans.open_new": {"site_id": 2, "run_id": NEW_RUN},
    "reviews.add_sets": {"run_id": NEW_RUN, "samples": reviews.SAMPLES},
    "drift.from_visits": {"old": OPEN_RUN, "new": NEW_RUN, "since": 1},
    "drift.sets_from_visits": {"run_id": NEW_RUN},
    "hardening.secret_urls": {"run_id": NEW_RUN, "limit": 20},
}


@pytest.mark.parametrize("name", sorted(BY_KEY))
def test_a_run_that_the_statistics_do_not_know_is_read_by_key(loaded: Connection, name: str) -> None:
    module, function = name.split(".")
    modules = {
        "drift": drift,
        "frontier": frontier,
        "hardening": hardening,
        "reviews": reviews,
        "spans": spans,
    }
    statement = getattr(modules[module], function)()
    unknown = loaded.begin_nested()
    for rows in NEW_ROWS:
        loaded.execute(text(rows), {"run": NEW_RUN, "n": NEW_PAGES})
    explain = text("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement.text)
    plan = loaded.execute(explain, {**_bound(statement), **BY_KEY[name]}).scalar_one()
    unknown.rollback()
    assert max(touched(node) for node in nodes(plan[0]["Plan"])) <= 2 * N


def test_a_run_that_the_statistics_do_not_know_is_grouped_into_sets_without_sorting_it(
    loaded: Connection,
) -> None:
    unknown = loaded.begin_nested()
    loaded.execute(text(NEW_ROWS[1]), {"run": NEW_RUN, "n": NEW_PAGES})
    loaded.execute(text(judging.UNSORTED))
    plan = explained(loaded, Case(reviews.add_sets(), {"run_id": NEW_RUN}, set()))
    assert judging.make_sets(loaded, NEW_RUN) == 50
    unknown.rollback()
    assert [node["Strategy"] for node in plan if node["Node Type"] == "Aggregate"] == ["Hashed"]
    assert "pk_pages" in {node.get("Index Name") for node in plan}


def test_the_redirects_of_a_run_that_the_statistics_do_not_know_are_read_by_key(loaded: Connection) -> None:
    unknown = loaded.begin_nested()
    loaded.execute(
        text("""INSERT INTO visits (run_id, page_id, snapshot_id, target_page_id, fetched_at, status, outcome)
                SELECT :run, i, 1, i + 1, now(), 301, 1 FROM generate_series(1, :n) i"""),
        {"run": NEW_RUN, "n": NEW_PAGES},
    )
    loaded.execute(
        text("""INSERT INTO run_sets (run_id, snapshot_id, pages, status, scheme, sample_page_ids)
                VALUES (:run, 1, :n, 301, 'http', ARRAY[1])"""),
        {"run": NEW_RUN, "n": NEW_PAGES},
    )
    values = {"run_id": NEW_RUN, "limit": redirects.MAX_ROWS}
    explain = text("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + redirects.add().text)
    plan = loaded.execute(explain, values).scalar_one()
    unknown.rollback()
    assert max(touched(node) for node in nodes(plan[0]["Plan"])) <= 2 * N


def test_the_pages_of_a_run_are_searched_for_secrets_by_key_not_those_of_all_sites(
    loaded: Connection,
) -> None:
    values = {"run_id": OPEN_RUN, "limit": 20}
    plan = explained(loaded, Case(hardening.secret_urls(), values, set()))
    assert "pk_pages" in {node.get("Index Name") for node in plan}
    assert "pages" not in {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}


def touched(node: dict[str, Any]) -> float:
    """How many rows a node of an executed plan looked at."""
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return float(node["Actual Loops"] * (node["Actual Rows"] + dropped))


def test_every_statement_of_the_crawl_has_a_plan_or_a_reason() -> None:
    modules = (
        shards,
        runs,
        origins,
        frontier,
        visits,
        snapshots,
        facts,
        spans,
        outbox,
        actions,
        redirects,
        reviews,
        drift,
        baselines,
        probes,
        hardening,
        selfcheck,
    )
    every = {
        f"{module.__name__.removeprefix('models.')}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not inspect.signature(function).parameters
    }
    assert every - CASES.keys() - WHOLE == set()
    assert not WHOLE & CASES.keys()
