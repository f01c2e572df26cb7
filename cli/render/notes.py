"""Notes as people and scripts get them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.render import json as json_module
from cli.render import words

if TYPE_CHECKING:
    from cli.notefinding import Found
    from headersweep.notelint import Linted
    from scheduler.notes import Stored

_WHERE = {"both": "file, database", "differs": "file, newer than the database"}


def list_text(found: Sequence[Found]) -> str:
    """One line a note."""
    if not found:
        return "no notes"
    rows = [
        [
            words.safe(one.id),
            one.kind or "-",
            words.safe(one.site or "-"),
            words.safe(one.owner or "-"),
            "complete" if one.complete else "incomplete",
            _WHERE.get(str(one.where), str(one.where)),
        ]
        for one in found
    ]
    return "\n".join(words.table(["note", "kind", "site", "owner", "state", "where"], rows))


def list_json(found: Sequence[Found]) -> str:
    """The same for scripts."""
    return json_module.document(notes=[_found(one) for one in found])


def _found(one: Found) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind or None,
        "title": one.title,
        "written": None if one.written is None else one.written.isoformat(),
        "owner": one.owner,
        "site": one.site,
        "run_before": one.run_before,
        "run_after": one.run_after,
        "complete": one.complete,
        "where": str(one.where),
        "path": one.path,
    }


def lint_json(found: Sequence[Linted]) -> str:
    """Every file with its mistakes."""
    return json_module.document(
        files=[
            {
                "path": one.path,
                "mistakes": [{"line": mistake.line, "message": mistake.message} for mistake in one.mistakes],
            }
            for one in found
        ]
    )


def sync_text(stored: Sequence[Stored]) -> str:
    """What became of each note that is news, and how many are not."""
    lines = [
        f"{one.outcome}  {words.safe(one.note.id)}{'' if one.complete else '  (incomplete)'}"
        for one in stored
        if one.outcome != "unchanged"
    ]
    unchanged = len(stored) - len(lines)
    return "\n".join([*lines, f"{words.count(unchanged, 'note')} unchanged"])


def sync_json(stored: Sequence[Stored]) -> str:
    """The same for scripts."""
    return json_module.document(
        notes=[{"id": one.note.id, "outcome": str(one.outcome), "complete": one.complete} for one in stored]
    )
