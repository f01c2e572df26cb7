"""What profiles demand of transport, of cookies, and of what other sites may read."""

from __future__ import annotations

import re

from review.finding import ANY, Severity
from review.policy import answers
from review.policy.answers import Answer
from review.policy.demand import demand

YEAR = 31_536_000
_SESSION = re.compile(r"sess|sid$|auth|token|jwt|login|remember", re.IGNORECASE)
_READ_BY_SCRIPTS = re.compile(r"csrf|xsrf", re.IGNORECASE)

# --- transport ---------------------------------------------------------------------------------------------------

_HSTS = "strict-transport-security"
_HSTS_LINK = "https://www.rfc-editor.org/rfc/rfc6797#section-6.1"
_HSTS_BROWSER = (
    "For max-age seconds after each answer it comes over https alone, however the address was typed."
)
_HSTS_WHY = "Until it knows that, somebody on the network can keep a visitor on http and read along."

HSTS_YEAR = demand(
    "hsts_year",
    Severity.MEDIUM,
    _HSTS,
    lambda answer: answers.hsts_lasts(answer, YEAR, subdomains=False),
    title="HSTS holds for less than a year",
    browser=_HSTS_BROWSER,
    why=_HSTS_WHY,
    fix="Strict-Transport-Security: max-age=31536000",
    link=_HSTS_LINK,
    classes=ANY,
)
HSTS_YEAR_SUBDOMAINS = demand(
    "hsts_year_subdomains",
    Severity.MEDIUM,
    _HSTS,
    lambda answer: answers.hsts_lasts(answer, YEAR, subdomains=True),
    title="HSTS holds for less than a year, or not for subdomains",
    browser=_HSTS_BROWSER,
    why=f"{_HSTS_WHY} A host below this one that answers over http can set cookies for it.",
    fix="Strict-Transport-Security: max-age=31536000; includeSubDomains",
    link=_HSTS_LINK,
    classes=ANY,
)
HSTS_TWO_YEARS_SUBDOMAINS = demand(
    "hsts_two_years_subdomains",
    Severity.LOW,
    _HSTS,
    lambda answer: answers.hsts_lasts(answer, 2 * YEAR, subdomains=True),
    title="HSTS holds for less than two years, or not for subdomains",
    browser=_HSTS_BROWSER,
    why=_HSTS_WHY,
    fix="Strict-Transport-Security: max-age=63072000; includeSubDomains",
    link=_HSTS_LINK,
    classes=ANY,
)

# --- cookies -----------------------------------------------------------------------------------------------------

_COOKIE = "set-cookie"
_COOKIE_LINK = "https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-4.1.3"

COOKIE_SECURE_PREFIX = demand(
    "cookie_secure_prefix",
    Severity.MEDIUM,
    _COOKIE,
    lambda answer: all(
        cookie["secure"] and cookie["name"].lower().startswith(("__host-", "__secure-"))
        for cookie in answer.cookies
    ),
    title="A cookie without Secure, or without a prefix in its name",
    browser="It takes a cookie named __Secure-... or __Host-... only with Secure and over https, whoever sets it.",
    why="Without the prefix somebody on the network can set a cookie of that name over http, and the site cannot tell.",
    fix="Set-Cookie: __Host-session=...; Path=/; Secure; HttpOnly; SameSite=Lax",
    link=_COOKIE_LINK,
    classes=ANY,
)
COOKIE_SAME_SITE = demand(
    "cookie_same_site",
    Severity.LOW,
    _COOKIE,
    lambda answer: all(cookie["same_site"] != "default" for cookie in answer.cookies),
    title="A cookie without a SameSite of its own",
    browser="Without it, Chromium takes Lax with two minutes of exceptions, and Firefox and Safari send the cookie always.",
    why="What other sites make a visitor's browser send with this cookie then depends on the browser.",
    fix="Set-Cookie: name=...; SameSite=Lax\nAdd the attribute to the others.",
    link=_COOKIE_LINK,
    classes=ANY,
)
COOKIE_HOST_PREFIX = demand(
    "cookie_host_prefix",
    Severity.LOW,
    _COOKIE,
    lambda answer: all(
        cookie["domain"] or cookie["name"].lower().startswith("__host-") for cookie in answer.cookies
    ),
    title="A cookie for one host whose name does not say so",
    browser="It takes a cookie named __Host-... only from this very host, for all of its paths, over https.",
    why="Another host of the same domain can set a cookie of that name, and the site cannot tell.",
    fix="Set-Cookie: __Host-session=...; Path=/; Secure; HttpOnly; SameSite=Lax",
    link=_COOKIE_LINK,
    classes=ANY,
)
COOKIE_HTTP_ONLY = demand(
    "cookie_http_only",
    Severity.MEDIUM,
    _COOKIE,
    lambda answer: all(cookie["http_only"] or not _is_session(cookie["name"]) for cookie in answer.cookies),
    title="What looks like a session's cookie can be read by scripts",
    browser="With HttpOnly it keeps a cookie from every script of the page.",
    why="A script that somebody else brought into the page can send the session elsewhere.",
    fix="Set-Cookie: name=...; HttpOnly\nAdd the attribute to the others.",
    link=_COOKIE_LINK,
    classes=ANY,
)


def _is_session(name: str) -> bool:
    return bool(_SESSION.search(name)) and not _READ_BY_SCRIPTS.search(name)


# --- what other sites may read -----------------------------------------------------------------------------------

_ORIGIN = "access-control-allow-origin"


def _origin_is_chosen(answer: Answer) -> bool:
    allowed = answer.effective.get(_ORIGIN)
    credentials = answer.effective.get("access-control-allow-credentials") is True
    return allowed != "null" and not (allowed == "*" and credentials)


CORS_ORIGIN = demand(
    "cors_origin",
    Severity.MEDIUM,
    _ORIGIN,
    _origin_is_chosen,
    title="Access-Control-Allow-Origin names nobody in particular",
    browser="`null` is the origin of every sandboxed frame. `*` beside credentials is refused.",
    why="Whoever puts a page into a sandboxed frame may read the answer.",
    fix="Access-Control-Allow-Origin: https://app.example.com\nName the origin that is trusted, or send no header.",
    link="https://fetch.spec.whatwg.org/#cors-check",
    classes=ANY,
)
