"""Before and after, and the note on it, as an operator makes them: a small site swept twice, with other headers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import _program
from tests.processes._program import Home
from tests.site_plan import Shares
from tests.site_server import SiteServer

OFFER = "A note on it: "
QUIET = {"HEADERSWEEP_LOG_LEVEL": "warning"}
WAIVER = """
[[waiver]]
code = "x_content_type_options.missing"
owner = "shop's team"
reason = "it's old"
expires = 2999-01-01
rollback_note = "delete [[waiver]], then `headersweep sites apply`"
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
    """A home with a site that was swept twice."""
    shared_home.environ["HEADERSWEEP_WORKERS"] = "1"
    assert shared_home.run("sites", "apply").code == 0
    for slot in ("2026-03-01", "2026-03-02"):
        ended = shared_home.run("sweep", "zoo", "--slot", slot, "--format", "json")
        assert ended.code == 0, ended.err
    return shared_home


def runs(home: Home) -> list[int]:
    """The two runs, the older first."""
    return sorted(run["run"] for run in home.run("runs", "--site", "zoo", "--format", "json").json()["runs"])


def said(home: Home, *arguments: str) -> Any:
    ended = home.run(*arguments, **QUIET)
    assert ended.code == 0, ended.err
    return ended.json()


def test_two_runs_of_the_same_site_are_compared_and_nothing_but_time_differs(
    home: Home, site: SiteServer
) -> None:
    found = said(home, "compare", *map(str, runs(home)), "--format", "json")
    before, after = found["before"], found["after"]
    assert before["coverage"] == after["coverage"]
    assert before["caching"] == after["caching"]
    assert before["pages"] + before["not_judged"] > site.plan.pages // 2
    assert {one["turn"] for one in found["findings"]} <= {"stayed"}
    assert after["latency_ms"]["p50"] <= after["latency_ms"]["p99"]


def test_times_name_the_same_runs_and_other_shapes_are_files(home: Home, tmp_path: Path) -> None:
    finished = [
        said(home, "compare", *map(str, runs(home)), "--format", "json")[side]["finished_at"]
        for side in ("before", "after")
    ]
    times = ("--site", "zoo", "--before", finished[0], "--after", finished[1])
    assert [
        said(home, "compare", *times, "--format", "json")[side]["run"] for side in ("before", "after")
    ] == runs(home)
    place = tmp_path / "zoo.html"
    assert home.run("compare", *times, "--format", "html", "--output", str(place), **QUIET).code == 0
    assert place.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_waiver_offers_its_note_and_the_command_that_is_offered_writes_it(home: Home, file: Path) -> None:
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before + WAIVER, encoding="utf-8")
        applied = home.run("sites", "apply", **QUIET)
        assert applied.err.startswith(OFFER)
        assert applied.err.count("\n") == 1
        program, *arguments = shlex.split(applied.err.removeprefix(OFFER))
        assert program == "headersweep"
        written = home.run(*arguments, **QUIET)
        assert written.code == 0, written.err
        assert "Left to fill in: metric, actual_result." in written.out
        (note,) = (home.folder / "notes").glob("*.md")
        text = note.read_text(encoding="utf-8")
        for word in (
            'kind = "waiver"',
            'owner = "shop\'s team"',
            "it's old",
            "delete [[waiver]], then `headersweep",
        ):
            assert word in text
        assert home.run("sites", "apply", **QUIET).err == ""
    finally:
        file.write_text(before, encoding="utf-8")
        home.run("sites", "apply")


def test_a_note_on_two_runs_has_their_numbers_and_is_stored_once(home: Home) -> None:
    old, new = runs(home)
    filled = ("--reason", "Only to see.", "--file", "nothing.conf", "--rollback", "sweep it again")
    title = ("note", "new", "--title", "Swept twice", "--before", str(old), "--after", str(new), *filled)
    assert "and stored in the database" in home.run(*title, **QUIET).out
    assert "in the database unchanged" in home.run(*title, **QUIET).out
    (found,) = [
        one
        for one in said(home, "note", "list", "--format", "json")["notes"]
        if one["title"] == "Swept twice"
    ]
    assert (found["where"], found["run_before"], found["run_after"], found["site"]) == (
        "both",
        old,
        new,
        "zoo",
    )
    path = home.folder / found["path"]
    assert "headersweep sweep zoo --slot 2026-03-02T00:00:00Z" in path.read_text(encoding="utf-8")

    path.write_text(path.read_text(encoding="utf-8") + "\n## More\n\nSeen.\n", encoding="utf-8")
    listed = said(home, "note", "list", "--format", "json")["notes"]
    assert next(one for one in listed if one["id"] == found["id"])["where"] == "differs"
    synced = said(home, "note", "sync", "--format", "json")["notes"]
    assert next(one for one in synced if one["id"] == found["id"])["outcome"] == "changed"

    path.unlink()
    shown = home.run("note", "show", found["id"], **QUIET)
    assert "Seen." in shown.out
    assert shown.err.startswith("from the database, stored by ")


def test_a_run_that_is_not_there_is_refused_by_lint_and_by_sync(home: Home) -> None:
    home.run("note", "new", "--title", "Odd one", "--offline", **QUIET)
    (path,) = (home.folder / "notes").glob("*-odd-one.md")
    path.write_text(
        path.read_text(encoding="utf-8").replace("command =", "run_after = 999999\ncommand ="),
        encoding="utf-8",
    )
    try:
        linted = home.run("note", "lint", str(path), "--database", "--format", "json", **QUIET)
        assert linted.code == 6
        messages = [mistake["message"] for mistake in json.loads(linted.out)["files"][0]["mistakes"]]
        assert "run_after: there is no run 999999; `headersweep runs` lists them" in messages
        synced = home.run("note", "sync", **QUIET)
        assert synced.code == 6
        assert "there is no run 999999" in synced.err
    finally:
        path.unlink()


def test_a_baseline_with_its_note_compares_with_the_one_before(home: Home) -> None:
    old, new = runs(home)
    why = (
        "--owner",
        "the tests",
        "--reason",
        "it is fine",
        "--expires",
        "2999-01-01",
        "--rollback-note",
        "approve the one before",
    )
    offered = home.run("baseline", "approve", str(old), *why, **QUIET)
    assert offered.err.startswith(f"{OFFER}headersweep note new --kind baseline")
    approved = home.run("baseline", "approve", str(new), *why, "--note", **QUIET)
    assert approved.code == 0, approved.err
    (path,) = (home.folder / "notes").glob("*-is-the-baseline.md")
    assert f"run_before = {old}\nrun_after = {new}\n" in path.read_text(encoding="utf-8")
    assert home.run("note", "lint", str(path), **QUIET).code == 0
    home.run("baseline", "drop", "zoo")


def test_a_note_that_cannot_be_written_does_not_hide_that_the_change_was_made(
    home: Home, tmp_path: Path
) -> None:
    (old, _), blocked = runs(home), tmp_path / "notes"
    blocked.write_text("a file", encoding="utf-8")
    why = (
        "--owner",
        "the tests",
        "--reason",
        "it is fine",
        "--expires",
        "2999-01-01",
        "--rollback-note",
        "drop it again",
    )
    ended = home.run("baseline", "approve", str(old), *why, "--note", HEADERSWEEP_NOTES=str(blocked), **QUIET)
    assert ended.code == 1
    assert "the change was made, but no note was written" in ended.err
    assert said(home, "baseline", "show", "zoo", "--format", "json")["baselines"][0]["run"] == old
    home.run("baseline", "drop", "zoo")
