"""Mixed content: what comes over http into a page over https, and what makes https of it."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts, Loaded
from review.checks import mixed_content as check
from tests.unit.review._cases import HTML, Case, verify

ACTIVE, PASSIVE, UPGRADED = "mixed_content.active", "mixed_content.passive", "mixed_content.upgraded"
PLAIN = "http://cdn.example"
UPGRADE = "Content-Security-Policy: default-src 'self'; Upgrade-Insecure-Requests"


def loading(kind: str, source: str = PLAIN, *metas: str) -> BodyFacts:
    return BodyFacts(meta_policies=metas, loads=(Loaded(kind, source),))


CASES = (
    Case("a body that nobody read", (HTML,)),
    *(Case(f"an active {kind}", (HTML,), {ACTIVE}, facts=loading(kind)) for kind in ("script", "stylesheet", "iframe", "object", "embed")),
    *(Case(f"a passive {kind}", (HTML,), {PASSIVE}, facts=loading(kind)) for kind in ("img", "media")),
    Case("a hint", (HTML,), facts=loading("preload")),
    Case("over https", (HTML,), facts=loading("script", "https://cdn.example")),
    Case("the scheme left open", (HTML,), facts=loading("script", "//cdn.example")),
    Case("our own", (HTML,), facts=loading("script", "")),
    Case("a page over http", (HTML,), scheme="http", facts=loading("script")),
    Case("this very computer", (HTML,), facts=loading("script", "http://127.1.2.3:8080"), source="Secure Contexts, 3.1"),
    Case("this very computer in version 6", (HTML,), facts=loading("script", "http://[::1]:8080")),
    Case("this very computer by name", (HTML,), facts=loading("script", "http://app.localhost")),
    Case("what only looks like it", (HTML,), {ACTIVE}, facts=loading("script", "http://localhost.example")),
    Case("upgraded", (HTML, UPGRADE), {UPGRADED}, facts=loading("script")),
    Case("upgraded, a picture", (HTML, UPGRADE), {UPGRADED}, facts=loading("img")),
    Case("upgraded by the second policy", (HTML, "Content-Security-Policy: img-src x, upgrade-insecure-requests"), {UPGRADED}, facts=loading("img")),
    Case("upgraded with something behind it", (HTML, "Content-Security-Policy: upgrade-insecure-requests 1"), {UPGRADED}, facts=loading("img")),
    Case("upgraded by a meta element", (HTML,), {UPGRADED}, facts=loading("script", PLAIN, "upgrade-insecure-requests")),
    Case("upgraded in a report only", (HTML, "Content-Security-Policy-Report-Only: upgrade-insecure-requests"), {ACTIVE}, facts=loading("script")),
    Case("the name as a value", (HTML, "Content-Security-Policy: img-src upgrade-insecure-requests"), {ACTIVE}, facts=loading("script")),
    Case("blocking, which is obsolete", (HTML, "Content-Security-Policy: block-all-mixed-content"), {ACTIVE}, facts=loading("script")),
    Case("HSTS comes too late", (HTML, "Strict-Transport-Security: max-age=31536000"), {ACTIVE}, facts=loading("script"), source="Fetch, main fetch"),
    Case("an error page", (HTML,), {PASSIVE}, status=500, facts=loading("img")),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_mixed_content(case: Case) -> None:
    verify(check, case)
