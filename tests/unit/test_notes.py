"""Notes as files: written, read again, and judged before anybody relies on them."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import migrationnotes, notelint, notes
from headersweep.notes import Note, NoteKind

DAY = date(2026, 11, 28)
GOOD = Note(
    id="2026-11-28-strict-csp",
    kind=NoteKind.CHANGE,
    title="Strict CSP on the shop",
    written=DAY,
    owner="shop team",
    site="shop",
    command="headersweep sweep shop",
    files=("nginx/shop.conf",),
    run_before=41,
    run_after=57,
    reason="Inline scripts let an attacker's script run.",
    metric="- pages without inline scripts: 12 % -> 100 %",
    expected_result="All documents forbid inline scripts.",
    actual_result="All do; 5 findings closed.",
    rollback="`git revert 3f2c`, deploy, `headersweep sweep shop`. Nothing is lost.",
)
PATH = "notes/2026-11-28-strict-csp.md"


def said(note: Note = GOOD, path: str = PATH, **changes: object) -> list[str]:
    """What is wrong with a note, in words."""
    changed = dataclasses.replace(note, **changes)  # type: ignore[arg-type]
    return [mistake.message for mistake in notelint.lint(path, notes.render(changed)).mistakes]


def of_text(text: str, path: str = PATH) -> list[str]:
    return [str(mistake) for mistake in notelint.lint(path, text).mistakes]


def edited(old: str, new: str) -> list[str]:
    text = notes.render(GOOD)
    assert text.count(old) >= 1
    return of_text(text.replace(old, new, 1))


# --- the file ---


def test_a_note_in_order_has_no_mistakes_and_is_read_as_it_was_written() -> None:
    found = notelint.lint(PATH, notes.render(GOOD))
    assert found.mistakes == ()
    assert found.note == GOOD
    assert found.complete


LINE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=40)
PROSE = st.lists(
    st.one_of(LINE, st.sampled_from(["## Rollback", "# x", "```", "~~~~ a", "", "+++"])), max_size=6
).map("\n".join)


@given(title=LINE, owner=LINE, reason=PROSE, metric=PROSE, files=st.lists(LINE, max_size=3))
def test_no_text_of_a_note_breaks_out_of_its_place(
    title: str, owner: str, reason: str, metric: str, files: list[str]
) -> None:
    note = dataclasses.replace(
        GOOD, title=title, owner=owner, reason=reason, metric=metric, files=tuple(files)
    )
    parsed = notes.parse(notes.render(note))
    assert (parsed.front["title"], parsed.front["owner"]) == (title, owner)
    assert parsed.front["files"] == files
    assert parsed.sections["rollback"] == GOOD.rollback
    assert set(parsed.sections) == set(notes.SECTIONS)


def test_line_breaks_and_a_mark_at_the_beginning_are_no_change() -> None:
    text = notes.render(GOOD)
    assert notes.content_hash(text) == notes.content_hash("\ufeff" + text.replace("\n", "\r\n") + "\r\n")
    assert notes.content_hash(text) != notes.content_hash(text.replace("shop team", "web team"))


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Strict CSP on the shop", "2026-11-28-strict-csp-on-the-shop"),
        ("  Größe / naïve -- x  ", "2026-11-28-groe-naive-x"),
        ("说明", "2026-11-28-note"),
        ("a " * 60, "2026-11-28-" + "-".join(["a"] * 30)),
    ],
)
def test_the_id_is_made_of_the_day_and_the_title(title: str, wanted: str) -> None:
    assert notes.id_of(DAY, title) == wanted
    assert notes.ID.fullmatch(wanted)


def test_what_is_not_known_is_a_marked_place_that_is_refused() -> None:
    empty = Note(GOOD.id, NoteKind.CHANGE, "x y z", DAY).filled()
    found = notelint.lint(PATH, notes.render(empty))
    assert found.note is not None
    wrong = [mistake.message for mistake in found.mistakes]
    for name in (
        "owner",
        "command",
        "files",
        "reason",
        "metric",
        "expected_result",
        "actual_result",
        "rollback",
    ):
        assert any(message.startswith(f"{name} still has a placeholder") for message in wrong), name


# --- what is refused ---


@pytest.mark.parametrize(
    "name", ["owner", "command", "reason", "expected_result", "actual_result", "rollback", "title"]
)
@pytest.mark.parametrize(
    "text", ["", "n/a", "None.", "TODO", "ask TBD", "-", "lorem ipsum dolor", "FILL IN: who"]
)
def test_a_text_that_says_nothing_is_refused(name: str, text: str) -> None:
    changed = dataclasses.replace(GOOD, **{name: text})  # type: ignore[arg-type]
    assert any(message.startswith(name) for message in said(changed))


@pytest.mark.parametrize("text", ["Todo lists are shown again.", "nonetheless it works", "The XX header"])
def test_words_that_only_look_like_placeholders_are_fine(text: str) -> None:
    assert said(reason=text) == []


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("it is faster now, and better", False),
        ("down to 5 ms", False),
        ("from 9 ms to 5 ms", True),
        ("A+ and B2B pages", False),
        ("1,204 -> 1,199 buffers", True),
    ],
)
def test_a_metric_has_two_numbers(text: str, is_fine: bool) -> None:
    assert (said(metric=text) == []) is is_fine


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [("git revert", False), ("Revert it.", False), ("undo this", False), ("git revert 3f2c", True)],
)
def test_a_rollback_can_be_followed(text: str, is_fine: bool) -> None:
    assert (said(rollback=text) == []) is is_fine


def test_a_note_is_called_like_its_file() -> None:
    assert said(path="notes/2026-11-28-other.md") == [
        "the file is called 2026-11-28-other.md, and the note 2026-11-28-strict-csp: rename it to 2026-11-28-strict-csp.md"
    ]


def test_the_day_of_a_note_is_that_of_its_id() -> None:
    assert said(written=date(2026, 11, 27)) == ["written is 2026-11-27, and the id begins with 2026-11-28"]


def test_an_id_that_two_files_claim_is_refused() -> None:
    found = [notelint.lint(path, notes.render(GOOD)) for path in (PATH, "notes/b.md")]
    assert [str(mistake) for mistake in notelint.duplicates(found)] == [
        f"notes/b.md:1: id '2026-11-28-strict-csp' is that of {PATH} already; every note has its own"
    ]
    assert notelint.duplicates(found[:1]) == []


def test_two_runs_are_compared_and_not_one_with_itself() -> None:
    assert said(run_after=41) == ["run_before and run_after are the same run 41: nothing can be compared"]
    assert said(run_before=0) == ["run_before is no number of a run"]
    assert said(run_before=None, run_after=None) == []


def test_only_a_baseline_touches_no_file() -> None:
    assert said(files=()) != []
    assert said(files=(), kind=NoteKind.BASELINE) == []
    assert said(files=("../secret",)) == [
        "files: '../secret' leads upwards; name files from the top of the repository, or from /"
    ]
    assert said(files=("a", "a")) == ["files names a file twice"]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("+++\n", "", "1: a note begins with a line +++"),
        ("]\n+++", "]\n", "1: the front matter has no second line +++"),
        ('kind = "change"', "kind = change", "3: the front matter is no TOML"),
        ('kind = "change"', 'kind = "chnage"', "3: kind 'chnage' is none of change, migration"),
        ('owner = "shop team"\n', "", "owner is missing"),
        ("written = 2026-11-28", 'written = "2026-11-28"', "5: written is no day"),
        ("run_before = 41", "run_before = true", "run_before is no whole number"),
        ('owner = "shop team"', 'owner = "shop team"\nowners = "x"', "owners is no key of a note"),
        ('site = "shop"', 'site = "a b"', "site 'a b' is no name of a site"),
        ("## Metric", "## Metrics", "the section `## Metric` is missing"),
        ('id = "2026-11-28-strict-csp"', 'id = "strict csp"', "2: id 'strict csp' is no day and a few words"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(old: str, new: str, wanted: str) -> None:
    assert any(wanted in message for message in edited(old, new)), edited(old, new)


@pytest.mark.parametrize("text", ["", "+++", "+++\n+++", "\x00", "# Heading\n", "+++\nid = 1\n+++\n"])
def test_any_text_is_judged_and_never_an_accident(text: str) -> None:
    assert of_text(text)


@given(st.text(max_size=200))
def test_any_front_matter_is_judged(text: str) -> None:
    notelint.lint(PATH, f"+++\n{text}\n+++\n")
    migrationnotes.lint("0001.md", text)


def test_a_section_of_ones_own_may_stand_beside_the_others() -> None:
    assert of_text(notes.render(GOOD) + "\n## Details\n\nMore.\n") == []


# --- migrations ---

MIGRATION = """# 0042: a table

**Owner:** the maintainers. **Side:** pre, before the code.

**Reason:** it was missing.

**Files:** `alembic/versions/0042_x.py`

**Commands:**

```
headersweep db upgrade
```

**Metric:** 1,204 buffers before, 12 after.

**Expected result:** `0042`.

**Rollback:** `alembic downgrade 0041` drops the table.
"""


def migration(old: str = "", new: str = "", path: str = "docs/migrations/0042.md") -> list[str]:
    return [str(mistake) for mistake in migrationnotes.lint(path, MIGRATION.replace(old, new)).mistakes]


def test_a_note_of_a_migration_in_order_has_no_mistakes() -> None:
    assert migration() == []
    assert migration("**Owner:**", "- **Owner:**") == []


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("# 0042", "# 0041", "the first line is no title"),
        ("**Owner:** the maintainers. ", "", "**Owner:** is missing"),
        ("it was missing.", "", "5: **Reason:** says nothing"),
        ("it was missing.", "TODO", "5: **Reason:** still has a placeholder"),
        ("1,204 buffers before, 12 after", "fewer buffers", "15: **Metric:** metric has no two numbers"),
        (
            "`alembic downgrade 0041` drops the table",
            "downgrade",
            "19: **Rollback:** rollback says too little",
        ),
    ],
)
def test_a_mistake_in_the_note_of_a_migration_is_told_with_its_line(old: str, new: str, wanted: str) -> None:
    assert any(wanted in message for message in migration(old, new)), migration(old, new)
