"""The MDN Observatory's grade: measured against the original, and by the facts known of its newest version.

``mdn_measured.jsonl`` holds made answers and what the npm package of version 1.4.8 (algorithm 4) says of each.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep.bodyfacts import BodyFacts
from review.grades import mdn, mdn_scores
from review.grades.scan import Hop, Pair, Scan, Script

MEASURED = [
    json.loads(line)
    for line in (pathlib.Path(__file__).parent / "mdn_measured.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
URL = "https://site.example/"
HTML = ("Content-Type", "text/html; charset=utf-8")
NOSNIFF = ("X-Content-Type-Options", "nosniff")
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
OWASP_POLICY = "default-src 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'none'; upgrade-insecure-requests"
OWASP = (
    HTML,
    HSTS,
    NOSNIFF,
    ("X-Frame-Options", "deny"),
    ("Content-Security-Policy", OWASP_POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
GOOD = (
    *(pair for pair in OWASP if pair[0] != "Content-Security-Policy"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Set-Cookie", "session=1; Secure; HttpOnly; SameSite=Strict"),
)
OWN_SCRIPT = (Script("/app.js", has_integrity=True),)
NO_REDIRECT = (Hop("http://site.example/", 200),)


def result(name: str, *pairs: Pair, algorithm: int = 6, **fields: Any) -> str:
    graded = mdn.grade(Scan(fields.pop("url", URL), (HTML, *pairs), **fields), algorithm)
    return next(test.result for test in graded.tests if test.name == name)


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: f"{case['grade']}-{case['score']}")
def test_every_result_is_that_of_the_original(case: dict[str, Any]) -> None:
    facts = BodyFacts(tuple(case["meta_policies"]), tuple(case["meta_referrers"]))
    scan = Scan(
        case["url"],
        tuple((name, value) for name, value in case["pairs"]),
        facts=facts,
        scripts=tuple(Script(src or "", has_integrity=integrity) for src, integrity in case["scripts"]),
        http_chain=tuple(Hop(url) for url in case["http_chain"]),
        preflight=None if case["preflight"] is None else tuple((n, v) for n, v in case["preflight"]),
        cors_origin="https://o.example",
    )
    graded = mdn.grade(scan, 4)
    assert {test.name: test.result for test in graded.tests} == case["results"]
    assert (graded.score, graded.grade) == (case["score"], case["grade"])


@pytest.mark.parametrize(
    ("scan", "score", "letter"),
    [
        (Scan(URL, (HTML,)), 30, "D"),
        (Scan(URL, OWASP), 145, "A+"),
        (Scan(URL, (("Content-Type", "application/json"), NOSNIFF)), 35, "D"),
        (Scan(URL, GOOD, scripts=OWN_SCRIPT), 160, "A+"),
        (Scan(URL, GOOD, scripts=OWN_SCRIPT, preloaded=True), 165, "A+"),
        (
            Scan(
                URL, (*OWASP[:4], ("Content-Security-Policy", "default-src 'self'")), http_chain=NO_REDIRECT
            ),
            80,
            "B+",
        ),
    ],
    ids=["bare", "owasp", "json", "good", "good and preloaded", "no redirect"],
)
def test_the_worked_checks_come_out(scan: Scan, score: int, letter: str) -> None:
    graded = mdn.grade(scan)
    assert (graded.score, graded.grade) == (score, letter)
    assert graded.as_json() == {"scheme": "mdn", "algorithm": 6, "score": score, "grade": letter}


def test_older_algorithms_have_fewer_tests_and_bonuses() -> None:
    framed = (
        *(pair for pair in OWASP if pair[0] != "Content-Security-Policy"),
        ("Content-Security-Policy", "default-src 'self'"),
    )
    scores = {algorithm: mdn.grade(Scan(URL, framed), algorithm).score for algorithm in mdn.ALGORITHMS}
    assert scores == {6: 145, 5: 125, 4: 120}
    assert [len(mdn.grade(Scan(URL, framed), algorithm).tests) for algorithm in mdn.ALGORITHMS] == [
        12,
        10,
        10,
    ]


@pytest.mark.parametrize(
    ("score", "letter"),
    [
        (0, "F"),
        (24, "F"),
        (25, "D-"),
        (39, "D"),
        (44, "D+"),
        (49, "C-"),
        (59, "C"),
        (64, "C+"),
        (69, "B-"),
        (79, "B"),
        (84, "B+"),
        (89, "A-"),
        (90, "A"),
        (99, "A"),
        (100, "A+"),
        (165, "A+"),
    ],
)
def test_scores_are_rounded_down_to_letters(score: int, letter: str) -> None:
    assert mdn.letter(score) == letter


def test_bonuses_count_from_90_on() -> None:
    referrer, corp = ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin")
    base = (HTML, HSTS, NOSNIFF, ("X-Frame-Options", "deny"), referrer, corp)
    images = ("Content-Security-Policy", "default-src 'self'; img-src http:")
    assert mdn.grade(Scan(URL, (*base, images))).score == 110
    unsniffed = tuple(pair for pair in base if pair is not NOSNIFF)
    assert mdn.grade(Scan(URL, (*unsniffed, images))).score == 85


@pytest.mark.parametrize(
    ("status", "graded"), [(199, False), (200, True), (302, True), (399, True), (400, False)]
)
def test_some_statuses_have_no_grade(status: int, graded: bool) -> None:
    assert (mdn.grade(Scan(URL, (HTML,), status)).grade is not None) == graded


@pytest.mark.parametrize(
    ("status", "graded"), [(401, True), (402, False), (403, True), (404, False), (500, False)]
)
def test_of_errors_only_refusals_have_a_grade(status: int, graded: bool) -> None:
    answer = mdn.grade(Scan(URL, (HTML,), status))
    assert (answer.grade is not None) == graded == (answer.score is not None)


def test_more_headers_than_its_client_takes_have_no_grade() -> None:
    assert mdn.grade(Scan(URL, (HTML, ("X", "x" * 16_000)))).score is not None
    assert mdn.grade(Scan(URL, (HTML, ("X", "x" * 16_384)))).score is None


def test_policies_that_take_forever_to_compare_have_no_grade() -> None:
    sources = " ".join(f"a{number:03}" for number in range(900))
    policies = [f"default-src {sources}"] * 2 + ["default-src a"] * 300
    scan = Scan(URL, (HTML, ("Content-Security-Policy", ",".join(policies))))
    assert mdn.grade(scan).score is None
    assert (
        mdn.grade(Scan(URL, (HTML, ("Content-Security-Policy", ",".join(policies[:12]))))).score is not None
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("require-corp", "coep-implemented-with-require-corp"),
        ('credentialless; report-to="x"', "coep-implemented-with-credentialless"),
        ("unsafe-none", "coep-implemented-with-unsafe-none"),
        ('"require-corp"', "coep-header-invalid"),
        ("Require-Corp", "coep-header-invalid"),
        ("", "coep-not-implemented"),
    ],
)
def test_coep(value: str, expected: str) -> None:
    assert result("cross-origin-embedder-policy", ("Cross-Origin-Embedder-Policy", value)) == expected


@pytest.mark.parametrize(
    "word", ["same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"]
)
def test_coop(word: str) -> None:
    once = ("Cross-Origin-Opener-Policy", word)
    assert result("cross-origin-opener-policy", once) == f"coop-implemented-with-{word}"
    assert result("cross-origin-opener-policy", once, once) == "coop-header-invalid"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('same-origin; report-to="coop"', "same-origin"),
        ("same-origin; report-to", "same-origin"),
        ("same-origin ;report-to", None),
        ("same-origin; report-to=coop endpoint", None),
        ('"same-origin"', None),
        ("SAME-ORIGIN", None),
        ("same-origin, unsafe-none", None),
    ],
)
def test_coop_is_read_as_a_structured_field(value: str, expected: str | None) -> None:
    found = result("cross-origin-opener-policy", ("Cross-Origin-Opener-Policy", value))
    assert found == (f"coop-implemented-with-{expected}" if expected else "coop-header-invalid")


HTTP, HTTPS = Hop("http://site.example/"), Hop("https://site.example/", 200)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (None, "not-needed-no-http"),
        ((), "not-needed-no-http"),
        ((Hop("http://site.example/", 200),), "missing"),
        ((HTTP, HTTPS), "to-https"),
        ((HTTP, Hop("https://www.site.example/", 200)), "off-host-from-http"),
        ((HTTP, Hop("http://www.site.example/"), HTTPS), "not-to-https-on-initial-redirection"),
        ((HTTP, HTTPS, Hop("http://x.example/")), "not-to-https"),
        ((Hop("http://site.example/", preloaded=True),), "all-redirects-preloaded"),
    ],
)
def test_redirection(chain: tuple[Hop, ...] | None, expected: str) -> None:
    assert result("redirection", http_chain=chain) == f"redirection-{expected}"


def test_certificates_that_do_not_verify_fail() -> None:
    assert result("redirection", http_chain=(HTTP, HTTPS), http_verified=False) == "redirection-invalid-cert"
    assert result("strict-transport-security", HSTS, verified=False) == "hsts-invalid-cert"


def test_a_chain_that_began_at_http_is_the_redirection() -> None:
    assert result("redirection", chain=(HTTP,)) == "redirection-to-https"
    assert result("redirection", url="http://site.example/") == "redirection-missing"


def test_what_was_not_looked_at_is_named() -> None:
    (assumed,) = {len(mdn.grade(Scan(URL, (HTML,))).assumed)}
    assert assumed == 4
    known = Scan(URL, (HTML,), http_chain=(HTTP, HTTPS), preflight=(), facts=BodyFacts(), preloaded=False)
    assert mdn.grade(known).assumed == ()


def test_every_modifier_has_a_test_that_gives_it() -> None:
    measured = {one for case in MEASURED for one in case["results"].values()}
    above = {
        name for name in mdn_scores.MODIFIERS if name.startswith(("coep", "coop", "redirection", "hsts"))
    }
    assert set(mdn_scores.MODIFIERS) - measured - above == set()


text = st.text(st.characters(max_codepoint=255), max_size=60)
names = st.sampled_from(
    [
        "Content-Security-Policy",
        "Set-Cookie",
        "Strict-Transport-Security",
        "Content-Type",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "X-Frame-Options",
        "Access-Control-Allow-Origin",
    ]
)
pairs = st.lists(st.tuples(names, text), max_size=8).map(tuple)


@given(text, pairs, st.lists(text, max_size=3), st.lists(text, max_size=3), st.sampled_from(mdn.ALGORITHMS))
def test_no_bytes_make_it_fail(
    url: str, sent: tuple[Pair, ...], policies: list[str], sources: list[str], algorithm: int
) -> None:
    scripts = tuple(Script(source) for source in sources)
    scan = Scan(
        url,
        (HTML, *sent),
        facts=BodyFacts(tuple(policies)),
        scripts=scripts,
        preflight=sent,
        chain=(Hop(url),),
    )
    graded = mdn.grade(scan, algorithm)
    assert graded == mdn.grade(scan, algorithm)
    assert graded.score is not None
