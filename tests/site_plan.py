"""A web site whose whole truth is known, as plain values: what every page answers, what it links to, what a sweep must find."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass
from enum import StrEnum

from headersweep.states import Outcome


class Kind(StrEnum):
    """What is special about a page."""

    PLAIN = "plain"
    REDIRECT = "redirect"
    BROKEN = "broken"  # answers 500
    MISSING = "missing"  # answers 404
    SLOW = "slow"
    BUSY = "busy"  # answers 503 with Retry-After at first
    LIMITED = "limited"  # answers 429 with Retry-After at first
    PRIVATE = "private"  # disallowed by robots.txt
    UNLINKED = "unlinked"  # stands in the sitemap alone
    RESET = "reset"  # closes the connection without a word, always


STATUS = {Kind.REDIRECT: 302, Kind.BROKEN: 500, Kind.MISSING: 404}
LINKING = frozenset({Kind.PLAIN, Kind.SLOW, Kind.BUSY, Kind.LIMITED})
CLASSES = ("docs", "blog", "shop", "legacy")
"""Folders; the pages of one folder share their headers."""

OUTSIDE_URL = "http://elsewhere.example/partner"
TRAP_PATH = "/trap" + "/again" * 6 + "/"


@dataclass(frozen=True)
class Shares:
    """How many pages of a hundred are special."""

    redirect: int = 4
    broken: int = 2
    missing: int = 2
    slow: int = 2
    busy: int = 1
    limited: int = 1
    private: int = 2
    unlinked: int = 1
    reset: int = 0

    def kind(self, draw: int) -> Kind:
        """The kind for a number from 0 to 99."""
        for name in (
            "redirect",
            "broken",
            "missing",
            "slow",
            "busy",
            "limited",
            "private",
            "unlinked",
            "reset",
        ):
            draw -= getattr(self, name)
            if draw < 0:
                return Kind(name)
        return Kind.PLAIN


CALM = Shares(slow=0, busy=0, limited=0)
"""Nothing that makes a sweep wait: for tests where time matters."""


@dataclass(frozen=True)
class Truth:
    """What a sweep that obeys robots.txt and reads sitemaps must have recorded about one URL."""

    outcome: Outcome
    status: int | None = None
    target: str | None = None


@dataclass(frozen=True)
class SitePlan:
    """The site: ``pages`` numbered pages over the given origins, everything drawn from ``seed``.

    Page 0 is the start. The last ``chain`` pages form a chain that is found one page at a time.
    """

    origins: tuple[str, ...]
    pages: int = 401
    seed: int = 1
    chain: int = 20
    links_a_page: int = 8
    shares: Shares = Shares()

    def draw(self, salt: str, number: int) -> int:
        """A number that looks random and is the same in every process."""
        return zlib.crc32(f"{self.seed}/{salt}/{number}".encode())

    def kind(self, number: int) -> Kind:
        """What is special about a page."""
        if number == 0 or number >= self.pages - self.chain:
            return Kind.PLAIN
        return self.shares.kind(self.draw("kind", number) % 100)

    def path(self, number: int) -> str:
        """A page's path; its folder says which headers it has."""
        if number == 0:
            return "/"
        folder = CLASSES[self.draw("class", number) % len(CLASSES)]
        prefix = "/private" if self.kind(number) is Kind.PRIVATE else ""
        return f"{prefix}/{folder}/{number}"

    def origin(self, number: int) -> str:
        """The origin that serves a page."""
        return self.origins[number % len(self.origins)]

    def url(self, number: int) -> str:
        """A page's URL."""
        return self.origin(number) + self.path(number)

    @property
    def start_urls(self) -> tuple[str, ...]:
        """The start page of the first origin, and one page of each other origin, so that all are in scope."""
        return tuple(self.url(number) for number in self._start_numbers)

    @functools.cached_property
    def _start_numbers(self) -> tuple[int, ...]:
        count = len(self.origins)
        return (0, *(self._first_linking(number, count) for number in range(1, count)))

    def _first_linking(self, number: int, step: int) -> int:
        while self.kind(number) not in LINKING:
            number += step
        return number

    @functools.cached_property
    def _linking(self) -> list[int]:
        return [number for number in range(self.pages - self.chain) if self.kind(number) in LINKING]

    @functools.cached_property
    def children(self) -> dict[int, list[int]]:
        """Links that make sure every page but the unlinked ones is found: each from one earlier page."""
        found: dict[int, list[int]] = {}
        earlier: list[int] = [0]
        for number in range(1, self.pages):
            kind = self.kind(number)
            if kind is not Kind.UNLINKED:
                found.setdefault(self._parent(number, earlier), []).append(number)
            if kind in LINKING:
                earlier.append(number)
        return found

    def _parent(self, number: int, earlier: list[int]) -> int:
        if number > self.pages - self.chain:
            return number - 1
        return earlier[self.draw("parent", number) % len(earlier)]

    def links(self, number: int) -> list[str]:
        """The URLs that a page links to, in their order on the page; some more than once over the site."""
        if self.kind(number) not in LINKING:
            return []
        linked = [*self.children.get(number, []), *self._more_links(number)]
        urls = [self._href(number, target) for target in linked]
        if number == 0:
            urls += [OUTSIDE_URL, TRAP_PATH]
        return urls

    def _more_links(self, number: int) -> list[int]:
        targets = self._linking
        return [targets[self.draw(f"link{nth}", number) % len(targets)] for nth in range(self.links_a_page)]

    def _href(self, number: int, target: int) -> str:
        if self.origin(number) == self.origin(target):
            return self.path(target)
        return self.url(target)

    def redirect_target(self, number: int) -> str:
        """Where a redirecting page leads: a page that exists."""
        targets = self._linking
        return self.url(targets[self.draw("target", number) % len(targets)])

    def sitemap(self, origin: str) -> list[str]:
        """The URLs in an origin's sitemap: the pages that nothing links to, and the start page where it is there."""
        return [
            self.url(number)
            for number in range(self.pages)
            if self.origin(number) == origin and (number == 0 or self.kind(number) is Kind.UNLINKED)
        ]

    def page_truth(self, number: int) -> Truth:
        """What must be recorded about a page."""
        kind = self.kind(number)
        if kind is Kind.PRIVATE:
            return Truth(Outcome.ROBOTS_DENIED)
        if kind is Kind.RESET:
            return Truth(Outcome.FAILED)
        target = self.redirect_target(number) if kind is Kind.REDIRECT else None
        return Truth(Outcome.STORED, STATUS.get(kind, 200), target)

    def truth(self) -> dict[str, Truth]:
        """Every URL that a whole sweep must have recorded, and how."""
        known = {self.url(number): self.page_truth(number) for number in range(self.pages)}
        known[OUTSIDE_URL] = Truth(Outcome.OUT_OF_SCOPE)
        known[self.origins[0] + TRAP_PATH] = Truth(Outcome.TRAPPED)
        return known

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        """Page numbers by URL."""
        return {self.url(number): number for number in range(self.pages)}
