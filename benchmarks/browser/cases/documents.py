"""Document-Policy and Integrity-Policy."""

from benchmarks.browser.cases import values
from benchmarks.browser.records import Case

_DOCUMENT = """\
js-profiling
js-profiling=?1
js-profiling=?0
no-js-profiling
JS-Profiling
js-profiling=1
js-profiling=true
js-profiling="1"
js-profiling=()
js-profiling, unknown
unknown, js-profiling
js-profiling;report-to=x
js-profiling, js-profiling=?0
js-profiling=?0, js-profiling
js-profiling || js-profiling=?0
js-profiling=?0 || js-profiling
js-profiling,
js-profiling; x
js-profiling\\xe9
*, js-profiling
unknown="open, js-profiling
"""
_INTEGRITY = """\
blocked-destinations=(script)
blocked-destinations=(style)
blocked-destinations=(script style)
blocked-destinations=(script), sources=(inline)
blocked-destinations=(script), sources=(unknown)
blocked-destinations=(script), sources=()
blocked-destinations=(script), endpoints=(x)
blocked-destinations=script
blocked-destinations=("script")
blocked-destinations=(SCRIPT)
blocked-destinations=(Script)
blocked-destinations=()
blocked-destinations
blocked-destinations=(unknown)
blocked-destinations=(unknown script)
Blocked-Destinations=(script)
blocked-destinations=(script,
blocked-destinations=(script style), blocked-destinations=(style)
blocked-destinations=(script) || blocked-destinations=(style)
blocked-destinations=(script) || sources=(inline)
blocked-destinations=(script), unknown
sources=(inline)
script
blocked-destinations=(script) sources=(inline)
blocked-destinations=(script)\\xe9
"""
CASES: tuple[Case, ...] = (
    Case("documents", ()),
    *values("documents", "Document-Policy", _DOCUMENT),
    Case("integrity", ()),
    *values("integrity", "Integrity-Policy", _INTEGRITY),
    *values("integrity", "Integrity-Policy-Report-Only", "blocked-destinations=(script)"),
)
