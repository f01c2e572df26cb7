"""What a site is: the frozen definition that a run carries with it, whatever its file says later."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from headersweep.cacherules import CacheKind, CacheRule
from headersweep.checklist import Declaration
from headersweep.policies import Expectation, Policy, Profile, Switch, Waiver
from headersweep.probes import ProbeKind

DEFAULT_MAX_PAGES = 1_000_000
DEFAULT_MAX_DEPTH = 100
DEFAULT_RATE = 1.0
DEFAULT_CATCH_UP_LIMIT = 24
DEFAULT_MAX_RATE = 10.0
UNLIMITED_RATE = 0.0
"""A rate of 0 means: no delay between requests (for loopback and for owners who ask for it)."""

ADDED_KEYS = (
    "catch_up",
    "catch_up_window",
    "catch_up_limit",
    "overlap",
    "splay",
    "window",
    "profile",
    "expect",
    "waiver",
    "switch",
    "declare",
    "cache_kind",
    "cache",
    "probes",
)
"""Keys that the first version did not have."""


class ScopeMode(StrEnum):
    """Which pages belong to a site."""

    HOST = "host"
    DOMAIN = "domain"


class RobotsMode(StrEnum):
    """Whether robots.txt is obeyed. An owner may override it; the run's record then says so."""

    OBEY = "obey"
    IGNORE = "ignore"


class CatchUp(StrEnum):
    """Which of the slots that were missed get a run afterwards."""

    LAST = "last"
    ALL = "all"
    NONE = "none"


class Overlap(StrEnum):
    """What becomes of a slot that comes while an earlier run of the site has not ended."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Scope:
    """Which URLs are pages of the site.

    ``host``: the hosts of the start URLs, on their ports (or the default ports, when they use these).
    ``domain``: any host under the registrable domains of the start URLs.
    ``path_prefix`` narrows both; ``include`` and ``exclude`` are glob patterns over path and query.
    """

    mode: ScopeMode = ScopeMode.HOST
    path_prefix: str = "/"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probes:
    """Which requests beyond its pages the owner asks for; each field is a ``ProbeKind``. None, unless the file says so."""

    cors: bool = False
    exposed_files: bool = False
    upload_limit: bool = False
    reporting_endpoints: bool = False
    error_page: bool = False
    cache: bool = False

    @property
    def kinds(self) -> tuple[ProbeKind, ...]:
        """The kinds that are asked for."""
        return tuple(kind for kind in ProbeKind if getattr(self, kind))

    def as_json(self) -> dict[str, bool]:
        """The kinds that are asked for; the others are left out, since earlier versions do not know them all."""
        return {str(kind): True for kind in self.kinds}


@dataclass(frozen=True)
class SiteDefinition:
    """Everything a run needs to know about its site.

    ``rate`` is requests a second per origin at the start, ``max_rate`` its ceiling (0: no limit);
    ``concurrency`` is connections per origin; ``shards`` how many processes may share one origin;
    ``allow_addresses`` are CIDR blocks outside the public Internet that the owner permits;
    ``catch_up_window`` and ``splay`` are durations as in durations.py, ``window`` is one as in windows.py;
    ``failure_threshold`` is the share of failed pages above which a run is ``partial``.
    """

    name: str
    start_urls: tuple[str, ...]
    owner: str = ""
    expected_result: str = ""
    rollback_note: str = ""
    enabled: bool = True
    schedule: str | None = None
    timezone: str = "UTC"
    rate: float = DEFAULT_RATE
    max_rate: float = DEFAULT_MAX_RATE
    concurrency: int = 1
    shards: int = 1
    scope: Scope = field(default_factory=Scope)
    max_pages: int = DEFAULT_MAX_PAGES
    max_depth: int = DEFAULT_MAX_DEPTH
    follow_links: bool = True
    sitemaps: bool = True
    robots: RobotsMode = RobotsMode.OBEY
    allow_addresses: tuple[str, ...] = ()
    allow_unverified_tls: bool = False
    failure_threshold: float = 0.05
    catch_up: CatchUp = CatchUp.LAST
    catch_up_window: str = "24h"
    catch_up_limit: int = DEFAULT_CATCH_UP_LIMIT
    overlap: Overlap = Overlap.SKIP
    splay: str | None = None
    window: str | None = None
    profile: Profile = Profile.RECOMMENDED
    expect: tuple[Expectation, ...] = ()
    waiver: tuple[Waiver, ...] = ()
    switch: tuple[Switch, ...] = ()
    declare: tuple[Declaration, ...] = ()
    cache_kind: CacheKind = CacheKind.RFC9111
    cache: tuple[CacheRule, ...] = ()
    probes: Probes = Probes()

    @property
    def policy(self) -> Policy:
        """What the owner says about the site's headers; what is not enabled says nothing."""
        return Policy(
            self.profile,
            tuple(each for each in self.expect if each.enabled),
            tuple(each for each in self.waiver if each.enabled),
            self.switch,
            self.cache,
            self.cache_kind,
        )

    def as_json(self) -> dict[str, Any]:
        """The definition as plain JSON values, as kept in ``runs.definition``.

        Keys that an earlier version does not know are left out where they say nothing new: its workers refuse a
        definition with a key that they do not know, and may still be at work beside this version.
        """
        values = dataclasses.asdict(self)
        for name in ADDED_KEYS:
            if getattr(self, name) == self.__dataclass_fields__[name].default:
                del values[name]
        tables = {"probes": self.probes.as_json()} if self.probes.kinds else {}
        return {**values, **self._lists(), **tables}

    def _lists(self) -> dict[str, Any]:
        lists: dict[str, tuple[Expectation | Waiver | Switch | Declaration | CacheRule, ...]] = {
            "expect": self.expect,
            "waiver": self.waiver,
            "switch": self.switch,
            "declare": self.declare,
            "cache": self.cache,
        }
        return {key: [each.as_json() for each in found] for key, found in lists.items() if found}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SiteDefinition:
        """The definition that ``as_json`` wrote; unknown keys of a newer program are an error."""
        values = dict(data)
        scope = dict(values.pop("scope", {}))
        for key in ("include", "exclude"):
            scope[key] = tuple(scope.get(key, ()))
        scope["mode"] = ScopeMode(scope.get("mode", ScopeMode.HOST))
        for key in ("start_urls", "allow_addresses"):
            values[key] = tuple(values.get(key, ()))
        values["robots"] = RobotsMode(values.get("robots", RobotsMode.OBEY))
        values["catch_up"] = CatchUp(values.get("catch_up", CatchUp.LAST))
        values["overlap"] = Overlap(values.get("overlap", Overlap.SKIP))
        values["profile"] = Profile(values.get("profile", Profile.RECOMMENDED))
        values["expect"] = tuple(Expectation.from_json(each) for each in values.get("expect", ()))
        values["waiver"] = tuple(Waiver.from_json(each) for each in values.get("waiver", ()))
        values["declare"] = tuple(Declaration.from_json(each) for each in values.get("declare", ()))
        values["switch"] = tuple(Switch.from_json(each) for each in values.get("switch", ()))
        values["cache_kind"] = CacheKind(values.get("cache_kind", CacheKind.RFC9111))
        values["cache"] = tuple(CacheRule.from_json(each) for each in values.get("cache", ()))
        values["probes"] = Probes(**values.get("probes", {}))
        return cls(scope=Scope(**scope), **values)
