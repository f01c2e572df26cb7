"""Cross-Origin-Opener-Policy, -Embedder-Policy, -Resource-Policy, and Origin-Agent-Cluster."""

from benchmarks.browser import hosts
from benchmarks.browser.cases import values, whole
from benchmarks.browser.records import Case

_OPENER = """\
same-origin
same-origin-allow-popups
unsafe-none
noopener-allow-popups
SAME-ORIGIN
Same-Origin
"same-origin"
'same-origin'
same-origin;
same-origin; report-to="x"
same-origin; report-to=x
same-origin;report-to
same-origin ; report-to="x"
same-origin;report-to="x
same-origin, same-origin
same-origin,
same-origin || same-origin
same-origin || unsafe-none
unsafe-none || same-origin
 || same-origin
same-site
same-origin-plus-COEP
same-origin unsafe-none
(same-origin)
same-origin;\\xe9
same-origin\\xe9
\\xe9, same-origin
?1
same-origin\\t
*same-origin
x
"""
_EMBEDDER = """\
require-corp
credentialless
unsafe-none
REQUIRE-CORP
"require-corp"
require-corp;
require-corp; report-to="x"
require-corp;report-to=x
require-corp, require-corp
require-corp || require-corp
require-corp || unsafe-none
require-corp,
require corp
(require-corp)
require-cors
require-corp\\xe9
credentialless; report-to="x"
Credentialless
"""
_ISOLATED = """\
Cross-Origin-Opener-Policy: same-origin || Cross-Origin-Embedder-Policy: require-corp
Cross-Origin-Opener-Policy: same-origin || Cross-Origin-Embedder-Policy: credentialless
Cross-Origin-Opener-Policy: same-origin || Cross-Origin-Embedder-Policy: unsafe-none
Cross-Origin-Opener-Policy: same-origin-allow-popups || Cross-Origin-Embedder-Policy: require-corp
Cross-Origin-Opener-Policy: noopener-allow-popups || Cross-Origin-Embedder-Policy: require-corp
Cross-Origin-Opener-Policy: same-origin, same-origin || Cross-Origin-Embedder-Policy: require-corp
Cross-Origin-Opener-Policy: same-origin || Cross-Origin-Embedder-Policy: Require-Corp
Cross-Origin-Opener-Policy: same-origin || Cross-Origin-Embedder-Policy-Report-Only: require-corp
Cross-Origin-Opener-Policy-Report-Only: same-origin || Cross-Origin-Embedder-Policy: require-corp
Cross-Origin-Opener-Policy: same-origin; report-to="x" || Cross-Origin-Embedder-Policy: require-corp; report-to="x"
Cross-Origin-Opener-Policy: same-origin || Cross-Origin-Embedder-Policy: require-corp || Permissions-Policy: cross-origin-isolated=()
Cross-Origin-Embedder-Policy-Report-Only: require-corp
"""
_RESOURCE = """\
same-origin
same-site
cross-origin
SAME-ORIGIN
Same-Site
"same-origin"
same-origin;
same-origin, same-origin
same-origin, same-site
same-origin || same-origin
same-origin || cross-origin
same-origin,
 || same-origin
same-origin x
same-origin; report-to="x"
none
*
same origin
\\tsame-origin\\t
same-origin\\xe9
\\x0bsame-origin
cross-site
'same-origin'
"""
_AGENTS = """\
?1
?0
1
0
true
"?1"
?1;x
?0;x=1
?1, ?1
?0, ?0
?0,
?0 || ?0
?0 || ?1
?1 || ?0
?2
? 0
?0\\xe9
?0 ;x
(?0)
"""
CASES: tuple[Case, ...] = (
    Case("opener", ()),
    *values("opener", "Cross-Origin-Opener-Policy", _OPENER),
    *whole("opener", "Cross-Origin-Opener-Policy-Report-Only: same-origin"),
    Case("isolation", ()),
    *values("isolation", "Cross-Origin-Embedder-Policy", _EMBEDDER),
    *whole("isolation", _ISOLATED),
    Case("resource", ()),
    *values("resource", "Cross-Origin-Resource-Policy", _RESOURCE),
    Case("agents", (), hosts.own(0)),
    *(
        Case("agents", case.lines, hosts.own(number))
        for number, case in enumerate(values("agents", "Origin-Agent-Cluster", _AGENTS), 1)
    ),
)
