"""Where we say something else than a browser does, on purpose: each with its reason. The list shall stay short."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.browser.cases import BETWEEN_LINES
from benchmarks.browser.records import Record

CHROMIUM, FIREFOX = "chromium", "firefox"


@dataclass(frozen=True)
class Difference:
    """Cases in which one browser does something else than we say. ``keys``: of what was asked; empty: all of it."""

    browser: str
    about: str
    values: frozenset[str]
    reason: str
    keys: frozenset[str] = field(default_factory=frozenset)

    def covers(self, record: Record) -> bool:
        """Whether a record is one of these cases."""
        text = BETWEEN_LINES.join(value for _, value in record.pairs)
        return (self.browser, self.about) == (record.browser, record.about) and text in self.values


def _of(browser: str, about: str, values: str, reason: str, keys: str = "") -> Difference:
    texts = values.encode().decode("unicode_escape").split("\n")
    return Difference(browser, about, frozenset(texts), reason, frozenset(keys.split()))


DIFFERENCES: tuple[Difference, ...] = (
    _of(
        FIREFOX,
        "transport",
        "max-age=99999999999999999999\\nmax-age=18446744073709551616; includeSubDomains\\n"
        'max-age=1000; =1\\nmax-age="10\\\\00"',
        "Firefox refuses numbers beyond 64 bits and escapes in quotes, and skips a directive without a name; RFC 6797 and Chromium do not",
    ),
    _of(CHROMIUM, "framing", r"\x0bDENY", "Chromium trims a vertical tab, Fetch and Firefox do not"),
    _of(
        CHROMIUM,
        "referrer",
        "\\x0bno-referrer\\n\\x0cno-referrer",
        "Chromium trims vertical tabs and form feeds, Firefox does not",
    ),
    _of(
        CHROMIUM,
        "referrer",
        'unsafe-url, "no-referrer"\\nunsafe-url, \\xe9',
        "Chromium drops the whole header for a word with other characters than letters and hyphens, says referrer_policy.ignored",
    ),
    _of(
        CHROMIUM,
        "framing",
        "frame-ancestors harness.test:80",
        "Chromium takes port 80 for 443 only beside http:, Firefox always; we allow what one of them does",
    ),
    _of(
        CHROMIUM,
        "content",
        "script-src https://b.test:80\\nscript-src b.test:80",
        "Chromium takes port 80 for 443 only beside http:, Firefox always; we allow what one of them does",
    ),
    _of(
        CHROMIUM,
        "content",
        "default-src 'self' 'strict-dynamic' 'unsafe-inline'",
        "by CSP3 'strict-dynamic' switches 'unsafe-inline' off for scripts; in Chromium for styles as well",
        "style_inline style_attribute",
    ),
    _of(
        FIREFOX,
        "framing",
        "frame-ancestors harness.test/path\\nframe-ancestors https://harness.test/harness?x",
        "Firefox ignores the path; by CSP3 and in Chromium a path fits no ancestor",
    ),
    _of(
        FIREFOX,
        "content",
        "script-src b.test?x\\nscript-src b.test#x",
        "Firefox cuts a query off; by CSP3 and in Chromium the source is none",
        "external_foreign external_nonce",
    ),
    _of(
        FIREFOX,
        "content",
        "script-src */\\nscript-src */part/\\nscript-src https://*/part/",
        "Firefox takes no path after a lone star; by CSP3 and in Chromium it is a source",
        "external_self external_sub external_foreign external_nonce worker",
    ),
    _of(
        FIREFOX,
        "resource",
        " || same-origin",
        "Firefox leaves empty lines out; Fetch and Chromium join them",
        "sibling foreign",
    ),
    _of(
        FIREFOX,
        "opener",
        " || same-origin",
        "Firefox leaves empty lines out; by RFC 9651 and in Chromium the field is broken",
    ),
    _of(
        FIREFOX,
        "clearing",
        '"cookies", \\xe9',
        "Firefox skips what it does not know; Chromium refuses a value beyond ASCII whole",
    ),
    _of(
        CHROMIUM,
        "cookies",
        "a=\\xe9\\n\\xe9=1",
        "a byte that is no UTF-8 empties document.cookie in Chromium; the cookie is sent",
        "script",
    ),
    _of(
        FIREFOX,
        "cookies",
        "\\xe9=1",
        "the cookie is kept; the byte is shown as a replacement character",
        "script",
    ),
    _of(CHROMIUM, "cookies", "a=1\\t2", "Chromium refuses a tab; RFC 6265bis and Firefox keep it"),
    _of(
        FIREFOX, "cookies", "=1", "Firefox refuses an empty name before an equals sign; RFC 6265bis does not"
    ),
    _of(FIREFOX, "cookies", "__Secure-a; Secure", "Firefox keeps a nameless cookie that looks like a prefix"),
    _of(
        FIREFOX,
        "cookies",
        "a=1; Expires=1 Jan 2000\\na=1; Expires=Fri, 31 Feb 1990 00:00:00 GMT\\n"
        "a=1; Expires=Thu, 01 Jan 1970 24:00:00 GMT\\na=1; Expires=Thu, 01 Jan 1970 00:00 GMT",
        "Firefox reads dates that RFC 6265bis and Chromium refuse",
    ),
    _of(
        CHROMIUM,
        "caching",
        'max-age="1000"\\nmax-age = 1000\\nno-store=1, max-age=1000\\nno-cache=, max-age=1000',
        "what we say of Cache-Control is about shared caches (RFC 9111); Chromium wants neither quotes, spaces nor values there",
    ),
    _of(
        FIREFOX,
        "caching",
        'max-age="1000"\\nmax-age=1000; no-store\\nmax-age=1000 no-store\\n"no-store", max-age=1000\\nmax-age=0, max-age=1000\\n'
        "max-age=1000, max-age=0\\nmax-age=1.5\\nmax-age=1000s\\nmax-age=99999999999999999999\\n"
        'private="X", max-age=1000\\n,max-age=1000\\nmax-age=1000\\xe9\\nno-cache="Set-Cookie", max-age=1000',
        "what we say of Cache-Control is about shared caches (RFC 9111); Firefox reads leading digits, and the last of repeated directives",
    ),
)


def excused(record: Record) -> dict[str, str]:
    """What of a record we say otherwise on purpose, and why."""
    return {key: one.reason for one in DIFFERENCES if one.covers(record) for key in (one.keys or record.did)}
