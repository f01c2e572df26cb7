"""Everything that a seed needs, made once: the site, a home to be copied, and what an undisturbed sweep comes to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos import checks, sweeping
from tests.chaos import schedule as schedules
from tests.chaos.checks import Undisturbed, Verdict
from tests.chaos.points import Source
from tests.chaos.schedule import Messages, Mode, Schedule
from tests.processes import _program
from tests.processes._program import Home
from tests.site_plan import Shares
from tests.site_server import SiteServer

PAGES = 401
ORIGINS = 3
SITE_SEED = 112  # draws one page that is busy and one that is limited: more of them only make a sweep wait
DELAY_SECONDS = 0.08
SLOW_SECONDS = 0.6
CHAIN = 12
WHOLE = Shares()
CALM_TRIES = 3
IMPATIENT = Shares(busy=0, limited=0)
"""Without the two pages that make an origin wait for seconds: for the short form."""


@dataclass(frozen=True)
class Laboratory:
    """Where seeds are tried."""

    made: Home
    site: SiteServer
    alone: Undisturbed

    def tried(self, seed: int) -> Verdict:
        """What comes of one seed; whatever it started has ended."""
        return self.carried_out(schedules.drawn(seed, sweeping.LEASE_SECONDS))

    def carried_out(self, schedule: Schedule, source: Source = Source()) -> Verdict:  # noqa: B008 - frozen
        """What comes of one schedule."""
        began = time.monotonic()
        try:
            with sweeping.swept(self.made, self.site, schedule, source) as sweep:
                return checks.judged(sweep, self.alone, time.monotonic() - began)
        except AssertionError as error:
            return Verdict(schedule, (str(error),), seconds=time.monotonic() - began)


@contextlib.contextmanager
def opened(
    made: Home, shares: Shares = WHOLE, pages: int = PAGES, delay: float = DELAY_SECONDS
) -> Iterator[Laboratory]:
    """A site, and the digest of a sweep of it that is left alone."""
    with SiteServer(
        shares=shares,
        pages=pages,
        origins=ORIGINS,
        seed=SITE_SEED,
        chain=CHAIN,
        delay=delay,
        slow_seconds=SLOW_SECONDS,
    ) as site:
        yield Laboratory(made, site, _left_alone(made, site))


def _left_alone(made: Home, site: SiteServer) -> Undisturbed:
    """What a sweep comes to that nothing happens to.

    The suite's leases are so short that a machine which stands still for a second breaks one, and what it held is rightly fetched
    again: that was no sweep left alone, and another is made. Other tests hold sweeps with ordinary leases to one request a page.
    """
    alone, verdict = _undisturbed(made, site)
    for _ in range(CALM_TRIES - 1):
        if not verdict.repeated:
            break
        alone, verdict = _undisturbed(made, site)
    assert verdict.wrong == (), (verdict.wrong, f"{verdict.refused} leases lost")
    return alone


def _undisturbed(made: Home, site: SiteServer) -> tuple[Undisturbed, Verdict]:
    calm = Schedule(0, Mode.SWEEP, 2, Messages.DELIVERED, ())
    began = time.monotonic()
    with sweeping.swept(made, site, calm) as sweep:
        seconds = time.monotonic() - began
        with sweep.database() as connection:
            alone = Undisturbed(checks.digest(connection), seconds)
        return alone, checks.judged(sweep, alone, seconds)


@contextlib.contextmanager
def made_home() -> Iterator[Home]:
    """A home whose database was made and migrated, and never used: to be copied."""
    with _program.home() as home:
        ended = home.run("db", "upgrade")
        assert ended.code == 0, ended.err
        yield home
