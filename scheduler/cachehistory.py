"""What pages answered with in earlier runs, by the cache rules of today: a few look-ups by key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headersweep import headers
from headersweep.cachematch import Matcher
from headersweep.definition import SiteDefinition
from models import frontier, snapshots, spans
from review import received as reading
from review.cacherules import policy
from review.cacherules.collecting import Cause, Seen
from review.finding import Finding
from review.received import Received

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

POLICY = "policy"
"""The level of what headers permit, the only one that earlier runs can be asked for."""


@dataclass(frozen=True)
class Wanted:
    """What is to be verified: the rules of a file, over what a site showed in the runs ``since`` to ``until``."""

    definition: SiteDefinition
    site_id: int
    since: int
    until: int


class Answers:
    """Header blocks by snapshot, read in bites and each parsed once for a status and scheme."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._blocks: dict[int, bytes] = {}
        self._known: dict[tuple[int, int, str], Received] = {}

    def load(self, ids: Iterable[int]) -> None:
        """Read the blocks of these snapshots that are not known yet."""
        missing = sorted(set(ids) - self._blocks.keys())
        if missing:
            for row in self._connection.execute(snapshots.blocks(), {"ids": missing}):
                self._blocks[row.id] = bytes(row.raw)

    def received(self, seen: Seen) -> Received:
        """What is judged of a page's answer."""
        scheme = seen.url.partition(":")[0]
        key = (seen.snapshot_id, seen.status, scheme)
        if key not in self._known:
            parsed = headers.parse_block(self._blocks[seen.snapshot_id])
            self._known[key] = reading.received(
                parsed.pairs, status=seen.status, scheme=scheme, malformed=parsed.malformed
            )
        return self._known[key]


def date_causes(connection: Connection, wanted: Wanted, matcher: Matcher, causes: Iterable[Cause]) -> None:
    """Say of each cause since which run its sample pages show it without a break: a few look-ups by key."""
    dated = [each for each in causes if each.level == POLICY and each.pages]
    ids = sorted({seen.page_id for each in dated for seen in each.samples})
    past: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(spans.history(), {"page_ids": ids, "until": wanted.until}):
        past.setdefault(row.page_id, []).append(row)
    answers = Answers(connection)
    answers.load(row.snapshot_id for rows in past.values() for row in rows)
    for cause in dated:
        for seen in cause.samples:
            first = _first_run(wanted, matcher, answers, cause, seen, past.get(seen.page_id, ()))
            cause.first_run = min(first, cause.first_run or first)


def _first_run(  # noqa: PLR0913, PLR0917 - all of them values that one walk needs
    wanted: Wanted,
    matcher: Matcher,
    answers: Answers,
    cause: Cause,
    seen: Seen,
    rows: Iterable[Row[Any]],
) -> int:
    first, claim = seen.first_run, matcher.claim(seen.url)
    for row in rows:
        earlier = Seen(seen.url, seen.page_id, row.snapshot_id, row.status, row.first_run_id)
        found = (
            policy.findings(claim, answers.received(earlier), wanted.definition.cache_kind) if claim else ()
        )
        if all(each.code != cause.code for each in found):
            break
        first = min(first, row.first_run_id)
    return first


@dataclass(frozen=True)
class Period:
    """From which run to which run a page answered so, and what is wrong with that; without ``last_run``: until now."""

    first_run: int
    last_run: int | None
    status: int
    received: Received
    findings: tuple[Finding, ...]


def page_history(connection: Connection, wanted: Wanted, url: str, url_key: bytes) -> list[Period] | None:
    """What a page answered with over all stored runs, the newest first; None where the site has no such page."""
    values = {"site_ids": [wanted.site_id], "url_keys": [url_key]}
    row = connection.execute(frontier.page_ids(), values).one_or_none()
    claim = Matcher(wanted.definition.cache).claim(url)
    if row is None:
        return None
    rows = connection.execute(spans.history(), {"page_ids": [row.id], "until": wanted.until}).all()
    answers = Answers(connection)
    answers.load(each.snapshot_id for each in rows)
    periods = []
    for each in rows:
        received = answers.received(Seen(url, row.id, each.snapshot_id, each.status))
        found = policy.findings(claim, received, wanted.definition.cache_kind) if claim else ()
        periods.append(Period(each.first_run_id, each.last_run_id, each.status, received, tuple(found)))
    return periods
