"""Content-Security-Policy; the page stands on a.test, and loads from there, sub.a.test and b.test."""

from benchmarks.browser.cases import values, whole
from benchmarks.browser.observers_csp import HANDLER, HASHED, digest
from benchmarks.browser.records import Case

ABOUT, SANDBOX = "content", "sandbox"
_POLICIES = """\
default-src 'none'
default-src 'self'
default-src *
default-src
default-src https:
default-src 'self' b.test
default-src 'self' 'unsafe-inline'
default-src * 'unsafe-inline' 'unsafe-eval' data:
script-src 'none'
script-src 'self'
script-src self
script-src 'self
script-src "self"
script-src 'SELF'
SCRIPT-SRC 'self'
script-src:'self'
script-src: 'self'
script-src='self'
script-srcs 'self'
scriptsrc 'self'
script-src *
script-src * data:
script-src https:
script-src http:
script-src https
script-src https://*
script-src http://*
script-src data:
script-src blob:
script-src 'unsafe-inline'
script-src unsafe-inline
script-src 'UNSAFE-INLINE'
script-src 'unsafe-eval'
script-src unsafe-eval
script-src 'unsafe-inline' 'unsafe-eval'
script-src 'none' 'unsafe-inline'
script-src 'none' b.test
script-src b.test 'none'
script-src b.test
script-src B.TEST
script-src b.test.
script-src https://b.test
script-src HTTPS://b.test
script-src http://b.test
script-src http://b.test:80
script-src https://b.test:80
script-src b.test:80
script-src b.test:443
script-src https://b.test:443
script-src http://b.test:443
script-src b.test:8443
script-src b.test:*
script-src https://b.test:*
script-src *:443
script-src *:8443
script-src ws://b.test
script-src wss://b.test
script-src //b.test
script-src https:/b.test
script-src https:b.test
script-src https//b.test
script-src b.test/
script-src b.test/part
script-src b.test/part/
script-src b.test/part/external-foreign.js
script-src b.test/part/external-foreign.js?query
script-src b.test/part/external-foreign.js#part
script-src b.test/PART/
script-src b.test/%70art/
script-src b.test/part/external%2Dforeign.js
script-src https://b.test/part/external-foreign.j
script-src *.test
script-src *.b.test
script-src *.a.test
script-src sub.a.test
script-src a.test
script-src *a.test
script-src sub.*.test
script-src *.*.test
script-src b.*
script-src .test
script-src b..test
script-src test
script-src 127.0.0.1
script-src b.test, script-src a.test
script-src b.test,a.test
script-src b.test; script-src 'unsafe-inline'
script-src b.test || script-src a.test b.test
script-src 'unsafe-inline' || default-src 'self'
script-src 'unsafe-inline', default-src 'self'
script-src 'self' b.test, script-src b.test sub.a.test
script-src https:, script-src b.test
script-src *, script-src 'self'
script-src 'unsafe-inline', script-src 'nonce-good'
script-src 'nonce-good', script-src b.test
script-src 'nonce-good', script-src 'nonce-other'
script-src 'nonce-good'
script-src 'nonce-GOOD'
script-src 'NONCE-good'
script-src nonce-good
script-src 'nonce-good
script-src 'nonce-'
script-src 'nonce-good='
script-src 'nonce-go od'
script-src 'nonce-go*d'
script-src 'nonce-good' 'unsafe-inline'
script-src 'nonce-bad' 'unsafe-inline'
script-src 'nonce-!' 'unsafe-inline'
script-src 'nonce-good' 'strict-dynamic'
script-src 'nonce-good' 'strict-dynamic' https: 'unsafe-inline'
script-src 'nonce-good' strict-dynamic
script-src 'nonce-good' 'STRICT-DYNAMIC'
script-src 'strict-dynamic'
script-src 'strict-dynamic' 'unsafe-inline'
script-src 'strict-dynamic' b.test
script-src 'strict-dynamic' 'self' 'unsafe-inline' 'unsafe-eval'
default-src 'nonce-good' 'strict-dynamic'
default-src 'self' 'strict-dynamic' 'unsafe-inline'
script-src 'nonce-good' 'strict-dynamic' 'unsafe-hashes' '{handler}'
script-src '{hash}'
script-src '{hash}' 'unsafe-inline'
script-src {hash}
script-src '{HASH}'
script-src '{hash-url}'
script-src '{hash}=='
script-src 'sha256-{bare}
script-src 'SHA256-{bare}'
script-src 'sha512-{bare}'
script-src 'sha1-{bare}' 'unsafe-inline'
script-src 'md5-{bare}' 'unsafe-inline'
script-src '{handler}'
script-src '{handler}' 'unsafe-hashes'
script-src '{handler}' unsafe-hashes
script-src 'unsafe-hashes' 'unsafe-inline'
script-src '{hash}' 'strict-dynamic'
script-src 'self' '{hash}' '{handler}' 'unsafe-hashes'
script-src-elem 'self'
script-src-elem 'unsafe-inline'
script-src-elem 'none'
script-src-attr 'none'
script-src-attr 'unsafe-inline'
script-src-attr 'nonce-good'
script-src-attr '{handler}' 'unsafe-hashes'
script-src-attr '{handler}'
script-src 'self'; script-src-elem 'unsafe-inline'
script-src 'self'; script-src-attr 'unsafe-inline'
script-src 'unsafe-inline'; script-src-attr 'none'
script-src 'unsafe-inline' *; script-src-elem 'self'
script-src-elem 'nonce-good' 'strict-dynamic'; script-src-attr 'none'
default-src 'none'; script-src-elem b.test
default-src 'self'; script-src-attr 'unsafe-inline'
script-src 'unsafe-eval'; script-src-elem 'self'
script-src-elem 'unsafe-eval'
script-src 'wasm-unsafe-eval'
script-src 'trusted-types-eval'
script-src 'unsafe-eval' 'trusted-types-eval'
script-src 'report-sample'
script-src 'unknown' 'unsafe-inline'
script-src 'unsafe-allow-redirects' b.test
script-src 'inline-speculation-rules'
script-src 'report-sha256' 'unsafe-inline'
style-src 'none'
style-src 'self'
style-src 'unsafe-inline'
style-src b.test
style-src-elem 'unsafe-inline'
style-src-attr 'unsafe-inline'
style-src-attr 'none'
style-src-elem b.test; style-src-attr 'unsafe-inline'
style-src 'none'; style-src-elem b.test
style-src 'nonce-good' 'unsafe-inline'
img-src 'none'
img-src 'self'
img-src *
img-src data:
img-src b.test
img-src * data:
img-src *:*
connect-src 'none'
connect-src 'self'
connect-src b.test
connect-src *
connect-src b.test/echo
connect-src wss://b.test
connect-src ws:
frame-src 'none'
frame-src 'self'
frame-src b.test
frame-src *
child-src 'none'
child-src b.test
child-src b.test; frame-src 'none'
default-src 'none'; frame-src b.test; form-action 'none'
worker-src 'none'
worker-src 'self'
worker-src b.test
child-src 'self'; worker-src 'none'
child-src 'none'; script-src 'self'
script-src 'none'; worker-src 'self'
script-src 'strict-dynamic'; child-src 'self'
script-src 'strict-dynamic' 'self'; worker-src 'strict-dynamic' 'self'
object-src 'none'
object-src 'self'
object-src b.test
default-src 'none'; object-src b.test
base-uri 'none'
base-uri 'self'
base-uri b.test
base-uri b.test/base/
base-uri b.test/other/
base-uri *
base-uri
default-src 'none'; base-uri *
form-action 'none'
form-action 'self'
form-action b.test
form-action b.test/other
form-action *
form-action
default-src 'none'; frame-src *
upgrade-insecure-requests
upgrade-insecure-requests; default-src 'none'
upgrade-insecure-requests 0
UPGRADE-INSECURE-REQUESTS
block-all-mixed-content
require-trusted-types-for 'script'
require-trusted-types-for script
require-trusted-types-for "script"
require-trusted-types-for 'SCRIPT'
require-trusted-types-for
require-trusted-types-for 'none'
require-trusted-types-for 'style'
require-trusted-types-for 'script' 'style'
trusted-types 'none'
trusted-types default
trusted-types *; require-trusted-types-for 'script'
navigate-to 'none'
plugin-types text/html
reflected-xss block
prefetch-src 'none'
unknown-src 'none'
default-src 'none' unknown-src 'self'
default-src 'self' script-src 'unsafe-inline'
script-src 'self' object-src 'none'
script-src 'self'; ; ;object-src 'none';
;
,
,,script-src 'self',,
script-src 'self';script-src *
script-src\\t'self'
script-src \\x0c'self'
\\x0bscript-src 'self'
script-src\\x0b'self'
script-src\\x0b 'self'
script-src\\xa0'self'
script-src 'self' \\xe9
script-src 'self'; img-src \\xe9
\\xe9 script-src 'self'
script-src \\xe9; img-src 'none'
script-src 'self' {x}
script-src ${SELF}
script-src <nonce>
script-src 'self'. b.test
script-src 'self'b.test
script-src 'unsafe-inline''self'
script-src 'self' | b.test
script-src [b.test]
script-src b.test?x
script-src b.test#x
script-src b_.test
script-src user@b.test
script-src https://user@b.test
script-src b.test\\\\part
script-src :
script-src ://b.test
script-src *:*
script-src *.
script-src **
script-src */
script-src */part/
script-src https://*/part/
script-src https://*.test/part/
script-src https://*:*
script-src filesystem: mediastream: about:
script-src javascript:
Content-Security-Policy: script-src 'self'
script-src-elem *; script-src 'none'
default-src https: 'unsafe-inline'; object-src 'none'
default-src https: 'unsafe-inline' 'unsafe-eval'; script-src https: 'nonce-good'
default-src data: https: 'unsafe-inline'
object-src 'none'; base-uri 'none'
frame-ancestors 'none'
img-src 'self'; style-src 'self'; frame-ancestors 'self'
default-src 'self'; script-src 'self' 'unsafe-inline' b.test; style-src 'self' 'unsafe-inline'; img-src 'self' data:
"""
_LINES = """\
Content-Security-Policy-Report-Only: default-src 'none'
Content-Security-Policy-Report-Only: script-src 'none' || Content-Security-Policy: img-src 'none'
X-Content-Security-Policy: default-src 'none'
X-WebKit-CSP: default-src 'none'
Content-Security-Policy:default-src 'self'
content-security-policy: script-src 'none'
Content-Security-Policies: script-src 'none'
Content-Security-Policy: || Content-Security-Policy: script-src 'self'
Content-Security-Policy: script-src 'self'; || Content-Security-Policy: ;script-src b.test
Content-Security-Policy: script-src b.test || Content-Security-Policy: style-src 'none' || Content-Security-Policy: img-src 'none'
"""
_SANDBOXES = """\
sandbox
sandbox allow-scripts
sandbox allow-scripts allow-same-origin
sandbox allow-same-origin
sandbox ALLOW-SCRIPTS
sandbox 'allow-scripts'
sandbox allow-script
sandbox unknown allow-scripts
sandbox; sandbox allow-scripts
sandbox allow-scripts, sandbox
sandbox allow-scripts || sandbox allow-scripts allow-same-origin
sandbox allow-forms
SANDBOX allow-scripts
sandbox: allow-scripts
sandboxed
default-src 'none'; sandbox allow-scripts allow-same-origin
"""


def _filled(case: Case) -> Case:
    bare = digest(HASHED).partition("-")[2]
    places = {
        "{hash}": digest(HASHED),
        "{HASH}": digest(HASHED).upper(),
        "{hash-url}": digest(HASHED).replace("+", "-").replace("/", "_"),
        "{bare}": bare,
        "{handler}": digest(HANDLER),
    }
    lines = list(case.lines)
    for place, value in places.items():
        lines = [line.replace(place, value) for line in lines]
    return Case(case.about, tuple(lines))


CASES: tuple[Case, ...] = (
    Case(ABOUT, ()),
    *(_filled(case) for case in values(ABOUT, "Content-Security-Policy", _POLICIES)),
    *whole(ABOUT, _LINES),
    Case(SANDBOX, ()),
    *values(SANDBOX, "Content-Security-Policy", _SANDBOXES),
    *whole(SANDBOX, "Content-Security-Policy-Report-Only: sandbox"),
)
