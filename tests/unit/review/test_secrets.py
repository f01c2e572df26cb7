"""Secrets and inner names in headers: what must be found, and what only looks like it. All secrets here are made up."""

from __future__ import annotations

import time

import pytest

from review import tokens
from review.checks import secrets as check
from tests.unit.review._cases import HTML, Case, verify

TOKEN, CREDENTIAL, LIKE = "secret.token", "secret.credential_header", "secret.token_like"
ADDRESS, HOST = "secret.internal_address", "secret.internal_host"

# Written in pieces, so that no scanner of repositories takes them for real ones.
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".c2lnbmF0dXJlLWhlcmU"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GOOGLE = "AIza" + "SyA-1234567890abcdefghijklmnopqrstu"
GITHUB = "ghp" + "_" + "aB3" * 12
STRIPE = "sk_" + "live_" + "aB3" * 8
SLACK = "xox" + "b-123456789012-abcdefghijkl"
RANDOM = "q9Zx7Lm2Vb4Ns8Kd1Hf6Tg3Rw5Yc0P"
BASIC = "Basic " + "dXNlcjpwYXNzd29yZA=="

CASES = (
    Case("nothing", (HTML,)),
    Case("a JSON web token", (HTML, f"X-Debug-User: {JWT}"), {TOKEN}),
    Case("a JSON web token in a link", ("Location: /a?t=" + JWT,), {TOKEN}, status=302),
    Case("a JSON web token in a cookie", (HTML, f"Set-Cookie: a={JWT}")),
    Case("a header of a token alone", (HTML, "X-A: eyJhbGciOiJIUzI1NiJ9.x.y")),
    Case("an AWS key", (HTML, f"X-A: id={AWS};"), {TOKEN}),
    Case("an AWS key in a longer word", (HTML, f"X-A: x{AWS}")),
    Case("an AWS key that goes on", (HTML, f"X-A: {AWS}Z")),
    Case(
        "a signed link",
        (f"Location: https://b.s3.amazonaws.com/f?X-Amz-Credential={AWS}%2F2&X-Amz-Signature=0a",),
        status=302,
        source="AWS, signature version 4 in a query: the key's name is public there",
    ),
    Case("a Google key", (HTML, f"X-A: {GOOGLE}"), {TOKEN}),
    Case("a Google key too short", (HTML, f"X-A: {GOOGLE[:-1]}")),
    Case("a GitHub token", (HTML, f"X-A: {GITHUB}"), {TOKEN}),
    Case("a Stripe key", (HTML, f"X-A: {STRIPE}"), {TOKEN}),
    Case("a Stripe key of a test", (HTML, "X-A: sk_test_aB3aB3aB3aB3aB3aB3")),
    Case("a Slack token", (HTML, f"X-A: {SLACK}"), {TOKEN}),
    Case("a private key", (HTML, "X-A: -----BEGIN RSA PRIVATE KEY-----MII"), {TOKEN}),
    Case("a public key", (HTML, "X-A: -----BEGIN PUBLIC KEY-----MII")),
    Case("a password in a link", (HTML, "Location: https://user:pa55word@db.example/"), {TOKEN}),
    Case("a user in a link", (HTML, "Location: https://user@db.example/")),
    Case("a port in a link", (HTML, "Location: https://db.example:8080/@x")),
    Case("a masked password in a link", (HTML, "Location: https://<userinfo>@db.example/<path>")),
    Case("a bearer token", (HTML, f"X-Echo: Bearer {RANDOM}"), {TOKEN}),
    Case("a challenge", (HTML, 'WWW-Authenticate: Bearer realm="a", error="invalid_token"')),
    Case(
        "a challenge with a token", (HTML, f"WWW-Authenticate: Bearer {RANDOM}"), source="RFC 9110: token68"
    ),
    Case("Basic credentials", (HTML, f"X-Echo: {BASIC}"), {TOKEN}),
    Case("Basic information", (HTML, "X-Echo: Basic information")),
    Case("a request's header", (HTML, f"Authorization: {BASIC}"), {CREDENTIAL}),
    Case("a request's header, masked", (HTML, "x-api-key: <masked>"), {CREDENTIAL}),
    Case("a request's header, empty", (HTML, "X-Api-Key:")),
    Case("against forged requests", (HTML, f"X-CSRF-Token: {RANDOM}")),
    Case("a telling name", (HTML, f"X-Service-Token: {RANDOM}"), {LIKE}),
    Case("a telling name, a word", (HTML, "X-Service-Token: required-for-all-services")),
    Case("a telling name, short", (HTML, "X-Service-Token: q9Zx7Lm2Vb4Ns8Kd1Hf")),
    Case("a telling name, twenty letters", (HTML, "X-Service-Token: q9Zx7Lm2Vb4Ns8Kd1Hf6"), {LIKE}),
    Case("a telling name, one letter", (HTML, f"X-Service-Token: {'a1' * 20}")),
    Case("a name of a key", (HTML, "X-Amz-Server-Side-Encryption-Aws-Kms-Access-Key-Id: " + RANDOM)),
    Case("tokens that are counted", (HTML, f"X-RateLimit-Tokens-Left: {RANDOM}")),
    Case("a name that tells nothing", (HTML, f"X-Request-Id: {RANDOM}", f'ETag: "{RANDOM}"')),
    Case("a nonce", (HTML, f"Content-Security-Policy: script-src 'nonce-{RANDOM}' 'sha256-{RANDOM}='")),
    Case("an inner address", (HTML, "X-Backend: 10.1.2.3:8080"), {ADDRESS}),
    Case("an address of a home", (HTML, "Location: http://192.168.0.1/"), {ADDRESS}),
    Case("the first of 172", (HTML, "X-A: 172.16.0.1"), {ADDRESS}, source="RFC 1918"),
    Case("before the first of 172", (HTML, "X-A: 172.15.255.255")),
    Case("the last of 172", (HTML, "X-A: 172.31.255.255"), {ADDRESS}),
    Case("after the last of 172", (HTML, "X-A: 172.32.0.1")),
    Case("a provider's address", (HTML, "X-A: 100.64.0.1"), {ADDRESS}, source="RFC 6598"),
    Case("before a provider's", (HTML, "X-A: 100.63.0.1")),
    Case("link-local", (HTML, "X-A: 169.254.169.254"), {ADDRESS}),
    Case("the machine itself", (HTML, "X-Forwarded-For: 127.0.0.1"), {ADDRESS}),
    Case("the machine itself in a policy", (HTML, "Content-Security-Policy: connect-src http://127.0.0.1:*")),
    Case(
        "an inner address in a policy", (HTML, "Content-Security-Policy: img-src http://10.0.0.5"), {ADDRESS}
    ),
    Case(
        "the machine itself and another in a policy",
        (HTML, "Content-Security-Policy: connect-src http://127.0.0.1 http://localhost http://192.168.0.1"),
        {ADDRESS},
    ),
    Case("a public address", (HTML, "X-A: 8.8.8.8")),
    Case("no address", (HTML, "X-A: 10.0.0.256")),
    Case("five numbers", (HTML, "X-A: 10.0.0.1.2")),
    Case("a sentence's end", (HTML, "X-A: from 10.0.0.1."), {ADDRESS}),
    Case("a version", (HTML, "Server: Product/10.0.0.1")),
    Case("a version by its name", (HTML, "X-AspNet-Version: 10.0.0.1")),
    Case("an address after a word", (HTML, "Via: 1.1 10.0.0.1 (squid)"), {ADDRESS}),
    Case("a unique local address", (HTML, "X-A: [fd00:1234::1]:80"), {ADDRESS}, source="RFC 4193"),
    Case("a link-local address", (HTML, "X-A: fe80::1"), {ADDRESS}),
    Case("the machine itself, six", (HTML, "Location: http://[::1]/"), {ADDRESS}),
    Case("a public address, six", (HTML, "X-A: 2001:db8::fd00:1")),
    Case("a hash with colons", (HTML, "X-A: ab:cd:ef:01:23")),
    Case("an inner host", (HTML, "X-Backend: web-3.prod.internal"), {HOST}),
    Case("an inner host in capitals", (HTML, "X-BEServer: EX01.AD.LOCAL"), {HOST}),
    Case("a service", (HTML, "X-Upstream: api.default.svc.cluster.local:80"), {HOST}),
    Case("a name from an address", (HTML, "X-Host: ip-10-0-0-1"), {HOST}),
    Case("a name from a public address", (HTML, "X-Host: ip-8-8-8-8.example.com")),
    Case("localhost in a link", (HTML, "Location: http://localhost:8080/"), {HOST}),
    Case("localhost in a policy", (HTML, "Content-Security-Policy: connect-src http://localhost:*")),
    Case("a file", (HTML, "X-A: settings.local.json")),
    Case("a public name", (HTML, "Location: https://lan.example.com/local")),
    Case("a word", (HTML, "X-A: an internal error, .local")),
    Case("in a cookie", (HTML, "Set-Cookie: a=1; Domain=app.local; Path=/")),
    Case("garbage", (HTML, "X-A: \xff\x00eyJ.eyJ.AKIA ://:@ Basic = Bearer")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_secrets(case: Case) -> None:
    verify(check, case)


@pytest.mark.parametrize("secret", [JWT, AWS, GOOGLE, GITHUB, STRIPE, SLACK])
def test_of_a_secret_only_the_first_letters_are_shown(secret: str) -> None:
    (found,) = check.check(Case("", (f"X-A: one {secret} two",)).received())
    assert found.evidence == f"X-A: {secret[:4]}<masked>"
    assert tokens.masked(f"one {secret} two") == f"one {secret[:4]}<masked> two"


def test_evidence_of_an_inner_host_hides_a_password_beside_it() -> None:
    found = list(check.check(Case("", ("Location: http://user:pa55word123@db.internal/",)).received()))
    assert {each.code for each in found} == {TOKEN, HOST}
    assert not any("pa55word123" in each.evidence for each in found)


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ",
        "eyJaaaaaa.",
        "AKIA",
        "AIza",
        "ghp_",
        "://a:",
        "://",
        "Basic ",
        "Basic aaaaaaaa ",
        "-----BEGIN ",
        "10.0.0.",
        "1.",
        "fd00:",
        ":",
        "a.local.",
        ".local",
        "ip-10-",
        "a",
        "xoxb-",
        "sk_live_a",
        "SG.",
    ],
)
def test_no_text_is_slow(piece: str) -> None:
    text = piece * (131_072 // len(piece))
    received = Case("", ()).received()
    lines = Case("", tuple(f"a: {piece}" for _ in range(4000))).received()
    assert received
    begin = time.perf_counter()
    list(tokens.find(text))
    tokens.internal_address(text)
    tokens.internal_name(text)
    list(check.check(lines))
    assert time.perf_counter() - begin < 0.5, "linear texts take a hundredth of that"
