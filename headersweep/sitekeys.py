"""The keys of a site file: one table, from which files are checked and docs/site-files.md is written."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from headersweep import durations, slots, urls, windows
from headersweep.cacherules import CacheKind
from headersweep.definition import (
    UNLIMITED_RATE,
    CatchUp,
    Overlap,
    Probes,
    RobotsMode,
    Scope,
    ScopeMode,
    SiteDefinition,
)
from headersweep.policies import Profile

TABLES: dict[str, type[Any]] = {"scope": Scope, "probes": Probes}
"""The tables of a site file, each with the class that holds its keys."""

NAME = re.compile(r"[a-z0-9._:-]{1,200}")
MAX_TEXT = 2_000
SLOWEST_RATE = 0.001
FASTEST_RATE = 1_000
SHORTEST_CATCH_UP = timedelta(minutes=1)
LONGEST_CATCH_UP = timedelta(days=366)
LONGEST_SPLAY = timedelta(days=1)
MAX_CATCH_UPS = 1_000

KeyPath = tuple[str, ...]


class Kind(StrEnum):
    """The type of a key's value, in the words of TOML."""

    TEXT = "string"
    TEXTS = "list of strings"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"


Check = Callable[[Any], str | None]
"""Says what is wrong with a value of the right type; nothing when it is right."""


@dataclass(frozen=True)
class Key:
    """One key of a site file: what may stand there, and what it does."""

    path: str
    kind: Kind
    allowed: str
    meaning: str
    example: str
    check: Check
    required: bool = False

    @property
    def keys(self) -> KeyPath:
        """The key behind its table."""
        return tuple(self.path.split("."))

    @property
    def table(self) -> str:
        """The table that it stands in; empty above all tables."""
        return self.path.rpartition(".")[0]


def _between(low: float, high: float) -> Check:
    def check(value: float) -> str | None:
        return None if low <= value <= high else f"allowed are {low:,g} to {high:,.10g}"

    return check


def _rate(value: float) -> str | None:
    if value == UNLIMITED_RATE or SLOWEST_RATE <= value <= FASTEST_RATE:
        return None
    return f"allowed are {SLOWEST_RATE} to {FASTEST_RATE:,} requests a second, or 0 for no limit"


def _one_of(allowed: type[StrEnum]) -> Check:
    def check(value: str) -> str | None:
        *others, last = [json.dumps(str(each)) for each in allowed]
        return None if value in list(allowed) else f"allowed are {', '.join(others)} and {last}"

    return check


def _raising(check: Callable[[str], None]) -> Check:
    """A check from a function that raises ValueError with a text for people."""

    def checked(value: str) -> str | None:
        try:
            check(value)
        except ValueError as error:
            return str(error)
        return None

    return checked


def _lasting(low: timedelta, high: timedelta) -> Check:
    """A check of a duration between two others."""

    def check(value: str) -> str | None:
        try:
            length = durations.parse(value)
        except ValueError as error:
            return str(error)
        if low <= length <= high:
            return None
        return f"allowed are {durations.shown(low)} to {durations.shown(high)}"

    return check


def _window(value: str) -> str | None:
    try:
        windows.parse(value)
    except ValueError as error:
        return str(error)
    return None


def _anything(_value: bool) -> str | None:
    return None


def said(value: str, longest: int = MAX_TEXT) -> str | None:
    """A text that a person wrote for persons."""
    if not value.strip():
        return "it is empty"
    if len(value) > longest:
        return f"it has {len(value):,} characters; at most {longest:,} are allowed"
    if any(not (character.isprintable() or character in "\n\t") for character in value):
        return "it has control characters"
    return None


def _name(value: str) -> str | None:
    if NAME.fullmatch(value):
        return None
    return "a name is 1 to 200 lower-case letters, digits, '.', '-', '_' or ':'"


def _url(value: str) -> str | None:
    if not value.isprintable() or urls.parse(value) is None:
        return "it is no http or https URL (without user name and password), such as https://www.example.com/"
    if len(value) > MAX_TEXT:
        return f"the URL is longer than {MAX_TEXT:,} characters"
    return None


def _path(value: str) -> str | None:
    if not value.startswith("/") or "#" in value or "?" in value:
        return "a path begins with / and has no ? or #"
    return pattern(value)


def pattern(value: str) -> str | None:
    """What is wrong with a glob pattern."""
    if not value:
        return "it is empty"
    if len(value) > MAX_TEXT:
        return f"it has {len(value):,} characters; at most {MAX_TEXT:,} are allowed"
    return None if value.isprintable() else "it has control characters"


def _network(value: str) -> str | None:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return f"it is no CIDR block, such as 10.0.0.0/8 or fd00::/8{_meant_network(value)}"
    return None


def _meant_network(value: str) -> str:
    try:
        return f"; did you mean {ipaddress.ip_network(value, strict=False)}?"
    except ValueError:
        return ""


ENUMS: dict[str, type[StrEnum]] = {
    "robots": RobotsMode,
    "catch_up": CatchUp,
    "overlap": Overlap,
    "scope.mode": ScopeMode,
    "profile": Profile,
    "cache_kind": CacheKind,
}
ALIASES = {
    "url": "start_urls",
    "urls": "start_urls",
    "seeds": "start_urls",
    "cron": "schedule",
    "tz": "timezone",
    "contact": "owner",
    "team": "owner",
    "rollback": "rollback_note",
    "connections": "concurrency",
    "delay": "rate",
    "limit": "max_pages",
    "depth": "max_depth",
    "prefix": "path_prefix",
    "ignore": "exclude",
    "deny": "exclude",
    "allow": "include",
    "insecure": "allow_unverified_tls",
    "jitter": "splay",
    "backfill": "catch_up",
    "catchup": "catch_up",
    "hours": "window",
    "policy": "profile",
}
"""What other programs call it, where the spelling alone gives no hint."""

KEYS = (
    Key(
        "name",
        Kind.TEXT,
        "1 to 200 lower-case letters, digits, `.`, `-`, `_`, `:`; unique over all files",
        "what the site is called in commands, reports and logs; history hangs on it, so keep it",
        '"docs"',
        _name,
        required=True,
    ),
    Key(
        "start_urls",
        Kind.TEXTS,
        "at least one http or https URL, without user name and password",
        "where a run begins; these are fetched whatever the scope says",
        '["https://docs.example.com/"]',
        _url,
        required=True,
    ),
    Key(
        "owner",
        Kind.TEXT,
        "any text, not empty",
        "who is responsible: a person, a team or an address; stands in every report",
        '"web team <web@example.com>"',
        said,
        required=True,
    ),
    Key(
        "expected_result",
        Kind.TEXT,
        "any text, not empty",
        "what a good run looks like, for whoever reads a report at night",
        '"About 500 pages, all with HSTS and a CSP."',
        said,
        required=True,
    ),
    Key(
        "rollback_note",
        Kind.TEXT,
        "any text, not empty",
        "how to undo a change of headers on this site, or whom to ask",
        '"git revert in infra/nginx, then make deploy"',
        said,
        required=True,
    ),
    Key(
        "enabled",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether the schedule starts runs; a disabled site keeps its history",
        "true",
        _anything,
    ),
    Key(
        "schedule",
        Kind.TEXT,
        "a cron line of five fields (`minute hour day-of-month month day-of-week`) or `@hourly`, `@daily`, "
        "`@weekly`, `@monthly`, `@yearly`",
        "when runs are due, in the time of `timezone`; without it the site is swept only on request",
        '"30 2 * * *"',
        _raising(slots.check_cron),
    ),
    Key(
        "timezone",
        Kind.TEXT,
        "a name of the IANA database",
        "the zone of `schedule`, with its daylight saving",
        '"Europe/Berlin"',
        _raising(slots.check_timezone),
    ),
    Key(
        "catch_up",
        Kind.TEXT,
        '`"last"`, `"all"`, `"none"`',
        "which of the slots that were missed, because everything was down or paused, get a run afterwards",
        '"last"',
        _one_of(CatchUp),
    ),
    Key(
        "catch_up_window",
        Kind.TEXT,
        "a duration of 1m to 366d, such as `90m`, `24h`, `7d`",
        "slots that are older are not caught up",
        '"24h"',
        _lasting(SHORTEST_CATCH_UP, LONGEST_CATCH_UP),
    ),
    Key(
        "catch_up_limit",
        Kind.INTEGER,
        "1 to 1,000",
        'at most so many slots are caught up at once by `catch_up = "all"`, the youngest, and at most so many runs '
        'of the site are open at once with `overlap = "queue"`',
        "24",
        _between(1, MAX_CATCH_UPS),
    ),
    Key(
        "overlap",
        Kind.TEXT,
        '`"skip"`, `"queue"`, `"cancel"`',
        "what becomes of a slot that comes while an earlier run of the site has not ended: it is skipped, it waits, "
        "or the earlier run is cancelled",
        '"skip"',
        _one_of(Overlap),
    ),
    Key(
        "splay",
        Kind.TEXT,
        "a duration of 0s to 24h",
        "runs start up to so long after their slot: always the same for one site, spread evenly over all sites",
        '"10m"',
        _lasting(timedelta(), LONGEST_SPLAY),
    ),
    Key(
        "window",
        Kind.TEXT,
        "two times of the day, such as `01:00-05:00`; it may cross midnight",
        "outside of it, in the time of `timezone`, a run is neither started nor continued: it goes on the next night",
        '"01:00-05:00"',
        _window,
    ),
    Key(
        "rate",
        Kind.NUMBER,
        "0.001 to 1,000, or 0: no delay at all",
        "requests a second to each origin at the start of a run; given alone it is also `max_rate`",
        "2.0",
        _rate,
    ),
    Key(
        "max_rate",
        Kind.NUMBER,
        "0.001 to 1,000, not below `rate`, or 0: no limit",
        "up to how many requests a second a healthy origin is asked; given alone and below the default `rate` "
        "it is also `rate`",
        "10.0",
        _rate,
    ),
    Key(
        "concurrency",
        Kind.INTEGER,
        "1 to 256",
        "connections to each origin at the same time",
        "2",
        _between(1, 256),
    ),
    Key(
        "shards",
        Kind.INTEGER,
        "1 to 64",
        "how many worker processes may share one origin; each gets its part of the rate",
        "1",
        _between(1, 64),
    ),
    Key(
        "max_pages",
        Kind.INTEGER,
        "1 to 100,000,000",
        "after how many pages a run stops; the rest is counted as skipped",
        "50_000",
        _between(1, 100_000_000),
    ),
    Key(
        "max_depth",
        Kind.INTEGER,
        "0 to 10,000",
        "how many links away from a start URL a page may be",
        "20",
        _between(0, 10_000),
    ),
    Key(
        "follow_links",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether the links on pages are followed",
        "true",
        _anything,
    ),
    Key(
        "sitemaps",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether sitemaps (from robots.txt, or /sitemap.xml) are read",
        "true",
        _anything,
    ),
    Key(
        "robots",
        Kind.TEXT,
        '`"obey"`, `"ignore"`',
        "whether robots.txt is obeyed; `ignore` is for owners, and stands in the record of every run",
        '"obey"',
        _one_of(RobotsMode),
    ),
    Key(
        "allow_addresses",
        Kind.TEXTS,
        "CIDR blocks",
        "addresses outside the public Internet that this site may lead to; all others are refused",
        '["10.20.0.0/16"]',
        _network,
    ),
    Key(
        "allow_unverified_tls",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether a page whose certificate is not valid is fetched all the same, once, and marked",
        "false",
        _anything,
    ),
    Key(
        "failure_threshold",
        Kind.NUMBER,
        "0 to 1",
        "the share of pages that may fail before a run counts as `partial`",
        "0.05",
        _between(0, 1),
    ),
    Key(
        "profile",
        Kind.TEXT,
        ", ".join(f'`"{each}"`' for each in Profile),
        "which built-in list of requirements the headers are judged by, beside the review's own findings; "
        "`headersweep policy show` prints one",
        '"recommended"',
        _one_of(Profile),
    ),
    Key(
        "cache_kind",
        Kind.TEXT,
        ", ".join(f'`"{each}"`' for each in CacheKind),
        "by whose rules `[[cache]]` is judged: what stands between the site and its visitors (docs/cache-rules.md)",
        '"rfc9111"',
        _one_of(CacheKind),
    ),
    Key(
        "scope.mode",
        Kind.TEXT,
        '`"host"`, `"domain"`',
        "`host`: the hosts of the start URLs; `domain`: every host under their registrable domains",
        '"host"',
        _one_of(ScopeMode),
    ),
    Key(
        "scope.path_prefix",
        Kind.TEXT,
        "a path that begins with `/`",
        "only pages below this path: `/docs` holds `/docs` and `/docs/a` but not `/docsx`",
        '"/"',
        _path,
    ),
    Key(
        "scope.include",
        Kind.TEXTS,
        "glob patterns over path and query",
        "only pages that match one of them; empty: all",
        '["/en/*"]',
        pattern,
    ),
    Key(
        "scope.exclude",
        Kind.TEXTS,
        "glob patterns over path and query",
        "no pages that match one of them",
        '["/search*", "*/print/*"]',
        pattern,
    ),
    Key(
        "probes.cors",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether up to 5 pages of each origin are asked again after a run, with foreign `Origin` headers: who is let in?",
        "true",
        _anything,
    ),
    Key(
        "probes.exposed_files",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether the origins of the start URLs are asked after a run for files that deployments leave behind, such as "
        "`/.env` and `/.git/HEAD`; of what is there only its kind is kept",
        "true",
        _anything,
    ),
    Key(
        "probes.upload_limit",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether a body of a gigabyte is announced to the start URLs after a run (`Expect: 100-continue`), to hear whether it "
        "would be taken; nothing is ever sent",
        "true",
        _anything,
    ),
    Key(
        "probes.reporting_endpoints",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether the endpoints for reports that the site's headers name are asked after a run, to hear whether anybody "
        "answers there; they may be other people's servers",
        "true",
        _anything,
    ),
    Key(
        "probes.error_page",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether a path that does not exist is asked for after a run, to see what the error page tells",
        "true",
        _anything,
    ),
    Key(
        "probes.cache",
        Kind.BOOLEAN,
        "`true`, `false`",
        "whether the examples of `[[cache]]` are asked for two or three times after a run, then with each bypass condition: what do caches do?",
        "true",
        _anything,
    ),
)
"""Every key, in the order of the documentation."""

BY_PATH = {key.path: key for key in KEYS}


def default_of(key: Key) -> Any:
    """What a key is when the file does not say."""
    holder = TABLES.get(key.table, SiteDefinition)
    field = next(each for each in dataclasses.fields(holder) if each.name == key.keys[-1])
    return None if field.default is dataclasses.MISSING else field.default


def key_table() -> str:
    """The table of all keys for docs/site-files.md, in Markdown."""
    rows = ["| key | type | default | allowed | meaning |", "| --- | --- | --- | --- | --- |"]
    for key in KEYS:
        default = "**required**" if key.required else _default_shown(key)
        rows.append(f"| `{key.path}` | {key.kind} | {default} | {key.allowed} | {key.meaning} |")
    return "\n".join(rows) + "\n"


def _default_shown(key: Key) -> str:
    default = default_of(key)
    return "none" if default is None else f"`{json.dumps(default)}`"


def example() -> str:
    """A whole site file with every key, which is itself right."""
    lines = [f"{key.path} = {key.example}" for key in KEYS if not key.table]
    for table in TABLES:
        inner = [f"{key.keys[-1]} = {key.example}" for key in KEYS if key.table == table]
        lines += ["", f"[{table}]", *inner]
    return "\n".join(lines) + "\n"
