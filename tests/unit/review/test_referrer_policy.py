"""Referrer-Policy: the last word that browsers know, and meta elements."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts
from review.checks import referrer_policy as check
from tests.unit.review._cases import HTML, IMAGE, JSON, SCRIPT, Case, verify

MISSING, IGNORED = "referrer_policy.missing", "referrer_policy.ignored"
UNSAFE, WEAK, META = "referrer_policy.unsafe_url", "referrer_policy.weak", "referrer_policy.meta_replaces"
NAME = "referrer-policy"
LINE = "Referrer-Policy: "
_PARSE = "Referrer Policy, section 8.1: the last recognised word"
_META = "HTML, 4.2.5.1, name=referrer"


def meta(*contents: str) -> BodyFacts:
    return BodyFacts(meta_referrers=contents)


CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("nothing on a script", (SCRIPT,)),
    Case("nothing on a picture", (IMAGE,)),
    Case("nothing from an API", (JSON,)),
    Case("nothing on a redirect", ("Location: /",), status=302),
    Case("nothing on an error page", (HTML,), {MISSING}, status=404),
    *(
        Case(f"{policy} alone", (HTML, LINE + policy), effective={NAME: policy})
        for policy in ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")
    ),
    *(
        Case(f"{policy} is weaker than the default", (HTML, LINE + policy), {WEAK}, {NAME: policy})
        for policy in ("no-referrer-when-downgrade", "origin", "origin-when-cross-origin")
    ),
    Case("unsafe-url", (HTML, LINE + "unsafe-url"), {UNSAFE}, {NAME: "unsafe-url"}),
    Case("unsafe-url on a script", (SCRIPT, LINE + "unsafe-url"), {UNSAFE}),
    Case("unsafe-url on a picture", (IMAGE, LINE + "unsafe-url")),
    Case("odd case", (HTML, LINE + "No-Referrer"), effective={NAME: "no-referrer"}),
    Case(
        "a fallback list",
        (HTML, LINE + "no-referrer, strict-origin-when-cross-origin"),
        effective={NAME: "strict-origin-when-cross-origin"},
        source=_PARSE,
    ),
    Case("a list that ends in a new word", (HTML, LINE + "same-origin, x"), effective={NAME: "same-origin"}),
    Case("a list that ends in nothing", (HTML, LINE + "same-origin,,"), effective={NAME: "same-origin"}),
    Case(
        "a list that ends weak", (HTML, LINE + "no-referrer,unsafe-url"), {UNSAFE}, {NAME: "unsafe-url"}
    ),
    Case(
        "two lines, the later counts",
        (HTML, LINE + "unsafe-url", LINE + "no-referrer"),
        effective={NAME: "no-referrer"},
        source="web-platform-tests, referrer-policy/generic/multiple-headers",
    ),
    Case(
        "two lines, the later unknown",
        (HTML, LINE + "no-referrer", LINE + "x"),
        effective={NAME: "no-referrer"},
    ),
    Case("unknown", (HTML, LINE + "none"), {IGNORED}, {NAME: None}),
    Case("empty", (HTML, LINE), {IGNORED}, {NAME: None}),
    Case("quoted", (HTML, LINE + '"no-referrer"'), {IGNORED}, {NAME: None}),
    Case("with a semicolon", (HTML, LINE + "no-referrer;"), {IGNORED}, {NAME: None}),
    Case("separated by spaces", (HTML, LINE + "no-referrer same-origin"), {IGNORED}, {NAME: None}),
    Case("an old word", (HTML, LINE + "never"), {IGNORED}, {NAME: None}, source="only in a meta element"),
    Case("garbage bytes", (HTML, LINE + "\xff\x00"), {IGNORED}, {NAME: None}),
    Case("only in a meta element", (HTML,), facts=meta("no-referrer"), source=_META),
    Case("an old word in a meta element", (HTML,), {UNSAFE}, facts=meta("Always"), source=_META),
    Case("the old word default", (HTML,), facts=meta("default"), source=_META),
    Case("the old word never", (HTML,), facts=meta("never"), source=_META),
    Case("the old word without a hyphen", (HTML,), {WEAK}, facts=meta("origin-when-crossorigin"), source=_META),
    Case("an unknown meta element", (HTML,), {MISSING}, facts=meta("x", "")),
    Case("a list in a meta element", (HTML,), {MISSING}, facts=meta("no-referrer, same-origin"), source=_META),
    Case("the last recognised meta element", (HTML,), facts=meta("unsafe-url", "same-origin", "x"), source=_META),
    Case(
        "a meta element against the header",
        (HTML, LINE + "no-referrer"),
        {META, UNSAFE},
        {NAME: "no-referrer"},
        facts=meta("unsafe-url"),
        source=_META,
    ),
    Case("a meta element like the header", (HTML, LINE + "same-origin"), facts=meta("same-origin")),
    Case("a meta element beside an ignored header", (HTML, LINE + "x"), {IGNORED}, facts=meta("same-origin")),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_referrer_policy(case: Case) -> None:
    verify(check, case)
