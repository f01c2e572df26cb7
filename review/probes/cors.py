"""Who is let in when a foreign page asks (Fetch, "CORS check"): which pages are asked, with which origins, and what it means.

A page is asked with an origin that nobody can have allowed, with `null`, and with origins that only look like the site's.
Only a value that follows the origin that was sent is a reflection; one that is always the same is judged with the page.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from headersweep.responses import ResponseClass
from review import lists
from review.checks import cors
from review.finding import Finding, Found, Rule, Severity
from review.received import Received

MAX_PAGES = 5
"""So many pages of one origin are asked, each once for every ``Step``."""

MAX_ORIGINS = 20
"""So many origins of one run are asked: those of the start pages, then those with the most pages."""

PREFERRED = (
    ResponseClass.API,
    ResponseClass.DOCUMENT,
    ResponseClass.SCRIPT,
    ResponseClass.STATIC,
    ResponseClass.ERROR,
)
"""The classes worth asking, in this order. Redirects show nothing, and firewalls answer for themselves."""

RESERVED = "example"
"""Nobody can own a name below it (RFC 2606), so nobody can have allowed it."""

FRESH = (("Cache-Control", "no-cache, no-store"),)
"""The site itself should answer, and no cache keep an answer that is meant for a foreign origin."""


class Step(IntEnum):
    """The origins that a page is asked with, in this order."""

    FOREIGN = 1
    NULL = 2
    BEGINS_LIKE = 3
    ENDS_LIKE = 4


REFLECTED = Rule(
    code="cors.reflected_origin",
    severity=Severity.LOW,
    title="Whoever asks is let in: the Origin of the request comes back as the one that is allowed",
    browser="It shows the answer to scripts of every site; with Access-Control-Allow-Credentials as the user who is logged in.",
    why="With credentials any site reads, through its visitors, what only they may see. Without, it is `*` in other words.",
    fix="Access-Control-Allow-Origin: https://app.example\nCompare Origin with a list of whole origins; send Vary: Origin.",
    link="https://fetch.spec.whatwg.org/#concept-cors-check",
)
REFLECTED_NULL = Rule(
    code="cors.reflected_null",
    severity=Severity.MEDIUM,
    title="The origin `null` is let in when it asks",
    browser="It sends `null` for every sandboxed frame, data: URL and local file, whoever made them, and then shows the answer.",
    why="Any site can put its script into a sandboxed frame, and so has that origin. With credentials it reads as the user.",
    fix="Access-Control-Allow-Origin: https://app.example\nTake `null` off the list of allowed origins.",
    link="https://fetch.spec.whatwg.org/#concept-cors-check",
)
PART_MATCHED = Rule(
    code="cors.origin_part_matched",
    severity=Severity.MEDIUM,
    title="An origin is let in that only looks like the site's",
    browser="It shows the answer to scripts of that origin, which belongs to whoever registers its name.",
    why="The server compares the beginning or the end of Origin, or takes a dot for any character, where it should compare all.",
    fix="Access-Control-Allow-Origin: https://app.example\nCompare Origin with a list of whole origins, letter by letter.",
    link="https://fetch.spec.whatwg.org/#concept-cors-check",
)
RULES = (REFLECTED, REFLECTED_NULL, PART_MATCHED)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One page that could be asked: what it answered in the run, which nobody asked for another origin."""

    origin: str
    url: str
    answer: Received
    pages: int = 1
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of an origin, and what it answered to each origin that it was asked with."""

    origin: str
    url: str
    answers: dict[Step, tuple[str, Received]]
    """The Origin that was sent, and the answer."""
    says_null: bool = False
    """In the run, asked without any Origin, it allowed `null`."""


# --- which pages, with which origins -----------------------------------------------------------------------------


def choose(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The pages to ask: of each origin the start page, one of each kind of answer, then of each part; interfaces first."""
    by_origin: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.answer.response_class in PREFERRED:
            by_origin[one.origin].append(one)
    chosen = {origin: _of_origin(found) for origin, found in by_origin.items()}
    ranked = sorted(chosen, key=lambda origin: _origin_rank(origin, by_origin[origin]))
    return [one for origin in ranked[:MAX_ORIGINS] for one in chosen[origin]]


def _origin_rank(origin: str, found: list[Candidate]) -> tuple[bool, int, str]:
    return not any(one.is_start for one in found), -sum(one.pages for one in found), origin


def _of_origin(found: list[Candidate]) -> list[Candidate]:
    """One page of each kind, then, as far as there is room, one of each part of the site: another program may answer there."""
    ranked = sorted(found, key=_rank)
    kinds: dict[object, Candidate] = {}
    for one in ranked:
        kinds.setdefault(_kind(one), one)
    places: dict[str, Candidate] = {}
    for one in (*kinds.values(), *ranked):
        places.setdefault(_place(one.url), one)
    chosen = {one.url: one for one in (*kinds.values(), *places.values())}
    return list(chosen.values())[:MAX_PAGES]


def _place(url: str) -> str:
    """The first part of the path."""
    return url.partition("://")[2].partition("/")[2].partition("?")[0].partition("/")[0]


def _rank(one: Candidate) -> tuple[bool, int, int, str]:
    return not one.is_start, PREFERRED.index(one.answer.response_class), -one.pages, one.url


def _kind(one: Candidate) -> tuple[object, ...]:
    """What makes two pages the same to ask: their class, and what they say of other origins by themselves."""
    answer = one.answer
    told = (answer.combined(cors.ORIGIN), answer.combined(cors.CREDENTIALS))
    return answer.response_class, told, "origin" in lists.tokens(answer, "vary")


def says_null(answer: Received) -> bool:
    """Whether a page allows `null` to whoever asks: that is judged with the page, and no reflection."""
    return cors.allowed_origin(answer) == "null"


def foreign_host(run_id: int) -> str:
    """A host that nobody can own, the same for every probe of a run, and telling whoever reads logs who asked."""
    digest = hashlib.sha256(f"cors/1 {run_id}".encode()).hexdigest()
    return f"headersweep-{digest[:12]}.{RESERVED}"


def origins_to_send(host: str, foreign: str) -> dict[Step, str]:
    """The Origin of each step for pages of this host; addresses have fewer, since no name looks like them."""
    sent = {Step.FOREIGN: f"https://{foreign}", Step.NULL: "null"}
    if host.startswith("["):
        return sent
    sent[Step.BEGINS_LIKE] = f"https://{host}.{foreign}"
    if not _is_address(host):
        sent[Step.ENDS_LIKE] = f"https://{foreign.partition('.')[0]}{host}"
    return sent


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# --- what the answers mean ---------------------------------------------------------------------------------------


def judge(asked: Iterable[Asked]) -> tuple[Found, ...]:
    """What is to be said of a run's answers: one finding for each origin of the site and rule, the worst page first."""
    found: dict[tuple[str, str], list[tuple[Finding, str]]] = defaultdict(list)
    for page in asked:
        for finding in _of_page(page):
            found[finding.code, page.origin].append((finding, page.url))
    return tuple(
        sorted(
            (_worst(members) for members in found.values()),
            key=lambda one: (-one.finding.severity.rank, one.finding.code, one.finding.subject),
        )
    )


def _worst(members: list[tuple[Finding, str]]) -> Found:
    finding, url = max(members, key=lambda member: member[0].severity.rank)
    return Found(finding, len(members), (url,))


def _of_page(page: Asked) -> Iterator[Finding]:
    if _lets_in(page, Step.FOREIGN):
        # Whoever lets in everybody lets in `null` and all that look like the site, too: one cause, one finding.
        yield _found(REFLECTED, page, Step.FOREIGN, Severity.LOW)
        return
    if _lets_in(page, Step.NULL) and not page.says_null:
        yield _found(REFLECTED_NULL, page, Step.NULL, Severity.MEDIUM)
    for step, how in ((Step.BEGINS_LIKE, "begins like the site's"), (Step.ENDS_LIKE, "ends like the site's")):
        if _lets_in(page, step):
            yield _found(PART_MATCHED, page, step, Severity.MEDIUM, how)
            return


def _lets_in(page: Asked, step: Step) -> bool:
    """Whether a browser would show the answer to the very origin that was sent."""
    if step not in page.answers:
        return False
    sent, answer = page.answers[step]
    return answer.response_class is not ResponseClass.BLOCKED and cors.allowed_origin(answer) == sent


def _found(rule: Rule, page: Asked, step: Step, otherwise: Severity, how: str = "") -> Finding:
    sent, answer = page.answers[step]
    credentials = bool(cors.allows_credentials(answer))
    lines = (f"Origin: {sent}", answer.line(cors.ORIGIN), answer.line(cors.CREDENTIALS), answer.line("vary"))
    told = "with credentials" if credentials else "without credentials"
    if "origin" not in lists.tokens(answer, "vary"):
        told += ", Vary: Origin is missing"
    finding = rule.found("\n".join(filter(None, lines)), page.origin, f"{how}, {told}" if how else told)
    return finding._replace(severity=Severity.HIGH if credentials else otherwise)
