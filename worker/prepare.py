"""Before the first page of a shard: its origin's robots.txt (RFC 9309), then its sitemaps."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from headersweep import logs, robots, sitemaps, urls
from headersweep.definition import RobotsMode
from headersweep.robots import RobotsVerdict
from headersweep.states import RETRYABLE_REASONS, FailureReason, Outcome
from models import frontier, origins
from worker.page import RETRIED_STATUSES
from worker.site import Robots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from headersweep.addresses import AddressPolicy
    from headersweep.definition import SiteDefinition
    from headersweep.urls import PageUrl
    from worker.crawl import OriginState, ShardCrawl
    from worker.fetch import Fetched
    from worker.runtime import Runtime

log = logs.get_logger()

QUICK_RETRY_SECONDS = (1.0, 3.0)
"""A robots.txt or a sitemap that cannot be had is asked for again so soon within a slice."""

ROBOTS_SECONDS = 60.0
"""How long a decision about robots.txt may take in all: less than a slice waits for one that has begun."""

GOOD_HOLDS_SECONDS = 3600.0
BAD_HOLDS_SECONDS = 60.0
"""How long a run keeps to a decision before robots.txt is asked for again."""

BEING_READ = "was being read when its worker died"

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
MAX_SITEMAPS = 1000
SITEMAP_DEPTH = 3
SITEMAP_PAGE_DEPTH = 1
PARSED_AT_ONCE = 2000

ORIGIN_IS_AWAY = frozenset(
    {
        FailureReason.DNS,
        FailureReason.REFUSED,
        FailureReason.UNREACHABLE,
        FailureReason.CONNECT_TIMEOUT,
        FailureReason.TLS,
        FailureReason.ADDRESS_DENIED,
    }
)
"""Failures that say nothing about robots.txt: the pages themselves could not be fetched either."""


class RobotsAnswer(NamedTuple):
    """What asking for robots.txt came to."""

    status: int | None
    body: bytes
    error: FailureReason | None


class HeldWork(Protocol):
    """Leased work of a run at one origin."""

    @property
    def run_id(self) -> int:
        """The run."""

    @property
    def origin_id(self) -> int:
        """The origin."""


class AskingSite(Protocol):
    """What its site allows whoever asks."""

    @property
    def policy(self) -> AddressPolicy:
        """The addresses that may be connected to."""

    @property
    def definition(self) -> SiteDefinition:
        """What the run knows of its site."""

    @property
    def robots(self) -> dict[int, Robots]:
        """What was decided by origin."""


class OfOrigin(Protocol):
    """Whoever is about to ask an origin for something: a shard's crawl, or a probe."""

    @property
    def held(self) -> HeldWork:
        """What is leased."""

    @property
    def site(self) -> AskingSite:
        """For whom."""

    @property
    def origin(self) -> OriginState:
        """Whom."""


async def prepare(crawl: ShardCrawl, runtime: Runtime) -> None:
    """Know the rules of the shard's origin and queue what its sitemaps name."""
    if crawl.site.definition.robots is RobotsMode.OBEY:
        decided = await rules_of(crawl, runtime)
        crawl.rules, crawl.rules_failed = decided.rules, decided.denied
    if crawl.site.definition.sitemaps and crawl.rules_failed is None:
        await _read_sitemaps(crawl, runtime)


# -- robots.txt ------------------------------------------------------------------------------------------------


async def rules_of(crawl: OfOrigin, runtime: Runtime) -> Robots:
    """What robots.txt of an origin says, asked for where it is not known; the origin's rate obeys its delay from now on."""
    decided = crawl.site.robots.get(crawl.held.origin_id)
    if decided is None or decided.holds_until < time.monotonic():
        decided = await _learn_rules(crawl, runtime)
        crawl.site.robots[crawl.held.origin_id] = decided
    _obey_delay(crawl.origin, decided.rules, runtime.agent)
    return decided


async def _learn_rules(crawl: OfOrigin, runtime: Runtime) -> Robots:
    """The rules that were kept, or new ones; where there are none to be had, what becomes of the origin's pages."""
    row, good = crawl.origin.row, time.monotonic() + GOOD_HOLDS_SECONDS
    if (
        row.robots_expires_at is not None
        and row.robots_expires_at > row.now
        and row.robots_status is not None
    ):
        verdict = robots.decide(row.robots_status)
        if verdict is not RobotsVerdict.UNREACHABLE:
            return Robots(good, robots.RobotsRules(verdict, row.robots_text or ""))
    answer = await _ask(crawl, runtime)
    if robots.decide(answer.status) is not RobotsVerdict.UNREACHABLE:
        rules = robots.RobotsRules.parse(answer.status, answer.body)
        await _keep(crawl, runtime, answer, rules)
        return Robots(good, rules)
    return await _do_without(crawl, runtime, answer)


async def _do_without(crawl: OfOrigin, runtime: Runtime, answer: RobotsAnswer) -> Robots:
    """robots.txt cannot be had: the last good copy serves for a month; without one nothing is allowed."""
    row, bad = crawl.origin.row, time.monotonic() + BAD_HOLDS_SECONDS
    if row.robots_fetched_at is not None and robots.serves_while_unreachable(
        row.robots_fetched_at, datetime.now(UTC)
    ):
        return Robots(bad, robots.RobotsRules(RobotsVerdict.PARSE, row.robots_text or ""))
    denied = _denied(answer)
    log.info("origin.failed", origin=crawl.origin.url, run_id=crawl.held.run_id, reason=denied[1])
    await _keep(crawl, runtime, answer, None)
    return Robots(bad, denied=denied)


def _denied(answer: RobotsAnswer) -> tuple[Outcome, str]:
    """What becomes of the pages of an origin whose robots.txt cannot be had: its own outcome, unless it is away."""
    if answer.error in ORIGIN_IS_AWAY:
        return Outcome.FAILED, str(answer.error)
    return Outcome.ROBOTS_UNREACHABLE, f"robots.txt: {answer.error or f'status {answer.status}'}"


def _obey_delay(origin: OriginState, known: robots.RobotsRules | None, agent: str) -> None:
    """Crawl-delay is no part of RFC 9309, but a wish that costs little; it only ever slows down."""
    delay = known.crawl_delay(agent) if known else None
    if delay and (origin.gap == 0 or origin.gap < delay):
        origin.rate = 1.0 / delay
        origin.max_rate = 1.0 / delay


async def _ask(crawl: OfOrigin, runtime: Runtime) -> RobotsAnswer:
    try:
        async with asyncio.timeout(ROBOTS_SECONDS):
            return await _ask_patiently(crawl, runtime)
    except TimeoutError:
        return RobotsAnswer(None, b"", FailureReason.TIMEOUT)


async def _ask_patiently(crawl: OfOrigin, runtime: Runtime) -> RobotsAnswer:
    answer = await _ask_once(crawl, runtime)
    for pause in QUICK_RETRY_SECONDS:
        passing = answer.error not in {FailureReason.TLS, FailureReason.ADDRESS_DENIED}
        if robots.decide(answer.status) is not RobotsVerdict.UNREACHABLE or not passing:
            break
        await asyncio.sleep(pause)
        answer = await _ask_once(crawl, runtime)
    return answer


async def _ask_once(crawl: OfOrigin, runtime: Runtime) -> RobotsAnswer:
    """robots.txt over at most five redirects, each of them checked like any address."""
    url = crawl.origin.url + "/robots.txt"
    for _hop in range(robots.MAX_REDIRECTS + 1):
        fetched = await runtime.fetcher.fetch(
            url,
            policy=crawl.site.policy,
            allow_unverified_tls=crawl.site.definition.allow_unverified_tls,
            want_body=_any_success,
            max_body=robots.MAX_BYTES,
        )
        if fetched.error is not None or _is_cut(fetched):
            # Half of the rules are no rules: what was lost may be what forbids.
            return RobotsAnswer(None, b"", fetched.error or FailureReason.RESET)
        target = _redirect(url, fetched)
        if target is None:
            return RobotsAnswer(fetched.status, fetched.body or b"", None)
        url = target.url
    # Too many redirects count as "unavailable" (RFC 9309 section 2.3.1.2): crawling is allowed.
    return RobotsAnswer(404, b"", None)


def _is_cut(fetched: Fetched) -> bool:
    return fetched.body_truncated and len(fetched.body or b"") < robots.MAX_BYTES


def _any_success(status: int, _content_type: str) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the range of success


def _redirect(url: str, fetched: Fetched) -> PageUrl | None:
    if fetched.status is None or not 300 <= fetched.status < 400 or not fetched.location:  # noqa: PLR2004 - redirects
        return None
    return urls.parse(fetched.location, url)


async def _keep(
    crawl: OfOrigin, runtime: Runtime, answer: RobotsAnswer, rules: robots.RobotsRules | None
) -> None:
    """Keep robots.txt with its origin, for all workers and runs; a failure is asked about again soon."""
    now = datetime.now(UTC)
    holds = robots.expires(robots.decide(answer.status), now, crawl.origin.row.robots_failures + 1) - now
    values = {
        "id": crawl.held.origin_id,
        "status": answer.status,
        "body": rules.text if rules else None,
        "good": rules is not None,
        "holds": holds.total_seconds(),
    }
    await runtime.database(lambda connection: connection.execute(origins.keep_robots(), values))


# -- sitemaps --------------------------------------------------------------------------------------------------


async def _read_sitemaps(crawl: ShardCrawl, runtime: Runtime) -> None:
    """Read the sitemaps that robots.txt names, or /sitemap.xml; one that was read in this run is not read again."""
    named = crawl.rules.sitemaps if crawl.rules else ()
    await _queue(crawl, runtime, named or (crawl.origin.url + "/sitemap.xml",), depth=0)
    while not (crawl.stopping or crawl.aged):
        waiting = await runtime.database(lambda connection: _open_sitemaps(connection, crawl.held.id))
        if not waiting:
            return
        for row in waiting:
            if crawl.aged or not await crawl.permitted():
                return
            if not crawl.solo or await _marked(crawl, runtime, row):
                await _read_one(crawl, runtime, row)


async def _marked(crawl: ShardCrawl, runtime: Runtime, row: Any) -> bool:
    """Mark a sitemap before it is read alone; one whose reader died a lonely death is not read again."""
    values = {"run_id": crawl.held.run_id, "url_key": bytes(row.url_key), "error": BEING_READ}
    before = await runtime.database(
        lambda connection: connection.execute(frontier.mark_sitemap(), values).scalar()
    )
    if before is None:
        return True
    log.warning("sitemap.quarantined", run_id=crawl.held.run_id, url_full=row.url)
    crawl.closed_sitemaps.append((bytes(row.url_key), 0, BEING_READ))
    await crawl.until_committed()
    return False


def _open_sitemaps(connection: Connection, shard_id: int) -> Sequence[Row[Any]]:
    return connection.execute(frontier.open_sitemaps(), {"shard_id": shard_id}).all()


async def _queue(
    crawl: ShardCrawl, runtime: Runtime, named: tuple[str, ...] | list[str], *, depth: int
) -> None:
    pages = [page for page in map(urls.parse, named) if page is not None and len(page.url) <= 2048]  # noqa: PLR2004
    values = {
        "run_id": crawl.held.run_id,
        "shard_id": crawl.held.id,
        "depth": depth,
        "urls": [page.url for page in pages],
        "url_keys": [page.key for page in pages],
        "cap": MAX_SITEMAPS,
    }
    if pages:
        await runtime.database(lambda connection: connection.execute(frontier.add_sitemaps(), values))


async def _read_one(crawl: ShardCrawl, runtime: Runtime, row: Any) -> None:
    fetched = await _fetch_sitemap(crawl, runtime, row.url)
    for pause in QUICK_RETRY_SECONDS:
        if fetched.status not in RETRIED_STATUSES and fetched.error not in RETRYABLE_REASONS:
            break
        await asyncio.sleep(pause)
        if not await crawl.permitted():
            return
        fetched = await _fetch_sitemap(crawl, runtime, row.url)
    entries, error = 0, None
    if fetched.body is None:
        error = str(fetched.error or f"status {fetched.status}")
    else:
        entries, error = await _take_entries(crawl, runtime, row, fetched.body)
    crawl.closed_sitemaps.append((bytes(row.url_key), entries, error))
    await crawl.until_committed()


async def _fetch_sitemap(crawl: ShardCrawl, runtime: Runtime, url: str) -> Fetched:
    return await runtime.fetcher.fetch(
        url,
        policy=crawl.site.policy,
        allow_unverified_tls=crawl.site.definition.allow_unverified_tls,
        want_body=_any_success,
        max_body=MAX_SITEMAP_BYTES,
        max_wire=MAX_SITEMAP_BYTES,
    )


async def _take_entries(crawl: ShardCrawl, runtime: Runtime, row: Any, body: bytes) -> tuple[int, str | None]:
    """Hand the pages of a sitemap to the shard, and queue the sitemaps of an index."""
    count, children = 0, []
    try:
        for entry in sitemaps.read([body], url=row.url):
            count += 1
            if entry.kind == "sitemap":
                children.append(entry.url)
            elif (page := urls.parse(entry.url, row.url)) is not None and crawl.site.is_new(page):
                crawl.extra.append((page, SITEMAP_PAGE_DEPTH))
            if count % PARSED_AT_ONCE == 0:
                await asyncio.sleep(0)
    except sitemaps.SitemapError as error:
        return count, str(error)[:200]
    if row.depth < SITEMAP_DEPTH:
        await _queue(crawl, runtime, children, depth=row.depth + 1)
    return count, None
