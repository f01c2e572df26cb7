"""One slice: a time-boxed piece of crawling over the shards that could be leased. Needs no Celery.

The slice claims, loads, commits and releases; its shards fetch. Database work runs in a thread, so that fetching goes on
meanwhile. A slice that could not renew its leases for two thirds of their time drops all it holds, by its own clock.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from headersweep import logs, urls
from models import frontier, origins, shards
from worker.claim import Claimed, Claims
from worker.commit import Committed, Committer, Found, ShardBatch
from worker.crawl import LOAD_LIMIT, SOLO_PAGES, Held, Reserved, ShardCrawl
from worker.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from headersweep.settings import Settings
    from worker.runtime import Runtime

log = logs.get_logger()

CLAIM_EVERY_SECONDS = 2.0
STARVING_SECONDS = 0.02
DRAIN_SECONDS = 7.0
"""How long fetches in flight may take once the process is asked to stop, or everything is paused."""

AGED_SECONDS = 65.0
"""The same for a slice whose time is up: a little more than a fetch's total deadline."""

LINGER_SECONDS = 3.0
"""A shard that becomes due so soon is waited for, rather than left to the next tick."""

KNOWN_BITE = 2000

CRASHES_TOLERATED = 20
"""So many pages may meet a defect of ours in one shard before the shard as a whole counts as crashed."""


@dataclass(slots=True)
class SliceReport:
    """What a slice did, for its log line and for whoever rings next."""

    pages: int = 0
    claimed: int = 0
    new_snapshots: int = 0
    abandoned: bool = False
    more: bool = False


@dataclass(slots=True)
class _Clock:
    """When things were last done, by the monotonic clock."""

    started: float = field(default_factory=time.monotonic)
    renewed: float = field(default_factory=time.monotonic)
    committed: float = field(default_factory=time.monotonic)
    claimed: float = 0.0
    stopped: float = 0.0
    hurried: float = 0.0


class Slice:
    """The shards that one task holds, and what happens to them."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime = runtime
        self._settings = settings
        self._claims = Claims(runtime, settings)
        self._committer = Committer(runtime.engine, runtime.owner, settings.lease_seconds)
        self._crawls: dict[int, ShardCrawl] = {}
        self._poked = asyncio.Event()
        self._clock = _Clock()
        self._report = SliceReport()
        self._paused = False
        self._hurried = False
        self._claim_now = True
        self._quarantine: dict[int, list[int]] = {}
        self._on_their_way = 0
        self._late = False
        self._held = False

    async def run(self) -> SliceReport:
        """Crawl until the time is up, nothing is due, or the process is asked to stop."""
        try:
            await self._return_stranded()
            await self._crawl()
            await self._drain()
        except SQLAlchemyError as error:
            self._abandon(error)
        finally:
            await self._cancel_all()
        return self._report

    # -- the loop ----------------------------------------------------------------------------------------------

    async def _crawl(self) -> None:
        await self._claim()
        while self._crawls or (not self._over() and await self._worth_waiting()):
            if self._over() and self._stop_expired():
                return
            await self._wait()
            await self._reserve()
            await self._load_known()
            if self._commit_due():
                await self._commit()
                await self._release_idle()
            if self._claim_due():
                await self._claim()

    def _over(self) -> bool:
        aged = time.monotonic() - self._clock.started >= self._settings.slice_seconds
        return aged or self._paused or self._runtime.stopping.is_set()

    def _stop_expired(self) -> bool:
        """Let the shards start nothing new; whether they had their time to end what is in flight.

        A slice that only grew old waits for its slowest page, or robots.txt, else these could never be fetched.
        """
        now = time.monotonic()
        self._clock.stopped = self._clock.stopped or now
        self._hurried = self._paused or self._runtime.stopping.is_set()
        for crawl in self._crawls.values():
            crawl.aged = True
            if self._hurried or not crawl.is_preparing:
                crawl.stop()
        if self._hurried:
            self._clock.hurried = self._clock.hurried or now
            return now - self._clock.hurried >= DRAIN_SECONDS
        return now - self._clock.stopped >= AGED_SECONDS

    async def _worth_waiting(self) -> bool:
        """Wait for a shard that is due in a moment (a retry, a politeness gap); False when there is none."""
        soon = await self._database(lambda connection: connection.execute(shards.soonest()).scalar())
        if soon is None or float(soon) > LINGER_SECONDS:
            return False
        await asyncio.sleep(min(max(float(soon), 0.05), 1.0))
        await self._claim()
        return True

    async def _wait(self) -> None:
        """Wait until a shard has something to say, at most until the next commit is due."""
        starving = any(crawl.starving for crawl in self._crawls.values())
        timeout = STARVING_SECONDS if starving else min(0.2, self._settings.commit_seconds)
        self._poked.clear()
        if any(crawl.permits_wanted for crawl in self._crawls.values()):
            return
        try:
            async with asyncio.timeout(timeout):
                await self._poked.wait()
        except TimeoutError:
            return

    def _poke(self) -> None:
        waiting = self._waiting()
        self._hold_back(waiting)
        if waiting >= self._settings.commit_pages / 2 or any(
            crawl.starving or crawl.permits_wanted or crawl.solo for crawl in self._crawls.values()
        ):
            self._poked.set()

    def _waiting(self) -> int:
        return sum(len(crawl.results) for crawl in self._crawls.values())

    def _hold_back(self, waiting: int) -> None:
        """Fetch no further while too much is not durable: whatever dies or goes away, no more is fetched again."""
        held = self._late or waiting + self._on_their_way >= self._settings.commit_pages
        if held or self._held:
            for crawl in self._crawls.values():
                crawl.hold(held=held)
        self._held = held

    def _commit_due(self) -> bool:
        since = time.monotonic() - self._clock.committed
        crawls = self._crawls.values()
        # At half of what may be lost: the other half is fetched while these are on their way.
        if self._waiting() >= self._settings.commit_pages / 2 or since >= self._settings.commit_seconds:
            return True
        if any(crawl.solo and crawl.results for crawl in crawls):
            return True
        hungry = any(
            crawl.starving or crawl.exhausted or (crawl.wants_rows and crawl.loaded_upto < crawl.top)
            for crawl in crawls
        )
        return hungry and since >= STARVING_SECONDS

    def _claim_due(self) -> bool:
        room = len(self._crawls) < self._settings.shards_per_slice
        since = time.monotonic() - self._clock.claimed
        return room and not self._over() and (self._claim_now or since >= CLAIM_EVERY_SECONDS)

    # -- claiming ----------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        self._clock.claimed = time.monotonic()
        self._claim_now = False
        limit = self._settings.shards_per_slice - len(self._crawls)
        beside = list(self._crawls.values())
        held, paused = await self._database(lambda connection: self._claims.rows(connection, limit, beside))
        self._paused = self._paused or paused
        if not held:
            return
        self._report.claimed += len(held)
        for shard in held:
            log.debug("shard.claimed", run_id=shard.run_id, shard_id=shard.id, fence=shard.fence)
        claimed: Claimed = await self._database(
            lambda connection: self._claims.work_on(connection, held, beside, self._poke)
        )
        for run_id in claimed.started:
            if run_id in self._runtime.sites:
                log.info("run.started", run_id=run_id, site_name=self._runtime.sites[run_id].name)
        self._quarantine.update(claimed.quarantine)
        for crawl in claimed.crawls:
            crawl.mark = self._mark(crawl.held)
            self._crawls[crawl.held.id] = crawl
            crawl.preparing = self._runtime.spawn(self._prepare(crawl))

    async def _prepare(self, crawl: ShardCrawl) -> None:
        """robots.txt and sitemaps first, then the pages of the shard."""
        await prepare(crawl, self._runtime)
        crawl.begin()
        self._poke()

    def _mark(self, shard: Held) -> Callable[[Any], Any]:
        async def mark(item: Any) -> bool:
            values = {
                "id": shard.id,
                "fence": shard.fence,
                "owner": self._runtime.owner,
                "page_id": item.page_id,
                "lease": self._settings.lease_seconds,
            }
            rows = await self._database(
                lambda connection: connection.execute(shards.mark_suspect(), values).all()
            )
            return bool(rows)

        return mark

    async def _load_known(self) -> None:
        """Bring in the pages known from earlier runs, a bite at a time, as if a page had linked to them."""
        for crawl in list(self._crawls.values()):
            if crawl.known_upto is None or not crawl.prepared or crawl.extra or crawl.stopping:
                continue
            if not crawl.site.definition.follow_links:
                crawl.known_upto = None
                continue
            rows = await self._database(partial(_known_pages, crawl.site.site_id, crawl.known_upto))
            pages = [(urls.parse(row.url), row.depth) for row in rows]
            crawl.extra += [
                (page, depth) for page, depth in pages if page is not None and crawl.site.is_new(page)
            ]
            crawl.known_upto = rows[-1].id if len(rows) == KNOWN_BITE else None

    # -- politeness --------------------------------------------------------------------------------------------

    async def _reserve(self) -> None:
        """Reserve requests on the origins' rows, for all shards that wait for one, in one statement."""
        wanting = [(crawl, crawl.permits_wanted) for crawl in self._crawls.values() if crawl.permits_wanted]
        if not wanting:
            return
        by_origin: dict[int, list[tuple[ShardCrawl, int]]] = {}
        for crawl, count in wanting:
            by_origin.setdefault(crawl.held.origin_id, []).append((crawl, count))
        values = {
            "ids": list(by_origin),
            "counts": [sum(count for _, count in entries) for entries in by_origin.values()],
            "gaps": [entries[0][0].origin.gap for entries in by_origin.values()],
        }
        rows = await self._database(lambda connection: connection.execute(origins.reserve(), values).all())
        for row in rows:
            first, entries = row.wait, by_origin[row.id]
            for crawl, count in entries:
                reserved = Reserved(row.begins, row.ends, crawl.origin.gap, count)
                crawl.permit(first, count, reserved if len(entries) == 1 else None)
                first += count * crawl.origin.gap

    def _give_back(self, connection: Any, crawls: list[ShardCrawl]) -> None:
        """What was reserved on an origin's row and not used holds nobody up."""
        rows = [
            (crawl.held.origin_id, *unused)
            for crawl in crawls
            if (unused := crawl.unused_reservation()) is not None
        ]
        if rows:
            ids, ends, seconds = (list(column) for column in zip(*rows, strict=True))
            connection.execute(origins.give_back(), {"ids": ids, "endss": ends, "seconds": seconds})

    # -- committing --------------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        """Commit what was collected; repeat while the database is away, until the leases are no longer safe."""
        batches = [self._batch(crawl) for crawl in self._crawls.values()]
        self._on_their_way = sum(len(batch.results) for batch in batches)
        began = time.monotonic()
        try:
            answer = await self._commit_patiently(batches)
        except DBAPIError as error:
            if _passing(error) or not batches:
                raise
            await self._commit_apart(batches)
        else:
            self._apply(batches, answer)
        self._on_their_way, self._late = 0, False
        self._hold_back(self._waiting())
        self._clock.renewed = began
        self._clock.committed = time.monotonic()

    async def _commit_patiently(self, batches: list[ShardBatch]) -> Committed:
        while True:
            commit = asyncio.ensure_future(self._thread(lambda: self._committer.commit(batches)))
            done, _ = await asyncio.wait({commit}, timeout=max(self._safe_for(), 0.01))
            if not done:
                # The leases may be another's soon: what is fetched from now on is fetched twice.
                self._stop_all()
            try:
                answer: Committed = await commit
            except DBAPIError as error:
                if not _passing(error) or self._safe_for() <= 0:
                    raise
                await asyncio.sleep(0.25)
            else:
                return answer

    async def _commit_apart(self, batches: list[ShardBatch]) -> None:
        """The database refuses something of what was collected: find the shard at fault, commit the others."""
        for batch in batches:
            try:
                answer = await self._commit_patiently([batch])
            except DBAPIError as error:
                if _passing(error):
                    raise
                await self._fail(self._crawls[batch.held.id], error)
            else:
                self._apply([batch], answer)

    def _safe_for(self) -> float:
        """For how long the leases are ours for certain, by our own clock."""
        return self._clock.renewed + self._settings.lease_seconds * 2 / 3 - time.monotonic()

    def _stop_all(self) -> None:
        for crawl in self._crawls.values():
            crawl.stop()

    def _batch(self, crawl: ShardCrawl) -> ShardBatch:
        collected = crawl.take()
        found = [
            Found(page, depth, crawl.site.verdict(page, depth))
            for result in collected.results
            for page, depth in _depths(result)
        ]
        found += [Found(page, depth, crawl.site.verdict(page, depth)) for page, depth in collected.extra]
        progress = any(result.outcome is not None for result in collected.results)
        return ShardBatch(
            held=crawl.held,
            site=crawl.site,
            news=crawl.origin.take_news(),
            results=collected.results,
            found=found,
            done_upto=crawl.done_upto(collected.results),
            known_upto=crawl.known_upto,
            clear_lost=progress if not crawl.solo else crawl.solo_done >= SOLO_PAGES or crawl.exhausted,
            sitemaps=collected.sitemaps,
            load_after=crawl.loaded_upto if crawl.wants_rows else None,
            load_limit=LOAD_LIMIT,
            quarantined=self._quarantine.get(crawl.held.id, []),
        )

    def _apply(self, batches: list[ShardBatch], answer: Committed) -> None:
        self._paused = self._paused or answer.paused
        self._claim_now = self._claim_now or answer.new_shards
        self._report.new_snapshots += answer.new_snapshots
        for batch in batches:
            crawl = self._crawls[batch.held.id]
            if batch.held.origin_id in answer.resting:
                crawl.stop()
            if batch.held.id in answer.lost:
                self._lose(crawl)
                continue
            if batch.held.id in answer.outside:
                crawl.stop()
            self._report.pages += sum(result.outcome is not None for result in batch.results)
            crawl.site.count(result.snapshot.canonical for result in batch.results if result.snapshot)
            self._quarantine.pop(batch.held.id, None)
            crawl.top = answer.tops[batch.held.id]
            if batch.held.id in answer.rows:
                items, upto = answer.rows[batch.held.id]
                crawl.add(items, upto)
            crawl.committed(batch.results)

    def _lose(self, crawl: ShardCrawl) -> None:
        """Another worker holds the shard now: nothing of ours was written, nothing more is done."""
        log.warning("shard.lost", run_id=crawl.held.run_id, shard_id=crawl.held.id, fence=crawl.held.fence)
        self._drop(crawl)

    def _drop(self, crawl: ShardCrawl) -> None:
        del self._crawls[crawl.held.id]
        crawl.site.forget()
        crawl.stop()
        self._runtime.spawn(_end(crawl))

    async def _fail(self, crawl: ShardCrawl, error: BaseException) -> None:
        """A defect of ours ended the work on a shard: that counts as a lost lease, and the other shards go on."""
        held = crawl.held
        log.error(
            "shard.crashed",
            run_id=held.run_id,
            shard_id=held.id,
            error_type=type(error).__name__,
            exc_info=error,
        )
        self._drop(crawl)
        values = {"id": held.id, "fence": held.fence, "owner": self._runtime.owner}
        await self._database(lambda connection: connection.execute(shards.lapse(), values))

    # -- letting go --------------------------------------------------------------------------------------------

    async def _release_idle(self) -> None:
        """Hand back the shards that have nothing left to do for now, or whose origin asked for a rest."""
        for crawl in list(self._crawls.values()):
            await self._look_after_crashes(crawl)
        idle = [
            crawl
            for crawl in self._crawls.values()
            if crawl.exhausted
            or (crawl.stopping and crawl.in_flight == 0 and (self._hurried or not crawl.is_preparing))
        ]
        if idle:
            await self._release([crawl for crawl in idle if not crawl.has_news])

    async def _look_after_crashes(self, crawl: ShardCrawl) -> None:
        """A page that our own code cannot stand is left out, loudly; trouble with the database is everybody's."""
        for error, item in crawl.crashes():
            if isinstance(error, SQLAlchemyError):
                raise error
            if item is None or crawl.crashed_pages >= CRASHES_TOLERATED:
                await self._fail(crawl, error)
                return
            log.error(
                "page.quarantined",
                run_id=crawl.held.run_id,
                page_id=item.page_id,
                url_full=item.url,
                exc_info=error,
            )
            crawl.give_up(item)

    async def _release(self, crawls: list[ShardCrawl]) -> None:
        if not crawls:
            return
        values = {
            "owner": self._runtime.owner,
            "ids": [crawl.held.id for crawl in crawls],
            "fences": [crawl.held.fence for crawl in crawls],
            "prepared": [crawl.prepared for crawl in crawls],
            "done_uptos": [crawl.done_upto([]) for crawl in crawls],
        }
        for crawl in crawls:
            crawl.stop()
        solo = [crawl.held.id for crawl in crawls if crawl.solo]

        def release(connection: Any) -> None:
            if solo:
                connection.execute(frontier.unmark_sitemaps(), {"shard_ids": solo})
            connection.execute(shards.release(), values)
            self._give_back(connection, crawls)

        await self._database(release)
        for crawl in crawls:
            self._crawls.pop(crawl.held.id, None)
            await crawl.wait_idle(0)
            if crawl.has_news:
                crawl.site.forget()

    async def _drain(self) -> None:
        """End cleanly: let the fetches in flight end for a while, commit, hand back everything."""
        self._stop_all()
        await asyncio.gather(*(crawl.wait_idle(0) for crawl in self._crawls.values()))
        if self._crawls:
            await self._commit()
            await self._release(list(self._crawls.values()))
        soon = await self._database(lambda connection: connection.execute(shards.due_count()).scalar_one())
        self._report.more = soon > 0

    def _abandon(self, error: SQLAlchemyError) -> None:
        """Drop all that is held: the leases may be another's by now. Their clock brings the shards back.

        Unless we are back before: then they are handed back, since nobody died over them.
        """
        self._report.abandoned = True
        self._runtime.stranded += [
            (crawl.held.id, crawl.held.fence, crawl.prepared) for crawl in self._crawls.values()
        ]
        log.warning("slice.abandoned", shards=len(self._crawls), error_type=type(error).__name__)

    async def _return_stranded(self) -> None:
        """Hand back what an earlier slice of this process had to drop, where it is still ours."""
        stranded = self._runtime.stranded
        if not stranded:
            return
        ids, fences, prepared = (list(column) for column in zip(*stranded, strict=True))
        # Their low-water marks stay where the last commit put them.
        marks = [0] * len(ids)
        owner = self._runtime.owner
        values = {"owner": owner, "ids": ids, "fences": fences, "prepared": prepared, "done_uptos": marks}
        await self._database(lambda connection: connection.execute(shards.release(), values).all())
        self._runtime.stranded = []

    async def _cancel_all(self) -> None:
        self._stop_all()
        await asyncio.gather(*(_end(crawl) for crawl in self._crawls.values()))
        self._crawls.clear()

    # -- the database, in a thread -----------------------------------------------------------------------------

    async def _thread(self, call: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        return await self._noticed(loop.run_in_executor(self._runtime.database_pool, call))

    async def _database(self, call: Callable[[Any], Any]) -> Any:
        return await self._noticed(self._runtime.database(call))

    async def _noticed(self, answer: Awaitable[Any]) -> Any:
        """The answer; while it takes longer than a commit should, nothing further is fetched, until one succeeds."""
        timer = asyncio.get_running_loop().call_later(self._settings.commit_seconds, self._be_late)
        try:
            return await answer
        finally:
            timer.cancel()

    def _be_late(self) -> None:
        self._late = True
        self._hold_back(self._waiting())


def _known_pages(site_id: int, after: int, connection: Any) -> Any:
    values = {"site_id": site_id, "after": after, "limit": KNOWN_BITE}
    return connection.execute(frontier.known_pages(), values).all()


async def _end(crawl: ShardCrawl) -> None:
    """End a shard whose last results are not committed: what they found must be found again."""
    await crawl.wait_idle(0)
    crawl.site.forget()


def _depths(result: Any) -> list[tuple[Any, int]]:
    """The pages that a result found, each with its depth: a redirect leads no deeper."""
    return [
        (page, result.item.depth if page is result.target else result.item.depth + 1) for page in result.found
    ]


def _passing(error: DBAPIError) -> bool:
    """Whether an error of the database may pass by itself: a lost connection, a lock, a restart, a full disk."""
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated:
        return True
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in {"08", "40", "53", "57", "55", "58"}
