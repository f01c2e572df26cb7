"""The checklist of a site: every item on both sides, from what was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from headersweep.checklist import Area, Declaration, Line, Verdict
from headersweep.probes import ProbeKind
from headersweep.responses import ResponseClass
from review import hardening, report, table
from review.finding import Severity
from review.hardening import Probed, Seen
from review.policy import rules
from review.report import Cause

TODAY = date(2026, 11, 28)
ALL_PROBED = {str(kind): Probed(answered=3) for kind in ProbeKind}
GOOD = Seen(7, "web team", 90, (), ALL_PROBED, endpoints=1)
PEOPLE_ONLY = {
    "site.server_accounts",
    "site.secret_rotation",
    "site.upload_types",
    "site.access_logs",
    "site.alerts",
}


def cause(
    code: str,
    severity: Severity | None = None,
    kind: ResponseClass = ResponseClass.DOCUMENT,
    waived_by: str = "",
) -> Cause:
    rule = table.RULES[code]
    return Cause(
        rule, severity or rule.severity, "", "", "x", 3, 1, (kind,), ("https://site.example/",), waived_by
    )


def lines(seen: Seen, declarations: Iterable[Declaration] = (), today: date = TODAY) -> dict[str, Line]:
    return {line.item.name: line for line in hardening.examine(seen, declarations, today)}


def failed(seen: Seen) -> set[str]:
    return {name for name, line in lines(seen).items() if line.verdict is Verdict.FAIL}


def test_of_a_good_site_nothing_fails_and_only_people_know_the_rest() -> None:
    found = lines(GOOD)
    assert failed(GOOD) == set()
    assert {name for name, line in found.items() if line.verdict is Verdict.UNKNOWN} == PEOPLE_ONLY
    assert {line.owner for line in found.values()} == {"web team"}


BAD = {
    "site.permissions_policy": cause("permissions_policy.missing"),
    "site.cors": cause("cors.reflected_origin"),
    "site.index_listings": cause("body.directory_listing"),
    "site.secrets_in_headers": cause("secret.token"),
    "site.secrets_in_pages": cause("body.secret"),
    "site.exposed_files": cause("exposed.secrets"),
    "site.encryption": cause("hsts.missing", Severity.MEDIUM),
    "site.csp": cause("csp.missing"),
    "site.framing": cause("x_frame_options.missing"),
    "site.content_types": cause("x_content_type_options.missing"),
    "site.referrers": cause("referrer_policy.unsafe_url", Severity.LOW),
    "site.cookies": cause("cookie.session_readable", Severity.MEDIUM),
    "site.caching": cause("cache.personal_shared"),
    "site.disclosure": cause("leak.server_version"),
    "site.upload_limit": cause("upload.no_limit"),
    "site.error_pages": cause("error_page.leaks"),
    "site.reporting_endpoints": cause("reporting.endpoint_silent"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_finding_of_its_concern_fails_the_item_and_no_other(name: str) -> None:
    seen = replace(GOOD, causes=(BAD[name],))
    assert failed(seen) == {name}
    (line,) = [line for line in lines(seen).values() if line.verdict is Verdict.FAIL]
    assert BAD[name].code in line.evidence[0]
    assert "https://site.example/" in line.evidence[0]


@pytest.mark.parametrize("name", BAD)
def test_what_is_waived_fails_nothing_and_is_named(name: str) -> None:
    waived = replace(BAD[name], waived_by="csp.* (web team, until 2027-01-01)")
    assert failed(replace(GOOD, causes=(waived,))) == set()


@pytest.mark.parametrize("name", ["site.csp", "site.exposed_files", "site.cors"])
def test_what_is_switched_off_is_not_known_to_be_well(name: str) -> None:
    concern = BAD[name].code.partition(".")[0]
    off = report.about(rules.SWITCHED_OFF, f"{concern}.*", "sec: no; it hides 1 cause")
    found = lines(replace(GOOD, causes=(off,)))[name]
    assert found.verdict is Verdict.UNKNOWN
    assert f"{concern}.* is switched off: sec: no" in found.evidence[-1]


def test_a_finding_below_the_item_s_level_does_not_fail_it() -> None:
    assert failed(replace(GOOD, causes=(cause("csp.missing", Severity.LOW),))) == set()
    assert failed(replace(GOOD, causes=(cause("cors.any_origin", Severity.LOW),))) == set()


def test_a_leak_fails_the_error_pages_only_where_an_error_shows_it() -> None:
    leak = cause("leak.server_version", kind=ResponseClass.ERROR)
    assert failed(replace(GOOD, causes=(leak,))) == {"site.disclosure", "site.error_pages"}


def test_urls_and_certificates_are_evidence_themselves() -> None:
    urls = tuple(f"https://site.example/?token=<masked>&n={number}" for number in range(7))
    found = lines(replace(GOOD, secret_urls=urls, unverified=2, refused=1))
    assert found["site.secrets_in_urls"].evidence == (*urls[:5], "and 2 more")
    assert found["site.certificates"].evidence == (
        "2 pages were fetched although their certificate is not valid",
        "1 pages were not fetched: TLS failed",
    )


def test_of_a_run_whose_visits_are_gone_nobody_knows_urls_and_certificates() -> None:
    found = lines(replace(GOOD, visits_kept=False))
    assert {name for name, line in found.items() if line.verdict is Verdict.UNKNOWN} - PEOPLE_ONLY == {
        "site.secrets_in_urls",
        "site.certificates",
    }


def test_the_url_of_an_example_shows_no_secret() -> None:
    shown = replace(BAD["site.csp"], sample_urls=("https://site.example/?a=1&access_token=abcdef&b=2",))
    (line,) = lines(replace(GOOD, causes=(shown,)))["site.csp"].evidence
    assert "https://site.example/?a=1&access_token=<masked>&b=2" in line


@pytest.mark.parametrize(("name", "kind"), hardening.PROBED_BY.items())
@pytest.mark.parametrize(
    ("stand", "verdict"),
    [
        (None, Verdict.UNKNOWN),
        (Probed(answered=3), Verdict.OK),
        (Probed(answered=3, failed=1), Verdict.OK),
        (Probed(answered=1, failed=2), Verdict.UNKNOWN),
        (Probed(answered=3, waiting=1), Verdict.UNKNOWN),
        (Probed(failed=1), Verdict.UNKNOWN),
        (Probed(), Verdict.UNKNOWN),
    ],
)
def test_what_nobody_probed_nobody_knows(
    kind: str, name: str, stand: Probed | None, verdict: Verdict
) -> None:
    others = {each: how for each, how in ALL_PROBED.items() if each != kind}
    probed = others if stand is None else {**others, kind: stand}
    line = lines(replace(GOOD, probed=probed))[name]
    assert line.verdict is verdict
    if stand is None:
        assert f"[probes] {kind} = true" in line.evidence[-1]


def test_no_endpoint_is_nothing_that_a_machine_can_judge() -> None:
    assert lines(replace(GOOD, endpoints=0))["site.reporting_endpoints"].verdict is Verdict.UNKNOWN


LOGS = Declaration("site.access_logs", "operations", TODAY, "kept for 90 days")


def test_a_person_declares_what_no_machine_knows_until_a_day() -> None:
    line = lines(GOOD, [LOGS])["site.access_logs"]
    assert (line.verdict, line.owner, line.declared) == (Verdict.DECLARED, "operations", LOGS)
    late = lines(GOOD, [LOGS], date(2026, 11, 29))["site.access_logs"]
    assert late.verdict is Verdict.FAIL
    assert "is over" in late.evidence[-1]


def test_nobody_can_declare_away_what_a_machine_saw() -> None:
    said = Declaration("site.csp", "operations", TODAY, "it is fine")
    assert lines(replace(GOOD, causes=(BAD["site.csp"],)), [said])["site.csp"].verdict is Verdict.FAIL
    assert lines(GOOD, [said])["site.csp"].verdict is Verdict.OK


def test_the_items_that_need_probes_are_those_that_are_unknown_without() -> None:
    without = lines(replace(GOOD, probed={}))
    unknown = {name for name, line in without.items() if line.verdict is Verdict.UNKNOWN}
    assert unknown - PEOPLE_ONLY == set(hardening.PROBED_BY)
    # What caches do is held to the rules of the site's file, which have a command of their own.
    assert set(hardening.PROBED_BY.values()) == set(ProbeKind) - {ProbeKind.CACHE}


def test_every_item_says_everything_and_every_area_has_some() -> None:
    for check in hardening.CHECKS:
        item = check.item
        assert item.name.startswith("site.")
        assert all((item.title, item.looks_at, item.expected, item.rollback, item.fix))
    assert {check.item.area for check in hardening.CHECKS} == set(Area)
    assert len(hardening.ITEMS) == len(hardening.CHECKS)
