"""Real answers of well-known frameworks: the review says what an expert would say, and no more.

Only what is worse than ``info`` is compared: facts and opinions come and go without making a review wrong.
"""

from __future__ import annotations

import pathlib
import tomllib
from typing import Any

import pytest

from headersweep import bodyread
from review import judge, table
from review import received as reading
from review.finding import Severity

FOLDER = pathlib.Path(__file__).parents[2] / "data" / "captured"
CAPTURED: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "captured.toml").read_text())

NO_HEADERS = {"hsts.missing", "csp.missing", "x_frame_options.missing"}
"""Of a page that sends nothing; an error page has the same, one level less, and so no finding about sniffing."""
BARE = {*NO_HEADERS, "x_content_type_options.missing", "coop.missing"}

EXPECTED: dict[str, set[str]] = {
    # Frames, sniffing, referrer and opener are looked after; TLS and scripts are the owner's to set.
    "django-default": {"hsts.missing", "csp.missing", "cookie.insecure", "cache.personal_shared"},
    # Nobody may store it; the token is no session.
    "django-default-login": {"hsts.missing", "csp.missing", "cookie.insecure"},
    "django-default-404": {"hsts.missing", "csp.missing"},
    # Vary: Cookie does not keep a cache from giving the first visitor's session to the second one.
    "django-hardened": {"cache.personal_shared"},
    "django-hardened-redirect": set(),
    "flask-default": {
        *BARE,
        "cookie.insecure",
        "cookie.samesite_missing",
        "cache.personal_shared",
    },
    # Without nonces a foreign base leads scripts nowhere: 'self' stays this host.
    "flask-talisman": {"coop.missing", "cache.personal_shared"},
    # JSON needs neither a policy nor a frame option.
    "fastapi-default": {"hsts.missing"},
    "fastapi-docs": {*BARE, "sri.missing", "sri.missing_style"},
    # Only an active probe can know that every origin is allowed.
    "fastapi-cors": {"hsts.missing"},
    "express-default": {
        *BARE,
        "cookie.insecure",
        "cookie.session_readable",
        "cookie.samesite_missing",
        "cache.personal_shared",
    },
    # default-src says nothing of who may frame a page.
    "express-404": {"hsts.missing", "x_frame_options.missing"},
    "express-helmet": {"csp.unsafe_inline_style", "cache.personal_shared"},
    "nginx-default": {*BARE, "leak.server_version"},
    "nginx-default-404": NO_HEADERS,
    "nginx-hardened": {"coop.missing"},
    # The accident that everybody has with add_header: without "always" errors go bare, and a location forgets the rest.
    "nginx-hardened-404": NO_HEADERS,
    "nginx-hardened-script": {"hsts.missing", "x_content_type_options.missing"},
}


def received(name: str) -> reading.Received:
    head, *lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    body = FOLDER / f"{name}.html"
    pairs = [line.partition(":") for line in lines]
    return reading.received(
        [(header, value.strip()) for header, _, value in pairs],
        status=int(head.split()[1]),
        scheme=CAPTURED[name]["scheme"],
        facts=bodyread.read(body.read_bytes(), "https://site.example/", "utf-8") if body.exists() else None,
    )


@pytest.mark.parametrize("name", CAPTURED)
def test_the_findings_on_real_answers_read_as_an_experts_would(name: str) -> None:
    findings = judge.judge(received(name)).findings
    found = {finding.code for finding in findings if finding.severity is not Severity.INFO}
    assert found == EXPECTED[name] & table.RULES.keys()


def test_every_captured_answer_is_described_and_expected() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == CAPTURED.keys() == EXPECTED.keys()
