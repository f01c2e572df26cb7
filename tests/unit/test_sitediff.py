"""What applying would change, from plain values."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from headersweep.definition import Scope, ScopeMode, SiteDefinition
from headersweep.sitediff import ChangeKind, Difference, KnownSite, SiteChange, compare

DOCS = SiteDefinition(name="docs", start_urls=("https://docs.example/",), owner="web team")


def known(
    definition: SiteDefinition, *, source: str = "file", enabled: bool = True, **more: Any
) -> KnownSite:
    kept = json.loads(json.dumps(definition.as_json()))
    return KnownSite(definition.name, source, enabled, {**kept, **more})


def test_a_site_that_is_as_its_file_says_is_unchanged() -> None:
    assert compare([DOCS], [known(DOCS)]) == [SiteChange("docs", ChangeKind.UNCHANGED)]


def test_a_new_site_is_added() -> None:
    assert compare([DOCS], []) == [SiteChange("docs", ChangeKind.ADDED)]


def test_a_changed_site_is_told_key_by_key_also_within_its_scope() -> None:
    changed = dataclasses.replace(DOCS, rate=2.0, scope=Scope(mode=ScopeMode.DOMAIN, exclude=("/private/*",)))
    (change,) = compare([changed], [known(DOCS)])
    assert change.kind is ChangeKind.CHANGED
    assert {each.key: (each.old, each.new) for each in change.differences} == {
        "rate": (1.0, 2.0),
        "scope.mode": ("host", "domain"),
        "scope.exclude": ([], ["/private/*"]),
    }
    assert change.touches("rate", "schedule")
    assert not change.touches("schedule")


def test_a_switch_that_was_turned_by_hand_is_turned_back() -> None:
    (change,) = compare([DOCS], [known(DOCS, enabled=False)])
    assert change.differences == (Difference("enabled", old=False, new=True),)


def test_a_site_whose_file_is_gone_is_disabled_once() -> None:
    (change,) = compare([], [known(DOCS)])
    assert (change.name, change.kind) == ("docs", ChangeKind.DISABLED)
    assert compare([], [known(DOCS, enabled=False)]) == []


def test_a_site_made_for_a_url_is_left_alone_until_a_file_takes_its_name() -> None:
    adhoc = known(DOCS, source="adhoc")
    assert compare([], [adhoc]) == []
    (change,) = compare([DOCS], [adhoc])
    assert change.differences == (Difference("source", "adhoc", "file"),)


def test_a_key_of_another_version_is_a_difference_and_no_error() -> None:
    (change,) = compare([DOCS], [known(DOCS, key_of_a_newer_program=1)])
    assert change.differences == (Difference("key_of_a_newer_program", 1, None),)


def test_changes_come_by_name() -> None:
    other = dataclasses.replace(DOCS, name="a")
    gone = dataclasses.replace(DOCS, name="b")
    assert [change.name for change in compare([DOCS, other], [known(gone)])] == ["a", "b", "docs"]
