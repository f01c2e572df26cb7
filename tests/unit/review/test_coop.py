"""Cross-Origin-Opener-Policy: cases on both sides of "one token that browsers know"."""

from __future__ import annotations

import pytest

from review.checks import coop as check
from tests.unit.review._cases import HTML, IMAGE, JSON, SCRIPT, Case, verify

MISSING, IGNORED, OFF, SOME = "coop.missing", "coop.ignored", "coop.off", "coop.not_everywhere"
TRIAL, TRIAL_IGNORED = "coop.only_reported", "coop.report_only_ignored"
NAME, TRIAL_NAME = "cross-origin-opener-policy", "cross-origin-opener-policy-report-only"
LINE = "Cross-Origin-Opener-Policy: "
TRIAL_LINE = "Cross-Origin-Opener-Policy-Report-Only: "
_ITEM = "HTML, 7.1.3: a structured item; RFC 9651, 4.2.3"


def ignored(name: str, *values: str) -> Case:
    return Case(name, (HTML, *(LINE + value for value in values)), {IGNORED}, {NAME: None}, source=_ITEM)


CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("nothing over http", (HTML,), scheme="http"),
    Case("nothing on a script", (SCRIPT,)),
    Case("nothing on a picture", (IMAGE,)),
    Case("nothing from an API", (JSON,)),
    Case("nothing on an error page", (HTML,), status=404),
    Case("same-origin", (HTML, LINE + "same-origin"), effective={NAME: "same-origin"}),
    Case("allowing popups", (HTML, LINE + "same-origin-allow-popups"), effective={NAME: "same-origin-allow-popups"}),
    Case("without opener", (HTML, LINE + "noopener-allow-popups"), {SOME}, {NAME: "noopener-allow-popups"}, source="MDN, browser-compat-data"),
    Case(
        "with reports",
        (HTML, LINE + 'same-origin; report-to="main"'),
        effective={NAME: "same-origin"},
        source="web-platform-tests, popup-with-structured-header.https.html",
    ),
    Case("with an unknown parameter", (HTML, LINE + "same-origin;x=1"), effective={NAME: "same-origin"}),
    Case(
        "a comma in a parameter over two lines",
        (HTML, LINE + 'same-origin; report-to="a', LINE + 'b"'),
        effective={NAME: "same-origin"},
        source="Fetch, get: lines are joined before they are parsed",
    ),
    Case("unsafe-none", (HTML, LINE + "unsafe-none"), {OFF}, {NAME: "unsafe-none"}),
    ignored("in capitals", "Same-Origin"),
    ignored("quoted", '"same-origin"'),
    ignored("twice", "same-origin", "same-origin"),
    ignored("a list", "same-origin, same-origin"),
    ignored("an empty line first", "", "same-origin"),
    ignored("an empty line after", "same-origin", ""),
    ignored("empty", ""),
    ignored("unknown", "same-site"),
    ignored("a semicolon at the end", "same-origin;"),
    ignored("a space before the semicolon", "same-origin ; report-to=x"),
    ignored("a tab after the semicolon", "same-origin;\treport-to=x"),
    ignored("two words", "same-origin same-origin"),
    ignored("a retired value", "restrict-properties"),
    ignored("a value of HTML's own", "same-origin-plus-COEP"),
    ignored("a boolean", "?1"),
    ignored("garbage bytes", "same-origin\xff"),
    ignored("a vertical tab", "\x0bsame-origin"),
    Case("over http", (HTML, LINE + "same-origin"), effective={NAME: None}, scheme="http", source="secure contexts"),
    Case(
        "over http on the own machine",
        (HTML, LINE + "same-origin"),
        effective={NAME: "same-origin"},
        scheme="http",
        host="localhost:8000",
    ),
    Case("on trial", (HTML, TRIAL_LINE + "same-origin"), {TRIAL}, {TRIAL_NAME: "same-origin"}),
    Case("on trial beside the real one", (HTML, LINE + "same-origin", TRIAL_LINE + "noopener-allow-popups")),
    Case("a trial of nothing", (HTML, TRIAL_LINE + "unsafe-none"), {MISSING}),
    Case("a broken trial", (HTML, TRIAL_LINE + "x"), {MISSING, TRIAL_IGNORED}, {TRIAL_NAME: None}),
    Case("a broken value on a picture", (IMAGE, LINE + "x")),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_coop(case: Case) -> None:
    verify(check, case)
