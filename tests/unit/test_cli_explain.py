"""``explain``: everything with a name is explained, found, and says how to switch it off and where it stands."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli import main
from cli.explaining import index
from cli.explaining.explanation import Explanation
from cli.selfcheck import table as selfcheck
from headersweep import cachekeys, meanings, policykeys, sitekeys
from headersweep.errors import ExitCode, UsageError
from headersweep.events import CATALOGUE
from headersweep.policies import ALERT
from headersweep.probes import ProbeKind
from headersweep.settings import PREFIX, Settings
from models import schema
from review import hardening, table
from tests.unit.test_sitefiles import MINIMAL

ROOT = Path(__file__).parents[2]
KNOWN = index.everything("no-such-folder")
BY_KIND: dict[str, set[str]] = {}
for each in KNOWN:
    BY_KIND.setdefault(each.kind, set()).add(each.name)
SWITCHED = """
[[switch]]
what = "csp.missing"
enabled = false
owner = "web team"
reason = "next year"

[[switch]]
what = "alert:run.stuck"
enabled = false
owner = "night shift"
reason = "it wakes us"
"""


def names(kind: str) -> set[str]:
    return BY_KIND[kind]


def test_everything_that_people_meet_is_explained() -> None:
    assert names("finding") == set(table.RULES)
    assert names("event") == set(CATALOGUE)
    assert names("alert") == {f"{ALERT}{name}" for name, event in CATALOGUE.items() if event.alert}
    assert names("setting") == {f"{PREFIX}{item.name.upper()}" for item in dataclasses.fields(Settings)}
    assert names("table") == set(schema.metadata.tables)
    assert names("command") == set(main.COMMANDS)
    assert names("exit code") == {str(int(code)) for code in ExitCode}
    assert names("item of the checklist") == {*hardening.ITEMS, *selfcheck.ITEMS}
    assert names("probe") == set(map(str, ProbeKind))
    assert names("key of a site file") == {key.path for key in sitekeys.KEYS} | {
        key.path
        for tables in (policykeys.LISTS, cachekeys.TABLES)
        for keys in tables.values()
        for key in keys
    }


def test_every_state_outcome_and_reason_has_its_meaning() -> None:
    for kind, words in meanings.MEANINGS.items():
        assert set(words) == set(kind)


@pytest.mark.parametrize(
    "kind", [kind for kind in meanings.MEANINGS if kind is not ExitCode], ids=lambda kind: kind.__name__
)
def test_the_page_of_states_says_the_same(kind: type) -> None:
    page = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    for word, meaning in meanings.MEANINGS[kind].items():
        spelt = getattr(word, "label", word.value)
        assert f"| `{spelt}` | {meaning} |" in page


@pytest.mark.parametrize("one", KNOWN, ids=lambda one: f"{one.kind}:{one.name}")
def test_each_explanation_says_everything_in_whole_sentences(one: Explanation) -> None:
    for text in (one.what, one.why, one.off, one.owner, one.see):
        assert text.strip() == text != ""
    assert one.enabled
    assert one.what[-1] in ".)" or one.kind in {"setting", "finding", "task", "alert", "event"}


@pytest.mark.parametrize("one", KNOWN, ids=lambda one: f"{one.kind}:{one.name}")
def test_each_stands_somewhere_in_the_code_and_there_it_is(one: Explanation) -> None:
    found = one.where()
    assert found, f"{one.seek} is nowhere"
    file, _, line = found[0].rpartition(":")
    assert re.search(one.seek, (ROOT / file).read_text(encoding="utf-8").splitlines()[int(line) - 1])


def test_a_name_with_several_meanings_is_explained_in_all_and_a_kind_asks_for_one() -> None:
    assert {one.kind for one in index.find(KNOWN, "failed")} == {
        "state of a run",
        "outcome",
        "state of a probe",
    }
    (one,) = index.find(KNOWN, "outcome:failed")
    assert one.kind == "outcome"
    assert [one.name for one in index.find(KNOWN, "retention_days")] == ["HEADERSWEEP_RETENTION_DAYS"]


def test_an_item_says_how_to_have_it_looked_at_and_who_may_declare_it() -> None:
    (files,) = index.find(KNOWN, "site.exposed_files")
    assert "[probes] exposed_files = true" in files.off
    assert "[[declare]] in the site's file" in files.off
    (reach,) = index.find(KNOWN, "self.broker_reach")
    assert "[[declare]] in _all.toml" in reach.off
    (probe,) = index.find(KNOWN, "probe:upload_limit")
    assert "closed before the body" in probe.what


def test_what_is_misspelt_is_told_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match=r"did you mean csp\.missing"):
        index.find(KNOWN, "csp.mising")
    with pytest.raises(UsageError, match="explain --all"):
        index.find(KNOWN, "zzzzzzzz")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADERSWEEP_SITES", str(tmp_path))
    (tmp_path / "_all.toml").write_text(SWITCHED)
    own = 'enabled = false\n[[expect]]\nname = "framed"\nowner = "o"\nwhy = "w"\nheader = "x"\npresent = true\nenabled = false\n'
    (tmp_path / "docs.toml").write_text(MINIMAL + own)
    return tmp_path


def explain(*arguments: str) -> str:
    done = CliRunner().invoke(main.group, ["explain", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.usefixtures("folder")
def test_what_is_off_is_listed_with_who_and_why() -> None:
    lines = explain("--off").splitlines()
    for words in (
        ("site", "docs"),
        ("expectation", "docs/framed"),
        ("finding", "csp.missing", "web team: next year"),
        ("alert", "alert:run.stuck", "night shift: it wakes us"),
    ):
        assert any(all(word in line for word in words) for line in lines), words


@pytest.mark.usefixtures("folder")
def test_a_switched_finding_says_so_and_names_its_owner() -> None:
    text = explain("finding:csp.missing")
    assert "[switched off]" in text
    assert "web team: next year" in text
    (one,) = json.loads(explain("finding:csp.missing", "--format", "json"))["explanations"]
    assert (one["enabled"], one["decided"]) == (False, "web team: next year")
    assert one["where"][0].startswith("review/checks/csp.py:")


@pytest.mark.usefixtures("folder")
def test_the_catalogue_of_events_says_which_alert_nobody_wants() -> None:
    done = CliRunner().invoke(main.group, ["events"])
    assert "alert:     switched off (night shift: it wakes us)" in done.stdout
    found = json.loads(CliRunner().invoke(main.group, ["events", "--format", "json"]).stdout)["events"]
    off = {event["event"]: event["alert_off"] for event in found if event["alert_off"]}
    assert off == {"run.stuck": "night shift: it wakes us"}


def test_nothing_is_off_where_nobody_switched_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADERSWEEP_SITES", str(tmp_path / "none"))
    assert explain("--off") == "nothing is switched off\n"
    listed = explain("--all")
    assert "csp.missing" in listed
    assert "HEADERSWEEP_HOME" in listed


@pytest.mark.parametrize("arguments", [[], ["csp.missing", "--all"], ["--all", "--off"]])
def test_it_wants_a_name_or_one_of_its_flags(arguments: list[str]) -> None:
    done = CliRunner().invoke(main.group, ["explain", *arguments])
    assert isinstance(done.exception, SystemExit | click.ClickException)
    assert done.exit_code == ExitCode.USAGE
