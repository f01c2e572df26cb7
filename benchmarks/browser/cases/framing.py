"""X-Frame-Options and frame-ancestors; the framed page stands on a.test."""

from benchmarks.browser.cases import values, whole
from benchmarks.browser.records import Case

ABOUT = "framing"
_OPTIONS = """\
DENY
deny
SAMEORIGIN
SameOrigin
 \\tDENY\\t
DENY;
DENY,
,DENY
DENY,,DENY
SAMEORIGIN,
"DENY"
'DENY'
"DENY, SAMEORIGIN"
DENY, SAMEORIGIN
SAMEORIGIN, DENY
SAMEORIGIN, SAMEORIGIN
SAMEORIGIN, sameorigin
DENY, DENY
SAMEORIGIN || DENY
DENY || SAMEORIGIN
SAMEORIGIN || SAMEORIGIN
DENY || DENY
ALLOWALL
ALLOWALL, DENY
ALLOWALL, ALLOWALL
ALLOWALL, INVALID
INVALID
INVALID, SAMEORIGIN
SAMEORIGIN || INVALID
INVALID || ALLOW-FROM https://harness.test
ALLOW-FROM https://harness.test
ALLOW-FROM https://harness.test, DENY
ALLOW-FROM: https://harness.test
ALLOW-FROM https://b.test || SAMEORIGIN
SAMEORIGIN https://harness.test
SAME-ORIGIN
SAMEORIGIN; ALLOW-FROM https://harness.test
none
*
0
DENY\\xe9
\\x0bDENY
DENY DENY
{DENY}
X-Frame-Options: DENY
X-Frame-Options: SAMEORIGIN
allow-from
"""
_ANCESTORS = """\
frame-ancestors 'none'
frame-ancestors 'self'
frame-ancestors
frame-ancestors none
frame-ancestors self
frame-ancestors *
frame-ancestors https:
frame-ancestors http:
frame-ancestors http: 'none'
frame-ancestors https: 'none'
frame-ancestors https://harness.test
frame-ancestors http://harness.test
frame-ancestors harness.test
frame-ancestors HARNESS.TEST
frame-ancestors harness.test:443
frame-ancestors harness.test:80
frame-ancestors http://harness.test:80
frame-ancestors harness.test:8443
frame-ancestors harness.test:*
frame-ancestors harness.test/
frame-ancestors harness.test/path
frame-ancestors https://harness.test/harness?x
frame-ancestors *.test
frame-ancestors *.harness.test
frame-ancestors *.a.test
frame-ancestors https://*.a.test
frame-ancestors https://*:443
frame-ancestors a.test
frame-ancestors 'self' https://harness.test
frame-ancestors 'self', frame-ancestors https://harness.test
frame-ancestors https://harness.test, frame-ancestors *
frame-ancestors https://harness.test; frame-ancestors 'none'
frame-ancestors 'none'; frame-ancestors *
frame-ancestors 'SELF'
FRAME-ANCESTORS 'none'
frame-ancestor 'none'
frame-ancestors: 'none'
frame-ancestors='none'
frame-ancestors 'unsafe-inline'
frame-ancestors "self"
frame-ancestors https://harness.test,https://b.test
frame-ancestors https://b.test https://harness.test
frame-ancestors 'none' https://harness.test
frame-ancestors harness
frame-ancestors https//harness.test
frame-ancestors data:
frame-ancestors \\xe9
frame-ancestors 'none' \\xe9
default-src 'none'; script-src 'unsafe-inline'
frame-src 'none'; script-src 'unsafe-inline'
;;; frame-ancestors 'none' ;;;
frame-ancestors\\t'none'
frame-ancestors 'self' || frame-ancestors 'none'
default-src * 'unsafe-inline' || frame-ancestors 'none'
"""
_BOTH = """\
X-Frame-Options: DENY || Content-Security-Policy: frame-ancestors *
X-Frame-Options: DENY || Content-Security-Policy: frame-ancestors https://harness.test
X-Frame-Options: SAMEORIGIN || Content-Security-Policy: frame-ancestors https://harness.test
X-Frame-Options: SAMEORIGIN || Content-Security-Policy: frame-ancestors 'none'
X-Frame-Options: DENY || Content-Security-Policy: frame-ancestors 'self'
X-Frame-Options: DENY || Content-Security-Policy: frame-ancestors
X-Frame-Options: DENY || Content-Security-Policy: script-src 'unsafe-inline'
X-Frame-Options: DENY || Content-Security-Policy: frame-ancestor *
X-Frame-Options: DENY || Content-Security-Policy-Report-Only: frame-ancestors *
Content-Security-Policy-Report-Only: frame-ancestors 'none'
X-Frame-Options: ALLOW-FROM https://b.test || Content-Security-Policy: frame-ancestors https://b.test
X-Frame-Options: SAMEORIGIN || Content-Security-Policy: img-src * || Content-Security-Policy: frame-ancestors *
X-Frame-Options: DENY || X-Content-Security-Policy: frame-ancestors *
Frame-Options: DENY
X-FrameOptions: DENY
X-Frame-Option: DENY
x-frame-options: deny
X-Frame-Options: DENY || X-Frame-Options: ALLOW-FROM https://harness.test || X-Frame-Options: SAMEORIGIN
"""
CASES: tuple[Case, ...] = (
    Case(ABOUT, ()),
    *values(ABOUT, "X-Frame-Options", _OPTIONS),
    *values(ABOUT, "Content-Security-Policy", _ANCESTORS),
    *whole(ABOUT, _BOTH),
)
