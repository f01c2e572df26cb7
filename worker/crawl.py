"""Crawl one shard while its lease lasts: take pages in order, politely, and collect what became of them.

Nothing here touches the database: the slice loads pages in and takes results out.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from headersweep import logs, markup, politeness
from headersweep.politeness import RateEvent
from headersweep.states import FailureReason, Outcome
from worker import fetch, page
from worker.page import CONNECT_REASONS, Item, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from headersweep.robots import RobotsRules
    from headersweep.urls import PageUrl
    from worker.fetch import Fetched, Fetcher
    from worker.site import RunSite

log = logs.get_logger()

DOWN_AFTER = 5
"""So many pages in a row without a connection: the origin is down."""

DOWN_RESTS = 2
"""An origin that is down is left alone for a while so often; then its other pages are not even tried."""

MAX_LEVEL = 20
REFILL_BELOW = 200
LOAD_LIMIT = 1000
SOLO_PAGES = 20
"""A shard that lost its lease twice is trusted again after so many pages done alone."""


@dataclass(slots=True)
class Held:
    """A leased shard as the claim returned it."""

    id: int
    run_id: int
    origin_id: int
    fence: int
    top: int
    done_upto: int
    known_upto: int | None
    lost_leases: int
    suspect_page_id: int | None
    generation: int = 1


@dataclass(slots=True)
class OriginState:
    """What the origin's row said at the claim, and what this slice learnt since."""

    scheme: str
    host: str
    port: int
    rate: float
    level: int
    latency_ms: float | None = None
    block_seconds: float = 0.0
    dirty: bool = False
    max_rate: float = 0.0
    row: Any = None

    @property
    def url(self) -> str:
        """The origin as a URL without a path."""
        default = (self.scheme, self.port) in {("http", 80), ("https", 443)}
        return f"{self.scheme}://{self.host}" + ("" if default else f":{self.port}")

    @property
    def gap(self) -> float:
        """Seconds between two requests; 0 when there is no limit."""
        return 1.0 / self.rate if self.rate > 0 else 0.0

    def take_news(self) -> News | None:
        """What the origin's row should be told, once; what is learnt from now on is told the next time."""
        if not self.dirty:
            return None
        news = News(self.rate, self.level, self.block_seconds)
        self.dirty, self.block_seconds = False, 0.0
        return news


class News(NamedTuple):
    """What a slice learnt about an origin: its rate, its back-off level, for how long it wants to be left alone."""

    rate: float
    level: int
    block_seconds: float


class Reserved(NamedTuple):
    """So many requests, a gap apart, reserved on an origin's row from one moment to another."""

    begins: datetime
    ends: datetime
    gap: float
    requests: int


@dataclass(slots=True)
class Collected:
    """What a shard hands over for the next commit: results, pages found elsewhere, sitemaps that were read."""

    results: list[Result] = field(default_factory=list)
    extra: list[tuple[PageUrl, int]] = field(default_factory=list)
    sitemaps: list[tuple[bytes, int, str | None]] = field(default_factory=list)


class ShardCrawl:
    """One shard at work in this slice."""

    def __init__(  # noqa: PLR0913, PLR0917 - a shard has this many neighbours
        self,
        held: Held,
        site: RunSite,
        origin: OriginState,
        fetcher: Fetcher,
        agent: str,
        poke: Callable[[], None],
    ) -> None:
        self.held = held
        self.site = site
        self.origin = origin
        self.prepared = False
        self.aged = False
        self.rules: RobotsRules | None = None
        self.rules_failed: tuple[Outcome, str] | None = None
        self.solo = held.lost_leases >= 2  # noqa: PLR2004 - models.shards.SOLO_AFTER
        self.solo_done = 0
        self.top = held.top
        self.loaded_upto = held.done_upto
        self.known_upto = held.known_upto
        self.results: list[Result] = []
        self.extra: list[tuple[PageUrl, int]] = []
        self.closed_sitemaps: list[tuple[bytes, int, str | None]] = []
        self.first: tuple[list[Item], int] = ([], held.done_upto)
        self.agent = agent
        self.in_flight = 0
        self.stopping = False
        self.mark: Callable[[Item], asyncio.Future[bool]] | None = None
        self._fetcher = fetcher
        self._poke = poke
        self._queue: deque[Item] = deque()
        self._outstanding: set[int] = set()
        self._more = asyncio.Event()
        self._committed = asyncio.Event()
        self._taken = 0
        self._durable = 0
        self._stopped = asyncio.Event()
        self._permits: deque[float] = deque()
        self._permit_waiters = 0
        self._unused = 0
        self._reserved: Reserved | None = None
        self._permitted = asyncio.Event()
        self._failures_in_row = 0
        self._held_back = False
        self._tasks: list[asyncio.Task[None]] = []
        self._at: dict[asyncio.Task[Any], Item] = {}
        self.crashed_pages = 0
        self.preparing: asyncio.Task[None] | None = None

    # -- what the slice asks and tells -------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to take pages, on as many connections as the owner allows: robots.txt and sitemaps are known."""
        if self.stopping:
            return
        self.prepared = True
        self.add(*self.first)
        count = 1 if self.solo else max(1, self.site.definition.concurrency)
        self._tasks = [asyncio.create_task(self._runner()) for _ in range(count)]

    def add(self, items: list[Item], loaded_upto: int) -> None:
        """Take in more pages to visit, in the order of their frontier rows."""
        self._queue.extend(items)
        self._outstanding.update(item.seq for item in items)
        self.loaded_upto = max(self.loaded_upto, loaded_upto)
        if items:
            self._more.set()

    def take(self) -> Collected:
        """Hand over what was collected since the last time."""
        self._taken += 1
        collected = Collected(self.results, self.extra, self.closed_sitemaps)
        self.results, self.extra, self.closed_sitemaps = [], [], []
        return collected

    def committed(self, results: list[Result]) -> None:
        """What was handed over is durable now."""
        self._outstanding.difference_update(result.item.seq for result in results)
        self._durable = self._taken
        self._committed.set()

    def done_upto(self, leaving: list[Result]) -> int:
        """The low-water mark once ``leaving`` is committed: all rows up to it have a visit or wait for a retry."""
        rest = self._outstanding.difference(result.item.seq for result in leaving)
        return min(rest) - 1 if rest else self.loaded_upto

    @property
    def wants_rows(self) -> bool:
        """Whether the slice should load more of the frontier."""
        return self.prepared and not self.stopping and len(self._queue) < REFILL_BELOW

    @property
    def starving(self) -> bool:
        """Whether all connections wait for what a commit would bring."""
        return self.has_news and not self._queue and not self.stopping

    @property
    def has_news(self) -> bool:
        """Whether a commit would have something to write."""
        return bool(self.results or self.extra or self.closed_sitemaps)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to do in this shard for now."""
        idle = not self._queue and self.in_flight == 0 and not self.has_news
        return self.prepared and idle and self.loaded_upto >= self.top and self.known_upto is None

    @property
    def permits_wanted(self) -> int:
        """How many requests should be reserved on the origin's row now."""
        if self.stopping or not self._permit_waiters or self._permits:
            return 0
        return max(
            self._permit_waiters if self.origin.rate >= self._permit_waiters else 1, int(self.origin.rate)
        )

    def permit(self, first_in: float, count: int, reserved: Reserved | None) -> None:
        """Requests were reserved: the first in so many seconds, the others a gap apart.

        ``reserved`` is what that is on the origin's row, unless it is shared with other shards.
        """
        now, gap = time.monotonic(), self.origin.gap
        self._permits.extend(now + first_in + index * gap for index in range(count))
        before = self._reserved
        if reserved and before and (before.ends, before.gap) == (reserved.begins, reserved.gap):
            reserved = Reserved(before.begins, reserved.ends, gap, before.requests + count)
        self._reserved = reserved
        self._permitted.set()

    def unused_reservation(self) -> tuple[datetime, float] | None:
        """The end of what was reserved last without a break, and the seconds before it that nobody used."""
        unused = self._unused + len(self._permits)
        if self._reserved is None or not unused:
            return None
        return self._reserved.ends, min(unused, self._reserved.requests) * self._reserved.gap

    def hold(self, *, held: bool) -> None:
        """Begin no further page until this is taken back."""
        if self._held_back and not held:
            self._more.set()
        self._held_back = held

    def stop(self) -> None:
        """Start no further fetch; those in flight may end."""
        self.stopping = True
        for event in (self._more, self._permitted, self._committed, self._stopped):
            event.set()

    async def wait_idle(self, seconds: float) -> None:
        """Wait for the fetches in flight, at most so long, then cancel them: their pages stay to be done."""
        tasks = self._all_tasks()
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=max(seconds, 0.01))
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _all_tasks(self) -> list[asyncio.Task[None]]:
        return self._tasks if self.preparing is None else [*self._tasks, self.preparing]

    @property
    def is_preparing(self) -> bool:
        """Whether robots.txt or sitemaps are still being read."""
        return self.preparing is not None and not self.preparing.done()

    def crashes(self) -> Iterator[tuple[BaseException, Item | None]]:
        """The defects that ended the preparation or a runner since the last time, each with the page it was at."""
        for task in self._all_tasks():
            if task.done() and not task.cancelled() and (error := task.exception()):
                self._tasks = [other for other in self._tasks if other is not task]
                if task is self.preparing:
                    self.preparing = None
                yield error, self._at.pop(task, None)

    def give_up(self, item: Item) -> None:
        """Leave out a page that our own code cannot stand, and go on with the others."""
        self.crashed_pages += 1
        self._collect(page.decided(item, Outcome.FAILED, FailureReason.QUARANTINED))
        self._tasks.append(asyncio.create_task(self._runner()))

    # -- fetching ----------------------------------------------------------------------------------------------

    async def _runner(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        while (item := await self._next()) is not None:
            self._at[task] = item
            self.in_flight += 1
            try:
                result = await self._visit(item)
            finally:
                self.in_flight -= 1
            # Not in the finally: whoever finds this task crashed asks which page it was at.
            del self._at[task]
            if result is None:
                continue
            self._collect(result)
            if self.solo:
                self.solo_done += 1
                await self.until_committed()

    async def _next(self) -> Item | None:
        while not self.stopping:
            if self._queue and not self._held_back:
                return self._queue.popleft()
            self._more.clear()
            await self._more.wait()
        return None

    def _collect(self, result: Result) -> None:
        self.results.append(result)
        self._poke()

    async def until_committed(self) -> None:
        """Wait until what was collected so far is durable (or the slice stops)."""
        # A commit that is on its way has not taken it along: the next one will.
        wanted = self._taken + 1
        while self._durable < wanted and not self.stopping:
            self._committed.clear()
            self._poke()
            await self._committed.wait()

    async def _visit(self, item: Item) -> Result | None:
        """Visit one page; None when the slice stopped before it was fetched."""
        early = self._decided_early(item)
        if early is not None:
            return early
        if not await self.permitted():
            return None
        if self.solo and self.mark is not None and not await self.mark(item):
            return None
        fetched = await self._fetcher.fetch(
            item.url,
            policy=self.site.policy,
            allow_unverified_tls=self.site.definition.allow_unverified_tls,
            want_body=self._wants_body,
        )
        return self._judge(item, fetched)

    def _decided_early(self, item: Item) -> Result | None:
        if self._failures_in_row >= DOWN_AFTER:
            return page.decided(item, Outcome.FAILED, FailureReason.ORIGIN_DOWN)
        if self.rules_failed is not None:
            return page.decided(item, *self.rules_failed)
        if self.rules is not None and not self.rules.allows(item.url, self.agent):
            return page.decided(item, Outcome.ROBOTS_DENIED, None)
        return None

    async def permitted(self) -> bool:
        """Wait until the origin may be asked for something; False when the shard stops before."""
        if self.origin.gap == 0:
            return not self.stopping
        while not self.stopping:
            self._drop_stale_permits()
            if self._permits:
                return await self._waited_until(self._permits.popleft())
            self._permit_waiters += 1
            self._permitted.clear()
            self._poke()
            try:
                await self._permitted.wait()
            finally:
                self._permit_waiters -= 1
        return False

    def _drop_stale_permits(self) -> None:
        """What was reserved for a moment that passed unused is void, else a pause would be followed by a burst."""
        oldest = time.monotonic() - self.origin.gap
        while self._permits and self._permits[0] < oldest:
            self._permits.popleft()

    async def _waited_until(self, moment: float) -> bool:
        wait = moment - time.monotonic()
        if wait > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stopped.wait()
        self._unused += self.stopping
        return not self.stopping

    def _wants_body(self, status: int, content_type: str) -> bool:
        return self.site.definition.follow_links and fetch.worth_reading(status, content_type)

    def _judge(self, item: Item, fetched: Fetched) -> Result:
        if fetched.error is not None or fetched.status is None:
            self._learn_failure(fetched)
            log.debug(
                "page.failed",
                run_id=self.site.run_id,
                url_full=item.url,
                reason=str(fetched.error),
                error_detail=fetched.error_detail,
            )
            return page.failed(item, fetched)
        self._learn_answer(fetched)
        if page.wants_retry(item, fetched.status):
            delay = max(self.origin.block_seconds, politeness.retry_delay(item.attempts + 1, random.random()))  # noqa: S311 - spread, not secrecy
            return Result(item, None, fetched.fetched_at, f"status {fetched.status}", retry_seconds=delay)
        snapshot, parsed = self.site.snapshot(fetched.raw_headers)
        result = page.answered(item, fetched, snapshot, parsed)
        result.found = self._found(result.target, self._read_body(item, fetched, result))
        return result

    def _read_body(self, item: Item, fetched: Fetched, result: Result) -> list[PageUrl]:
        """Note the facts of a body, if there is one; give the pages that it links to."""
        if fetched.body is None or fetched.status is None:
            return []
        walked = markup.walk(fetched.body, fetched.charset)
        result.facts = self.site.facts(walked, fetched.body, item.url)
        follows = fetch.html_only(fetched.status, fetched.content_type)
        return self.site.links.of(walked, item.url) if follows else []

    def _found(self, target: PageUrl | None, linked: list[PageUrl]) -> list[PageUrl]:
        pages = linked if target is None else [target, *linked]
        # The target is always handed over: the commit needs its id.
        return [found for found in pages if found is target or self.site.is_new(found)]

    def _learn_failure(self, fetched: Fetched) -> None:
        self._failures_in_row = self._failures_in_row + 1 if fetched.error in CONNECT_REASONS else 0
        adapt(self.origin, fetched)
        if self._failures_in_row >= DOWN_AFTER and self.origin.level < DOWN_RESTS and not self.stopping:
            self._back_off(fetched)

    def _learn_answer(self, fetched: Fetched) -> None:
        self._failures_in_row = 0
        adapt(self.origin, fetched)
        if fetched.status in politeness.ASKS_FOR_REST:
            self._back_off(fetched)
        elif self.origin.level and (fetched.status or 0) < politeness.FIRST_SERVER_ERROR:
            self.origin.level, self.origin.dirty = 0, True

    def _back_off(self, fetched: Fetched) -> None:
        """The whole origin rests: its row keeps everybody away, this shard goes back until then."""
        # Answers that were on their way when the first one asked for rest are no further refusals.
        rest(self.origin, fetched, self.site.run_id, grows=not self.stopping)
        self.stop()
        self._poke()


def rest(state: OriginState, fetched: Fetched, run_id: int, *, grows: bool = True) -> None:
    """Let the whole origin rest after an answer that asked for it; ``grows``: the next time for longer."""
    seconds = politeness.rest_seconds(fetched.retry_after, state.level, random.random(), fetched.fetched_at)  # noqa: S311 - spread, not secrecy
    state.block_seconds = max(seconds, state.block_seconds)
    state.level = min(state.level + 1, MAX_LEVEL) if grows else state.level
    state.dirty = True
    log.info(
        "origin.backed_off",
        origin=state.url,
        run_id=run_id,
        status_code=fetched.status,
        delay_seconds=round(state.block_seconds, 1),
    )


def adapt(state: OriginState, fetched: Fetched) -> None:
    """Let the origin's answer change its rate: up only on success with steady latency, down on trouble."""
    event = politeness.event_of(fetched.status, fetched.error)
    usual = state.latency_ms
    if event is RateEvent.SUCCESS:
        state.latency_ms = fetched.elapsed_ms if usual is None else 0.9 * usual + 0.1 * fetched.elapsed_ms
    ratio = fetched.elapsed_ms / usual if usual else 1.0
    rate = politeness.next_rate(state.rate, state.max_rate, event, ratio)
    if rate != state.rate:
        state.rate, state.dirty = rate, True
