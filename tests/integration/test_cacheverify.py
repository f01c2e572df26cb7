"""Cache rules over stored runs: which pages they hold, since which run, and what caches were seen to do."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from headersweep import urls
from headersweep.cacherules import Bypass, CacheRule, Condition, Expected, Match, Shared
from headersweep.definition import SiteDefinition
from headersweep.states import Outcome
from models.frontier import pages
from models.runs import runs
from models.sites import sites
from models.snapshots import snapshots
from models.spans import spans
from models.visits import visits
from scheduler import cachehistory, cacheverify
from scheduler.cachehistory import Wanted
from scheduler.cacheverify import Verified

pytestmark = pytest.mark.database

PUBLIC = b"Cache-Control: max-age=600\r\n"
PRIVATE = b"Cache-Control: private\r\n"
START = "https://shop.example/"
CART = CacheRule(
    "cart",
    "shop",
    "personal",
    "purge",
    Expected(Shared.NOT_CACHED),
    ("/a",),
    ("/cart", "/cart/unknown"),
    Match(path="/cart*"),
)
PAGES = CacheRule(
    "pages",
    "web",
    "load",
    "rule 14",
    Expected(Shared.CACHED),
    ("/a",),
    ("/a?preview=1",),
    Match(path="/a*"),
    (Bypass(Condition.QUERY, "preview", "drafts"),),
)
NOWHERE = CacheRule(
    "nowhere", "web", "w", "r", Expected(Shared.CACHED), ("/n",), ("/cart",), Match(path="/n*")
)
SITE = SiteDefinition("shop", (START,), cache=(CART, PAGES, NOWHERE))


class World:
    """A site whose pages answered over ten runs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        if connection.execute(
            text("SELECT partdefid = 0 FROM pg_partitioned_table WHERE partrelid = 'visits'::regclass")
        ).scalar_one():
            connection.execute(text("CREATE TABLE visits_of_tests PARTITION OF visits DEFAULT"))
        self.site_id = self._insert(sites, name="shop", source="file", definition={"name": "shop"})
        self.runs = [
            self._insert(
                runs,
                site_id=self.site_id,
                slot=datetime(2026, 11, day, tzinfo=UTC),
                requested_by="ann",
                definition={},
            )
            for day in range(1, 11)
        ]
        self.pages: dict[str, int] = {}

    def snapshot(self, raw: bytes) -> int:
        digest = hashlib.sha256(raw).digest()
        found = self.connection.execute(
            text("SELECT id FROM snapshots WHERE content_hash = :hash"), {"hash": digest}
        ).scalar_one_or_none()
        return found or self._insert(snapshots, content_hash=digest, canonical="headers/1", raw=raw)

    def page(self, path: str) -> int:
        page = urls.parse(path, START)
        assert page is not None
        if path not in self.pages:
            values = {"site_id": self.site_id, "depth": 1, "url_key": page.key, "url": page.url}
            self.pages[path] = self._insert(pages, **values)
        return self.pages[path]

    def span(self, path: str, raw: bytes, first: int, last: int | None = None, status: int = 200) -> None:
        self.connection.execute(
            insert(spans).values(
                page_id=self.page(path),
                first_run_id=self.runs[first - 1],
                last_run_id=None if last is None else self.runs[last - 1],
                site_id=self.site_id,
                snapshot_id=self.snapshot(raw),
                status=status,
            )
        )

    def visit(self, path: str, raw: bytes, run: int, age_s: int | None) -> None:
        self.connection.execute(
            insert(visits).values(
                run_id=self.runs[run - 1],
                page_id=self.page(path),
                snapshot_id=self.snapshot(raw),
                fetched_at=datetime(2026, 11, run, tzinfo=UTC),
                status=200,
                outcome=int(Outcome.STORED),
                age_s=age_s,
            )
        )

    def wanted(self, since: int = 10, until: int = 10) -> Wanted:
        return Wanted(SITE, self.site_id, self.runs[since - 1], self.runs[until - 1])

    def verify(self, since: int = 10, until: int = 10) -> Verified:
        return cacheverify.verify(self.connection, self.wanted(since, until))

    def number(self, run_id: int | None) -> int | None:
        return None if run_id is None else self.runs.index(run_id) + 1

    def _insert(self, table: Any, **values: Any) -> int:
        made = self.connection.execute(insert(table).values(**values).returning(table.c.id))
        return int(made.scalar_one())


@pytest.fixture
def world(connection: Connection) -> World:
    return World(connection)


def told(found: Verified) -> dict[tuple[str, str], tuple[int, int]]:
    return {(each.code, each.subject): (each.pages, each.past) for each in found.causes}


def test_every_page_is_judged_by_the_rule_that_holds_it(world: World) -> None:
    world.span("/cart", PUBLIC, 1)
    world.span("/cart/1", PRIVATE, 1)
    world.span("/a", PRIVATE, 1)
    world.span("/a1", PUBLIC, 1)
    world.span("/a?preview=1", PUBLIC, 1)
    world.span("/elsewhere", PUBLIC, 1)
    found = world.verify()
    assert told(found) == {
        ("cache_rule.private_cacheable", "cart"): (1, 0),
        ("cache_rule.private_cacheable", "pages (query preview)"): (1, 0),
        ("cache_rule.not_cacheable", "pages"): (1, 0),
        ("cache_rule.unused", "nowhere"): (0, 0),
    }
    assert [(each.rule, each.pages, each.faulty) for each in found.held] == [
        ("cart", 2, 1),
        ("pages", 3, 2),
        ("nowhere", 0, 0),
    ]
    assert found.unheld == 1
    assert found.unseen == [("cart", f"{START}cart/unknown"), ("nowhere", f"{START}n")]


def test_a_cause_says_since_which_run_it_shows_without_a_break(world: World) -> None:
    world.span("/cart", PUBLIC, 1, 2)
    world.span("/cart", PRIVATE, 3, 4)
    world.span("/cart", PUBLIC, 5, 6)
    world.span("/cart", b"Cache-Control: s-maxage=5\r\n", 7)
    (cause, *_) = world.verify().causes
    assert (cause.code, world.number(cause.first_run)) == ("cache_rule.private_cacheable", 5)


def test_a_past_run_is_judged_by_what_pages_answered_then(world: World) -> None:
    world.span("/cart", PUBLIC, 1, 4)
    world.span("/cart", PRIVATE, 5)
    key = ("cache_rule.private_cacheable", "cart")
    assert key not in told(world.verify())
    assert told(world.verify(since=3, until=3))[key] == (1, 0)
    found = world.verify(since=2)
    assert told(found)[key] == (0, 1)
    (cause,) = [each for each in found.causes if each.code == key[0]]
    assert (world.number(cause.first_run), world.number(cause.last_run)) == (1, 4)
    assert set(found.slots) == {cause.first_run, cause.last_run}
    assert key not in told(world.verify(since=5))


def test_an_age_proves_that_a_cache_answered_for_that_very_page(world: World) -> None:
    for path, age in (("/cart", 7), ("/cart/1", 0), ("/cart/2", None)):
        world.span(path, PRIVATE, 1)
        world.visit(path, PRIVATE, 10, age)
    (cause, *_) = world.verify().causes
    assert (cause.code, cause.pages, cause.evidence) == ("cache_rule.private_hit", 1, "Age: 7")
    assert [seen.url for seen in cause.samples] == [f"{START}cart"]


HIT = b"Cache-Control: private\r\nX-Cache: HIT\r\n"


def test_words_count_only_where_all_pages_with_these_headers_are_held_by_one_rule(world: World) -> None:
    world.span("/cart", HIT, 1)
    world.span("/cart/1", HIT, 1)
    (cause, *_) = world.verify().causes
    assert (cause.code, cause.severity, cause.pages) == ("cache_rule.private_hit", "medium", 2)
    world.span("/elsewhere", HIT, 1)
    assert ("cache_rule.private_hit", "cart") not in told(world.verify())


def test_other_sites_are_left_alone(world: World) -> None:
    other = World.__new__(World)
    other.__dict__.update(world.__dict__)
    other.site_id = world._insert(sites, name="other", source="file", definition={"name": "other"})
    other.pages = {}
    other.span("/cart", PUBLIC, 1)
    assert told(world.verify()).keys() == {
        ("cache_rule.unused", name) for name in ("cart", "pages", "nowhere")
    }


def test_the_history_of_a_page_has_every_period_with_its_verdict(world: World) -> None:
    world.span("/cart", PRIVATE, 1, 4)
    world.span("/cart", PUBLIC, 5)
    page = urls.parse("/cart", START)
    assert page is not None
    periods = cachehistory.page_history(world.connection, world.wanted(), page.url, page.key)
    assert periods is not None
    assert [(world.number(each.first_run), world.number(each.last_run)) for each in periods] == [
        (5, None),
        (1, 4),
    ]
    assert [[one.code for one in each.findings] for each in periods] == [["cache_rule.private_cacheable"], []]
    assert cachehistory.page_history(world.connection, world.wanted(), page.url, bytes(16)) is None
