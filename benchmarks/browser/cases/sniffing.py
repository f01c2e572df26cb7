"""X-Content-Type-Options."""

from benchmarks.browser.cases import values, whole
from benchmarks.browser.records import Case

ABOUT = "sniffing"
_VALUES = """\
nosniff
NoSniff
NOSNIFF
 nosniff\\t
nosniff;
nosniff,
,nosniff
, nosniff
nosniff, x
x, nosniff
nosniff,nosniff
nosniff || nosniff
nosniff || x
x || nosniff
 || nosniff
nosniff ||\\x20
"nosniff"
'nosniff'
"nosniff, x"
"nosniff", nosniff
nosniff; mode=block
nosniff=1
no-sniff
no sniff
nosnif
none
sniff
1
nosniff\\xe9
\\xe9, nosniff
\\x0bnosniff
\\x0cnosniff
nosniff nosniff
X-Content-Type-Options: nosniff
nosniff || Nosniff || nosniff
nosniff\\t, x
nosniff"x"
"nosniff
nosniff,"
"""
_LINES = """\
x-content-type-options: nosniff
X-Content-Type-Option: nosniff
Content-Type-Options: nosniff
X-Content-Type-Options:nosniff
X_Content_Type_Options: nosniff
X-ContentType-Options: nosniff
"""
CASES: tuple[Case, ...] = (
    Case(ABOUT, ()),
    *values(ABOUT, "X-Content-Type-Options", _VALUES),
    *whole(ABOUT, _LINES),
)
