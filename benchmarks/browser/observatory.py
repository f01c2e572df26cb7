"""The best known scanner beside the browsers: one question a header, answered by browser, by our review and by its logic.

Only questions to which the scanner's result is an answer; what it does not say is no disagreement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.browser.predictions import predicted
from benchmarks.browser.records import Record
from review.grades import mdn, mdn_cookies
from review.grades.scan import Scan

Did = dict[str, Any]
_CORS = "cross-origin-resource-sharing"
_NO_POLICY = (
    "csp-not-implemented",
    "csp-not-implemented-but-reporting-enabled",
    "csp-header-invalid",
    "csp-implemented-with-unsafe-inline",
)


@dataclass(frozen=True)
class Question:
    """``answer``: from what a browser did, or was predicted to. ``scanner``: by the scanner's logic; None: it says nothing."""

    about: str
    header: str
    text: str
    answer: Callable[[Did], Any]
    scanner: Callable[[Record], Any]


def _result(record: Record, test: str) -> str:
    # The Observatory's test of cross-origin sharing looks at the answer to a preflight.
    pairs = (*record.pairs, ("Content-Type", "text/html"))
    scan = Scan(f"https://{record.host or 'a.test'}/", pairs, preflight=record.pairs)
    results = {one.name: one.result for one in mdn.grade(scan).tests}
    return results.get(test, "")


def _says(test: str, *results: str) -> Callable[[Record], bool]:
    """Whether the test's result is one of these; a star stands for what follows."""

    def asked(record: Record) -> bool:
        found = _result(record, test)
        return any(found.startswith(one[:-1]) if one.endswith("*") else found == one for one in results)

    return asked


def _private(record: Record) -> bool | None:
    found = _result(record, "referrer-policy").removeprefix("referrer-policy-")
    return found == "private" if found in {"private", "unsafe"} else None


def _jar(record: Record) -> list[str]:
    scan = Scan(f"https://{record.host}/case/x", record.pairs)
    # What was asked for lies below /case/.
    return sorted({one.name for one in mdn_cookies.jar(scan) if one.path in {"/", "/case", "/case/"}})


def _for_all(record: Record) -> bool | None:
    """The asking page's own origin was named: that is no answer about every site."""
    if "harness" in str(record.lines).lower():
        return None
    return _says(_CORS, f"{_CORS}-implemented-with-public-access")(record)


def _own_code_alone(did: Did) -> bool:
    return not (did["inline"] or did["handler"] or did["external_foreign"] or did["external_data"])


def _kept(did: Did) -> list[str]:
    return sorted({*did["script"], *did["same"]})


def _is_private(did: Did) -> bool:
    return bool(did["foreign"] != "url" and did["insecure"] == "nothing")


QUESTIONS = (
    Question(
        "transport", "Strict-Transport-Security", "is http to the host upgraded?",
        lambda did: did["host"] == "https", _says("strict-transport-security", "hsts-implemented-*"),
    ),
    Question(
        "sniffing", "X-Content-Type-Options", "is a script of a wrong type stopped?",
        lambda did: not did["script"], _says("x-content-type-options", "x-content-type-options-nosniff"),
    ),
    Question(
        "framing", "X-Frame-Options, frame-ancestors", "is the page kept out of a foreign frame?",
        lambda did: not did["foreign"],
        _says("x-frame-options", "x-frame-options-sameorigin-or-deny", "x-frame-options-implemented-via-csp"),
    ),
    Question(
        "referrer", "Referrer-Policy", "is the URL kept from foreign sites, and all from http?", _is_private, _private,
    ),
    Question(
        "content", "Content-Security-Policy", "is injected code stopped?",
        _own_code_alone, lambda record: _result(record, "content-security-policy") not in _NO_POLICY,
    ),
    Question(
        "cookies", "Set-Cookie", "which cookies are kept?", _kept, _jar,
    ),
    Question(
        "cors", "Access-Control-Allow-Origin", "may every site read it?",
        lambda did: did["anonymous"], _for_all,
    ),
    Question(
        "resource", "Cross-Origin-Resource-Policy", "is a foreign site kept from embedding?",
        lambda did: not did["foreign"],
        _says("cross-origin-resource-policy", "corp-implemented-with-same-origin", "corp-implemented-with-same-site"),
    ),
    Question(
        "opener", "Cross-Origin-Opener-Policy", "is the opener cut off?",
        lambda did: not did["opener"],
        _says("cross-origin-opener-policy", "coop-implemented-with-same-origin*", "coop-implemented-with-noopener*"),
    ),
    Question(
        "isolation", "Cross-Origin-Embedder-Policy", "is a foreign picture that agrees to nothing stopped?",
        lambda did: not did["foreign"], _says("cross-origin-embedder-policy", "coep-implemented-with-require-corp"),
    ),
)  # fmt: skip


@dataclass
class Tally:
    """How often each was right about one browser."""

    asked: int = 0
    ours: int = 0
    scanner: int = 0
    scanner_asked: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.asked + other.asked,
            self.ours + other.ours,
            self.scanner + other.scanner,
            self.scanner_asked + other.scanner_asked,
        )


def tally(records: list[Record], question: Question) -> Tally:
    """How the review and the scanner did on one question."""
    found = Tally()
    for record in records:
        if record.about == question.about:
            truth, said = question.answer(record.did), question.scanner(record)
            found.asked += 1
            found.ours += question.answer(predicted(record)) == truth
            if said is not None:
                found.scanner_asked += 1
                found.scanner += said == truth
    return found
