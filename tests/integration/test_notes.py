"""Notes in the database: stored once, held to sites and runs that are there, and never half complete."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headersweep import notelint, notes
from headersweep.notelint import Linted
from headersweep.notes import Note
from scheduler import notes as storing
from scheduler.notes import Outcome
from tests.integration.test_drift import BARE, History
from tests.unit.test_notes import GOOD

pytestmark = pytest.mark.database

PLAIN = dataclasses.replace(GOOD, site="", run_before=None, run_after=None)


@pytest.fixture
def history(connection: Connection) -> History:
    return History(connection)


def linted(note: Note) -> Linted:
    return notelint.lint(f"notes/{notes.file_name(note.id)}", notes.render(note))


def stored(connection: Connection, note: Note) -> Outcome:
    return storing.store(connection, linted(note), "ann@host").outcome


def test_storing_a_note_twice_is_storing_it_once(connection: Connection) -> None:
    assert [stored(connection, PLAIN) for _ in range(2)] == [Outcome.ADDED, Outcome.UNCHANGED]
    (row,) = storing.kept(connection)
    assert (row.slug, row.complete, row.stored_by, row.files) == (
        GOOD.id,
        True,
        "ann@host",
        ["nginx/shop.conf"],
    )
    assert row.body == notes.render(PLAIN)


def test_an_edit_is_stored_and_nothing_else_of_the_note_is_doubled(connection: Connection) -> None:
    stored(connection, PLAIN)
    assert stored(connection, dataclasses.replace(PLAIN, owner="web team")) is Outcome.CHANGED
    assert [row.owner for row in storing.kept(connection)] == ["web team"]


def test_a_note_with_something_left_to_fill_in_is_kept_as_incomplete(connection: Connection) -> None:
    stored(connection, dataclasses.replace(PLAIN, reason="").filled())
    row = storing.find(connection, GOOD.id)
    assert row is not None
    assert row.complete is False


def test_a_note_knows_its_site_and_runs(history: History) -> None:
    old, new = (history.run({"/": (BARE, 200)}) for _ in range(2))
    note = dataclasses.replace(GOOD, site="docs", run_before=old, run_after=new)
    assert storing.unknown(history.connection, [linted(note)]) == []
    stored(history.connection, note)
    row = storing.find(history.connection, GOOD.id)
    assert row is not None
    assert (row.site, row.run_before, row.run_after) == ("docs", old, new)


def test_sites_and_runs_that_are_not_there_are_told(history: History) -> None:
    run_id = history.run({"/": (BARE, 200)})
    note = dataclasses.replace(GOOD, site="nowhere", run_before=run_id, run_after=run_id + 1_000_000)
    said = [mistake.message for mistake in storing.unknown(history.connection, [linted(note)])]
    assert said == [
        "site 'nowhere' is not known to the database; `headersweep sites list` names them all",
        f"run_before: run {run_id} is of docs, and the note of nowhere",
        f"run_after: there is no run {run_id + 1_000_000}; `headersweep runs` lists them",
    ]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("rollback = ' '", "says_all"),
        ("metric = ''", "says_all"),
        ("files = '{}'", "names_files"),
        ("slug = 'Some Thing'", "slug"),
        ("kind = 'party'", "kind"),
        ("content_hash = '\\x00'", "content_hash_length"),
    ],
)
def test_a_complete_note_says_everything_whoever_writes_it(
    connection: Connection, change: str, constraint: str
) -> None:
    stored(connection, PLAIN)
    with pytest.raises(IntegrityError, match=f"ck_notes_{constraint}"):
        connection.execute(text(f"UPDATE notes SET {change}"))  # noqa: S608 - a constant above


def test_an_incomplete_note_may_have_empty_texts_and_a_baseline_no_files(connection: Connection) -> None:
    stored(connection, PLAIN)
    connection.execute(text("UPDATE notes SET complete = false, rollback = '', files = '{}'"))
    connection.execute(text("UPDATE notes SET complete = true, rollback = 'x', kind = 'baseline'"))
    assert storing.kept(connection)[0].kind == "baseline"


def test_a_note_compares_two_runs(history: History) -> None:
    run_id = history.run({"/": (BARE, 200)})
    stored(history.connection, PLAIN)
    with pytest.raises(IntegrityError, match="ck_notes_two_runs"):
        history.connection.execute(
            text("UPDATE notes SET run_before = :run, run_after = :run"), {"run": run_id}
        )
