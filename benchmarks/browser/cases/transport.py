"""Strict-Transport-Security; each case has a host of its own."""

from benchmarks.browser import hosts
from benchmarks.browser.cases import values
from benchmarks.browser.records import Case

ABOUT = "transport"
_VALUES = """\
max-age=1000
max-age=31536000; includeSubDomains
max-age=31536000; includeSubDomains; preload
max-age=31536000 ; includeSubDomains
max-age=31536000;includesubdomains
MAX-AGE=1000; INCLUDESUBDOMAINS
includeSubDomains; max-age=1000
max-age=0
max-age=0; includeSubDomains
max-age=00
max-age=01000
max-age="1000"
max-age="1000"; includeSubDomains
max-age='1000'
max-age = 1000
max-age =1000
max-age= 1000
max-age=1000;
;max-age=1000
;;max-age=1000;;
max-age=1000;;includeSubDomains
max-age
max-age=
max-age=""
max-age=abc
max-age=-1
max-age=+1000
max-age=1000.5
max-age=1e3
max-age=1000s
max-age=0x100
max-age=99999999999999999999
max-age=18446744073709551616; includeSubDomains
maxage=1000
max_age=1000
max-age:1000
max-age 1000
includeSubDomains
preload
max-age=1000, includeSubDomains
max-age=1000, max-age=2000
max-age=1000 includeSubDomains
max-age=1000; max-age=1000
max-age=1000; max-age=0
max-age=1000; includeSubDomains; includeSubDomains
max-age=1000; includeSubDomains=1
max-age=1000; includeSubDomains=true
max-age=1000; includeSubDomains=""
max-age=1000; includeSubDomain
max-age=1000; include-subdomains
max-age=1000; preload; preload
max-age=1000; preload=1
max-age=1000; unknown
max-age=1000; unknown=value
max-age=1000; unknown="quoted; value"
max-age=1000; unknown=un quoted
max-age=1000; unknown; unknown
max-age=1000; =1
max-age=1000; "quoted"
max-age=1000; un/known
max-age=1000; unknown="open
"max-age=1000; includeSubDomains"
max-age=1000; includeSubDomains || max-age=0
max-age=0 || max-age=1000; includeSubDomains
 || max-age=1000
abc || max-age=1000
max-age=1000 || abc
max-age=1000 || max-age=1000
max-age=1000\\xe9
max-age=1000; \\xe9
max-age=1000\\t;\\tincludeSubDomains
Strict-Transport-Security: max-age=1000
max-age=\\"1000\\"
max-age="10\\\\00"
max-age="1000" ; includeSubDomains
max-age=1000 ; preload ; includeSubDomains
"""
CASES: tuple[Case, ...] = tuple(
    Case(ABOUT, case.lines, hosts.own(number))
    for number, case in enumerate((Case(ABOUT, ()), *values(ABOUT, "Strict-Transport-Security", _VALUES)))
)
