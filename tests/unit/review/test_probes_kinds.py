"""Exposed files, upload limits, report endpoints, error pages: what of the answers is a finding, on both sides of each line."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep.probes import ProbeKind
from review import received as reading
from review.finding import Rule
from review.probes import answered, error_page, exposed_files, kinds, reporting_endpoints, upload_limit
from review.probes.answered import Answered

SITE = "https://site.example"
HTML = b"<!doctype html><title>Welcome</title><p>All of our pages look like this. /.env /.git/HEAD ref: refs/heads/main"


def one(
    where: str = "/", status: int = 200, evidence: dict[str, Any] | None = None, **context: Any
) -> Answered:
    answer = reading.received([("Content-Type", "text/plain")], status=status)
    return Answered(SITE, f"{SITE}{where}", answer, evidence or {}, context)


# --- exposed files ----------------------------------------------------------------------------------------------

THERE = {
    "environment file": (
        b"# made by hand\n\nAPP_KEY=base64:abc\nDB_PASSWORD=x\n",
        b"export PATH_TO=1\n",
        b"  # by hand\n \nA_B=1",
    ),
    "credentials of AWS": (
        b"[default]\naws_access_key_id = AKIA\naws_secret_access_key = x\n",
        b"\n  aws_secret_access_key=x",
    ),
    "private key": (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3", b"-----BEGIN PRIVATE KEY-----\nMII"),
    "password file": (b"ann:$apr1$x$y\n", b"bob:$2y$05$abc\n", b"eve:{SHA}abc=\n"),
    "PHP settings": (b"\n<?php\ndefine('DB_PASSWORD', 'x');\n",),
    "compose file": (b"version: '3'\nservices:\n  web:\n",),
    "git": (b"ref: refs/heads/main\n", b"0123456789abcdef0123456789abcdef01234567\n"),
    "git settings": (b"[core]\n\trepositoryformatversion = 0\n",),
    "Mercurial": (b"dotencode\nfncache\nrevlogv1\nstore\n",),
    "Subversion": (b"SQLite format 3\x00\x10",),
    "folder listing of macOS": (b"\x00\x00\x00\x01Bud1\x00",),
    "database dump": (b"-- MySQL dump 10.13\n", b"CREATE TABLE x (id int);\n"),
    "archive": (b"PK\x03\x04\x14", b"\x1f\x8b\x08\x00"),
    "server status": (b"<html><head><title>Apache Status</title>",),
    "phpinfo": (b"<title>PHP 8.2.7 - phpinfo()</title>", b"<title>phpinfo()</title>"),
    "settings of Spring": (b'{"activeProfiles":[],"propertySources":[]}',),
    "profiler of Go": (b"<html><head>\n<title>/debug/pprof/</title>",),
}
NOT_THERE = (b"", HTML, b"Not found", b'{"error": "no such file"}', b"\x00\x01\x02", b"a: b\n")


@pytest.mark.parametrize("sign", exposed_files.SIGNS, ids=lambda sign: sign.name)
def test_a_file_is_known_by_its_content_at_its_own_paths_alone(sign: exposed_files.Sign) -> None:
    for body in THERE[sign.name]:
        evidence = exposed_files.read(200, body)
        assert sign.name in evidence["signs"]
        for path in sign.paths:
            (found,) = exposed_files.judge([one(path, 200, evidence, path=path)])
            assert found.finding.code == sign.rule.code
            assert found.finding.subject == f"{SITE}{path}"
            assert exposed_files.judge([one(path, 403, evidence, path=path)]) == ()
        assert exposed_files.judge([one("/other", 200, evidence, path="/other")]) == ()


@pytest.mark.parametrize("body", NOT_THERE)
def test_sites_that_answer_everything_with_a_page_have_no_finding(body: bytes) -> None:
    evidence = exposed_files.read(200, body)
    assert evidence == {"signs": [], "secrets": []}
    answers = [one(path, 200, evidence, path=path) for path in exposed_files.PATHS]
    assert exposed_files.judge(answers) == ()


def test_of_a_secret_in_a_file_only_its_kind_is_kept() -> None:
    secret = "AKIA" + "ABCDEFGH" * 2
    evidence = exposed_files.read(200, f"AWS_ACCESS_KEY_ID={secret}\n".encode())
    assert evidence == {"signs": ["environment file"], "secrets": ["AWS access key"]}
    (found,) = exposed_files.judge([one("/.env", 200, evidence, path="/.env")])
    assert found.finding.detail == "environment file: AWS access key"
    assert secret not in str(found)


def test_every_path_is_asked_once_and_belongs_to_one_kind_of_file() -> None:
    assert len(set(exposed_files.PATHS)) == len(exposed_files.PATHS)
    assert set(THERE) == {sign.name for sign in exposed_files.SIGNS}


# --- upload limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "codes"), [(100, ["upload.no_limit"]), (413, []), (417, []), (200, []), (405, [])]
)
def test_only_who_asks_for_the_body_has_no_limit(status: int, codes: list[str]) -> None:
    assert [found.finding.code for found in upload_limit.judge([one("/", status)])] == codes


# --- endpoints for reports --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_silent"),
    [
        (200, False),
        (204, False),
        (405, False),
        (400, False),
        (404, True),
        (410, True),
        (500, True),
        (503, True),
    ],
)
def test_an_endpoint_that_is_not_there_takes_no_reports(status: int, is_silent: bool) -> None:
    found = reporting_endpoints.judge([one("/reports", status, named_by=f"{SITE}/")])
    assert [each.finding.code for each in found] == (["reporting.endpoint_silent"] if is_silent else [])
    assert [each.urls[0] for each in found] == ([f"{SITE}/"] if is_silent else [])


def test_every_way_to_name_an_endpoint_is_seen_once() -> None:
    received = reading.received(
        [
            ("Reporting-Endpoints", 'csp="https://r.example/csp", bad="http://r.example/x"'),
            ("Report-To", '{"group":"d","max_age":1,"endpoints":[{"url":"https://r.example/old"}]}'),
            ("Content-Security-Policy", "default-src 'self'; report-uri /csp https://r.example/csp"),
            ("Content-Security-Policy-Report-Only", "default-src 'self'; report-uri /only"),
        ]
    )
    assert reporting_endpoints.named(received, f"{SITE}/a/b") == [
        "https://r.example/csp",
        "https://r.example/old",
        f"{SITE}/csp",
        f"{SITE}/only",
    ]
    assert reporting_endpoints.named(reading.received([]), SITE) == []


# --- error pages ------------------------------------------------------------------------------------------------

TELLS = {
    "Python traceback": b'<pre>Traceback (most recent call last):\n  File "/srv/app.py", line 3',
    "Django debug page": b"you have <code>DEBUG = True</code> in your settings",
    "Werkzeug debugger": b"<title>ValueError // Werkzeug Debugger</title>",
    "Java stack trace": b"java.lang.NullPointerException\n\tat com.example.shop.Cart.add(Cart.java:42)\n",
    "Spring error page": b"<h1>Whitelabel Error Page</h1>",
    "Node stack trace": b"<pre>Error: x<br> &nbsp; &nbsp;at Layer.handle (/srv/node_modules/express/lib/router.js:95:5)",
    "PHP error": b"<b>Warning</b>:  mysqli_connect(): (HY000/1045)",
    "Laravel debug page": b"Illuminate\\Routing\\RouteCollection",
    "Ruby debug page": b"<h1>Routing Error</h1>",
    "ASP.NET debug page": b"<title>Server Error in '/' Application.</title>",
    "Go panic": b"goroutine 18 [running]:\nmain.main()",
    "SQL error": b"SQLSTATE[42S02]: Base table or view not found",
}
TELLS_NOTHING = (
    b"",
    HTML,
    b"<h1>404 Not Found</h1><hr>nginx",
    b"A warning: at noon the office is closed (see page 4:2)",
)


@pytest.mark.parametrize("name", TELLS)
def test_an_error_page_that_tells_how_the_site_is_built(name: str) -> None:
    evidence = error_page.read(404, TELLS[name])
    assert evidence["signs"] == [name]
    (found,) = error_page.judge([one("/headersweep-1", 404, evidence)])
    assert (found.finding.code, found.finding.detail) == ("error_page.leaks", name)


@pytest.mark.parametrize("body", TELLS_NOTHING)
def test_an_error_page_that_tells_nothing(body: bytes) -> None:
    assert error_page.judge([one("/x", 404, error_page.read(404, body))]) == ()


@pytest.mark.parametrize(
    ("status", "codes"), [(200, ["error_page.not_an_error"]), (404, []), (302, []), (500, [])]
)
def test_a_page_where_there_is_none(status: int, codes: list[str]) -> None:
    found = error_page.judge([one("/x", status, error_page.read(status, HTML))])
    assert [each.finding.code for each in found] == codes


def test_every_sign_of_an_error_page_has_a_case() -> None:
    assert set(TELLS) == set(error_page._SIGNS)


# --- all kinds --------------------------------------------------------------------------------------------------


@given(st.binary(max_size=600), st.integers(100, 599))
def test_no_body_makes_a_reader_fail_and_none_is_kept(body: bytes, status: int) -> None:
    known = {sign.name for sign in exposed_files.SIGNS} | set(error_page._SIGNS)
    for read in kinds.READERS.values():
        evidence = read(status, body)
        assert evidence is not None
        assert set(evidence.get("signs", ())) <= known
        assert len(json.dumps(evidence)) < 500


@pytest.mark.parametrize(
    "piece",
    [
        b"a",
        b"\n",
        b" ",
        b"# x\n",
        b"<?php ",
        b"at a.b.c",
        b"[Exception",
        b"{",
        b"A=",
        b"ref: refs/",
        b"\n ",
        b"<title>x at /",
        b"<title>x at /</title>",
        b"services:\n",
        b" &nbsp;(",
    ],
)
def test_no_body_of_the_greatest_length_takes_long(piece: bytes) -> None:
    body = (piece * 65_536)[:65_536]
    begun = time.process_time()
    for read in kinds.READERS.values():
        read(200, body)
    # No measurement: the smallest pattern that goes back over what it took would need minutes.
    assert time.process_time() - begun < 5.0


@pytest.mark.parametrize(
    "page",
    [
        b"<title>KeyError at /x</title><tr><th scope=row>Django Version:</th>",
        b"<p>Using the URLconf defined in <code>shop.urls</code>",
    ],
)
def test_both_of_django_s_debug_pages_are_known(page: bytes) -> None:
    assert error_page.read(404, page)["signs"] == ["Django debug page"]


@pytest.mark.parametrize("rule", kinds.BY_CODE.values(), ids=lambda rule: rule.code)
def test_every_rule_about_probes_has_its_texts(rule: Rule) -> None:
    assert all((rule.title, rule.browser, rule.why, rule.fix, rule.link))


def test_a_path_that_no_site_has_is_the_same_for_one_run_and_kind() -> None:
    paths = {answered.unlikely_path(run, kind) for run in (1, 2) for kind in (ProbeKind.ERROR_PAGE, "other")}
    assert len(paths) == 4
    assert answered.unlikely_path(1, "other") in paths
