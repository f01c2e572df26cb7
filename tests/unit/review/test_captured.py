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
LOOSE_POLICY = {"csp.unsafe_inline_script", "csp.unsafe_eval", "csp.unsafe_inline_style"}
"""What editors and plugins need: it stops no injected script. Of an error page the style is no more than a fact."""

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
    "apache-default": {*BARE, "leak.server_version"},
    "apache-default-404": NO_HEADERS,
    "apache-default-script": {"hsts.missing", "x_content_type_options.missing", "leak.server_version"},
    # Over http HSTS would be ignored; that http leads to http shows in the whole run.
    "apache-default-redirect": {"leak.server_version"},
    "apache-hardened": set(),
    "apache-hardened-404": set(),
    "apache-hardened-script": set(),
    # DENY and SAMEORIGIN contradict each other, but frame-ancestors decides.
    "apache-hardened-account": set(),
    "caddy-default": BARE,
    # Header sets do not keep lengths: a browser would guess the type of what stood there.
    "caddy-default-404": NO_HEADERS,
    "caddy-hardened": {"hsts.without_subdomains"},
    "caddy-hardened-script": {"hsts.without_subdomains"},
    "varnish-hit": {*BARE, "leak.server_version"},
    # This cache stores no answer with Set-Cookie; the answer does not say so to the next one.
    "varnish-cookie": {
        *BARE,
        "leak.server_version",
        "cookie.insecure",
        "cookie.samesite_missing",
        "cache.personal_shared",
    },
    "wordpress-default": {*BARE, "leak.server_version"},
    # It looks after frames here itself; the cookie only tries out whether there are cookies.
    "wordpress-default-login": {*BARE - {"x_frame_options.missing"}, "leak.server_version"},
    # The cookies of the session are Secure and HttpOnly; no cache may give the answer away unasked.
    "wordpress-default-signed-in": {"hsts.missing", "leak.server_version", "cookie.samesite_missing"},
    "wordpress-default-rest": {"hsts.missing", "leak.server_version"},
    # A line of plain text: nothing in it can run, and nobody can be led to click in it.
    "wordpress-default-xmlrpc": {"hsts.missing"},
    "wordpress-default-admin": {"hsts.missing", "leak.server_version"},
    "wordpress-default-404": NO_HEADERS,
    "wordpress-default-script": {"hsts.missing", "leak.server_version", "x_content_type_options.missing"},
    "wordpress-default-feed": {"hsts.missing", "leak.server_version"},
    "wordpress-hardened": {*LOOSE_POLICY, "coop.missing"},
    "wordpress-hardened-login": {*LOOSE_POLICY, "coop.missing"},
    "wordpress-hardened-signed-in": {"cookie.samesite_missing"},
    "wordpress-hardened-rest": set(),
    "wordpress-hardened-xmlrpc": LOOSE_POLICY - {"csp.unsafe_inline_style"},
    "wordpress-hardened-admin": set(),
    "wordpress-hardened-404": LOOSE_POLICY - {"csp.unsafe_inline_style"},
    "wordpress-hardened-script": set(),
    "wordpress-hardened-feed": set(),
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
