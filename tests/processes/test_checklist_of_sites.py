"""``headersweep checklist SITE`` as an operator uses it: its shapes, its exit codes, and foreign text that stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.selfcheck import table as selfcheck
from headersweep.errors import ExitCode
from review import hardening
from tests.integration._listening import Listening, listening
from tests.processes._program import Home

COOKIE = "<b>|[a](javascript:x)`_session"
CONTROLLING = "session\x1b[2J"
REASON = "see <script>x</script> | [here](javascript:x)"
PASSWORD = "f3a9" * 6
FILE = """
name = "demo"
start_urls = [{url}]
owner = "web <b>team</b>"
expected_result = "as always"
rollback_note = "none"
rate = 0
max_rate = 0
sitemaps = false
allow_addresses = ["127.0.0.0/8"]
"""
DECLARED = """
[[declare]]
item = {item}
owner = "operations"
until = 2999-01-01
reason = {reason}
"""
PEOPLE = (
    "site.server_accounts",
    "site.secret_rotation",
    "site.upload_types",
    "site.access_logs",
    "site.alerts",
)


@pytest.fixture(scope="module")
def site() -> Iterator[Listening]:
    with listening() as served:
        served.pages["/"] = lambda _origin: [
            ("Set-Cookie", f"{name}=abcdefghijklmnop; Path=/") for name in (COOKIE, CONTROLLING)
        ]
        yield served


def apply(home: Home, site: Listening, *items: str) -> None:
    """The site's file with declarations, applied."""
    home.sites.mkdir(exist_ok=True)
    declared = "".join(DECLARED.format(item=json.dumps(item), reason=json.dumps(REASON)) for item in items)
    text = FILE.format(url=json.dumps(site.url("/"))) + declared
    (home.sites / "demo.toml").write_text(text, encoding="utf-8")
    ended = home.run("sites", "apply")
    assert ended.code == 0, ended.err


@pytest.fixture(scope="module")
def home(shared_home: Home, site: Listening) -> Home:
    """A home with a site that was swept once, over http, without probes."""
    shared_home.environ["HEADERSWEEP_WORKERS"] = "1"
    apply(shared_home, site, "site.access_logs")
    early = shared_home.run("checklist", "demo")
    assert early.code == ExitCode.USAGE
    assert "`headersweep sweep demo` makes one" in early.err
    ended = shared_home.run("sweep", "demo")
    assert ended.code == 0, ended.err
    return shared_home


def items(home: Home, *arguments: str) -> dict[str, dict[str, Any]]:
    ended = home.run("checklist", "demo", "--format", "json", *arguments)
    assert ended.code == 0, ended.err
    found = ended.json()
    assert found["schema_version"] == 1
    assert re.fullmatch(r"demo, run \d+ of [0-9-]{10} [0-9:]{5} UTC", found["of"])
    return {item["name"]: item for item in found["items"]}


def test_json_says_of_each_item_what_was_seen_and_who_answers(home: Home) -> None:
    found = items(home)
    assert list(found) == list(hardening.ITEMS)
    assert found["site.csp"]["verdict"] == "fail"
    assert "csp.missing" in found["site.csp"]["evidence"][0]
    assert found["site.csp"]["owner"] == "web <b>team</b>"
    assert found["site.exposed_files"]["verdict"] == "unknown"
    logs = found["site.access_logs"]
    assert (logs["verdict"], logs["owner"]) == ("declared", "operations")
    assert logs["declared"] == {
        "item": "site.access_logs",
        "owner": "operations",
        "until": "2999-01-01",
        "reason": REASON,
    }
    told = {
        "name",
        "area",
        "title",
        "verdict",
        "looked_at",
        "evidence",
        "expected",
        "fix",
        "rollback",
        "owner",
    }
    assert all(set(item) == told | {"declared"} for item in found.values())


def test_foreign_text_moves_no_terminal(home: Home) -> None:
    evidence = items(home)["site.cookies"]["evidence"]
    assert all(any(name in each for each in evidence) for name in (COOKIE, CONTROLLING))
    text = home.run("checklist", "demo")
    assert text.code == 0
    assert "demo, run" in text.out.splitlines()[0]
    assert "FAIL" in text.out
    assert "declared: by operations until 2999-01-01: see" in text.out
    for shape in ("text", "md"):
        out = home.run("checklist", "demo", "--format", shape).out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)


def test_foreign_text_is_no_markup(home: Home) -> None:
    out = home.run("checklist", "demo", "--format", "md").out
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert len(rows) >= len(hardening.ITEMS)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    assert r"\<script\>" in out
    assert r"\<b\>" in out
    assert r"\<b\>\|\[a\](javascript:x)" in out
    assert not re.search(r"(?<!\\)<", out)
    assert not re.search(r"(?<!\\)\]\(", out)


def test_output_goes_to_a_file_as_a_whole(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "checklist.md"
    ended = home.run("checklist", "demo", "--format", "md", "--output", str(path))
    assert (ended.code, ended.out) == (0, "")
    assert path.read_text(encoding="utf-8").startswith("# Checklist of demo, run")
    nowhere = home.run("checklist", "demo", "--output", str(tmp_path / "none" / "x"))
    assert nowhere.code != 0
    assert not (tmp_path / "none").exists()


def test_exit_codes(home: Home) -> None:
    assert home.run("checklist", "demo", "--fail-on", "none").code == ExitCode.DONE
    assert home.run("checklist", "demo", "--fail-on", "fail").code == ExitCode.FINDINGS
    assert home.run("checklist", "demo", "--fail-on", "unknown").code == ExitCode.FINDINGS


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), ExitCode.USAGE, "name a site"),
        (("demo", "--self"), ExitCode.USAGE, "name a site"),
        (("dmeo",), ExitCode.USAGE, "dmeo"),
        (("demo", "--fail-on", "low"), ExitCode.USAGE, "--fail-on"),
    ],
)
def test_what_cannot_be_asked(home: Home, arguments: tuple[str, ...], code: ExitCode, said: str) -> None:
    ended = home.run("checklist", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_a_declaration_of_nothing_is_refused_with_what_was_meant(home: Home, site: Listening) -> None:
    apply(home, site, "site.acces_logs")
    ended = home.run("checklist", "demo")
    apply(home, site, *PEOPLE)
    assert ended.code == ExitCode.CONFIGURATION
    assert "did you mean site.access_logs?" in ended.err
    # What the file says now counts, without another run.
    assert {name for name, item in items(home).items() if item["verdict"] == "declared"} == set(PEOPLE)


def test_of_itself_what_is_away_is_unknown_and_the_rest_is_looked_at(shared_home: Home) -> None:
    with shared_home.servers() as servers:
        away = {
            "HEADERSWEEP_DATABASE_URL": servers.database_url,
            "HEADERSWEEP_BROKER_URL": f"redis://:{PASSWORD}@127.0.0.1:1/0",
        }
        ended = shared_home.run("checklist", "--self", "--format", "json", **away)
    assert ended.code == 0, ended.err
    found = {item["name"]: item for item in ended.json()["items"]}
    assert list(found) == list(selfcheck.ITEMS)
    for name in ("self.broker_reach", "self.broker_password", "self.broker_eviction"):
        assert found[name]["verdict"] == "unknown", found[name]
    assert found["self.migration_head"]["verdict"] == "ok"
    assert PASSWORD not in ended.out + ended.err


def test_items_of_itself_are_declared_for_all_and_misspelt_ones_refused(home: Home) -> None:
    everywhere = home.sites / "_all.toml"
    try:
        everywhere.write_text(DECLARED.format(item='"self.bakup"', reason='"every night"'))
        refused = home.run("checklist", "--self")
        everywhere.write_text(DECLARED.format(item='"self.backup"', reason='"every night"'))
        ended = home.run("checklist", "--self")
    finally:
        everywhere.unlink()
    assert refused.code == ExitCode.CONFIGURATION
    assert "did you mean self.backup?" in refused.err
    assert ended.code == 0, ended.err
    assert "declared: by operations until 2999-01-01: every night" in ended.out
    assert ended.out.startswith("Checklist of headersweep itself: ")
