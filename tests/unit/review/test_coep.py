"""Cross-Origin-Embedder-Policy: the values of web-platform-tests' header-parsing.https.html, and the boundaries beside."""

from __future__ import annotations

import pytest

from review.checks import coep as check
from tests.unit.review._cases import HTML, IMAGE, JSON, SCRIPT, Case, verify

MISSING, IGNORED, ALONE = "coep.missing", "coep.ignored", "coep.not_isolated"
TRIAL, TRIAL_IGNORED, LESS = "coep.only_reported", "coep.report_only_ignored", "coep.credentialless"
NAME, TRIAL_NAME = "cross-origin-embedder-policy", "cross-origin-embedder-policy-report-only"
LINE = "Cross-Origin-Embedder-Policy: "
TRIAL_LINE = "Cross-Origin-Embedder-Policy-Report-Only: "
OPENER = "Cross-Origin-Opener-Policy: same-origin"
_TESTS = "web-platform-tests, html/cross-origin-embedder-policy/header-parsing.https.html"


def ignored(name: str, *values: str) -> Case:
    lines = (HTML, OPENER, *(LINE + value for value in values))
    return Case(name, lines, {IGNORED}, {NAME: None}, source=_TESTS)


def requires(name: str, *values: str) -> Case:
    lines = (HTML, OPENER, *(LINE + value for value in values))
    return Case(name, lines, effective={NAME: "require-corp"}, source=_TESTS)


CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("nothing over http", (HTML,), scheme="http"),
    Case("nothing on a script", (SCRIPT,)),
    Case("nothing from an API", (JSON,)),
    Case("unsafe-none", (HTML, LINE + "unsafe-none"), effective={NAME: "unsafe-none"}),
    requires("require-corp", "require-corp"),
    requires("whitespace around", " \trequire-corp\t "),
    requires("an unknown parameter", "require-corp; foo=bar"),
    requires("a parameter of the same name", "require-corp;require-corp"),
    requires("a parameter over two lines", 'require-corp; report-to="data:', '"'),
    ignored("empty", ""),
    ignored("unknown", "jibberish"),
    ignored("a byte beyond ASCII", "require\xffcorp"),
    ignored("a semicolon at the end", "require-corp;"),
    ignored("vertical tabs", "\x0brequire-corp\x0b"),
    ignored("form feeds", "\x0crequire-corp\x0c"),
    ignored("carriage returns", "\rrequire-corp\r"),
    ignored("in capitals", "Require-corp"),
    ignored("a string", '"require-corp"'),
    ignored("a byte sequence", ":cmVxdWlyZS1jb3Jw:"),
    ignored("a tab before a parameter", "require-corp;\tfoo=bar"),
    ignored("two words", "require-corp require-corp"),
    ignored("a list", "require-corp,require-corp"),
    ignored("two lines", "require-corp", "require-corp"),
    ignored("an empty line first", "", "require-corp"),
    ignored("an empty line after", "require-corp", ""),
    Case("a broken value on a script", (SCRIPT, LINE + "x"), {IGNORED}),
    Case("a broken value on a picture", (IMAGE, LINE + "x")),
    Case("over http", (HTML, LINE + "require-corp"), effective={NAME: None}, scheme="http"),
    Case("without its companion", (HTML, LINE + "require-corp"), {ALONE}, {NAME: "require-corp"}),
    Case(
        "with a companion that is not enough",
        (HTML, LINE + "require-corp", "Cross-Origin-Opener-Policy: same-origin-allow-popups"),
        {ALONE},
    ),
    Case("credentialless", (HTML, OPENER, LINE + "credentialless"), {LESS}, {NAME: "credentialless"}),
    Case("on trial", (HTML, TRIAL_LINE + "require-corp"), {TRIAL}, {TRIAL_NAME: "require-corp"}),
    Case("a trial of nothing", (HTML, TRIAL_LINE + "unsafe-none"), {MISSING}),
    Case("a broken trial", (HTML, TRIAL_LINE + "x"), {MISSING, TRIAL_IGNORED}, {TRIAL_NAME: None}),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_coep(case: Case) -> None:
    verify(check, case)
