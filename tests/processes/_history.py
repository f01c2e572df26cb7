"""The program as it was before the newest migration landed, taken from git into a folder of its own."""

from __future__ import annotations

import io
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from models import migrate
from tests.processes._program import ROOT


@dataclass(frozen=True)
class Previous:
    """One older commit's tree."""

    commit: str
    folder: Path
    revision: str

    @property
    def reads_notes(self) -> bool:
        """Whether this code knows that a newer database may say that it works with older code."""
        return "obj_description" in (self.folder / "models" / "migrate.py").read_text(encoding="utf-8")


def previous(folder: Path) -> Previous:
    """The tree before the newest migration. Without git's history, which .ci/run fetches: skipped, and loudly."""
    missing = _missing_history()
    if missing:
        pytest.skip(f"OLD AND NEW CODE SIDE BY SIDE IS NOT TESTED HERE: {missing}")
    commit = _commit_before(_newest_migration())
    command = ["git", "archive", "--format=zip", commit]
    archive = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        packed.extractall(folder)
    newest = max((folder / "alembic" / "versions").glob("[0-9]*.py"))
    return Previous(commit, folder, newest.name.partition("_")[0])


def may_go_on(tree: Previous) -> bool:
    """Whether the migrations promise that this tree's code works on the present schema; *post* ones do not."""
    return tree.revision in migrate.works_with(ScriptDirectory.from_config(migrate.config()).walk_revisions())


def _newest_migration() -> Path:
    script = ScriptDirectory.from_config(migrate.config()).get_revision(migrate.head())
    assert script is not None
    return Path(script.path).relative_to(ROOT)


def _commit_before(migration: Path) -> str:
    """The commit on this line of history that a migration landed on; the last commit while it is not committed."""
    landed = _git(
        "log", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "--", str(migration)
    ).split()
    return _git("rev-parse", f"{landed[-1]}^1") if landed else _git("rev-parse", "HEAD")


def _missing_history() -> str:
    """Why there is no older tree to be had; nothing where there is one."""
    try:
        shallow = _git("rev-parse", "--is-shallow-repository") == "true"
    except (OSError, subprocess.CalledProcessError):
        return "this is no checkout of git"
    if shallow:
        return "this is a shallow checkout; git fetch --unshallow"
    is_one_commit = len(_git("rev-list", "--max-count=2", "HEAD").split()) == 1
    return "this checkout has one commit" if is_one_commit else ""


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return found.stdout.strip()
