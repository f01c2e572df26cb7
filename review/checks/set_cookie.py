"""Set-Cookie (RFC 6265bis): what browsers refuse, and what protects a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headersweep import cookies as folding
from review import cookies, sessions
from review.cookies import Cookie
from review.finding import Finding, Rule, Severity
from review.received import Received
from review.sessions import Likeness

HEADER = cookies.HEADER
LONG_LIFE_SECONDS = 30 * 86_400
DAY_SECONDS = 86_400

_LINK = "https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html"
_STORAGE = f"{_LINK}#name-storage-model"
_PREFIXES = f"{_LINK}#name-cookie-name-prefixes"
_BEST = "Set-Cookie: __Host-session=...; Path=/; Secure; HttpOnly; SameSite=Lax"
"""What a new session should have. Where one attribute is missing, that alone is the fix: a new name ends all sessions."""

_SAMESITE = "Set-Cookie: name=...; SameSite=Lax\nAdd the attribute to the others. None, with Secure, only where other sites need it."

REJECTED = Rule(
    code="cookie.rejected",
    severity=Severity.MEDIUM,
    title="Browsers do not keep this cookie",
    browser=(
        "It drops the whole line; the detail says for what. A browser that does not know Partitioned keeps a cookie that is "
        "wrong in that alone."
    ),
    why="What the cookie was for does not work, or an older cookie of that name stays in use.",
    fix=f"{_BEST}\nWhatever the detail names has to change.",
    link=_STORAGE,
)
PREFIX_BROKEN = Rule(
    code="cookie.prefix_broken",
    severity=Severity.MEDIUM,
    title="The cookie's name promises what its attributes do not keep",
    browser=(
        "All browsers drop a cookie with __Secure- that is not Secure over https, and one with __Host- that moreover has a "
        "Domain or lacks Path=/, in any case of the letters. __Http- and __Host-Http- also ask for HttpOnly in Chromium "
        "since 140 and in newer Firefox; to other browsers they are ordinary names."
    ),
    why="The cookie is not stored, so what it was for does not work.",
    fix=_BEST,
    link=_PREFIXES,
)
SAMESITE_NONE_INSECURE = Rule(
    code="cookie.samesite_none_insecure",
    severity=Severity.MEDIUM,
    title="SameSite=None without Secure",
    browser="Chromium and Firefox (since 131) drop the cookie; Safari keeps it.",
    why="The cookie works in some browsers alone; there it travels in the clear with requests that any site causes.",
    fix="Set-Cookie: name=...; Path=/; Secure; SameSite=None",
    link=_STORAGE,
)
INSECURE = Rule(
    code="cookie.insecure",
    severity=Severity.MEDIUM,
    title="The cookie may travel without encryption",
    browser="Without Secure it sends the cookie over http as well, unless HSTS already keeps it from using http.",
    why="Whoever sits on the network path can cause one http request and read the cookie; a session is theirs then.",
    fix="Set-Cookie: name=...; Secure\nAdd the attribute to the others; the name may stay.",
    link=f"{_LINK}#name-the-secure-attribute",
)
OVER_HTTP = Rule(
    code="cookie.session_over_http",
    severity=Severity.HIGH,
    title="A session begins over http",
    browser="It keeps the cookie and sends it back unencrypted; over http it would not even accept Secure.",
    why="Everybody on the network path has read the session's cookie, or has put their own in its place.",
    fix=f"{_BEST}\nAnswer http with nothing but a redirect to https, and set cookies there.",
    link=f"{_LINK}#name-the-secure-attribute",
)
SESSION_READABLE = Rule(
    code="cookie.session_readable",
    severity=Severity.HIGH,
    title="Scripts can read what looks like a session",
    browser="Without HttpOnly it shows the cookie to every script of the page, and lets every script overwrite it.",
    why="One injected script carries the session away, to be used from elsewhere and for longer than the page is open.",
    fix="Set-Cookie: name=...; HttpOnly\nAdd the attribute to the others, once no script of the site reads the cookie.",
    link=f"{_LINK}#name-the-httponly-attribute",
)
SAMESITE_MISSING = Rule(
    code="cookie.samesite_missing",
    severity=Severity.LOW,
    title="The cookie does not say with which requests of other sites it goes",
    browser=(
        "Browsers differ: Chromium takes a missing SameSite for Lax, but sends the cookie with foreign POST requests for two "
        "minutes; Firefox and Safari send it with every request of every site, as far as they do not block such cookies."
    ),
    why="In browsers without that default, other sites can act in the person's name (cross-site request forgery).",
    fix=_SAMESITE,
    link=f"{_LINK}#name-the-samesite-attribute-2",
)
SAMESITE_UNKNOWN = Rule(
    code="cookie.samesite_unknown",
    severity=Severity.LOW,
    title="SameSite has a value that no browser knows",
    browser="It knows Strict, Lax and None, in any case, and takes anything else for no SameSite at all.",
    why="The attribute looks as if it protected; what holds is each browser's default, and those differ.",
    fix=_SAMESITE,
    link=f"{_LINK}#name-the-samesite-attribute-2",
)
SESSION_CROSS_SITE = Rule(
    code="cookie.session_cross_site",
    severity=Severity.LOW,
    title="What looks like a session goes with requests of every site",
    browser="SameSite=None sends the cookie with everything that other sites embed, fetch or post.",
    why="The session has no protection against forged requests but what the application adds itself.",
    fix=f"{_BEST}\nKeep None only where other sites have to embed this one.",
    link=f"{_LINK}#name-the-samesite-attribute-2",
)
WIDE_DOMAIN = Rule(
    code="cookie.wide_domain",
    severity=Severity.LOW,
    title="What looks like a session is given to all subdomains",
    browser="With a Domain, also that of the host itself, it sends the cookie to every host below; without, to this one alone.",
    why="The weakest subdomain decides about the session: whoever controls one receives the cookie.",
    fix=f"{_BEST}\nLeave Domain out.",
    link=f"{_LINK}#name-the-domain-attribute",
)
NO_PREFIX = Rule(
    code="cookie.no_prefix",
    severity=Severity.INFO,
    title="What looks like a session has a name without a prefix",
    browser="A cookie named __Host-... can only be set by this host over https; any subdomain can set one of another name.",
    why="Opinion: a prefix costs a rename, and keeps subdomains and http from planting a session. ASVS 5.0 asks for one.",
    fix=(
        f"{_BEST}\nThe new name ends sessions that go on; with Domain, or for a part of the site, __Secure- is the prefix."
    ),
    link=_PREFIXES,
    opinion=True,
)
LONG_LIVED = Rule(
    code="cookie.long_lived_session",
    severity=Severity.INFO,
    title="What looks like a session outlives the browser by more than a month",
    browser="It keeps the cookie on disk until it runs out, at the most for 400 days.",
    why="Opinion: who ever gets at the device or a backup of it has the session. Some sites want exactly that.",
    fix=f"{_BEST}\nWithout Max-Age and Expires it ends with the browser's session.",
    link=f"{_LINK}#name-the-max-age-attribute",
    opinion=True,
)
CSRF_READABLE = Rule(
    code="cookie.csrf_readable",
    severity=Severity.INFO,
    title="Scripts can read the cookie against forged requests",
    browser="Without HttpOnly it shows the cookie to every script of the page, and lets every script overwrite it.",
    why="Opinion: needed where scripts copy it into a header (Angular, axios); elsewhere HttpOnly costs nothing.",
    fix="Set-Cookie: csrftoken=...; Path=/; Secure; HttpOnly; SameSite=Lax",
    link=f"{_LINK}#name-the-httponly-attribute",
    opinion=True,
)
FOLDED = Rule(
    code="cookie.folded",
    severity=Severity.MEDIUM,
    title="Several cookies stand on one line",
    browser="It does not split Set-Cookie at commas: the further cookies become part of an attribute of the first.",
    why="All but the first are lost, or the first loses its attributes. Some proxy or framework has joined the lines.",
    fix="Set-Cookie: first=...; Path=/; Secure; HttpOnly; SameSite=Lax\nOne line for each cookie.",
    link="https://www.rfc-editor.org/rfc/rfc9110.html#section-5.3",
)
MISTYPED = Rule(
    code="cookie.mistyped_attribute",
    severity=Severity.LOW,
    title="The cookie has an attribute that no browser knows",
    browser="It compares the whole name between two semicolons, in any case, and skips what it does not know.",
    why="The attribute looks as if it protected the cookie, and does not.",
    fix=f"{_BEST}\nA semicolon between attributes, no quotes, no hyphen in HttpOnly and SameSite.",
    link=f"{_LINK}#name-the-set-cookie-header-field-3",
)
TOO_MANY = Rule(
    code="cookie.too_many",
    severity=Severity.LOW,
    title="More cookies than a browser keeps for a site",
    browser=f"It keeps about {cookies.MOST} cookies of a site and drops the least used ones beyond that.",
    why="Which ones are lost is chance; a session may be among them. Cookies beyond that number were not judged.",
    fix=f"{_BEST}\nOne cookie that names a record on the server replaces the rest.",
    link=f"{_LINK}#name-limits",
)
RULES = (
    REJECTED,
    PREFIX_BROKEN,
    SAMESITE_NONE_INSECURE,
    INSECURE,
    OVER_HTTP,
    SESSION_READABLE,
    SAMESITE_MISSING,
    SAMESITE_UNKNOWN,
    SESSION_CROSS_SITE,
    WIDE_DOMAIN,
    NO_PREFIX,
    LONG_LIVED,
    CSRF_READABLE,
    FOLDED,
    MISTYPED,
    TOO_MANY,
)


def effective(received: Received) -> list[dict[str, Any]]:
    """What a browser makes of each line, up to as many as it keeps."""
    return [each.as_json() for each in cookies.read(received)]


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say what browsers refuse, and what leaves sessions open."""
    secure = received.secure
    for each in cookies.read(received):
        if "," in each.evidence:
            yield from _folded(each)
        if each.rejected_because is not None:
            yield _refused(each)
        elif each.lifetime is None or each.lifetime > 0:
            yield from _kept(each, secure=secure)
    if len(received.values(HEADER)) > cookies.MOST:
        yield TOO_MANY.found(detail=f"{len(received.values(HEADER))} lines")


def _folded(each: Cookie) -> Iterator[Finding]:
    _, _, attributes = each.evidence.partition(";")
    if folding.FOLDED_COOKIE.search(attributes):
        yield FOLDED.found(each.evidence, each.name)


def _refused(each: Cookie) -> Finding:
    reason = each.rejected_because or ""
    if each.prefix and reason == cookies.broken_promise(each):
        return _weighed(PREFIX_BROKEN, each, reason)
    if each.same_site == "none" and not each.secure and "SameSite" in reason:
        return SAMESITE_NONE_INSECURE.found(each.evidence, each.name)
    return _weighed(REJECTED, each, reason)


def _weighed(rule: Rule, each: Cookie, detail: str = "") -> Finding:
    """One level more where the name certainly stands for a session."""
    known = rule.severity is Severity.MEDIUM and sessions.likeness(each.name) is Likeness.KNOWN
    return rule.found(each.evidence, each.name, detail, severity=Severity.HIGH if known else None)


def _kept(each: Cookie, *, secure: bool) -> list[Finding]:
    session, found = sessions.likeness(each.name), []
    if each.mistyped:
        found.append(MISTYPED.found(each.evidence, each.name, each.mistyped))
    if secure and not each.secure:
        severity = Severity.HIGH if session is Likeness.KNOWN else None
        found.append(INSECURE.found(each.evidence, each.name, severity=severity))
    if each.same_site == "default":
        found.append(_same_site(each, session))
    if session is not Likeness.NONE:
        found.extend(_session(each, session, secure=secure))
    elif not each.http_only and sessions.is_anti_forgery(each.name):
        found.append(CSRF_READABLE.found(each.evidence, each.name))
    return found


def _same_site(each: Cookie, session: Likeness) -> Finding:
    if each.unknown_same_site:
        return SAMESITE_UNKNOWN.found(each.evidence, each.name, f"SameSite={each.unknown_same_site[:40]}")
    severity = Severity.INFO if session is Likeness.NONE else None
    return SAMESITE_MISSING.found(each.evidence, each.name, severity=severity)


def _session(each: Cookie, session: Likeness, *, secure: bool) -> Iterator[Finding]:
    if not secure:
        yield _by_likeness(OVER_HTTP, each, session)
    if not each.http_only:
        yield _by_likeness(SESSION_READABLE, each, session)
    if each.same_site == "none":
        yield SESSION_CROSS_SITE.found(each.evidence, each.name)
    if each.domain is not None:
        yield WIDE_DOMAIN.found(each.evidence, each.name, f"Domain={each.domain}")
    if secure and not each.prefix:
        yield NO_PREFIX.found(each.evidence, each.name)
    if each.lifetime is not None and each.lifetime > LONG_LIFE_SECONDS:
        yield LONG_LIVED.found(each.evidence, each.name, f"{each.lifetime // DAY_SECONDS} days")


def _by_likeness(rule: Rule, each: Cookie, session: Likeness) -> Finding:
    """One level less where the name only suggests a session."""
    severity = rule.severity if session is Likeness.KNOWN else rule.severity.lowered()
    return rule.found(each.evidence, each.name, severity=severity)
