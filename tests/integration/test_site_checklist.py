"""The checklist of real sites, swept and probed over https: every seeded mistake is found by its item, and none in the good site."""

from __future__ import annotations

import socket
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from cli import report, reviewed
from headersweep.checklist import Declaration, Line, Verdict
from headersweep.definition import Probes, SiteDefinition
from headersweep.probes import ProbeKind
from review import hardening
from review.probes import answered, cors, error_page, exposed_files, reporting_endpoints, upload_limit
from scheduler import hardening as looking
from scheduler import tick
from tests.integration import _careless
from tests.integration._careless import Authority, Site
from tests.integration._lab import QUICK, Lab, definition
from worker.fetch import Fetcher
from worker.runtime import Runtime

TODAY = datetime.now(UTC).date()
ALL = Probes(**dict.fromkeys(map(str, ProbeKind), True))
PEOPLE_ONLY = (
    "site.server_accounts",
    "site.secret_rotation",
    "site.upload_types",
    "site.access_logs",
    "site.alerts",
)
SAID = tuple(Declaration(name, "operations", TODAY, "looked at it") for name in PEOPLE_ONLY)
SEEDED = {
    "site.permissions_policy": ("permissions_policy.missing",),
    "site.cors": ("cors.reflected_origin", "with credentials"),
    "site.index_listings": ("body.directory_listing", "/files/"),
    "site.secrets_in_headers": ("GitHub token", "/api"),
    "site.secrets_in_urls": ("/reset?access_token=<masked>", "/get/<masked>/file"),
    "site.secrets_in_pages": ("AWS access key", "/keys"),
    "site.exposed_files": ("/.env", "/.git/HEAD", "/dump.sql", "/phpinfo.php"),
    "site.encryption": ("hsts.missing",),
    "site.certificates": ("certificate is not valid",),
    "site.csp": ("csp.missing", "csp.unsafe_inline_script"),
    "site.framing": ("x_frame_options.missing",),
    "site.content_types": ("x_content_type_options.missing",),
    "site.referrers": ("referrer_policy.unsafe_url",),
    "site.cookies": ("cookie.session_readable",),
    "site.caching": ("cache.personal_shared", "/account"),
    "site.disclosure": ("leak.server_version",),
    "site.upload_limit": ("upload.no_limit", "such as"),
    "site.error_pages": ("error_page.leaks", "Python traceback"),
    "site.reporting_endpoints": ("reporting.endpoint_silent", "/reports"),
}
"""Which item says what of which mistakes."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _careless.authority(tmp_path_factory.mktemp("authority"))


def worker(lab: Lab, trusted: Authority | None) -> Runtime:
    """A worker for whom the site's name leads to loopback, whether or not it trusts the site's certificate."""

    async def loopback(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    made = lab.runtime()
    made.fetcher = Fetcher(
        user_agent="headersweep/test",
        deadlines=QUICK,
        resolver=loopback,
        ssl_context=trusted.trusting() if trusted else None,
    )
    made.start_probing = lambda: None  # type: ignore[method-assign]
    return made


def swept(lab: Lab, site: Site, trusted: Authority | None, **changes: Any) -> int:
    """A run of the site with all its probes made."""
    wanted: SiteDefinition = definition(site.url("/"), sitemaps=False, concurrency=1, **changes)
    runtime = worker(lab, trusted)
    run = lab.work(lab.plan(wanted), runtime)
    ends_at = time.monotonic() + 60
    while lab.value("SELECT count(*) FROM probes WHERE state = 'waiting'"):
        assert time.monotonic() < ends_at, lab.rows("SELECT * FROM probes WHERE state = 'waiting'")
        if not runtime.probe():
            tick.tick(lab.engine)
            time.sleep(0.05)
    return int(run.id)


def checklist(lab: Lab, run_id: int, declared: tuple[Declaration, ...] = ()) -> dict[str, Line]:
    """What the command prints."""
    with lab.engine.connect() as connection:
        run = report.find_run(connection, run_id)
    found = reviewed.of_run(lab.engine, run)
    assert found is not None
    with lab.engine.connect() as connection:
        carried = SiteDefinition.from_json(report.definition_of(connection, run_id))
        lines = hardening.examine(looking.seen(connection, found, carried), declared, TODAY)
    return {line.item.name: line for line in lines}


def test_every_mistake_of_a_careless_site_is_found_by_its_item(lab: Lab, authority: Authority) -> None:
    with _careless.serving(_careless.careless(), authority.server()) as site:
        run_id = swept(lab, site, None, probes=ALL, allow_unverified_tls=True)
        lines = checklist(lab, run_id)
    missed = {
        name: (lines[name].verdict, lines[name].evidence)
        for name, said in SEEDED.items()
        if lines[name].verdict is not Verdict.FAIL
        or not all(each in " ".join(lines[name].evidence) for each in said)
    }
    assert missed == {}
    assert set(lines) == set(SEEDED) | set(PEOPLE_ONLY)
    secrets = (_careless.KEY, _careless.TOKEN, _careless.URL_TOKEN)
    assert not any(secret in each for each in _said(lines) for secret in secrets)
    assert site.invited == 1
    assert site.body_bytes == 0


def test_a_body_that_was_sent_would_be_noticed(authority: Authority) -> None:
    with _careless.serving(_careless.careless(), authority.server()) as site:
        raw = socket.create_connection(("127.0.0.1", site.port), timeout=5)
        with raw, authority.trusting().wrap_socket(raw, server_hostname=_careless.HOST) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
            client.sendall(b"some body")
        ends_at = time.monotonic() + 5
        while site.body_bytes < len(b"some body") and time.monotonic() < ends_at:
            time.sleep(0.01)
    assert site.body_bytes == len(b"some body")


def _said(lines: dict[str, Line]) -> list[str]:
    return [each for line in lines.values() for each in line.evidence]


def test_a_careful_site_has_none_and_what_people_must_know_they_declare(
    lab: Lab, authority: Authority
) -> None:
    with _careless.serving(_careless.careful(), authority.server()) as site:
        run_id = swept(lab, site, authority, probes=ALL)
    verdicts = {
        name: (line.verdict, line.evidence)
        for name, line in checklist(lab, run_id).items()
        if line.verdict is not Verdict.OK
    }
    assert {name: verdict for name, (verdict, _) in verdicts.items()} == dict.fromkeys(
        PEOPLE_ONLY, Verdict.UNKNOWN
    ), verdicts
    declared = checklist(lab, run_id, SAID)
    assert {name for name, line in declared.items() if line.verdict is Verdict.DECLARED} == set(PEOPLE_ONLY)
    assert {line.verdict for line in declared.values()} == {Verdict.OK, Verdict.DECLARED}
    # It refused the body with 413: nobody was invited.
    assert [request.headers["expect"] for request in site.log if request.method == "POST"] == ["100-continue"]
    assert (site.invited, site.body_bytes) == (0, 0)


def test_without_probes_nothing_beyond_the_pages_is_asked_and_nobody_knows_the_rest(
    lab: Lab, authority: Authority
) -> None:
    with _careless.serving(_careless.careful(), authority.server()) as site:
        lines = checklist(lab, swept(lab, site, authority))
    pages = set(site.pages) - {"/reports"}
    assert Counter((request.method, request.path) for request in site.log) == Counter(
        ("GET", path) for path in {"/robots.txt", *pages}
    )
    assert not any({"origin", "expect", "cookie"} & set(request.headers) for request in site.log)
    unknown = {name for name, line in lines.items() if line.verdict is Verdict.UNKNOWN}
    probed = {"cors", "exposed_files", "upload_limit", "reporting_endpoints", "error_pages"}
    assert unknown == {*PEOPLE_ONLY, *(f"site.{name}" for name in probed)}


def test_a_certificate_that_nobody_vouches_for_fails_also_where_no_page_came(
    lab: Lab, authority: Authority
) -> None:
    with _careless.serving(_careless.careful(), authority.server()) as site:
        line = checklist(lab, swept(lab, site, None))["site.certificates"]
    assert (line.verdict, line.evidence) == (Verdict.FAIL, ("1 pages were not fetched: TLS failed",))


def test_all_probes_together_are_few_and_one_at_a_time(lab: Lab, authority: Authority) -> None:
    with _careless.serving(_careless.careless(), authority.server()) as site:
        run_id = swept(lab, site, None, probes=ALL, allow_unverified_tls=True)
    pages = {row.url for row in lab.rows("SELECT url FROM pages")}
    asked = Counter((request.method, request.path) for request in site.log)
    probes = lab.value("SELECT count(*) FROM probes")
    most = (
        cors.MAX_PAGES * len(cors.Step)
        + len(exposed_files.PATHS)
        + upload_limit.MAX_ORIGINS
        + reporting_endpoints.MAX_ENDPOINTS
        + error_page.MAX_ORIGINS
    )
    assert probes <= most
    assert asked.total() == len(pages) + probes + asked["GET", "/robots.txt"]
    assert asked["GET", "/robots.txt"] <= 2
    assert asked["GET", answered.unlikely_path(run_id, ProbeKind.ERROR_PAGE)] == 1
    assert (asked["POST", "/"], asked["OPTIONS", "/reports"]) == (1, 1)
    assert set(lab.rows("SELECT DISTINCT attempts FROM probes")) == {(1,)}
    assert site.most_at_once == 1
