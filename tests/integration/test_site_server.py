from __future__ import annotations

import http.client
import time
import urllib.parse
from collections.abc import Iterator

import pytest

from tests.site_plan import Kind
from tests.site_server import SiteServer


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=121, origins=2, slow_seconds=0.2) as server:
        yield server


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def first(site: SiteServer, kind: Kind) -> str:
    return next(site.plan.url(n) for n in range(site.plan.pages) if site.plan.kind(n) is kind)


def test_every_page_answers_as_the_truth_says(site: SiteServer) -> None:
    patient = {Kind.BUSY, Kind.LIMITED}
    for number in range(site.plan.pages):
        url, truth = site.plan.url(number), site.plan.page_truth(number)
        if site.plan.kind(number) in patient:
            assert fetch(url)[0] in (429, 503)
        status, headers, _ = fetch(url)
        if truth.status is not None:
            assert (status, headers.get("location")) == (truth.status, truth.target)


def test_a_busy_page_answers_later_and_says_when(site: SiteServer) -> None:
    site.forget()
    url = first(site, Kind.BUSY)
    status, headers, _ = fetch(url)
    assert (status, headers["retry-after"]) == (503, "1")
    assert fetch(url)[0] == 200


def test_a_slow_page_takes_its_time(site: SiteServer) -> None:
    started = time.monotonic()
    assert fetch(first(site, Kind.SLOW))[0] == 200
    assert time.monotonic() - started >= 0.2


def test_hits_are_counted_by_url_over_all_origins(site: SiteServer) -> None:
    site.forget()
    for url in [*site.start_urls, site.start_urls[0]]:
        fetch(url)
    assert site.hits() == {site.start_urls[0]: 2, site.start_urls[1]: 1}


def test_request_ids_change_and_the_class_headers_stay(site: SiteServer) -> None:
    url = next(
        site.plan.url(n)
        for n in range(1, 121)
        if "/shop/" in site.plan.url(n) and site.plan.kind(n) is Kind.PLAIN
    )
    one, two = fetch(url)[1], fetch(url)[1]
    changed = {name for name in one if one[name] != two[name]}
    assert {"x-request-id", "set-cookie"} <= changed <= {"x-request-id", "set-cookie", "date"}
    assert one["cache-control"] == "private"


def test_robots_and_sitemap_stand_on_every_origin(site: SiteServer) -> None:
    for origin in site.plan.origins:
        status, _, body = fetch(f"{origin}/robots.txt")
        assert status == 200
        assert f"Sitemap: {origin}/sitemap.xml".encode() in body
        assert fetch(f"{origin}/sitemap.xml")[0] == 200


def test_one_connection_serves_several_requests(site: SiteServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.ports[0], timeout=5)
    try:
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read().startswith(b"<!doctype html>")
            assert connection.sock is not None
    finally:
        connection.close()


def test_a_dropped_header_is_gone_from_every_page() -> None:
    with SiteServer(pages=30, origins=1) as site:
        site.drop_header("Strict-Transport-Security")
        pages = [fetch(site.plan.url(number))[1] for number in range(5)]
    assert not any("strict-transport-security" in headers for headers in pages)


def test_the_same_ports_can_be_asked_for_again() -> None:
    with SiteServer(pages=30, origins=2) as site:
        ports = site.ports
    with SiteServer(pages=30, ports=ports) as again:
        assert again.ports == ports
        assert fetch(again.start_urls[0])[0] == 200
