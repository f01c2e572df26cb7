from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest

from cli.care import notes
from headersweep.errors import ExitCode
from headersweep.settings import PREFIX, Settings
from headersweep.states import FailureReason, Outcome, RunAction, RunState, ShardState, TrapReason
from models.runs import ACCOUNTS
from review import docs as review_docs
from review import table

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def settings_table() -> str:
    """The table that docs/settings.md must hold."""
    lines = ["| variable | default | secret | meaning |", "| --- | --- | --- | --- |"]
    for item in dataclasses.fields(Settings):
        default = f"`{item.default}`" if item.default != "" else "-"
        secret = "yes" if item.metadata["secret"] else "no"
        lines.append(f"| `{PREFIX}{item.name.upper()}` | {default} | {secret} | {item.metadata['help']} |")
    return "\n".join(lines)


def test_every_setting_stands_in_the_docs_with_its_default_and_whether_it_is_secret() -> None:
    assert settings_table() in read("settings.md"), f"docs/settings.md needs this table:\n{settings_table()}"


WORDS = [
    *RunState,
    *RunAction,
    *ShardState,
    *FailureReason,
    *TrapReason,
    *(outcome.label for outcome in Outcome),
    *ACCOUNTS,
    "unvisited",
]


@pytest.mark.parametrize("word", sorted(set(map(str, WORDS))))
def test_every_state_outcome_and_reason_is_explained(word: str) -> None:
    assert f"`{word}`" in read("states.md")


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_explained(code: ExitCode) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| *`?{int(code)}`? *\|", text, flags=re.MULTILINE)


def test_every_link_between_our_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert dead == []


def test_decisions_are_numbered_without_repetition_and_have_their_four_parts() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    numbers = [record.name[:4] for record in records]
    assert len(numbers) == len(set(numbers))
    for record in records:
        text = record.read_text(encoding="utf-8")
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert re.search(rf"^## {part}", text, flags=re.MULTILINE), f"{record.name} lacks {part}"


def test_every_revision_of_the_database_has_its_note() -> None:
    revisions = sorted((ROOT / "alembic" / "versions").glob("*.py"))
    assert revisions
    for revision in revisions:
        number = revision.name.partition("_")[0]
        assert f"Note: docs/migrations/{number}.md" in revision.read_text(encoding="utf-8")
        note = read(f"migrations/{number}.md")
        for part in ("Owner", "Reason", "Side", "Files", "Commands", "Expected result", "Rollback"):
            assert f"**{part}:**" in note, f"{number}.md lacks {part}"


@pytest.mark.parametrize(
    "revision", sorted((ROOT / "alembic" / "versions").glob("*.py")), ids=lambda path: path.stem
)
def test_every_revision_was_rehearsed_as_it_stands(revision: Path) -> None:
    number = revision.name.partition("_")[0]
    measured = notes.hash_in(read(f"migrations/{number}.md"))
    say = f"headersweep db rehearse {number} (--synthesize N where there are no real data) measures it and writes its note"
    assert measured is not None, f"docs/migrations/{number}.md has nothing measured: {say}"
    assert measured == hashlib.sha256(revision.read_bytes()).hexdigest(), (
        f"{revision.name} was changed since: {say}"
    )


def test_the_catalogue_of_checks_is_current() -> None:
    page = review_docs.as_markdown()
    assert read("checks.md") == page, "headersweep check --catalogue --output docs/checks.md"


@pytest.mark.parametrize("code", sorted(table.RULES))
def test_every_rule_has_its_place_in_the_catalogue(code: str) -> None:
    assert f"\n### {code}\n" in read("checks.md")
