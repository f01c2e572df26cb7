"""Set-Cookie; each case has a host of its own, which stands for HOST."""

from benchmarks.browser import hosts
from benchmarks.browser.cases import whole
from benchmarks.browser.records import Case

ABOUT = "cookies"
FIRST_HOST = 100
"""Those before it have been bound to https by then."""
_LINES = """\
a=1
a=1; Path=/
a=1; Path=/case
a=1; Path=/case/
a=1; Path=/cas
a=1; Path=/other
a=1; Path=case
a=1; Path="/"
a=1; Path=
a=1; Path=/other; Path=/
a=1; path=/
a=1; Secure
a=1; Secure; HttpOnly
a=1; HttpOnly
a=1; HTTPONLY
a=1; HttpOnly=false
a=1; HttpOnly=
a=1; Http-Only
a=1; Secure=false
a=1; secured
a=1, Secure
a=1; "Secure"
a=1;Secure;HttpOnly
a=1 ; Secure ; HttpOnly
a=1;; Secure
a=1; SameSite=Strict
a=1; SameSite=Lax
a=1; SameSite=None
a=1; SameSite=None; Secure
a=1; Secure; SameSite=none
a=1; Secure; SameSite=NONE
a=1; Secure; SameSite="None"
a=1; Secure; SameSite
a=1; Secure; SameSite=
a=1; Secure; SameSite=Unknown
a=1; Secure; SameSite=Strict; SameSite=None
a=1; Secure; SameSite=None; SameSite=Strict
a=1; Secure; SameSite=None; SameSite=Unknown
a=1; Secure; SameSite = None
a=1; Secure; Same-Site=None
a=1; Secure, SameSite=None
a=1; Domain=HOST
a=1; Domain=.HOST
a=1; Domain=..HOST
a=1; Domain=sub.HOST
a=1; Domain=b.test
a=1; Domain=test
a=1; Domain=.test
a=1; Domain=
a=1; Domain=.
a=1; Domain=HOST.
a=1; Domain="HOST"
a=1; Domain=b.test; Domain=HOST
a=1; Domain=HOST; Domain=b.test
a=1; Domain=HOST; Domain=
a=1; Domain=https://HOST
a=1; Domain=HOST:443
a=1; Domain=*.HOST
a=1; Max-Age=1000
a=1; Max-Age=0
a=1; Max-Age=-1
a=1; Max-Age=abc
a=1; Max-Age=
a=1; Max-Age="1000"
a=1; Max-Age=1.5
a=1; Max-Age=+1000
a=1; Max-Age=0; Max-Age=1000
a=1; Max-Age=1000; Max-Age=0
a=1; Max-Age=1000; Max-Age=abc
a=1; Max-Age=0; Expires=Wed, 01 Jan 2070 00:00:00 GMT
a=1; Max-Age=1000; Expires=Thu, 01 Jan 1970 00:00:00 GMT
a=1; Max-Age=99999999999999999999
a=1; Max-Age=-99999999999999999999
a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT
a=1; Expires=Wed, 01 Jan 2070 00:00:00 GMT
a=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT
a=1; Expires=Thursday, 01-Jan-70 00:00:00 GMT
a=1; Expires=Thu Jan  1 00:00:00 1970
a=1; Expires=0
a=1; Expires=-1
a=1; Expires=
a=1; Expires=yesterday
a=1; Expires=1 Jan 2000
a=1; Expires=1 Jan 2000 00:00:00
a=1; Expires=00:00:00 2000 1 Jan
a=1; Expires=2000-01-01T00:00:00Z
a=1; Expires=Thu, 01 Jan 00 00:00:00 GMT
a=1; Expires=Thu, 32 Jan 1990 00:00:00 GMT
a=1; Expires=Fri, 31 Feb 1990 00:00:00 GMT
a=1; Expires=Thu, 01 Jan 1970 24:00:00 GMT
a=1; Expires=Thu, 01 Jan 1970 00:00 GMT
a=1; Expires=Thu, 01 January 1990 0:0:0
a=1; Expires="Thu, 01 Jan 1970 00:00:00 GMT"
a=1; Expires=Thu, 01 Jan 1500 00:00:00 GMT
a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=invalid
__Secure-a=1
__Secure-a=1; Secure
__secure-a=1
__SECURE-a=1; Secure
__Host-a=1; Secure; Path=/
__Host-a=1; Secure
__Host-a=1; Path=/
__Host-a=1; Secure; Path=/; Domain=HOST
__Host-a=1; Secure; Path=/; Domain=
__Host-a=1; Secure; Path=/case
__HOST-a=1; Secure
__host-a=1; Secure; Path=/
__Http-a=1; Secure; HttpOnly
__Http-a=1; Secure
__Host-Http-a=1; Secure; HttpOnly; Path=/
__Host-Http-a=1; Secure; Path=/
=__Host-a=1; Secure; Path=/
=__Secure-a; Secure
__Secure-a; Secure
=1
1
=a=1
=
a=
a
 a = 1\\x20
"a"=1
a="1"
a="1; Secure"
a=1 2
a=b=c
a b=1
a=1;
;a=1
; Secure
a=\\xe9
\\xe9=1
a=1\\t2
a=1\\x012
a=1\\x7f
a\\x01=1
a=1; Path=/\\x01
a=1; Secure\\x01
a=1; Partitioned
a=1; Partitioned; Secure
a=1; Partitioned; Secure; SameSite=None
a=1; Priority=High
a=1; Unknown; Secure
a=1, b=2
a=1; Secure, b=2; HttpOnly
a=1 || b=2
a=1 || a=2; HttpOnly
a=1; HttpOnly || a=2
a=1; Path=/ || a=2; Path=/case
a=1; Secure || a=2
a=1 || a=; Max-Age=0
a=1; Max-Age=0 || a=2
a=1; Secure; SameSite=None || b=2; SameSite=Strict || c=3
LONG; Secure
TOOLONG; Secure
a=1; Path=LONGPATH; HttpOnly
a=1; Secure; X=LONGPATH
"""
_PLACES = {"TOOLONG": f"a={'x' * 4096}", "LONGPATH": f"/{'x' * 1024}", "LONG": f"a={'x' * 4095}"}


def _filled(line: str, host: str) -> str:
    for place, value in {**_PLACES, "HOST": host}.items():
        line = line.replace(place, value) if place != "HOST" else _host(line, value)
    return f"Set-Cookie: {line}"


def _host(line: str, host: str) -> str:
    pair, semicolon, attributes = line.partition(";")
    return pair + semicolon + attributes.replace("HOST", host)


CASES: tuple[Case, ...] = tuple(
    Case(
        ABOUT,
        tuple(_filled(line, hosts.own(FIRST_HOST + number)) for line in case.lines),
        hosts.own(FIRST_HOST + number),
    )
    for number, case in enumerate(whole(ABOUT, _LINES))
)
