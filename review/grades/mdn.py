"""The grade of the MDN HTTP Observatory, reproduced: algorithm 6 (August 2026), and 5 and 4 before it.

Its verdicts are not those of browsers; facts that our findings state may contradict it. It is shown with its version,
since a grade without one cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from review import readers, structured_fields
from review.grades import mdn_cookies, mdn_csp, mdn_scripts
from review.grades.mdn_scores import LETTERS, MODIFIERS
from review.grades.scan import WHITESPACE, Scan, host_of, scheme_of, text

NEWEST = 6
ALGORITHMS = (6, 5, 4)
HALF_A_YEAR_SECONDS = 15_552_000
EXTRA_CREDIT_FROM = 90
"""Bonuses count only for a page that has this score without them."""
LARGEST_BLOCK_BYTES = 16 * 1024
"""More header bytes its client (Node.js) does not take: it says that the site is down."""

_BEFORE_5 = {"x-frame-options-sameorigin-or-deny": 0}
_SINCE_6 = frozenset({"cross-origin-embedder-policy", "cross-origin-opener-policy"})
_ADMITTED = frozenset({401, 403})
_LEADING_NUMBER = re.compile(rf"[{WHITESPACE}]*([+-]?[0-9]+)")

_PRIVATE = ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")
_UNSAFE = ("origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade")


@dataclass(frozen=True, slots=True)
class Test:
    """One of the Observatory's tests: its result, under the Observatory's name, and what that adds to the score."""

    name: str
    result: str
    modifier: int


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade, or none where the Observatory gives none. ``assumed``: what was not known, and how it was taken."""

    algorithm: int
    score: int | None = None
    grade: str | None = None
    tests: tuple[Test, ...] = ()
    assumed: tuple[str, ...] = ()
    scheme: str = "mdn"

    def as_json(self) -> dict[str, Any]:
        """The grade with its version, as every output has it."""
        return {"scheme": self.scheme, "algorithm": self.algorithm, "score": self.score, "grade": self.grade}

    def explained(self) -> dict[str, Any]:
        """The same, with the result of each test and what was assumed."""
        tests = [{"name": one.name, "result": one.result, "modifier": one.modifier} for one in self.tests]
        return {**self.as_json(), "tests": tests, "assumed": list(self.assumed)}


def grade(scan: Scan, algorithm: int = NEWEST) -> Grade:
    """The grade of a page by one version of the algorithm; never raises, whatever was received."""
    if scan.status < 200 or (scan.status >= 400 and scan.status not in _ADMITTED):  # noqa: PLR2004 - HTTP's classes
        return Grade(
            algorithm, assumed=(f"no grade: the Observatory grades no answer with status {scan.status}",)
        )
    if sum(len(name) + len(value) + 4 for name, value in scan.pairs) > LARGEST_BLOCK_BYTES:
        return Grade(algorithm, assumed=("no grade: the Observatory takes no more than 16 KiB of headers",))
    try:
        results = _results(scan, algorithm)
    except mdn_csp.TooManyError:
        return Grade(algorithm, assumed=("no grade: too many policies to be compared",))
    tests = tuple(Test(name, result, _modifier(result, algorithm)) for name, result in results.items())
    score = _score([test.modifier for test in tests])
    return Grade(algorithm, score, letter(score), tests, tuple(_assumed(scan)))


def _modifier(result: str, algorithm: int) -> int:
    before = _BEFORE_5 if algorithm < 5 else {}  # noqa: PLR2004 - the version's number
    return before.get(result, MODIFIERS[result])


def _score(modifiers: list[int]) -> int:
    plain = 100 + sum(modifier for modifier in modifiers if modifier < 0)
    return max(100 + sum(modifiers) if plain >= EXTRA_CREDIT_FROM else plain, 0)


def letter(score: int) -> str:
    """The letter of a score: rounded down to a multiple of five, at most 100."""
    return LETTERS.get(min(score - score % 5, 100), "F")


def _results(scan: Scan, algorithm: int) -> dict[str, str]:
    csp = mdn_csp.verdict(scan)
    hsts = _hsts(scan)
    passed = hsts in {"hsts-implemented-max-age-at-least-six-months", "hsts-preloaded"}
    results = {
        "content-security-policy": csp.result,
        "cookies": mdn_cookies.verdict(scan, hsts=passed),
        "cross-origin-resource-sharing": _cors(scan),
        "redirection": _redirection(scan),
        "referrer-policy": _referrer(scan),
        "strict-transport-security": hsts,
        "subresource-integrity": mdn_scripts.verdict(scan),
        "x-content-type-options": _content_type_options(scan),
        "x-frame-options": _frame_options(scan, via_csp=csp.has_frame_ancestors),
        "cross-origin-resource-policy": _corp(scan),
        "cross-origin-embedder-policy": _isolation(scan, "coep", "cross-origin-embedder-policy"),
        "cross-origin-opener-policy": _isolation(scan, "coop", "cross-origin-opener-policy"),
    }
    old = algorithm < 6  # noqa: PLR2004 - the version's number
    return {name: result for name, result in results.items() if not (old and name in _SINCE_6)}


def _hsts(scan: Scan) -> str:
    if not scan.https:
        return "hsts-not-implemented-no-https"
    if scan.preloaded:
        return "hsts-preloaded"
    if not scan.verified:
        return "hsts-invalid-cert"
    value = scan.text("strict-transport-security")
    if value is None:
        return "hsts-not-implemented"
    return _max_age(value[:1024])


def _max_age(value: str) -> str:
    """Text that is no number passes: JavaScript's comparison with NaN is false."""
    ages = [part for part in _parts(value) if part.startswith("max-age=")]
    if "," in value or not ages:
        return "hsts-header-invalid"
    number = _LEADING_NUMBER.match(ages[-1][8:128])
    less = number is not None and int(number[1]) < HALF_A_YEAR_SECONDS
    return f"hsts-implemented-max-age-{'less-than' if less else 'at-least'}-six-months"


def _parts(value: str) -> list[str]:
    return [part.strip(WHITESPACE).lower() for part in value.split(";")]


def _cors(scan: Scan) -> str:
    allowed = text(scan.preflight or (), "access-control-allow-origin")
    if not allowed:
        return "cross-origin-resource-sharing-not-implemented"
    if _cut(allowed, 256) == "*":
        return "cross-origin-resource-sharing-implemented-with-public-access"
    credentials = text(scan.preflight or (), "access-control-allow-credentials") or ""
    if scan.cors_origin and allowed == scan.cors_origin and credentials.lower().strip(WHITESPACE) == "true":
        return "cross-origin-resource-sharing-implemented-with-universal-access"
    return "cross-origin-resource-sharing-implemented-with-restricted-access"


def _redirection(scan: Scan) -> str:  # noqa: PLR0911 - their list, in their order
    route = scan.route
    if not route:
        return "redirection-not-needed-no-http"
    if not scan.http_verified:
        return "redirection-invalid-cert"
    if all(hop.preloaded for hop in route):
        return "redirection-all-redirects-preloaded"
    if len(route) == 1:
        return "redirection-missing"
    if scheme_of(route[-1].url) != "https":
        return "redirection-not-to-https"
    if scheme_of(route[1].url) == "http":
        return "redirection-not-to-https-on-initial-redirection"
    if host_of(route[0].url) != host_of(route[1].url):
        return "redirection-off-host-from-http"
    return "redirection-to-https"


def _referrer(scan: Scan) -> str:
    sent = scan.text("referrer-policy")
    meta = [content for content in scan.meta.meta_referrers if content][-1:]
    values = [*([] if sent is None else [sent]), *meta]
    if not values:
        return "referrer-policy-not-implemented"
    known = [token for token in _tokens(values) if token in _PRIVATE or token in _UNSAFE]
    if not known:
        return "referrer-policy-header-invalid"
    return f"referrer-policy-{'private' if known[-1] in _PRIVATE else 'unsafe'}"


def _tokens(values: list[str]) -> list[str]:
    return [token.strip(WHITESPACE).lower() for value in values for token in value.split(",")]


def _content_type_options(scan: Scan) -> str:
    value = scan.text("x-content-type-options")
    if not value:
        return "x-content-type-options-not-implemented"
    return f"x-content-type-options-{'nosniff' if _cut(value, 256) == 'nosniff' else 'header-invalid'}"


def _frame_options(scan: Scan, *, via_csp: bool) -> str:
    if via_csp:
        return "x-frame-options-implemented-via-csp"
    value = scan.text("x-frame-options")
    if not value:
        return "x-frame-options-not-implemented"
    word = _cut(value, 1024)
    if word in {"deny", "sameorigin"}:
        return "x-frame-options-sameorigin-or-deny"
    return f"x-frame-options-{'allow-from-origin' if word.startswith('allow-from') else 'header-invalid'}"


def _corp(scan: Scan) -> str:
    word = _cut(scan.text("cross-origin-resource-policy") or "", 256)
    if not word:
        return "corp-not-implemented"
    known = word in {"same-site", "same-origin", "cross-origin"}
    return f"corp-implemented-with-{word}" if known else "corp-header-invalid"


def _isolation(scan: Scan, short: str, name: str) -> str:
    value = scan.text(name)
    if not value:
        return f"{short}-not-implemented"
    item = readers.structured(value[:1024].strip(WHITESPACE), "item")
    token = item[0] if isinstance(item, tuple) and isinstance(item[0], structured_fields.Token) else ""
    result = f"{short}-implemented-with-{token}"
    return result if result in MODIFIERS else f"{short}-header-invalid"


def _cut(value: str, length: int) -> str:
    return value[:length].strip(WHITESPACE).lower()


_ASSUMPTIONS: tuple[tuple[Callable[[Scan], bool], str], ...] = (
    (lambda scan: scan.route is None, "redirection: http was not asked; taken as if it did not answer"),
    (
        lambda scan: scan.preflight is None,
        "cross-origin-resource-sharing: no preflight was sent; taken as not allowed",
    ),
    (lambda scan: scan.preloaded is None, "strict-transport-security: taken as not on the preload list"),
    (
        lambda scan: scan.reads_body and scan.facts is None and scan.scripts is None,
        "content-security-policy, referrer-policy, subresource-integrity: no body was given; taken as without meta elements and scripts",
    ),
)


def _assumed(scan: Scan) -> list[str]:
    return [sentence for unknown, sentence in _ASSUMPTIONS if unknown(scan)]
