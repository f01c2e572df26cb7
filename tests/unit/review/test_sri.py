"""Subresource Integrity: what is loaded from elsewhere, with and without being held to be what it was."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts, Loaded
from review.checks import sri as check
from tests.unit.review._cases import HTML, JSON, Case, verify

MISSING, STYLE, NO_CORS, INSECURE = "sri.missing", "sri.missing_style", "sri.no_crossorigin", "sri.insecure"
CDN = "https://cdn.example"


def loading(*loaded: Loaded) -> BodyFacts:
    return BodyFacts(loads=loaded)


CASES = (
    Case("a body that nobody read", (HTML,)),
    Case("nothing loaded", (HTML,), facts=BodyFacts()),
    Case("a script", (HTML,), {MISSING}, facts=loading(Loaded("script", CDN))),
    Case("a script with the scheme left open", (HTML,), {MISSING}, facts=loading(Loaded("script", "//cdn.example"))),
    Case("a script of our own", (HTML,), facts=loading(Loaded("script", ""))),
    Case("a script of our host at another port", (HTML,), host="h.example", facts=loading(Loaded("script", "https://h.example:8443"))),
    Case("a script of a neighbour", (HTML,), {MISSING}, host="h.example", facts=loading(Loaded("script", "https://s.h.example"))),
    Case("a checked script", (HTML,), facts=loading(Loaded("script", CDN, True, True))),
    Case("a checked script without CORS", (HTML,), {NO_CORS}, facts=loading(Loaded("script", CDN, True, False)), source="SRI: is response eligible"),
    Case("a checked script of our own without CORS", (HTML,), facts=loading(Loaded("script", "", True, False))),
    Case("CORS alone", (HTML,), {MISSING}, facts=loading(Loaded("script", CDN, False, True))),
    Case("a style sheet", (HTML,), {STYLE}, facts=loading(Loaded("stylesheet", CDN))),
    Case("a checked style sheet", (HTML,), facts=loading(Loaded("stylesheet", CDN, True, True))),
    Case("a frame and a hint", (HTML,), facts=loading(Loaded("iframe", CDN), Loaded("preload", CDN))),
    Case("over http from a page over https", (HTML,), facts=loading(Loaded("script", "http://cdn.example"))),
    Case("over http from a page over http", (HTML,), {INSECURE}, scheme="http", facts=loading(Loaded("script", "http://cdn.example", True, True))),
    Case("the scheme left open by a page over http", (HTML,), {INSECURE}, scheme="http", facts=loading(Loaded("script", "//cdn.example"))),
    Case("over https from a page over http", (HTML,), {MISSING}, scheme="http", facts=loading(Loaded("script", CDN))),
    Case("an error page", (HTML,), {MISSING}, status=404, facts=loading(Loaded("script", CDN))),
    Case("no page at all", (JSON,), facts=loading(Loaded("script", CDN))),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sri(case: Case) -> None:
    verify(check, case)


def test_each_host_is_a_cause_and_is_shown_as_written() -> None:
    facts = loading(Loaded("script", CDN), Loaded("script", "//[::1]:8080"))
    found = list(check.check(Case("two", (HTML,), facts=facts).received()))
    assert [(one.subject, one.evidence) for one in found] == [
        ("cdn.example", '<script src="https://cdn.example/...">'),
        ("[::1]:8080", '<script src="//[::1]:8080/...">'),
    ]
