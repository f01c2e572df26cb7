"""Making probes: claim, ask politely, keep what was answered. Beside slices, since a probe is no page of a run.

A probe obeys what pages obey: the origin's row, robots.txt, the address policy, the kill switch, the site's switch and
window. One at a time at an origin; each in its own transaction, under its fencing number.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from headersweep import addresses, headers, logs, politeness
from headersweep.definition import RobotsMode, SiteDefinition
from headersweep.probes import MAX_ATTEMPTS, MAX_BODY_BYTES, GivenUp, ProbeRequest, ProbeState
from headersweep.states import RETRYABLE_REASONS, Outcome
from models import origins, probes
from review.probes import kinds
from worker import claim, crawl
from worker.crawl import OriginState
from worker.page import RETRIED_STATUSES
from worker.prepare import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Row

    from headersweep.addresses import AddressPolicy
    from headersweep.settings import Settings
    from worker.fetch import Fetched
    from worker.runtime import Runtime
    from worker.site import Robots

log = logs.get_logger()

AT_ONCE = 20
"""So many origins are asked at once by one process."""

LINGER_SECONDS = 3.0
"""A probe that becomes due so soon is waited for, rather than left to the next tick."""

RENEWALS = 4
DRAIN_SECONDS = 5.0
"""How long requests in flight may take once the process is asked to stop."""

DEFECT = "defect"


@dataclass(slots=True)
class Held:
    """A leased probe."""

    id: int
    fence: int
    run_id: int
    origin_id: int
    attempts: int
    kind: str
    request: dict[str, Any]


@dataclass(slots=True)
class Site:
    """What a run knows of its site, for all of its probes in this process."""

    definition: SiteDefinition
    policy: AddressPolicy
    robots: dict[int, Robots] = field(default_factory=dict)


@dataclass(slots=True)
class Asking:
    """One probe on its way."""

    held: Held
    site: Site
    origin: OriginState


@dataclass(frozen=True, slots=True)
class Ended:
    """What a probe came to, as its row will have it."""

    state: ProbeState
    status: int | None = None
    raw: bytes | None = None
    error: str | None = None
    evidence: str | None = None
    elapsed_ms: int | None = None


class Prober:
    """Makes the probes that are due, until none is."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime = runtime
        self._settings = settings
        self._sites: dict[int, Site] = {}
        self._tasks: dict[asyncio.Task[None], Held] = {}
        self._claimed = 0
        self._renewed = time.monotonic()

    async def run(self) -> int:
        """Make probes until none is due in a moment, or the process is asked to stop; returns how many were claimed."""
        try:
            while not self._runtime.stopping.is_set():
                await self._claim()
                if not self._tasks and not await self._worth_waiting():
                    break
                await self._wait()
                await self._renew()
        finally:
            await self._end()
        return self._claimed

    async def _wait(self) -> None:
        if not self._tasks:
            return
        done, _ = await asyncio.wait(self._tasks, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            held = self._tasks.pop(task)
            # What ended a task beside a stop is a lost database, or a defect that its row has been told of.
            if (error := task.exception()) is not None:
                log.warning(
                    "probe.lost", run_id=held.run_id, probe_kind=held.kind, error_type=type(error).__name__
                )

    async def _worth_waiting(self) -> bool:
        soon = await self._runtime.database(lambda connection: connection.execute(probes.soonest()).scalar())
        if soon is None or float(soon) > LINGER_SECONDS:
            return False
        await asyncio.sleep(min(max(float(soon), 0.05), 1.0))
        return True

    # -- claiming ----------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        room = AT_ONCE - len(self._tasks)
        if room <= 0:
            return
        try:
            claimed = await self._runtime.database(partial(self._claim_rows, room))
        except IntegrityError:
            # Somebody else has claimed another probe of the same origin meanwhile.
            return
        for asking in claimed:
            self._claimed += 1
            self._tasks[asyncio.get_running_loop().create_task(self._ask(asking))] = asking.held

    def _claim_rows(self, limit: int, connection: Connection) -> list[Asking]:
        values = {"owner": self._runtime.owner, "lease": self._settings.lease_seconds, "limit": limit}
        rows = connection.execute(probes.claim(), values).all()
        ids = sorted({row.origin_id for row in rows})
        known = {row.id: row for row in connection.execute(origins.load(), {"ids": ids})} if ids else {}
        asking = [self._asking_or_crash(connection, row, known[row.origin_id]) for row in rows]
        return [each for each in asking if each is not None]

    def _asking_or_crash(self, connection: Connection, row: Row[Any], origin: Row[Any]) -> Asking | None:
        """The probe that a row describes; None, and its row is told, where a newer program or a person broke its run."""
        try:
            return self._asking(row, origin)
        except (ValueError, TypeError) as error:
            held = Held(row.id, row.fence, row.run_id, row.origin_id, row.attempts, row.kind, row.request)
            connection.execute(probes.settle(), self._settled(held, _crashed(held, error)))
            return None

    def _asking(self, row: Row[Any], origin: Row[Any]) -> Asking:
        site = self._sites.get(row.run_id)
        if site is None:
            definition = SiteDefinition.from_json(row.definition)
            policy = addresses.AddressPolicy(definition.allow_addresses)
            site = self._sites[row.run_id] = Site(definition, policy)
        held = Held(row.id, row.fence, row.run_id, row.origin_id, row.attempts, row.kind, row.request)
        return Asking(held, site, claim.origin_state(origin, site.definition))

    async def _renew(self) -> None:
        if time.monotonic() - self._renewed < self._settings.lease_seconds / RENEWALS or not self._tasks:
            return
        self._renewed = time.monotonic()
        held = list(self._tasks.values())
        values = {
            "owner": self._runtime.owner,
            "lease": self._settings.lease_seconds,
            "ids": [each.id for each in held],
            "fences": [each.fence for each in held],
        }
        await self._runtime.database(lambda connection: connection.execute(probes.renew(), values).all())

    # -- asking ------------------------------------------------------------------------------------------------

    async def _ask(self, asking: Asking) -> None:
        try:
            denied = await self._denied(asking)
            if denied is not None:
                await self._settle(asking, Ended(ProbeState.FAILED, error=denied))
            elif await self._may_ask(asking):
                await self._take(asking, await self._answer(asking))
        except (ValueError, TypeError, KeyError) as error:
            await self._settle(asking, _crashed(asking.held, error))

    async def _denied(self, asking: Asking) -> str | None:
        """Why robots.txt keeps us from asking, if it does."""
        if asking.site.definition.robots is RobotsMode.IGNORE:
            return None
        decided = await rules_of(asking, self._runtime)
        if decided.denied is not None:
            outcome, reason = decided.denied
            return reason if outcome is Outcome.FAILED else GivenUp.ROBOTS_UNREACHABLE
        allowed = decided.rules is None or decided.rules.allows(
            str(asking.held.request["url"]), self._runtime.agent
        )
        return None if allowed else GivenUp.ROBOTS_DENIED

    async def _may_ask(self, asking: Asking) -> bool:
        """Wait for the origin's turn; False where it is too far away, and the probe was put back until then."""
        values = {"ids": [asking.held.origin_id], "counts": [1], "gaps": [asking.origin.gap]}
        wait = 0.0
        if asking.origin.gap:
            row = await self._runtime.database(
                lambda connection: connection.execute(origins.reserve(), values).one()
            )
            wait = max(row.wait, 0.0)
        if wait > LINGER_SECONDS:
            await self._put_back(asking, wait, refund=1)
            return False
        await asyncio.sleep(wait)
        return True

    async def _answer(self, asking: Asking) -> Fetched:
        reader = kinds.READERS.get(asking.held.kind)
        return await self._runtime.fetcher.probe(
            ProbeRequest.from_json(asking.held.request),
            policy=asking.site.policy,
            allow_unverified_tls=asking.site.definition.allow_unverified_tls,
            max_body=MAX_BODY_BYTES if reader else 0,
        )

    # -- keeping -----------------------------------------------------------------------------------------------

    async def _take(self, asking: Asking, fetched: Fetched) -> None:
        crawl.adapt(asking.origin, fetched)
        if fetched.status in politeness.ASKS_FOR_REST:
            crawl.rest(asking.origin, fetched, asking.held.run_id)
        passing = fetched.error in RETRYABLE_REASONS or fetched.status in RETRIED_STATUSES
        if passing and asking.held.attempts < MAX_ATTEMPTS:
            delay = politeness.retry_delay(asking.held.attempts, random.random())  # noqa: S311 - spread, not secrecy
            await self._put_back(asking, max(delay, asking.origin.block_seconds))
        else:
            await self._settle(asking, _ended(asking.held.kind, fetched))

    async def _put_back(self, asking: Asking, delay: float, refund: int = 0) -> None:
        values = {**self._mine(asking.held), "delay": delay, "refund": refund}

        def put_back(connection: Connection) -> None:
            connection.execute(probes.put_back(), values)
            _tell(connection, asking)

        await self._runtime.database(put_back)

    async def _settle(self, asking: Asking, ended: Ended) -> None:
        held = asking.held

        def settle(connection: Connection) -> bool:
            _tell(connection, asking)
            return connection.execute(probes.settle(), self._settled(held, ended)).first() is not None

        if await self._runtime.database(settle):
            _say(held, ended)
            await self._say_finished(held.run_id)

    async def _say_finished(self, run_id: int) -> None:
        """Say that a run has no probe left. Two that end at once may both say so; none of them is silent."""
        rows = await self._runtime.database(
            lambda connection: connection.execute(probes.counts(), {"run_ids": [run_id]}).all()
        )
        counted = dict.fromkeys(ProbeState, 0)
        for row in rows:
            counted[ProbeState(row.state)] += row.probes
        if not counted[ProbeState.WAITING]:
            log.info(
                "probes.finished",
                run_id=run_id,
                answered=counted[ProbeState.ANSWERED],
                unanswered=counted[ProbeState.FAILED],
            )

    def _settled(self, held: Held, ended: Ended) -> dict[str, Any]:
        return {
            **self._mine(held),
            "state": str(ended.state),
            "status": ended.status,
            "raw": ended.raw,
            "error": ended.error and str(ended.error)[:200],
            "evidence": ended.evidence,
            "elapsed_ms": ended.elapsed_ms,
        }

    def _mine(self, held: Held) -> dict[str, Any]:
        return {"id": held.id, "fence": held.fence, "owner": self._runtime.owner}

    async def _end(self) -> None:
        """Let what is in flight end for a while; hand back the rest, as if it had not been tried."""
        if not self._tasks:
            return
        _done, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in late:
            values = {**self._mine(self._tasks[task]), "delay": 0.0, "refund": 1}
            await self._runtime.database(_statement(probes.put_back(), values))
        self._tasks.clear()


def _crashed(held: Held, error: Exception) -> Ended:
    log.error(
        "probe.crashed",
        run_id=held.run_id,
        probe_kind=held.kind,
        error_type=type(error).__name__,
        exc_info=error,
    )
    return Ended(ProbeState.FAILED, error=DEFECT)


def _statement(statement: Any, values: dict[str, Any]) -> Callable[[Connection], Any]:
    return lambda connection: connection.execute(statement, values).all()


def _ended(kind: str, fetched: Fetched) -> Ended:
    """An answer of any status is an answer; its cookies are masked, and of its body only what the kind reads is kept."""
    if fetched.error is not None or fetched.status is None:
        return Ended(ProbeState.FAILED, error=str(fetched.error), elapsed_ms=fetched.elapsed_ms)
    reader = kinds.READERS.get(kind)
    # NUL is no character that Postgres keeps.
    seen = reader(fetched.status, fetched.body or b"") if reader else None
    return Ended(
        ProbeState.ANSWERED,
        fetched.status,
        headers.mask_cookies(fetched.raw_headers),
        evidence=None if seen is None else json.dumps(seen).replace("\\u0000", "\\ufffd"),
        elapsed_ms=fetched.elapsed_ms,
    )


def _tell(connection: Connection, asking: Asking) -> None:
    """Keep on the origin's row what the answer taught about its load."""
    news = asking.origin.take_news()
    if news is not None:
        values = {
            "ids": [asking.held.origin_id],
            "rates": [news.rate],
            "levels": [news.level],
            "blocks": [news.block_seconds],
        }
        connection.execute(origins.feedback(), values)


def _say(held: Held, ended: Ended) -> None:
    url = str(held.request.get("url", ""))
    if ended.state is ProbeState.ANSWERED:
        log.debug(
            "probe.answered",
            run_id=held.run_id,
            probe_kind=held.kind,
            url_full=url,
            status_code=ended.status,
            duration_ms=ended.elapsed_ms,
        )
    else:
        log.info(
            "probe.failed", run_id=held.run_id, probe_kind=held.kind, url_full=url, reason=str(ended.error)
        )
