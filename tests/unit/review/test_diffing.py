"""Two runs compared: changes added up over groups of pages, pages that came and went, causes that came and went."""

from __future__ import annotations

from typing import Any

from review import diffing, table
from review import received as reading
from review.diffing import Difference, Group, Move
from review.directions import Direction
from review.received import Received
from review.report import Cause

HTML = ("Content-Type", "text/html")
NOSNIFF = ("X-Content-Type-Options", "nosniff")


def answer(*pairs: tuple[str, str], status: int = 200) -> Received:
    return reading.received((HTML, *pairs), status=status)


def group(pages: int, old: Received | None, new: Received | None, **fields: Any) -> Group:
    urls = tuple(f"https://site.example/{pages}/{number}" for number in range(min(pages, 3)))
    values: dict[str, Any] = {
        "move": Move.CHANGED,
        "pages": pages,
        "sample_urls": urls,
        "old": old,
        "new": new,
    }
    return Group(**values | fields)


def cause(subject: str) -> Cause:
    rule = next(iter(table.RULES.values()))
    return Cause(rule, rule.severity, subject, "", "", 1, 1, (), ())


def test_the_same_change_in_several_groups_is_told_once_with_the_pages_of_all() -> None:
    groups = [
        group(10, answer(NOSNIFF), answer()),
        group(2, answer(NOSNIFF, ("X-A", "1")), answer(("X-A", "1"))),
    ]
    pages, (change,) = diffing.changes(groups)
    assert (pages, change.pages, change.change.direction) == (12, 12, Direction.LOOSER)
    assert change.sample_urls == (
        "https://site.example/10/0",
        "https://site.example/10/1",
        "https://site.example/10/2",
    )


def test_a_page_with_two_changes_is_one_page() -> None:
    pages, changes = diffing.changes([group(4, answer(NOSNIFF, ("X-A", "1")), answer(("X-A", "2")))])
    assert (pages, len(changes)) == (4, 2)


def test_looser_comes_first_then_what_cannot_be_said_then_stricter_then_equal() -> None:
    groups = [
        group(1, answer(NOSNIFF), answer(("X-Content-Type-Options", "NOSNIFF"))),
        group(9, answer(), answer(NOSNIFF)),
        group(5, answer(("X-A", "1")), answer(("X-A", "2"))),
        group(2, answer(NOSNIFF), answer()),
    ]
    _, changes = diffing.changes(groups)
    assert [one.change.direction for one in changes] == list(diffing.WORST_FIRST)
    assert Difference("s", 1, 2, changes=changes).is_looser
    assert not Difference("s", 1, 2, changes=changes[1:]).is_looser


def test_groups_that_differ_in_nothing_that_counts_are_no_change() -> None:
    old, new = (
        answer(("Date", "Mon, 23 Nov 2026 08:00:00 GMT")),
        answer(("Date", "Tue, 24 Nov 2026 08:00:00 GMT")),
    )
    assert diffing.changes([group(3, old, new)]) == (0, ())


def test_pages_with_one_answer_are_added_up_by_what_happened_and_their_status() -> None:
    groups = [
        group(3, None, answer(), move=Move.APPEARED),
        group(1, None, answer(NOSNIFF), move=Move.APPEARED),
        group(2, answer(status=404), None, move=Move.VANISHED),
        group(5, answer(), None, move=Move.NOT_ANSWERED, outcome="failed"),
        group(7, answer(), answer(NOSNIFF)),
    ]
    assert [(one.move, one.status, one.outcome, one.pages) for one in diffing.moves(groups)] == [
        (Move.APPEARED, 200, "", 4),
        (Move.VANISHED, 404, "", 2),
        (Move.NOT_ANSWERED, 200, "failed", 5),
    ]


def test_causes_are_told_apart_by_their_subject() -> None:
    came, went = diffing.came_and_went([cause("a"), cause("b")], [cause("b"), cause("c")])
    assert [one.subject for one in came] == ["c"]
    assert [one.subject for one in went] == ["a"]
