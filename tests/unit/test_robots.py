from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import robots, urls
from headersweep.robots import RobotsRules, RobotsVerdict

NOW = datetime(2026, 5, 12, 10, tzinfo=UTC)
HOST = "https://h"
DENY_ALL = b"User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, RobotsVerdict.PARSE),
        (204, RobotsVerdict.PARSE),
        (299, RobotsVerdict.PARSE),
        (301, RobotsVerdict.ALLOW_ALL),
        (400, RobotsVerdict.ALLOW_ALL),
        (401, RobotsVerdict.ALLOW_ALL),
        (403, RobotsVerdict.ALLOW_ALL),
        (404, RobotsVerdict.ALLOW_ALL),
        (428, RobotsVerdict.ALLOW_ALL),
        (429, RobotsVerdict.UNREACHABLE),
        (430, RobotsVerdict.ALLOW_ALL),
        (499, RobotsVerdict.ALLOW_ALL),
        (500, RobotsVerdict.UNREACHABLE),
        (503, RobotsVerdict.UNREACHABLE),
        (599, RobotsVerdict.UNREACHABLE),
        (None, RobotsVerdict.UNREACHABLE),
        (0, RobotsVerdict.UNREACHABLE),
        (199, RobotsVerdict.UNREACHABLE),
        (999, RobotsVerdict.UNREACHABLE),
    ],
)
def test_a_status_decides_what_the_answer_means(status: int | None, verdict: RobotsVerdict) -> None:
    assert robots.decide(status) is verdict
    assert RobotsRules.parse(status, b"").allows(HOST + "/a") is (verdict is not RobotsVerdict.UNREACHABLE)


def test_the_body_of_an_error_page_holds_no_rules() -> None:
    assert RobotsRules.parse(404, DENY_ALL).allows(HOST + "/a")
    assert not RobotsRules.parse(503, b"User-agent: *\nAllow: /\n").allows(HOST + "/a")
    assert RobotsRules.parse(404, b"Sitemap: https://h/s.xml").sitemaps == ()


RULES = [
    ("User-agent: *\nDisallow: /a", "/a/b", False),
    ("User-agent: *\nDisallow: /a", "/b", True),
    ("User-agent: *\nDisallow: /a", "/A", True),
    ("User-agent: *\nDisallow:", "/a", True),
    ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
    ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
    ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
    ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?x", True),
    ("User-agent: *\nDisallow: /?q=", "/?q=1", False),
    ("User-agent: *\nDisallow: /ä", "/%C3%A4", False),
    ("User-agent: *\nDisallow: /", "/robots.txt", True),
    ("user-AGENT : *\r\ndisallow : /a # why\r\n", "/a", False),
    ("User-agent: *\rDisallow: /a", "/a", False),
    ("\n\n  User-agent: *\n\n  Disallow: /a", "/a", False),
    ("Disallow: /a", "/a", True),
    ("<html>User-agent: *<p>Disallow: /</html>", "/a", True),
    # Whose group it is
    ("User-agent: headersweep\nDisallow: /a", "/a", False),
    ("User-agent: HeaderSweep/1.0\nDisallow: /a", "/a", False),
    ("User-agent: headersweep # us\nDisallow: /a", "/a", False),
    ("User-agent: header\nDisallow: /a", "/a", True),
    ("User-agent: headersweeper\nDisallow: /a", "/a", True),
    ("User-agent: other\nDisallow: /a", "/a", True),
    ("User-agent: other\nUser-agent: headersweep\nDisallow: /a", "/a", False),
    ("User-agent: *\nDisallow: /\n\nUser-agent: headersweep\nDisallow: /b", "/a", True),
    ("User-agent: headersweep\nDisallow: /b\n\nUser-agent: *\nDisallow: /", "/a", True),
    (
        "User-agent: headersweep\nDisallow: /b\nUser-agent: x\nUser-agent: headersweep\nDisallow: /a",
        "/a",
        False,
    ),
    ("User-agent: *\nDisallow: /\nUser-agent: other\nAllow: /", "/a", False),
    ("User-agent: !\nDisallow: /", "/a", True),
]


@pytest.mark.parametrize(("text", "path", "allowed"), RULES)
def test_rules_are_read_as_the_standard_says(text: str, path: str, allowed: bool) -> None:
    assert RobotsRules.parse(200, text.encode()).allows(HOST + path) is allowed


@pytest.mark.parametrize(("text", "path", "allowed"), RULES)
def test_a_byte_order_mark_changes_nothing(text: str, path: str, allowed: bool) -> None:
    assert RobotsRules.parse(200, b"\xef\xbb\xbf" + text.encode()).allows(HOST + path) is allowed


@pytest.mark.parametrize(("text", "path", "allowed"), RULES)
def test_kept_text_gives_the_same_rules_again(text: str, path: str, allowed: bool) -> None:
    kept = RobotsRules.parse(200, text.encode()).text
    assert RobotsRules.parse(200, kept.encode()).allows(HOST + path) is allowed


def test_another_agent_reads_its_own_group() -> None:
    rules = RobotsRules.parse(200, b"User-agent: other\nDisallow: /a\nUser-agent: headersweep\nDisallow: /b")
    assert rules.allows(HOST + "/a")
    assert not rules.allows(HOST + "/a", "other")
    assert not rules.allows(HOST + "/b")
    assert rules.allows(HOST + "/b", "Other")


def test_the_file_is_cut_at_512_kib_and_the_cut_line_dropped() -> None:
    start = b"User-agent: *\nDisallow: /first\n"
    last = b"Disallow: /last\n"
    room = robots.MAX_BYTES - len(start) - len(last)
    fits = start + b"#" * (room - 1) + b"\n" + last
    assert len(fits) == robots.MAX_BYTES
    assert not RobotsRules.parse(200, fits).allows(HOST + "/last")
    cut = RobotsRules.parse(200, fits[:-1] + b"x\n")
    assert cut.allows(HOST + "/last")
    assert not cut.allows(HOST + "/first")


def test_one_endless_line_is_no_file() -> None:
    assert RobotsRules.parse(200, b"User-agent: * Disallow: /" * 50_000).text == ""


def test_many_agents_with_many_rules_cost_no_more_than_a_moment() -> None:
    body = b"".join(b"User-agent: x%d\n" % index for index in range(15_000)) + b"Disallow: /\n" * 20_000
    started = time.process_time()
    assert RobotsRules.parse(200, body).allows(HOST + "/a")
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("0", 0),
        ("30", 30),
        ("31", 30),
        ("1e9", 30),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_a_crawl_delay_is_obeyed_up_to_thirty_seconds(value: str, delay: float | None) -> None:
    assert RobotsRules.parse(200, f"User-agent: *\nCrawl-delay: {value}".encode()).crawl_delay() == delay


def test_the_crawl_delay_of_others_is_not_ours() -> None:
    rules = RobotsRules.parse(200, b"User-agent: other\nCrawl-delay: 9")
    assert rules.crawl_delay() is None
    assert rules.crawl_delay("other") == 9


def test_sitemaps_are_named_once_whoever_they_stand_under() -> None:
    body = b"Sitemap: https://h/a.xml\nUser-agent: other\nDisallow: /\nsitemap:/b.xml\nSitemap: https://h/a.xml\n"
    assert RobotsRules.parse(200, body).sitemaps == ("https://h/a.xml", "/b.xml")


def test_a_good_answer_holds_for_a_day() -> None:
    for verdict in (RobotsVerdict.PARSE, RobotsVerdict.ALLOW_ALL):
        assert robots.expires(verdict, NOW, failures=9) == NOW + timedelta(hours=24)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 60), (1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (8, 3600), (10**9, 3600)],
)
def test_an_unreachable_file_is_retried_later_and_later(failures: int, seconds: int) -> None:
    expected = NOW + timedelta(seconds=seconds)
    assert robots.expires(RobotsVerdict.UNREACHABLE, NOW, failures) == expected


def test_a_good_copy_serves_for_thirty_days() -> None:
    good, away = RobotsRules.parse(200, DENY_ALL), RobotsRules.parse(503)
    fetched = NOW - timedelta(days=30)
    assert robots.in_force(away, good, fetched, NOW) is good
    assert robots.in_force(away, good, fetched - timedelta(seconds=1), NOW) is away
    assert robots.in_force(away, None, None, NOW) is away
    assert robots.in_force(RobotsRules.parse(404), good, fetched, NOW).allows(HOST + "/a")


LINES = st.lists(
    st.sampled_from(
        [
            "User-agent: ",
            "Disallow: ",
            "Allow: ",
            "Crawl-delay: ",
            "*",
            "/",
            "$",
            "%",
            "\n",
            "\r",
            "9",
            "#",
            "ä",
        ]
    )
    | st.text(max_size=3)
).map(lambda parts: "".join(parts).encode(errors="replace"))


@settings(deadline=None)
@given(st.none() | st.integers(), st.binary() | LINES, st.text(max_size=10))
def test_reading_never_raises(status: int | None, body: bytes, path: str) -> None:
    rules = RobotsRules.parse(status, body)
    page = urls.parse(HOST + "/" + path)
    assert page is not None
    rules.allows(page.url)
    rules.crawl_delay()
    assert "\x00" not in rules.text
    assert rules.sitemaps == RobotsRules.parse(status, rules.text.encode()).sitemaps
