"""Referrer-Policy."""

from benchmarks.browser.cases import values, whole
from benchmarks.browser.records import Case

ABOUT = "referrer"
_VALUES = """\
no-referrer
no-referrer-when-downgrade
same-origin
origin
strict-origin
origin-when-cross-origin
strict-origin-when-cross-origin
unsafe-url
NO-REFERRER
No-Referrer
never
always
default
origin-when-crossorigin
none
no-referer
no-referrer, unsafe-url
unsafe-url, no-referrer
no-referrer, unknown
unknown, no-referrer
no-referrer,
,no-referrer
no-referrer || unsafe-url
unsafe-url || no-referrer
no-referrer || unknown
unknown || same-origin
no-referrer ||\\x20
same-origin, strict-origin-when-cross-origin
no-referrer, strict-origin-when-cross-origin
unsafe-url, never
no-referrer, always
"no-referrer"
'no-referrer'
"no-referrer, unsafe-url"
unsafe-url, "no-referrer"
no-referrer;
no-referrer; unsafe-url
unsafe-url; no-referrer
no-referrer unsafe-url
no-referrer=1
no-referrer\\t,\\tunsafe-url
\\x0bno-referrer
\\x0cno-referrer
no-referrer\\xe9
unsafe-url, \\xe9
no_referrer
strict-origin-when-cross-origin, no-referrer-when-downgrade
origin, origin, origin
*
Referrer-Policy: no-referrer
unsafe-url/no-referrer
"""
_LINES = """\
Referer-Policy: no-referrer
referrer-policy: no-referrer
Content-Security-Policy: referrer no-referrer
"""
CASES: tuple[Case, ...] = (
    Case(ABOUT, ()),
    *values(ABOUT, "Referrer-Policy", _VALUES),
    *whole(ABOUT, _LINES),
)
