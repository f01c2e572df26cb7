from __future__ import annotations

import pytest

from headersweep import bodyread, markup
from headersweep.bodyfacts import BodyFacts
from review import tokens
from review.checks import body_contents
from tests.unit.review._cases import HTML, SCRIPT, Case, verify

LISTING, SECRET = (rule.code for rule in body_contents.RULES)
CASES = (
    Case("nobody read the body", (HTML,)),
    Case("read, and nothing in it", (HTML,), facts=BodyFacts()),
    Case("a listing", (HTML,), {LISTING}, facts=BodyFacts(is_listing=True)),
    Case("a listing that is an error page", (HTML,), {LISTING}, status=403, facts=BodyFacts(is_listing=True)),
    Case("a key", (HTML,), {SECRET}, facts=BodyFacts(secrets=("AWS access key",))),
    Case("both", (HTML,), {LISTING, SECRET}, facts=BodyFacts(is_listing=True, secrets=("npm token",))),
    Case("no document", (SCRIPT,), facts=BodyFacts(is_listing=True, secrets=("npm token",))),
    Case("a challenge", (HTML,), facts=BodyFacts(challenge="x", is_listing=True)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_contents(case: Case) -> None:
    verify(body_contents, case)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html><head><title>Index of /files/</title></head><body><h1>Index of /files/</h1>", True),
        (
            b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /a</title>',
            True,
        ),
        (b"<title>Directory listing for /x/</title>", True),
        (b'<A HREF="/">[To Parent Directory]</A>', True),
        (b"<title>Index of names</title>", False),
        (b"<title>How to forbid an index</title><p>nginx shows &lt;title&gt;Index of /", False),
        (b" " * 4096 + b"<title>Index of /</title>", False),
        (b"", False),
    ],
)
def test_a_listing_is_known_by_how_servers_begin_it(body: bytes, expected: bool) -> None:
    assert bodyread.read(body, "https://site.example/a/", None).is_listing is expected


KEY = "AKIA" + "ABCDEFGH" * 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<script>var key = '{KEY}'</script>", ("AWS access key",)),
        ("AKIAIOSFODNN7EXAMPLE", ()),
        ("-----BEGIN PRIVATE KEY-----\nMII", ("private key",)),
        ("curl -H 'Authorization: Bearer abcdefghijklmnopqrstuvwx' https://ann:secret@host/", ()),
        (" " * tokens.BODY_BYTES + KEY, ()),
        ("", ()),
    ],
)
def test_only_what_an_issuer_made_is_a_secret_in_a_body(body: str, expected: tuple[str, ...]) -> None:
    assert tokens.kinds(body.encode()) == expected


def test_facts_of_bodies_without_either_are_kept_as_before() -> None:
    plain = bodyread.FactsReader().of(markup.walk(b"<p>x", None), b"<p>x", "https://site.example/")
    assert "is_listing" not in plain.canonical
    assert "secrets" not in plain.canonical


def test_two_pages_of_one_template_with_other_secrets_are_told_apart() -> None:
    reader, walked = bodyread.FactsReader(), markup.walk(b"<p>x", None)
    noted = [reader.of(walked, b"<p>x", "https://site.example/", kinds) for kinds in ((), ("npm token",), ())]
    assert [each.facts.secrets for each in noted] == [(), ("npm token",), ()]
    assert noted[0].content_hash == noted[2].content_hash != noted[1].content_hash
