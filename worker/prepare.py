"""Before the first page of a shard: its origin's robots.txt (RFC 9309), then its sitemaps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from headersweep import logs, robots, sitemaps, urls
from headersweep.definition import RobotsMode
from headersweep.robots import RobotsVerdict
from headersweep.states import FailureReason, Outcome
from models import frontier, origins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from headersweep.urls import PageUrl
    from worker.crawl import ShardCrawl
    from worker.fetch import Fetched
    from worker.runtime import Runtime

log = logs.get_logger()

QUICK_RETRY_SECONDS = (1.0, 3.0)
"""A robots.txt that cannot be had is asked for again so soon within a slice; then its origin is left alone."""

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


async def prepare(crawl: ShardCrawl, runtime: Runtime) -> None:
    """Know the rules of the shard's origin and queue what its sitemaps name."""
    state = crawl.origin
    if crawl.site.definition.robots is RobotsMode.OBEY and state.rules is None and state.rules_failed is None:
        await _learn_rules(crawl, runtime)
    if crawl.site.definition.sitemaps and state.rules_failed is None and not crawl.solo:
        await _read_sitemaps(crawl, runtime)


# -- robots.txt ------------------------------------------------------------------------------------------------


async def _learn_rules(crawl: ShardCrawl, runtime: Runtime) -> None:
    state, row, now = crawl.origin, crawl.origin.row, datetime.now(UTC)
    if (
        row.robots_expires_at is not None
        and row.robots_expires_at > row.now
        and row.robots_status is not None
    ):
        verdict = robots.decide(row.robots_status)
        if verdict is not RobotsVerdict.UNREACHABLE:
            state.rules = robots.RobotsRules(verdict, row.robots_text or "")
            _obey_delay(crawl)
            return
    answer = await _ask(crawl, runtime)
    verdict = robots.decide(answer.status)
    if verdict is not RobotsVerdict.UNREACHABLE:
        state.rules = robots.RobotsRules.parse(answer.status, answer.body)
        await _keep(crawl, runtime, answer, good=True)
    elif row.robots_fetched_at is not None and robots.serves_while_unreachable(row.robots_fetched_at, now):
        state.rules = robots.RobotsRules(RobotsVerdict.PARSE, row.robots_text or "")
    else:
        state.rules_failed = _denied(answer)
        log.info("origin.failed", origin=state.url, run_id=crawl.held.run_id, reason=state.rules_failed[1])
        await _keep(crawl, runtime, answer, good=False)
    _obey_delay(crawl)


def _denied(answer: RobotsAnswer) -> tuple[Outcome, str]:
    """What becomes of the pages of an origin whose robots.txt cannot be had: its own outcome, unless it is away."""
    if answer.error in ORIGIN_IS_AWAY:
        return Outcome.FAILED, str(answer.error)
    return Outcome.ROBOTS_UNREACHABLE, f"robots.txt: {answer.error or f'status {answer.status}'}"


def _obey_delay(crawl: ShardCrawl) -> None:
    """Crawl-delay is no part of RFC 9309, but a wish that costs little; it only ever slows down."""
    delay = crawl.origin.rules.crawl_delay(crawl.agent) if crawl.origin.rules else None
    if delay and (crawl.origin.gap == 0 or crawl.origin.gap < delay):
        crawl.origin.rate = 1.0 / delay
        crawl.origin.max_rate = 1.0 / delay


async def _ask(crawl: ShardCrawl, runtime: Runtime) -> RobotsAnswer:
    for pause in (*QUICK_RETRY_SECONDS, None):
        answer = await _ask_once(crawl, runtime)
        passing = answer.error not in {FailureReason.TLS, FailureReason.ADDRESS_DENIED}
        if robots.decide(answer.status) is not RobotsVerdict.UNREACHABLE or pause is None or not passing:
            return answer
        if crawl.stopping:
            return answer
        await asyncio.sleep(pause)
    raise AssertionError("the last round returns")


async def _ask_once(crawl: ShardCrawl, runtime: Runtime) -> RobotsAnswer:
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
        target = _redirect(url, fetched)
        if target is None:
            return RobotsAnswer(fetched.status, fetched.body or b"", fetched.error)
        url = target.url
    # Too many redirects count as "unavailable" (RFC 9309 section 2.3.1.2): crawling is allowed.
    return RobotsAnswer(404, b"", None)


def _any_success(status: int, _content_type: str) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the range of success


def _redirect(url: str, fetched: Fetched) -> PageUrl | None:
    if fetched.status is None or not 300 <= fetched.status < 400 or not fetched.location:  # noqa: PLR2004 - redirects
        return None
    return urls.parse(fetched.location, url)


async def _keep(crawl: ShardCrawl, runtime: Runtime, answer: RobotsAnswer, *, good: bool) -> None:
    """Keep robots.txt with its origin, for all workers and runs; a failure is asked about again soon."""
    now = datetime.now(UTC)
    holds = robots.expires(robots.decide(answer.status), now, crawl.origin.row.robots_failures + 1) - now
    values = {
        "id": crawl.held.origin_id,
        "status": answer.status,
        "body": crawl.origin.rules.text if good and crawl.origin.rules else None,
        "good": good,
        "holds": holds.total_seconds(),
    }
    await runtime.database(lambda connection: connection.execute(origins.keep_robots(), values))


# -- sitemaps --------------------------------------------------------------------------------------------------


async def _read_sitemaps(crawl: ShardCrawl, runtime: Runtime) -> None:
    """Read the sitemaps that robots.txt names, or /sitemap.xml; one that was read in this run is not read again."""
    named = crawl.origin.rules.sitemaps if crawl.origin.rules else ()
    await _queue(crawl, runtime, named or (crawl.origin.url + "/sitemap.xml",), depth=0)
    while not crawl.stopping:
        waiting = await runtime.database(lambda connection: _open_sitemaps(connection, crawl.held.id))
        if not waiting:
            return
        for row in waiting:
            if not crawl.stopping:
                await _read_one(crawl, runtime, row)


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
    fetched = await runtime.fetcher.fetch(
        row.url,
        policy=crawl.site.policy,
        allow_unverified_tls=crawl.site.definition.allow_unverified_tls,
        want_body=_any_success,
        max_body=MAX_SITEMAP_BYTES,
        max_wire=MAX_SITEMAP_BYTES,
    )
    entries, error = 0, None
    if fetched.body is None:
        error = str(fetched.error or f"status {fetched.status}")
    else:
        entries, error = await _take_entries(crawl, runtime, row, fetched.body)
    crawl.closed_sitemaps.append((bytes(row.url_key), entries, error))
    await crawl.until_committed()


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
