"""The readers of the smaller headers take any text: they never raise, and what they say is JSON."""

from __future__ import annotations

import json
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import contexts, hsts
from review import received as reading
from review.checks import (
    clear_site_data,
    coep,
    coop,
    corp,
    document_policy,
    feature_policy,
    integrity_policy,
    origin_agent_cluster,
    permissions_policy,
    referrer_policy,
    reporting,
    strict_transport_security,
)

CHECKS = (
    clear_site_data,
    coep,
    coop,
    corp,
    document_policy,
    feature_policy,
    integrity_policy,
    origin_agent_cluster,
    permissions_policy,
    referrer_policy,
    reporting,
    strict_transport_security,
)
PIECES = (
    *"=;,()\"'\\{}[]:*?-. \t\x00\x0b\xff1",
    "max-age", "includeSubDomains", "preload", "same-origin", "require-corp", "report-to", "self", "camera",
    "blocked-destinations", "script", "endpoints", "sources", "inline", '"max_age":', '"endpoints":[', '"url":',
    '"https://reports.example/"', '{"report_to":"a"', "no-referrer", '"cache"', "?1", "@1", ":YQ==:", "9" * 30,
)  # fmt: skip
VALUES = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.rpartition(".")[2])
@given(
    values=st.lists(VALUES, max_size=3), scheme=st.sampled_from(("https", "http")), host=st.text(max_size=12)
)
def test_any_value_is_read(check: ModuleType, values: list[str], scheme: str, host: str) -> None:
    names = tuple(check.EFFECTIVE)
    for sent in (names, *((name,) for name in names)):
        pairs = [(name, value) for name in sent for value in values]
        received = reading.received(pairs, scheme=scheme, host=host)
        json.dumps([check.EFFECTIVE[name](received) for name in names], allow_nan=False)
        findings = list(check.check(received))
        assert {finding.code for finding in findings} <= {rule.code for rule in check.RULES}
        assert len({(finding.code, finding.subject) for finding in findings}) == len(findings)


@given(st.text(max_size=60))
def test_the_case_of_letters_means_nothing_to_hsts(value: str) -> None:
    if value.isascii():
        assert type(hsts.parse(value.upper())) is type(hsts.parse(value.lower()))


@given(st.integers(0, 2**40), st.booleans(), st.sampled_from((";", " ;\t", ";;", "; ;")))
def test_what_hsts_says_is_read_in_any_order(seconds: int, subdomains: bool, separator: str) -> None:
    directives = [f"max-age={seconds}", *(["includeSubDomains"] if subdomains else [])]
    expected = hsts.Policy(seconds, subdomains)
    assert hsts.parse(separator.join(directives)) == expected
    assert hsts.parse(separator.join(reversed(directives)) + separator) == expected


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", True),
        ("192.0.2.7:8443", True),
        ("[2001:db8::1]", True),
        ("[2001:db8::1]:8443", True),
        ("2001:db8::1", True),
        ("site.example", False),
        ("site.example:443", False),
        ("192.0.2.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_addresses_are_told_from_names(host: str, address: bool) -> None:
    assert contexts.is_address(host) is address
