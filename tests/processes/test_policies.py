"""``policy try`` and baselines as an operator uses them, on a small site that was swept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import _program
from tests.processes._program import Home
from tests.site_plan import Shares
from tests.site_server import SiteServer

EXPECTED = """
[[expect]]
name = "framing"
owner = "the tests"
why = "nobody frames this"
header = "X-Frame-Options"
equals = "DENY"
severity = "high"

[[waiver]]
code = "x_content_type_options.*"
owner = "the tests"
reason = "it is a test site"
expires = 2999-01-01
rollback_note = "none needed"
"""


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=40, chain=4, shares=Shares(slow=0, busy=0, limited=0, broken=0)) as server:
        yield server


@pytest.fixture(scope="module")
def file(shared_home: Home, site: SiteServer) -> Path:
    return _program.site_file(shared_home.sites, site)


@pytest.fixture(scope="module")
def home(shared_home: Home, file: Path) -> Home:
    """A home with a site that was applied and swept once, under the recommended profile."""
    shared_home.environ["HEADERSWEEP_WORKERS"] = "1"
    applied = shared_home.run("sites", "apply")
    assert applied.code == 0, applied.err
    ended = shared_home.run("sweep", "zoo", "--slot", "2026-03-01", "--format", "json")
    assert ended.code == 0, ended.err
    return shared_home


@pytest.fixture
def changed(file: Path, tmp_path: Path) -> Path:
    """The site's file with a policy, beside the folder of site files."""
    other = tmp_path / "changed.toml"
    other.write_text(f'profile = "asvs-5.0-l2"\n{file.read_text()}{EXPECTED}')
    return other


def tried(home: Home, *arguments: str) -> dict[str, Any]:
    ended = home.run("policy", "try", "zoo", "--format", "json", *arguments)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_the_policy_of_the_run_changes_nothing(home: Home) -> None:
    found = tried(home)
    assert (found["site"], found["run"]) == ("zoo", 1)
    assert (found["comes"], found["goes"], found["changes"]) == ([], [], [])
    assert found["pages"] > 0


def test_a_changed_policy_is_judged_without_asking_the_site(
    home: Home, site: SiteServer, changed: Path
) -> None:
    site.forget()
    found = tried(home, "--site-file", str(changed), "--run", "1")
    assert found["profile"] == {"before": "recommended", "after": "asvs-5.0-l2"}
    comes = {each["code"]: each for each in found["comes"]}
    assert {"policy.expectation", "policy.nosniff"} <= set(comes)
    assert comes["policy.expectation"]["subject"] == "framing"
    assert comes["policy.expectation"]["after"]["severity"] == "high"
    assert comes["policy.nosniff"]["after"]["pages"] > 0
    assert sum(site.hits().values()) == 0


def test_a_waiver_in_the_file_changes_how_a_finding_counts(home: Home, changed: Path) -> None:
    found = tried(home, "--site-file", str(changed))
    changes = {each["code"]: each for each in found["changes"]}
    after = changes["x_content_type_options.missing"]["after"]
    assert after["waived_pages"] == after["pages"] > 0
    assert "the tests, until 2999-01-01" in after["waived_by"]
    ended = home.run("policy", "try", "zoo", "--site-file", str(changed))
    assert "would count differently" in ended.out
    assert "Nothing was changed" in ended.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x_content_type_options.*", "hsts.nonsense"),
        ("expires = 2999-01-01\n", ""),
        ('owner = "the tests"\nreason', "reason"),
    ],
    ids=["an unknown code", "no last day", "no owner"],
)
def test_a_waiver_that_is_not_right_is_refused_with_its_line(
    home: Home, changed: Path, text: str, said: str
) -> None:
    changed.write_text(changed.read_text().replace(text, said))
    ended = home.run("policy", "try", "zoo", "--site-file", str(changed))
    assert ended.code == 6
    assert f"{changed}:" in ended.err


def test_what_cannot_be_tried_is_told(home: Home, changed: Path) -> None:
    for arguments in (("zoo", "--run", "99"), ("nobody",), ("nobody", "--site-file", str(changed))):
        ended = home.run("policy", "try", *arguments)
        assert ended.code == 2, ended.err


def test_profiles_are_shown_without_a_server(home: Home) -> None:
    assert "asvs-5.0-l3" in home.run("policy", "list").out
    shown = home.run("policy", "show", "owasp-2026-07", "--format", "json").json()
    assert {each["paragraph"] for each in shown["demands"]} >= {"content-security-policy", "cache-control"}
    assert home.run("policy", "show", "owasp").code == 2


APPROVED = ("--owner", "the tests", "--reason", "agreed", "--rollback-note", "revert", "--expires")


def test_a_run_is_approved_shown_and_dropped(home: Home) -> None:
    for _ in range(2):
        assert home.run("baseline", "approve", "1", *APPROVED, "2999-01-01").code == 0
    (shown,) = home.run("baseline", "show", "zoo", "--format", "json").json()["baselines"]
    assert (shown["site"], shown["run"], shown["expired"]) == ("zoo", 1, False)
    assert "run 1, until 2999-01-01" in home.run("baseline", "show").out
    for _ in range(2):
        assert home.run("baseline", "drop", "zoo").code == 0
    assert home.run("baseline", "show", "--format", "json").json()["baselines"] == []


def test_a_site_is_compared_with_its_baseline(home: Home) -> None:
    assert home.run("diff", "zoo", "--baseline").code == 2
    assert home.run("baseline", "approve", "1", *APPROVED, "2999-01-01").code == 0
    try:
        ended = home.run("diff", "zoo", "--baseline", "--format", "json", "--fail-on", "drift")
        assert ended.code == 0, ended.err
        found = ended.json()
        assert (found["old"]["run"], found["new"]["run"], found["changed_pages"]) == (1, 1, 0)
        assert (found["baseline"]["owner"], found["baseline"]["expired"]) == ("the tests", False)
        assert "approved by the tests, until 2999-01-01: agreed" in home.run("diff", "1", "--baseline").out
        assert "approved by the tests" in home.run("diff", "1", "--baseline", "--format", "md").out
        assert home.run("diff", "1", "1", "--baseline").code == 2
        assert home.run("diff", "nobody", "--baseline").code == 2
    finally:
        home.run("baseline", "drop", "zoo")


def test_nothing_is_approved_without_an_owner_or_for_a_day_that_is_over(home: Home) -> None:
    assert home.run("baseline", "approve", "1", *APPROVED[2:], "2999-01-01").code == 2
    assert home.run("baseline", "approve", "1", *APPROVED, "2020-01-01").code == 2
    assert home.run("baseline", "approve", "1", "--owner", " ", *APPROVED[2:], "2999-01-01").code == 2
    assert home.run("baseline", "approve", "99", *APPROVED, "2999-01-01").code == 2
