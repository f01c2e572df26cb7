"""The preload list: who is on it, who asks to be and is not, who is about to leave it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from review import preload, single
from review import received as reading
from review.inputs import Answer
from review.preload import Listed, PreloadList, UnreadableError

SAMPLE = Path(__file__).parents[2] / "data" / "preload_list.json"
DAY = date(2026, 11, 20)
HSTS = "Strict-Transport-Security"
GOOD = "max-age=31536000; includeSubDomains; preload"
NOT_LISTED, REMOVAL = (rule.code for rule in preload.RULES)


@pytest.fixture(scope="module")
def known() -> PreloadList:
    return preload.parse(SAMPLE.read_text(encoding="utf-8"), DAY)


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("listed.example", Listed("listed.example", True, True)),
        ("LISTED.example.", Listed("listed.example", True, True)),
        ("old.example", Listed("old.example", True, True)),
        ("a.b.listed.example", Listed("listed.example", True, True)),
        ("anything.dev.example", Listed("dev.example", True, False)),
        ("alone.example", Listed("alone.example", False, False)),
        ("sub.alone.example", None),
        ("pinned.example", None),
        ("notlisted.example", None),
        ("example", None),
        ("", None),
        ("192.0.2.1", None),
        ("[2001:db8::1]", None),
    ],
)
def test_a_host_is_listed_by_itself_or_by_a_parent_with_its_subdomains(
    known: PreloadList, host: str, entry: Listed | None
) -> None:
    assert known.entry(host) == entry


def test_the_list_has_its_date_and_size(known: PreloadList) -> None:
    assert (known.as_of, known.size) == (DAY, 5)
    assert known.title == "the preload list of 2026-11-20 (5 hosts)"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", '{"entries": 1}', '{"entries": []}', '{"entries": [{"name": "a"}]}', "[" * 9999],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        preload.parse(text, DAY)


CASES = {
    "listed and as it should be": ("listed.example", GOOD, []),
    "listed without the header": ("listed.example", None, [REMOVAL]),
    "listed, a second short of a year": ("listed.example", GOOD.replace("31536000", "31535999"), [REMOVAL]),
    "listed without subdomains": ("listed.example", "max-age=31536000; preload", [REMOVAL]),
    "listed without preload": ("listed.example", "max-age=31536000; includeSubDomains", [REMOVAL]),
    "listed, ignored": ("listed.example", "max-age=soon", [REMOVAL]),
    "a subdomain of a listed host needs no header": ("www.listed.example", None, []),
    "listed by hand stays": ("asked.example", None, []),
    "asks and is not listed": ("other.example", GOOD, [NOT_LISTED]),
    "does not ask": ("other.example", "max-age=31536000; includeSubDomains", []),
    "asks in vain": ("other.example", "preload", []),
    "an address": ("192.0.2.1", GOOD, []),
    "nobody knows which host": ("", GOOD, []),
}  # fmt: skip


@pytest.mark.parametrize(("host", "value", "expected"), CASES.values(), ids=CASES)
def test_preloading(known: PreloadList, host: str, value: str | None, expected: list[str]) -> None:
    pairs = (("Content-Type", "text/html"), *(((HSTS, value),) if value else ()))
    received = reading.received(pairs, status=200, scheme="https", host=host)
    assert [finding.code for finding in preload.judge(received, known)] == expected
    over_http = reading.received(pairs, status=200, scheme="http", host=host)
    assert list(preload.judge(over_http, known)) == []


def judged(url: str, known: PreloadList | None) -> single.Verdict:
    return single.verdict(Answer(pairs=(("Content-Type", "text/html"),), url=url), known=known)


def test_what_is_found_about_the_header_says_what_the_list_says(known: PreloadList) -> None:
    (missing,) = [
        one
        for one in judged("https://www.listed.example/", known).judgement.findings
        if one.code == "hsts.missing"
    ]
    assert missing.detail == "listed.example is on the preload list of 2026-11-20 (5 hosts)"
    (missing,) = [
        one for one in judged("https://o.example/", known).judgement.findings if one.code == "hsts.missing"
    ]
    assert missing.detail == "the host is not on the preload list of 2026-11-20 (5 hosts)"


def test_without_a_list_or_a_host_nothing_is_said(known: PreloadList) -> None:
    for verdict in (judged("https://listed.example/", None), judged("", known)):
        assert verdict.preload is None
        assert {
            finding.detail for finding in verdict.judgement.findings if finding.code == "hsts.missing"
        } == {""}
        assert any("preload list" in assumed for assumed in verdict.grade.assumed)


def test_the_grade_counts_who_is_listed(known: PreloadList) -> None:
    def result(url: str) -> str:
        return next(
            one.result for one in judged(url, known).grade.tests if one.name == "strict-transport-security"
        )

    assert result("https://www.listed.example/") == "hsts-preloaded"
    assert result("https://other.example/") == "hsts-not-implemented"
    assert not any("preload" in assumed for assumed in judged("https://other.example/", known).grade.assumed)
