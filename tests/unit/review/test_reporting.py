"""Reporting-Endpoints, Report-To and NEL: what arrives, what is dropped, and names that lead nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from review.checks import reporting as check
from tests.unit.review._cases import HTML, IMAGE, Case, verify

R = "reporting"
VOID, SKIPPED, INSECURE = f"{R}.endpoints_ignored", f"{R}.endpoint_ignored", f"{R}.insecure_endpoint"
UNRESOLVED, OLD_VOID, OLD = f"{R}.unresolved", f"{R}.report_to_ignored", f"{R}.only_report_to"
NEL_VOID, NEL_UNRESOLVED = "nel.ignored", "nel.unresolved"
NAME, GROUPS, NEL_NAME = "reporting-endpoints", "report-to", "nel"
LINE, GROUP_LINE, NEL_LINE = "Reporting-Endpoints: ", "Report-To: ", "NEL: "
GOOD = 'main="https://reports.example/"'
GROUP = '{"group":"main","max_age":600,"endpoints":[{"url":"https://reports.example/"}]}'
NEL = '{"report_to":"main","max_age":600}'
OPENER = "Cross-Origin-Opener-Policy: same-origin; report-to="
_CHROMIUM = "Chromium, reporting_header_parser.cc"
_NEL_SOURCE = "Network Error Logging, 5.1, and Chromium, network_error_logging_service.cc"


def group(name: str = "main", max_age: int = 600, *, subdomains: bool = False) -> dict[str, Any]:
    urls = ["https://reports.example/"]
    return {"group": name, "max_age": max_age, "include_subdomains": subdomains, "endpoints": urls}


def nel(**changed: Any) -> dict[str, Any]:
    usual = {"report_to": "main", "max_age": 600, "include_subdomains": False}
    return usual | {"success_fraction": 0.0, "failure_fraction": 1.0} | changed


def void(name: str, *values: str) -> Case:
    return Case(name, (HTML, *(LINE + value for value in values)), {VOID}, {NAME: None})


def old_void(name: str, value: str) -> Case:
    return Case(name, (HTML, GROUP_LINE + value), {OLD_VOID}, {GROUPS: None}, source=_CHROMIUM)


def nel_void(name: str, *values: str) -> Case:
    lines = (HTML, GROUP_LINE + GROUP, *(NEL_LINE + value for value in values))
    return Case(name, lines, {NEL_VOID}, {NEL_NAME: None}, source=_NEL_SOURCE)


ENDPOINT_CASES = (
    Case("nothing", (HTML,)),
    Case("an endpoint", (HTML, LINE + GOOD), effective={NAME: {"main": "https://reports.example/"}}),
    Case("a path", (HTML, LINE + 'main="/reports"'), effective={NAME: {"main": "/reports"}}),
    Case("odd case", (HTML, LINE + 'main="HTTPS://x.example"'), effective={NAME: {"main": "HTTPS://x.example"}}),
    Case("two lines", (HTML, LINE + GOOD, LINE + 'b="/b"'), effective={NAME: {"main": "https://reports.example/", "b": "/b"}}),
    Case("http", (HTML, LINE + f'{GOOD}, b="http://b.example/"'), {INSECURE}, {NAME: {"main": "https://reports.example/"}}),
    Case("http alone", (HTML, LINE + 'b="http://b.example/"'), {INSECURE}, {NAME: None}),
    Case("a token", (HTML, LINE + "main=reports"), {SKIPPED}, {NAME: None}),
    Case("a URL without quotes", (HTML, LINE + "main=https://reports.example/"), {SKIPPED}, {NAME: None}),
    Case("a list", (HTML, LINE + 'main=("https://reports.example/")'), {SKIPPED}, {NAME: None}),
    Case("a path without slash", (HTML, LINE + 'main="reports"'), {SKIPPED}, {NAME: None}, source=_CHROMIUM),
    Case("two slashes", (HTML, LINE + 'main="//reports.example/"'), {SKIPPED}, {NAME: None}, source=_CHROMIUM),
    Case("an empty string", (HTML, LINE + 'main=""'), {SKIPPED}, {NAME: None}),
    void("empty", ""),
    void("a name in capitals", 'Main="https://reports.example/"'),
    void("semicolons", 'main "https://reports.example/"'),
    void("JSON", GROUP),
    void("one line broken", GOOD, "="),
    void("a comma at the end", GOOD + ","),
    void("garbage bytes", GOOD + "\xff"),
    Case("broken on a picture", (IMAGE, LINE + "=")),
    Case("over http", (HTML, LINE + GOOD), effective={NAME: None}, scheme="http"),
)  # fmt: skip

NAME_CASES = (
    Case("a name that is there", (HTML, LINE + GOOD, OPENER + '"main"')),
    Case("a name that is a group", (HTML, GROUP_LINE + GROUP, OPENER + '"main"'), {OLD}),
    Case("a name that is not there", (HTML, LINE + GOOD, OPENER + '"other"'), {UNRESOLVED}),
    Case("a name without any endpoints", (HTML, OPENER + '"main"'), {UNRESOLVED}),
    Case("a name of an endpoint over http", (HTML, LINE + 'main="http://x.example"', OPENER + '"main"'), {INSECURE, UNRESOLVED}),
    Case("a name that is no string", (HTML, OPENER + "main"), source="HTML, 7.1.3.1: a string"),
    Case("no name", (HTML, "Cross-Origin-Embedder-Policy: require-corp")),
    Case("a report-only policy's name", (HTML, 'Cross-Origin-Embedder-Policy-Report-Only: require-corp; report-to="x"'), {UNRESOLVED}),
    Case("a feature's name", (HTML, "Permissions-Policy: camera=();report-to=x"), {UNRESOLVED}),
    Case("a feature's name that is there", (HTML, LINE + GOOD, "Permissions-Policy: camera=();report-to=main")),
    Case("a setting's name", (HTML, "Document-Policy: *;report-to=x"), {UNRESOLVED}),
    Case("a setting without reports", (HTML, "Document-Policy: *;report-to=none")),
    Case("an integrity policy's name", (HTML, "Integrity-Policy: blocked-destinations=(script), endpoints=(x)"), {UNRESOLVED}),
    Case("an integrity policy's name that is there", (HTML, LINE + GOOD, "Integrity-Policy: blocked-destinations=(script), endpoints=(main)")),
    Case("a name on a picture", (IMAGE, OPENER + '"main"')),
)  # fmt: skip

GROUP_CASES = (
    Case("a group alone", (HTML, GROUP_LINE + GROUP), {OLD}, {GROUPS: [group()]}),
    Case("a group and endpoints", (HTML, GROUP_LINE + GROUP, LINE + GOOD), effective={GROUPS: [group()]}),
    Case("two groups in one line", (HTML, GROUP_LINE + f"{GROUP}, {GROUP}", LINE + GOOD), effective={GROUPS: [group(), group()]}),
    Case("two groups in two lines", (HTML, GROUP_LINE + GROUP, GROUP_LINE + GROUP, LINE + GOOD), effective={GROUPS: [group(), group()]}),
    Case(
        "the default group, with subdomains, beside a broken one",
        (HTML, LINE + GOOD, GROUP_LINE + '{"max_age":1,"include_subdomains":true,"endpoints":[{"url":"https://reports.example/"}, 1]}, 7'),
        effective={GROUPS: [group("default", 1, subdomains=True)]},
        source=_CHROMIUM,
    ),
    old_void("no JSON", "main"),
    old_void("empty", ""),
    old_void("single quotes", GROUP.replace('"', "'")),
    old_void("no max_age", GROUP.replace("max_age", "x")),
    old_void("a negative max_age", GROUP.replace("600", "-1")),
    old_void("a max_age in quotes", GROUP.replace("600", '"600"')),
    old_void("a max_age that is true", GROUP.replace("600", "true")),
    old_void("a max_age beyond 31 bits", GROUP.replace("600", "2147483648")),
    old_void("a number beyond all numbers", GROUP.replace("600", "9" * 9000)),
    old_void("a group that is no string", GROUP.replace('"main"', "1")),
    old_void("no endpoints", GROUP.replace("endpoints", "x")),
    old_void("endpoints that are no list", '{"max_age":1,"endpoints":{}}'),
    old_void("an endpoint over http", GROUP.replace("https", "http")),
    old_void("a weight in quotes", GROUP.replace('"url"', '"weight":"1","url"')),
    old_void("a constant of Python's", GROUP.replace("600", "NaN")),
    old_void("nesting without end", "[" * 16000),
    old_void("longer than 16 KiB", GROUP + " " * 16384 + "1"),
    old_void("garbage bytes", "\xff\x00"),
    Case("a broken group over http", (HTML, GROUP_LINE + "x"), effective={GROUPS: None}, scheme="http"),
)  # fmt: skip

NEL_CASES = (
    Case("errors reported", (HTML, GROUP_LINE + GROUP, NEL_LINE + NEL), effective={NEL_NAME: nel()}),
    Case("errors of a picture reported", (IMAGE, GROUP_LINE + GROUP, NEL_LINE + NEL), effective={NEL_NAME: nel()}),
    Case(
        "fractions",
        (HTML, GROUP_LINE + GROUP, NEL_LINE + '{"report_to":"main","max_age":600,"success_fraction":1,"failure_fraction":0.5,"include_subdomains":true}'),
        effective={NEL_NAME: nel(success_fraction=1, failure_fraction=0.5, include_subdomains=True)},
    ),
    Case("off", (HTML, NEL_LINE + '{"max_age":0}'), effective={NEL_NAME: nel(report_to=None, max_age=0)}),
    Case("no such group", (HTML, GROUP_LINE + GROUP, NEL_LINE + NEL.replace("main", "x")), {NEL_UNRESOLVED}),
    Case("no groups at all", (IMAGE, NEL_LINE + NEL), {NEL_UNRESOLVED}, {NEL_NAME: nel()}),
    Case("an endpoint is no group", (HTML, LINE + GOOD, NEL_LINE + NEL), {NEL_UNRESOLVED}),
    Case("a group that is switched off", (HTML, GROUP_LINE + GROUP.replace("600", "0"), NEL_LINE + NEL), {NEL_UNRESOLVED}),
    nel_void("no JSON", "main"),
    nel_void("an empty value", ""),
    nel_void("a list", f"[{NEL}]"),
    nel_void("two lines", NEL, NEL),
    nel_void("no report_to", '{"max_age":1}'),
    nel_void("a report_to that is no string", '{"max_age":1,"report_to":1}'),
    nel_void("no max_age", '{"report_to":"main"}'),
    nel_void("a fractional max_age", '{"report_to":"main","max_age":1.5}'),
    nel_void("a success_fraction above one", '{"report_to":"main","max_age":1,"success_fraction":1.1}'),
    nel_void("a failure_fraction below zero", '{"report_to":"main","max_age":1,"failure_fraction":-0.1}'),
    nel_void("a fraction in quotes", '{"report_to":"main","max_age":1,"failure_fraction":"1"}'),
    nel_void("nesting without end", '{"a":' * 3000),
    nel_void("garbage bytes", "\xff\x00"),
    Case("NEL over http", (HTML, NEL_LINE + "x"), effective={NEL_NAME: None}, scheme="http"),
)  # fmt: skip

CASES = (*ENDPOINT_CASES, *NAME_CASES, *GROUP_CASES, *NEL_CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reporting(case: Case) -> None:
    verify(check, case)
