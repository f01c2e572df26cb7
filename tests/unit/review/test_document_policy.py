"""Document-Policy: cases on both sides of a structured dictionary of settings."""

from __future__ import annotations

import pytest

from review.checks import document_policy as check
from tests.unit.review._cases import HTML, IMAGE, Case, verify

IGNORED, UNKNOWN = "document_policy.ignored", "document_policy.unknown_feature"
NAME, TRIAL_NAME = "document-policy", "document-policy-report-only"
LINE = "Document-Policy: "
TRIAL_LINE = "Document-Policy-Report-Only: "
_CHROMIUM = "Chromium, document_policy_parser.cc"


def ignored(name: str, *values: str) -> Case:
    return Case(name, (HTML, *(LINE + value for value in values)), {IGNORED}, {NAME: None}, source=_CHROMIUM)


CASES = (
    Case("nothing", (HTML,)),
    Case("yes", (HTML, LINE + "force-load-at-top"), effective={NAME: {"force-load-at-top": True}}),
    Case(
        "no, with a parameter",
        (HTML, LINE + "document-write=?0;report-to=main"),
        effective={NAME: {"document-write": False}},
    ),
    Case(
        "numbers",
        (HTML, LINE + "oversized-images=2.0, lossy-images-max-bpp=1"),
        effective={NAME: {"oversized-images": 2.0, "lossy-images-max-bpp": 1}},
    ),
    Case(
        "two lines",
        (HTML, LINE + "js-profiling", LINE + "document-write=?0"),
        effective={NAME: {"js-profiling": True, "document-write": False}},
    ),
    Case("the default's endpoint", (HTML, LINE + "*;report-to=main"), effective={NAME: {"*": True}}),
    Case("unknown", (HTML, LINE + "frob, js-profiling"), {UNKNOWN}, {NAME: {"frob": True, "js-profiling": True}}),
    Case("a list", (HTML, LINE + "js-profiling=()"), {UNKNOWN}, {NAME: None}, source=_CHROMIUM),
    Case("a string", (HTML, LINE + 'js-profiling="yes"'), {UNKNOWN}, {NAME: None}, source=_CHROMIUM),
    ignored("in capitals", "Document-Write=?0"),
    ignored("semicolons and lists of the old syntax", "document-write 'none'"),
    ignored("a comma at the end", "js-profiling,"),
    ignored("empty", ""),
    ignored("two lines, one broken", "js-profiling", "?"),
    ignored("garbage bytes", "js-profiling\xff"),
    Case("on a picture", (IMAGE, LINE + "?")),
    Case("on trial", (HTML, TRIAL_LINE + "js-profiling"), effective={TRIAL_NAME: {"js-profiling": True}}),
    Case("a broken trial", (HTML, TRIAL_LINE + "?"), {IGNORED}, {TRIAL_NAME: None}),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_document_policy(case: Case) -> None:
    verify(check, case)
