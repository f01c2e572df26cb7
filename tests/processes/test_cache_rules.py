"""Cache rules as an operator uses them: a site that was swept, its rules verified, its examples probed by workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration._listening import Listening, listening, static
from tests.processes import _program
from tests.processes._program import Home

RULES = """
[[cache]]
name = "cart"
owner = "shop team"
why = "personal"
rollback_note = "purge the cart"
match.path = "/cart*"
expect.shared = "not_cached"
should_cache = ["/"]
should_not_cache = ["/cart"]

[[cache]]
name = "pages"
owner = "web team"
why = "load"
rollback_note = "rule 14"
expect.shared = "cached"
should_cache = ["/"]
should_not_cache = ["/cart"]

[[cache.bypass]]
cookie = "logged_in"
why = "names"
example = "/"
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Listening]:
    """A cart that says that it may be kept, and a cache that says that it answers for everything."""
    with listening() as served:
        served.pages["/"] = static(Cache_Control="max-age=600", X_Cache="HIT")
        served.pages["/cart"] = static(Cache_Control="max-age=600", X_Cache="MISS")
        yield served


@pytest.fixture(scope="module")
def file(shared_home: Home, site: Listening) -> Path:
    path = _program.site_file(shared_home.sites, site, sitemaps=False)
    path.write_text(path.read_text() + RULES)
    return path


@pytest.fixture(scope="module")
def home(shared_home: Home, file: Path) -> Home:
    shared_home.environ["HEADERSWEEP_WORKERS"] = "1"
    assert shared_home.run("sites", "apply").code == 0
    ended = shared_home.run("sweep", "zoo", "--slot", "2026-03-01", "--format", "json")
    assert ended.code == 0, ended.err
    return shared_home


def test_what_is_stored_is_verified_without_a_network(home: Home, site: Listening) -> None:
    asked = len(site.log)
    ended = home.run("cache", "verify", "zoo", "--fail-on", "dangerous", "--format", "json")
    assert ended.code == 3, ended.err
    found = ended.json()
    (cause,) = found["causes"]
    assert (cause["code"], cause["rule"], cause["level"]) == (
        "cache_rule.private_cacheable",
        "cart",
        "policy",
    )
    assert (cause["owner"], cause["rollback_note"], cause["pages"]) == ("shop team", "purge the cart", 1)
    assert cause["since_run"] == found["run"]
    assert cause["sample_urls"] == [site.url("/cart")]
    assert len(site.log) == asked


def test_a_waiver_of_the_file_is_shown_and_fails_nothing(home: Home, tmp_path: Path, file: Path) -> None:
    other = tmp_path / "waived.toml"
    waiver = 'code = "cache_rule.private_cacheable"\nowner = "o"\nreason = "r"\nexpires = 2999-01-01\nrollback_note = "n"'
    other.write_text(f'{file.read_text()}\n[[waiver]]\n{waiver}\npath = "/cart*"\n')
    ended = home.run(
        "cache", "verify", "zoo", "--fail-on", "dangerous", "--format", "json", "--site-file", str(other)
    )
    assert ended.code == 0, ended.err
    (cause,) = ended.json()["causes"]
    assert "until 2999-01-01" in cause["waived_by"]


def test_the_run_s_own_report_has_it_too(home: Home) -> None:
    assert "cache_rule.private_cacheable" in home.run("show", "1").out


def test_a_page_s_history_and_the_page_for_people(home: Home) -> None:
    assert "cache_rule.private_cacheable" in home.run("cache", "history", "zoo", "/cart").out
    assert home.run("cache", "history", "zoo", "/nowhere").code == 2
    assert "purge the cart" in home.run("cache", "docs", "zoo").out


def test_probes_are_made_when_a_person_asks_for_them(home: Home, site: Listening) -> None:
    ended = home.run("cache", "verify", "zoo", "--probe", "--format", "json")
    assert ended.code == 0, ended.err
    found = ended.json()
    tried = {(each["code"], each["subject"]) for each in found["causes"] if each["level"] == "probe"}
    assert ("cache_rule.bypass_hit", "pages (cookie logged_in)") in tried
    assert ("cache_rule.private_hit", "cart") not in tried
    assert set(found["probes"]) == {"answered"}


def test_a_site_without_rules_is_refused_before_anything_is_started(
    home: Home, tmp_path: Path, file: Path
) -> None:
    bare = tmp_path / "bare.toml"
    bare.write_text(file.read_text().split("[[cache]]")[0])
    ended = home.run("cache", "verify", "zoo", "--site-file", str(bare))
    assert (ended.code, "has no [[cache]] rules" in ended.err) == (2, True)
