"""The findings that cache rules make: dangerous ones first, then wasteful ones."""

from __future__ import annotations

from review.finding import Rule, Severity

_RFC = "https://www.rfc-editor.org/rfc/rfc9111.html"
_COOKIES = f"{_RFC}#section-7.3"

PRIVATE_CACHEABLE = Rule(
    code="cache_rule.private_cacheable",
    severity=Severity.HIGH,
    title="Shared caches may keep a page that a cache rule wants uncached",
    browser="Browsers keep it for one person; a proxy or CDN may give it to the next visitor for the stated time.",
    why="Somebody wrote down that this page is not for sharing; its headers say the opposite.",
    fix="Cache-Control: private, no-store",
    link=_COOKIES,
)
PRIVATE_HEURISTIC = Rule(
    code="cache_rule.private_heuristic",
    severity=Severity.MEDIUM,
    title="Nothing forbids shared caches to keep a page that a cache rule wants uncached",
    browser="Where no time is stated, caches may guess one, a tenth of the time since the last change say.",
    why="Whether one visitor's page is given to others is left to whichever cache comes on the way.",
    fix="Cache-Control: private, no-store",
    link=f"{_RFC}#section-4.2.2",
)
SET_COOKIE = Rule(
    code="cache_rule.set_cookie",
    severity=Severity.MEDIUM,
    title="A page that a cache rule wants cached sets a cookie",
    browser="Some caches store the cookie and give it to every visitor; others do not cache the page at all.",
    why="Visitors share a cookie, or the rule does nothing.",
    fix="Do not set cookies on this page, or write expect.set_cookie = true if every visitor may have this one.",
    link=_COOKIES,
)
PRIVATE_HIT = Rule(
    code="cache_rule.private_hit",
    severity=Severity.HIGH,
    title="A shared cache answered for a page that a cache rule wants uncached",
    browser="It shows what it gets, whoever it was made for.",
    why="It has happened, not only may happen: the answer had been made for an earlier request.",
    fix="Exclude the page in the cache's configuration, purge it, and send Cache-Control: private, no-store",
    link=_COOKIES,
)
SET_COOKIE_ON_HIT = Rule(
    code="cache_rule.set_cookie_on_hit",
    severity=Severity.HIGH,
    title="A shared cache hands out a stored cookie",
    browser="It takes the cookie, and is then whoever the cookie was made for.",
    why="Whoever gets the stored answer continues with somebody else's cookie.",
    fix="Let the cache drop Set-Cookie or not store such answers, and purge the page.",
    link=_COOKIES,
)
BYPASS_HIT = Rule(
    code="cache_rule.bypass_hit",
    severity=Severity.HIGH,
    title="A shared cache answered although a bypass condition was met",
    browser="It shows the stored page instead of the one made for this request.",
    why="The condition stands in the file because the answer differs then: visitors see each other's pages.",
    fix="Add the condition to the cache's configuration, for reading from it and for storing.",
    link=_COOKIES,
)
BYPASS_STORED = Rule(
    code="cache_rule.bypass_stored",
    severity=Severity.HIGH,
    title="A shared cache stored the answer to a request that met a bypass condition",
    browser="The next visitor, who does not meet the condition, gets what was made for the one who did.",
    why="That is how one person's page gets to everybody.",
    fix="Let the cache not store such answers: in nginx, proxy_no_cache beside proxy_cache_bypass.",
    link=_COOKIES,
)
DIFFERS = Rule(
    code="cache_rule.differs_by_cookie",
    severity=Severity.HIGH,
    title="A page in a shared cache differs by cookie, and its Vary does not say so",
    browser="It gets whichever of them was stored first.",
    why="The cache takes both for one page and hands out the one for the other.",
    fix="Cache-Control: private where a cookie makes a difference, or a bypass for that cookie in the cache.",
    link=f"{_RFC}#section-4.1",
)
NOT_CACHEABLE = Rule(
    code="cache_rule.not_cacheable",
    severity=Severity.LOW,
    title="Headers forbid shared caches what a cache rule wants cached",
    browser="It asks the origin each time, as every cache on the way does.",
    why="The origin carries the load that the rule was to take from it.",
    fix="Cache-Control: public, s-maxage=600",
    link=f"{_RFC}#section-3",
)
UNSTATED = Rule(
    code="cache_rule.lifetime_unstated",
    severity=Severity.LOW,
    title="Nothing says for how long shared caches may keep a page that a cache rule wants cached",
    browser="Each cache guesses for itself, or does not cache.",
    why="How old the page may get, and whether it is cached, changes with the cache.",
    fix="Cache-Control: public, s-maxage=600",
    link=f"{_RFC}#section-4.2.2",
)
TOO_LONG = Rule(
    code="cache_rule.lifetime_too_long",
    severity=Severity.LOW,
    title="Shared caches may keep a page for longer than its cache rule allows",
    browser="It shows what is stored, however old.",
    why="A correction reaches visitors later than was promised.",
    fix="Lower s-maxage (or max-age) to what the rule allows.",
    link=f"{_RFC}#section-4.2",
)
TOO_SHORT = Rule(
    code="cache_rule.lifetime_too_short",
    severity=Severity.LOW,
    title="Shared caches may keep a page for less time than its cache rule wants",
    browser="It gets a fresh copy more often than needed.",
    why="The origin is asked more often than was planned for.",
    fix="Raise s-maxage (or max-age) to what the rule wants.",
    link=f"{_RFC}#section-4.2",
)
VARY = Rule(
    code="cache_rule.vary",
    severity=Severity.LOW,
    title="A cached page varies by a header that its cache rule does not allow",
    browser="It may get another copy than others do.",
    why="The cache keeps a copy for each value of that header: by Cookie or User-Agent that is hardly ever a hit.",
    fix="Take the header out of Vary, or into expect.vary.",
    link=f"{_RFC}#section-4.1",
)
NEVER_HIT = Rule(
    code="cache_rule.never_hit",
    severity=Severity.LOW,
    title="The cache says that it does not cache a page that a cache rule wants cached",
    browser="It waits for the origin.",
    why="The rule in the file is not, or not any more, the one in the cache.",
    fix="Compare the rule with the cache's configuration.",
    link="https://www.rfc-editor.org/rfc/rfc9211.html",
)
TOO_OLD = Rule(
    code="cache_rule.too_old",
    severity=Severity.LOW,
    title="A shared cache gave out a page that is older than its cache rule allows",
    browser="It shows the old page.",
    why="The cache keeps pages for longer than was agreed, whatever the headers say.",
    fix="Lower the time in the cache's configuration, which overrides the headers.",
    link=f"{_RFC}#section-4.2",
)
UNUSED = Rule(
    code="cache_rule.unused",
    severity=Severity.INFO,
    title="A cache rule holds no page of the run",
    browser="It knows nothing of cache rules.",
    why="Its pages were not found, or its pattern is not what was meant.",
    fix="Correct the pattern, widen the site's scope, or delete the rule.",
    link=_RFC,
)

DANGEROUS = (
    PRIVATE_HIT,
    SET_COOKIE_ON_HIT,
    BYPASS_HIT,
    BYPASS_STORED,
    DIFFERS,
    PRIVATE_CACHEABLE,
    PRIVATE_HEURISTIC,
    SET_COOKIE,
)
WASTEFUL = (NOT_CACHEABLE, UNSTATED, TOO_LONG, TOO_SHORT, VARY, NEVER_HIT, TOO_OLD, UNUSED)

RULES: dict[str, Rule] = {rule.code: rule for rule in (*DANGEROUS, *WASTEFUL)}
"""Every rule by its code, the order being that of reports."""
