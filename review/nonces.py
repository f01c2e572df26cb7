"""Nonces over a whole run: one that comes twice is known to everybody who asks. Pure: counts in, findings out.

One answer cannot be judged for this: it shows that there is a nonce, not that it is a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from review.finding import DOCUMENTS, Finding, Found, Rule, Severity

REUSED = Rule(
    code="csp.nonce_reused",
    severity=Severity.HIGH,
    title="A nonce of the policy came more than once",
    browser="It runs every script that has the nonce of the policy, whoever wrote it; it cannot know that another answer had the same one.",
    why="Who can put markup into a page reads the nonce in an answer of his own and gives it to his script: the policy stops nothing any more.",
    fix="Content-Security-Policy: script-src 'nonce-...' 'strict-dynamic'\n"
    "Draw at least 128 random bits for every answer. Pages that a shared cache may keep (Age, X-Cache) get hashes instead of a nonce, "
    "or the nonce is put in behind the cache. Compared is the first nonce of each answer.",
    link="https://www.w3.org/TR/CSP3/#security-nonces",
    classes=DOCUMENTS,
)
RULES = (REUSED,)
BY_CODE = {rule.code: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Repeated:
    """So many nonces that came more than once, alike in where and why."""

    within_run: bool
    """On several pages of the run; else on one page of it, and in runs before."""
    cached: bool
    """Whether shared caches repeated them: all answers but one had an Age."""
    nonces: int
    pages: int
    """Pages of the run that had one of them."""
    before: int
    """How often they were seen in the runs before."""
    most: int
    """How often the most repeated one was seen, here and before."""
    urls: tuple[str, ...] = ()


def judge(found: Iterable[Repeated]) -> tuple[Found, ...]:
    """What is to be said of the nonces of a run, the worst first."""
    listed = [Found(_finding(one), one.pages, one.urls) for one in found]
    return tuple(sorted(listed, key=lambda one: (-one.finding.severity.rank, one.finding.subject)))


def _finding(one: Repeated) -> Finding:
    place = "on several pages" if one.within_run else "over several runs"
    finding = REUSED.found(subject=f"{place}, from a cache" if one.cached else place, detail=_detail(one))
    # As long as the cache keeps the page, not for good.
    return finding._replace(severity=Severity.MEDIUM) if one.cached else finding


def _detail(one: Repeated) -> str:
    nonces = "1 nonce" if one.nonces == 1 else f"{one.nonces:,} nonces"
    said = f"{nonces} came more than once, the most repeated one {one.most:,} times"
    if one.before:
        said += f"; {one.before:,} times in runs before"
    return f"{said}; a shared cache answered (Age)" if one.cached else said
