"""Access-Control-Allow-Origin and -Credentials: the asking page stands on https://harness.test."""

from benchmarks.browser.cases import values, whole
from benchmarks.browser.records import Case

ABOUT = "cors"
_ORIGINS = """\
*
https://harness.test
null
http://harness.test
https://harness.test/
https://harness.test:443
HTTPS://HARNESS.TEST
https://Harness.test
https://*.test
*.test
harness.test
https://harness.test, https://b.test
https://b.test, https://harness.test
https://harness.test, *
*, *
*,
https://harness.test || https://b.test
https://harness.test || https://harness.test
* || *
 || *
"*"
'*'
"https://harness.test"
https://harness.test https://b.test
https://b.test
 https://harness.test\\t
https://harness.test;
*\\xe9
\\x0b*
all
true
https://sub.harness.test
none
"""
_BOTH = """\
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: * || Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: null || Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: True
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: TRUE
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: false
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: 1
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: "true"
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: true, true
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: true || Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: ?1
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials:  true\\t
Access-Control-Allow-Origin: https://harness.test || Access-Control-Allow-Credentials: true;
Access-Control-Allow-Credentials: true
Access-Control-Allow-Origins: *
"""
CASES: tuple[Case, ...] = (
    Case(ABOUT, ()),
    *values(ABOUT, "Access-Control-Allow-Origin", _ORIGINS),
    *whole(ABOUT, _BOTH),
)
