"""Cache-Control at the browser's own cache, and Clear-Site-Data."""

from benchmarks.browser import hosts
from benchmarks.browser.cases import values
from benchmarks.browser.records import Case

_CONTROL = """\
no-store
no-cache
max-age=1000
max-age=0
MAX-AGE=1000
max-age="1000"
max-age=1000, no-store
max-age=1000, no-cache
max-age=1000; no-store
no-store; max-age=1000
max-age=1000 no-store
max-age=1000 || no-store
max-age=1000 || no-cache
no_store, max-age=1000
nostore, max-age=1000
No-Store, max-age=1000
"no-store", max-age=1000
max-age=1000, "no-store"
max-age = 1000
max-age= 1000
max-age=1000, must-revalidate
private, max-age=1000
public
public, max-age=1000
immutable
s-maxage=1000
max-age=0, max-age=1000
max-age=1000, max-age=0
max-age=abc
max-age=-1
max-age=
max-age
max-age=1.5
max-age=1000s
max-age=99999999999999999999
no-cache="Set-Cookie", max-age=1000
private="X", max-age=1000
x="no-store", max-age=1000
no-store=1, max-age=1000
no-cache=, max-age=1000
must-revalidate
no-transform
max-age=1000,
,max-age=1000
max-age=1000\\xe9
"""
_CLEARING = """\
"cookies"
"storage"
"*"
"cookies", "storage"
"cookies","storage"
"cookies" "storage"
"cookies"; "storage"
cookies
'cookies'
*
"COOKIES"
"Cookies"
"cookies", unknown
"unknown", "cookies"
unknown || "cookies"
"cookies" || "storage"
"cookies",
"cookie"
"cookies, storage"
 "cookies"\\t
"cookies";x
"cookies"\\xe9
"cookies", \\xe9
"executionContexts"
"""
CASES: tuple[Case, ...] = (
    Case("caching", ()),
    *values("caching", "Cache-Control", _CONTROL),
    *(
        Case("clearing", case.lines, hosts.own(number))
        for number, case in enumerate((Case("", ()), *values("", "Clear-Site-Data", _CLEARING)))
    ),
)
