"""Permissions-Policy and Feature-Policy."""

from benchmarks.browser.cases import values, whole
from benchmarks.browser.records import Case

ABOUT = "permissions"
_VALUES = """\
geolocation=()
geolocation=(), camera=()
geolocation=(self)
geolocation=self
geolocation=*
geolocation=(*)
geolocation=("*")
geolocation=("self")
geolocation=(self "https://b.test")
geolocation=("https://b.test")
geolocation="https://b.test"
geolocation=(self, camera=()
geolocation=(self https://b.test)
geolocation=(b.test)
geolocation=("b.test")
geolocation=("https://*.b.test")
geolocation=("https://b.test:443")
geolocation=("https://b.test/path")
geolocation=("HTTPS://B.TEST")
geolocation=("http://b.test")
geolocation=('self')
geolocation='self'
geolocation 'none'
geolocation 'self'; camera 'none'
geolocation=none
geolocation=(none)
geolocation='none'
geolocation=()camera=()
geolocation=(); camera=()
geolocation=();report-to=x, camera=()
geolocation=(),camera=(self),
geolocation=(),,camera=()
,geolocation=()
geolocation
geolocation=?1
geolocation=?0
geolocation=0
geolocation=1
Geolocation=()
GEOLOCATION=()
geolocation =()
geolocation= ()
geolocation=( )
geolocation=(  self  )
geolocation=(self)x
geolocation=(), unknown=()
unknown=()
unknown=(), geolocation=()
un/known=(), geolocation=()
geolocation=(), geolocation=*
geolocation=*, geolocation=()
geolocation=() || camera=()
geolocation=() || geolocation=*
geolocation=* || geolocation=()
geolocation=() || camera
geolocation=() || camera='self'
geolocation=() ||\\x20
geolocation=src
geolocation=(src)
geolocation=(self *)
geolocation=(\\xe9)
geolocation=(), \\xe9
geolocation=(self);x=1
geolocation=(self;x=1)
geolocation=:YQ==:
geolocation=1.5
geolocation=("https://b.test" "https://harness.test")
geolocation=(self self)
geolocation={}
fullscreen=()
fullscreen=(self)
fullscreen=*, payment=(), usb=()
payment=("https://b.test"), usb=*
camera=*, geolocation=*
interest-cohort=()
*=()
"""
_LINES = """\
Feature-Policy: geolocation 'none'
Feature-Policy: geolocation 'self'; camera 'none'
Feature-Policy: geolocation 'none', camera 'none'
Feature-Policy: geolocation none
Feature-Policy: geolocation
Feature-Policy: geolocation *
Feature-Policy: geolocation * 'none'
Feature-Policy: geolocation 'none' 'self'
Feature-Policy: geolocation https://b.test
Feature-Policy: geolocation b.test
Feature-Policy: geolocation 'SELF'
Feature-Policy: GEOLOCATION 'none'
Feature-Policy: geolocation=()
Feature-Policy: geolocation 'none'; geolocation *
Feature-Policy: geolocation 'none'\\xe9
Feature-Policy: unknown 'none'; camera 'none'
Feature-Policy: geolocation 'none' || Feature-Policy: camera 'none'
Feature-Policy: geolocation 'none' || Permissions-Policy: geolocation=*
Feature-Policy: geolocation * || Permissions-Policy: geolocation=()
Feature-Policy: geolocation 'none' || Permissions-Policy: camera=()
Feature-Policy: geolocation 'none' || Permissions-Policy: geolocation='self'
Permissions-Policy-Report-Only: geolocation=()
Permissions-Policies: geolocation=()
Permission-Policy: geolocation=()
"""
CASES: tuple[Case, ...] = (
    Case(ABOUT, ()),
    *values(ABOUT, "Permissions-Policy", _VALUES),
    *whole(ABOUT, _LINES),
)
