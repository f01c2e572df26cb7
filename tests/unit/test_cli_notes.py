"""`headersweep note` without a database: writing, listing, showing and checking files; git and its troubles explained."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import gitrange, main, plans
from headersweep.errors import UsageError

FILLED = (
    "--owner", "shop team", "--command", "headersweep sweep shop", "--file", "nginx/shop.conf",
    "--reason", "Inline scripts let an attacker's script run.", "--metric", "pages: 12 % -> 100 %",
    "--expected", "All documents forbid inline scripts.", "--actual", "All do.",
    "--rollback", "git revert 3f2c, then deploy",
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder around a folder of notes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADERSWEEP_NOTES", str(tmp_path / "notes"))
    # A server that nobody may ask: --offline has to mean it.
    monkeypatch.setenv("HEADERSWEEP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("HEADERSWEEP_BROKER_URL", "redis://127.0.0.1:1/0")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.group, ["note", *arguments])


def new(*arguments: str) -> Result:
    return run("new", "--offline", "--title", "Strict CSP", *arguments)


def files(place: Path) -> list[Path]:
    return sorted((place / "notes").glob("*.md"))


def test_a_note_that_says_all_is_in_order_at_once(place: Path) -> None:
    result = new(*FILLED)
    assert result.exit_code == 0, result.output
    (path,) = files(place)
    assert result.stdout == f"{path} was written\n"
    assert run("lint").stdout == "1 note is in order\n"


def test_what_is_left_to_fill_in_is_told_and_refused_until_somebody_does(place: Path) -> None:
    assert "Left to fill in: owner, reason, command, files, metric" in new().stdout
    result = run("lint")
    assert result.exit_code == 6
    assert "owner still has a placeholder; say who answers for it" in result.stderr
    found = json.loads(run("lint", "--format", "json").stdout)
    assert {"line": 6, "message": "owner still has a placeholder; say who answers for it"} in found["files"][
        0
    ]["mistakes"]


def test_the_same_note_again_changes_nothing_and_another_text_is_refused(place: Path) -> None:
    new(*FILLED)
    (path,) = files(place)
    before = path.read_bytes()
    assert "is there already, just so" in new(*FILLED).stdout
    result = new()
    assert result.exit_code == 2
    assert "is there already and says something else" in result.stderr
    assert path.read_bytes() == before


def test_a_text_that_no_note_may_hold_writes_nothing(place: Path) -> None:
    for flag, text in (("--owner", "a\nb"), ("--reason", "a\x1b[2Jb"), ("--title", " ")):
        result = new(flag, text)
        assert result.exit_code == 2, (flag, result.output)
    assert files(place) == []


def test_notes_are_listed_with_where_they_are(place: Path) -> None:
    new(*FILLED, "--site", "shop")
    run("new", "--offline", "--title", "Another", "--kind", "sites")
    found = json.loads(run("list", "--offline", "--format", "json").stdout)["notes"]
    assert [(one["title"], one["complete"], one["where"]) for one in found] == [
        ("Strict CSP", True, "file"),
        ("Another", False, "file"),
    ]
    assert (
        json.loads(run("list", "--offline", "--site", "shop", "--format", "json").stdout)["notes"]
        == found[:1]
    )
    assert "incomplete" in run("list", "--offline", "--kind", "sites").stdout


def test_a_file_that_is_no_note_is_listed_and_not_passed_over(place: Path) -> None:
    (place / "notes").mkdir()
    (place / "notes" / "scribble.md").write_bytes(b"\xff\xfe")
    assert "scribble" in run("list", "--offline").stdout
    assert "it is not UTF-8 text" in run("lint").stderr


def test_a_readme_is_no_note(place: Path) -> None:
    new(*FILLED)
    (place / "notes" / "README.md").write_text("Hello.\n", encoding="utf-8")
    assert run("lint").exit_code == 0


def test_a_note_is_shown_as_its_file_stands(place: Path) -> None:
    new(*FILLED)
    (path,) = files(place)
    result = run("show", path.stem, "--offline")
    assert result.stdout == path.read_text(encoding="utf-8")
    assert f"from the file {path}" in result.stderr
    assert run("show", "2026-01-01-nothing", "--offline").exit_code == 2


def test_without_a_folder_there_is_nothing_to_check_and_that_is_said(place: Path) -> None:
    result = run("lint")
    assert result.exit_code == 2
    assert "HEADERSWEEP_NOTES" in result.stderr
    assert run("list", "--offline").stdout == "no notes\n"


def test_runs_cannot_be_compared_without_a_database(place: Path) -> None:
    assert new("--before", "1", "--after", "2").exit_code == 2
    assert files(place) == []


# --- git ---


@pytest.fixture
def repository(place: Path) -> Path:
    """Two commits, the second of which touches two files, one with an odd name."""
    git("init", "--quiet")
    for number, names in enumerate((["a.txt"], ["b.txt", 'näme "x".txt'])):
        for name in names:
            (place / name).write_text(str(number), encoding="utf-8")
        git("add", "--all")
        git(
            "-c",
            "user.name=T",
            "-c",
            "user.email=t@example.org",
            "commit",
            "--quiet",
            "-m",
            f"commit {number}",
        )
    return place


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def test_the_files_are_those_of_the_range(repository: Path) -> None:
    assert gitrange.files("HEAD~1..HEAD") == ("b.txt", 'näme "x".txt')
    result = new("--range", "HEAD~1..HEAD", "--file", "by-hand.conf")
    assert result.exit_code == 0, result.output
    text = files(repository)[0].read_text(encoding="utf-8")
    assert '"by-hand.conf",\n  "b.txt",\n' in text
    # What HEAD was is kept, not what it is later.
    assert "HEAD" not in text


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("HEAD", "is no range of commits"),
        ("--output=x..y", "is no range of commits"),
        ("HEAD..nothing", "git knows no such range"),
        ("HEAD..HEAD", "nothing differs over it"),
    ],
)
def test_a_range_that_is_none_is_explained(repository: Path, wanted: str, said: str) -> None:
    result = new(f"--range={wanted}")
    assert result.exit_code == 2
    assert said in result.stderr
    assert files(repository) == []


def test_outside_of_a_repository_that_is_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(place.parent))
    assert "this folder is in no git repository" in new("--range", "a..b").stderr


def test_without_git_that_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(UsageError, match="needs git, which is not installed"):
        gitrange.files("HEAD~1..HEAD")


# --- plans ---

TEXT = """Aggregate  (cost=1..2 rows=1 width=8) (actual rows=1 loops=1)
  Buffers: shared hit=1200 read=4
  ->  Seq Scan on visits
        Buffers: shared hit=7
"""


def test_the_buffers_of_two_plans_are_the_metric(place: Path) -> None:
    (place / "old.txt").write_text(TEXT, encoding="utf-8")
    plan = [{"Plan": {"Shared Hit Blocks": 12, "Shared Read Blocks": 0, "Plans": []}}]
    (place / "new.json").write_text(json.dumps(plan), encoding="utf-8")
    assert plans.moved("old.txt", "new.json") == (
        "plan buffers: 1,204 (1,200 in memory, 4 read) -> 12 (12 in memory, 0 read)"
    )
    new("--plan", "old.txt", "new.json")
    assert "- plan buffers: 1,204" in files(place)[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "Seq Scan", "[]", "{", '{"Plan": 1}'])
def test_what_holds_no_buffers_is_refused(place: Path, text: str) -> None:
    (place / "plan").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="holds no plan with buffers"):
        plans.buffers("plan")
