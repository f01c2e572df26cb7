"""Our own notes are in order: those on changes, and those on migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import notes
from cli.commands import note
from headersweep.notes import NoteKind

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "notes", ROOT / "docs" / "migrations")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_note_is_in_order(folder: Path) -> None:
    found = notes.linted([folder])
    assert found
    assert [str(mistake) for one in found for mistake in one.mistakes] == []


def test_the_files_that_our_notes_name_are_there() -> None:
    gone = [
        f"{one.path}: {name}"
        for one in notes.linted([ROOT / "notes"])
        if one.note is not None
        for name in one.note.files
        if not (ROOT / name).exists()
    ]
    assert gone == []


def test_the_command_knows_every_kind_of_note() -> None:
    assert set(note.KINDS) == set(NoteKind)
