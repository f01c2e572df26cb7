from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import targets
from headersweep.definition import SiteDefinition
from headersweep.errors import ConfigurationError, UsageError

NOW = datetime(2026, 11, 22, 10, 0, 5, 123, tzinfo=UTC)


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("", "empty target"),
        ("   ", "empty target"),
        ("example.com/docs", "no scheme"),
        ("//example.com", "write https://example.com"),
        ("two words", "no scheme"),
        ("ftp://example.com/", "not ftp"),
        ("file:///etc/passwd", "not file"),
        ("https://exa mple.com/", "spaces"),
        ("https://example.com/a b", "spaces"),
        ("https://example.com/\x1b[2J", "control characters"),
        ("https:///path", "names no host"),
        ("https://", "names no host"),
        ("http:example", "names no host"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:99999/", "ort"),
        ("https://example.com:http/", "ort"),
        ("https://[::1/", "no URL"),
        ("https://me:secret@example.com/", "user name or password"),
    ],
)
def test_what_is_no_target_is_refused_with_what_is_wrong(target: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        targets.is_url(target)


def test_a_refused_url_does_not_repeat_its_password() -> None:
    with pytest.raises(UsageError) as refused:
        targets.is_url("https://me:secret@example.com/")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("target", ["https://example.com", "HTTP://example.com:8080/a?b=c", "http://[::1]/"])
def test_http_urls_are_urls(target: str) -> None:
    assert targets.is_url(target)


@pytest.mark.parametrize("target", ["docs", "docs.example.com", "localhost:8080", "shop-eu_1"])
def test_names_are_names(target: str) -> None:
    assert not targets.is_url(target)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:8080/", "http://127.8.8.8/"]
)
def test_this_very_machine_is_swept_without_a_limit(url: str) -> None:
    site = targets.adhoc(url)
    assert (site.rate, site.max_rate, site.concurrency) == (0.0, 0.0, 16)


@pytest.mark.parametrize("url", ["https://example.com/", "http://10.0.0.1/", "http://localhost.example.com/"])
def test_everybody_elses_servers_are_swept_politely(url: str) -> None:
    site = targets.adhoc(url)
    assert (site.rate, site.max_rate, site.concurrency) == (1.0, 10.0, 1)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/", "example.com"),
        ("http://localhost:8080/", "localhost:8080"),
        ("https://example.com/docs/", "example.com-docs"),
    ],
)
def test_an_adhoc_site_is_named_after_its_url(url: str, name: str) -> None:
    assert targets.adhoc(url).name == name


def test_different_urls_never_share_a_name() -> None:
    urls = ["/a/b", "/a-b", "/a/b?x=1", "/a/b?x=2", "/A/b", "/a%2Fb", "/" + "x" * 400, "/" + "x" * 401]
    names = [targets.adhoc(f"https://example.com{url}").name for url in urls]
    assert len(set(names)) == len(urls)
    assert max(map(len, names)) <= 200


def test_the_rate_flag_sets_the_ceiling_as_well() -> None:
    changed = targets.with_options(targets.adhoc("https://example.com/"), targets.Options(rate=3.0))
    assert (changed.rate, changed.max_rate) == (3.0, 3.0)


def test_rate_zero_means_no_limit() -> None:
    changed = targets.with_options(targets.adhoc("https://example.com/"), targets.Options(rate=0.0))
    assert (changed.rate, changed.max_rate) == (0.0, 0.0)


def test_what_is_not_asked_for_stays() -> None:
    site = SiteDefinition("docs", ("https://example.com/",), max_pages=7, follow_links=False)
    assert targets.with_options(site, targets.Options()) == site


def test_flags_reach_the_definition() -> None:
    options = targets.Options(max_pages=5, max_depth=0, concurrency=3, follow_links=False)
    changed = targets.with_options(SiteDefinition("docs", ("https://example.com/",)), options)
    assert changed.sitemaps is False
    assert (changed.max_pages, changed.max_depth, changed.concurrency, changed.follow_links) == (
        5,
        0,
        3,
        False,
    )


def test_allowing_private_addresses_keeps_what_the_owner_allowed() -> None:
    from headersweep import addresses

    site = SiteDefinition("docs", ("https://example.com/",), allow_addresses=("192.0.2.0/24",))
    changed = targets.with_options(site, targets.Options(allow_private=True))
    assert changed.allow_addresses == ("192.0.2.0/24", *addresses.ALLOW_PRIVATE)


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        (None, datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC)),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00+02:00", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_a_slot_is_an_instant_in_utc(text: str | None, slot: datetime) -> None:
    assert targets.slot(text, NOW) == slot


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "10:00"])
def test_what_is_no_time_is_no_slot(text: str) -> None:
    with pytest.raises(UsageError, match="ISO 8601"):
        targets.slot(text, NOW)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("dosc", ["docs", "shop"], "did you mean docs?"),
        ("zzz", ["docs"], "sites list"),
        ("zzz", [], "sites apply"),
        ("example.com", ["docs"], "https://example.com/"),
    ],
)
def test_an_unknown_name_gets_a_hint(name: str, known: list[str], hint: str) -> None:
    assert hint in str(targets.unknown_site(name, known))


def test_a_site_file_that_was_not_applied_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "docs.toml").touch()
    assert "is there: `headersweep sites apply`" in str(targets.unknown_site("docs", [], str(tmp_path)))


def test_a_public_url_names_itself_as_contact() -> None:
    site = targets.adhoc("https://example.com:8443/docs?x")
    assert targets.contact_for(site, is_adhoc=True) == "https://example.com:8443/"


def test_private_addresses_need_no_contact() -> None:
    site = SiteDefinition("docs", ("http://127.0.0.1:8080/", "http://10.1.2.3/"))
    assert targets.contact_for(site, is_adhoc=False) is None


def test_the_owner_of_a_site_file_is_its_contact() -> None:
    site = SiteDefinition("docs", ("https://example.com/",), owner="web@example.com")
    assert targets.contact_for(site, is_adhoc=False) == "web@example.com"


def test_a_public_site_without_any_contact_is_refused() -> None:
    site = SiteDefinition("docs", ("https://example.com/",), owner="the web team")
    with pytest.raises(ConfigurationError, match=r"HEADERSWEEP_CONTACT=mailto:you@your\.site"):
        targets.contact_for(site, is_adhoc=False)


def test_a_missing_site_file_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="No such file"):
        targets.from_file("no/such.toml")


def test_anytime_takes_away_the_window_for_this_run_and_nothing_else() -> None:
    site = dataclasses.replace(targets.adhoc("https://example.com/"), window="01:00-05:00", splay="10m")
    changed = targets.with_options(site, targets.Options(anytime=True))
    assert changed == dataclasses.replace(site, window=None)
