"""Every hot statement uses the index it was written for, over 20,000 rows and more."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

import models
from models import nonces, redirects, reviews
from models.care import explain, registry
from models.care.explain import nodes
from models.care.samples import Samples
from scheduler import judging
from tests.plans import _load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Executable

pytestmark = pytest.mark.database

N = _load.ROWS
OPEN_RUN = N + 1
SHARD = N + 1
KEY = bytes.fromhex("c4ca4238a0b923820dcc509a6f75849b")  # md5 of "1"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
NONCE = (
    "headers/1\ncontent-security-policy: script-src 'nonce-<nonce>'\ncontent-type: text/html; charset=utf-8\n"
)


SAMPLES = Samples(
    now=NOW,
    site=7,
    site_name="site7",
    paged_site=1,
    url_key=KEY,
    run=7,
    previous=6,
    open_run=OPEN_RUN,
    shard=SHARD,
    quiet_shard=7,
    seq=N // 2,
    origin=7,
    scheme="http",
    host="h7.example",
    port=80,
    pages=tuple(range(1, 21)),
    judgements=tuple(range(1, 21)),
    rules_version=2,
)
HOT = {name: named for name, named in registry.STATEMENTS.items() if named.indexes}


@pytest.fixture(scope="module")
def loaded(database_url: str) -> Iterator[Connection]:
    """One connection with the rows loaded in a transaction that is rolled back at the end."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        _load.fill(connection)
        yield connection
        connection.rollback()
    engine.dispose()


def explained(
    connection: Connection, statement: Executable, values: dict[str, Any]
) -> list[Mapping[str, Any]]:
    """The nodes of a statement's plan."""
    return list(nodes(explain.answer(connection, statement, values, analyze=False)["Plan"]))


def hot_plan(connection: Connection, name: str) -> list[Mapping[str, Any]]:
    """The nodes of the plan of a hot statement, tried with our samples."""
    return explained(connection, HOT[name].statement(SAMPLES), HOT[name].parameters(SAMPLES))


@pytest.mark.parametrize("name", sorted(HOT))
def test_a_hot_statement_uses_its_index(loaded: Connection, name: str) -> None:
    plan = hot_plan(loaded, name)
    used = {node["Index Name"] for node in plan if "Index Name" in node}
    assert HOT[name].expected(SAMPLES) <= used, f"{name} uses {sorted(used)}"


@pytest.mark.parametrize("name", sorted(HOT))
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
        "notes",
    }
    for node in hot_plan(loaded, name):
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
    "drift.sets_from_visits": {"run_id": NEW_RUN, "site_id": 1},
    "comparisons.latency": {"run_id": NEW_RUN},
    "hardening.secret_urls": {"run_id": NEW_RUN, "limit": 20},
}


@pytest.mark.parametrize("name", sorted(BY_KEY))
def test_a_run_that_the_statistics_do_not_know_is_read_by_key(loaded: Connection, name: str) -> None:
    statement = registry.STATEMENTS[name].statement(SAMPLES)
    unknown = loaded.begin_nested()
    for rows in NEW_ROWS:
        loaded.execute(text(rows), {"run": NEW_RUN, "n": NEW_PAGES})
    plan = explain.answer(loaded, statement, BY_KEY[name], analyze=True)
    unknown.rollback()
    assert max(touched(node) for node in nodes(plan["Plan"])) <= 2 * N


def test_a_run_that_the_statistics_do_not_know_is_grouped_into_sets_without_sorting_it(
    loaded: Connection,
) -> None:
    unknown = loaded.begin_nested()
    loaded.execute(text(NEW_ROWS[1]), {"run": NEW_RUN, "n": NEW_PAGES})
    loaded.execute(text(judging.UNSORTED))
    plan = explained(loaded, reviews.add_sets(), {"run_id": NEW_RUN})
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
    plan = explain.answer(loaded, redirects.add(), values, analyze=True)
    unknown.rollback()
    assert max(touched(node) for node in nodes(plan["Plan"])) <= 2 * N


def test_the_nonces_of_a_run_that_the_statistics_do_not_know_are_read_in_one_pass(loaded: Connection) -> None:
    unknown = loaded.begin_nested()
    loaded.execute(text("UPDATE snapshots SET canonical = :canonical WHERE id = 1"), {"canonical": NONCE})
    for run_id in (NEW_RUN - 1, NEW_RUN):
        loaded.execute(
            text("""INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome, nonce_digest)
                    SELECT :run, i, 1, now(), 200, 1, substring(sha256(i::text::bytea) FOR 8)
                    FROM generate_series(1, :n) i"""),
            {"run": run_id, "n": NEW_PAGES},
        )
        loaded.execute(
            text("""INSERT INTO run_sets (run_id, snapshot_id, pages, status, scheme, sample_page_ids)
                    VALUES (:run, 1, :n, 200, 'http', ARRAY[1])"""),
            {"run": run_id, "n": NEW_PAGES},
        )
    loaded.execute(text(judging.UNSORTED))
    values = {"run_id": NEW_RUN, "earlier": [NEW_RUN - 1]}
    plan = list(nodes(explain.answer(loaded, nonces.add(), values, analyze=True)["Plan"]))
    kept = loaded.execute(nonces.of_run(), {"run_id": NEW_RUN}).all()
    unknown.rollback()
    assert [(row.kind, row.nonces, row.most) for row in kept] == [("runs", NEW_PAGES, 2)]
    assert max(touched(node) for node in plan) <= 2 * NEW_PAGES
    grouped = [
        node["Strategy"] for node in plan if any("nonce_digest" in key for key in node.get("Group Key", ()))
    ]
    assert grouped == ["Hashed"]


def test_the_pages_of_a_run_are_searched_for_secrets_by_key_not_those_of_all_sites(
    loaded: Connection,
) -> None:
    plan = explained(
        loaded,
        registry.STATEMENTS["hardening.secret_urls"].statement(SAMPLES),
        {"run_id": OPEN_RUN, "limit": 20},
    )
    assert "pk_pages" in {node.get("Index Name") for node in plan}
    assert "pages" not in {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}


def touched(node: Mapping[str, Any]) -> float:
    """How many rows a node of an executed plan looked at."""
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return float(node["Actual Loops"] * (node["Actual Rows"] + dropped))


def test_every_statement_of_the_models_is_registered() -> None:
    assert registry.functions() - registry.STATEMENTS.keys() == registry.WITHOUT_TABLES
    assert registry.STATEMENTS.keys() <= registry.functions()


def test_every_module_of_the_models_with_statements_is_looked_at() -> None:
    names = {f"models.{info.name}" for info in pkgutil.iter_modules(models.__path__) if not info.ispkg}
    silent = {
        "models.columns",
        "models.concurrently",
        "models.engine",
        "models.metadata",
        "models.migrate",
        "models.schema",
    }
    assert names - silent == {module.__name__ for module in registry.MODULES}
