"""Checklists, for people, for scripts, and for a wiki."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from cli.render import json, words
from headersweep.checklist import Line, Verdict

WIDTH = 108
MARKS = {Verdict.OK: "ok", Verdict.FAIL: "FAIL", Verdict.UNKNOWN: "?", Verdict.DECLARED: "said"}


def render(title: str, lines: Sequence[Line], shape: str) -> str:
    """The checklist in one of its shapes."""
    if shape == "json":
        return _json(title, lines)
    return _markdown(title, lines) if shape == "md" else _text(title, lines)


def fails(lines: Iterable[Line], fail_on: str) -> bool:
    """Whether there is what was not to be."""
    bad = {"none": set[Verdict](), "fail": {Verdict.FAIL}, "unknown": {Verdict.FAIL, Verdict.UNKNOWN}}[
        fail_on
    ]
    return any(line.verdict in bad for line in lines)


def summary(lines: Iterable[Line]) -> str:
    """How many items there are of each verdict."""
    found = list(lines)
    counts = [(verdict, sum(line.verdict is verdict for line in found)) for verdict in Verdict]
    return ", ".join(f"{count} {verdict}" for verdict, count in counts if count)


def _text(title: str, lines: Sequence[Line]) -> str:
    shown = [f"Checklist of {words.safe(title)}: {summary(lines)}"]
    area = None
    for line in lines:
        if line.item.area is not area:
            area = line.item.area
            shown += ["", str(area).capitalize()]
        shown += _lines(line)
    return "\n".join(shown)


def _lines(line: Line) -> Iterator[str]:
    yield f"  {MARKS[line.verdict]:<4}  {line.item.title}  ({line.item.name})"
    yield from _told("", "; ".join(line.evidence))
    if line.declared is not None and line.verdict is Verdict.DECLARED:
        yield from _told(
            "declared", f"by {line.declared.owner} until {line.declared.until}: {line.declared.reason}"
        )
    if line.verdict in {Verdict.FAIL, Verdict.UNKNOWN}:
        yield from _told("expected", line.item.expected)
        yield from _told("fix", line.item.fix)
        yield from _told("rollback", line.item.rollback)
        yield from _told("owner", line.owner)


def _told(label: str, text: str) -> list[str]:
    head = f"{label}: " if label else ""
    safe = words.safe(" ".join(text.split()))
    return textwrap.wrap(
        f"{head}{safe}", WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 10, break_on_hyphens=False
    )


def _json(title: str, lines: Iterable[Line]) -> str:
    return json.document(
        of=title,
        items=[
            {
                "name": line.item.name,
                "area": str(line.item.area),
                "title": line.item.title,
                "verdict": str(line.verdict),
                "looked_at": line.item.looks_at,
                "evidence": list(line.evidence),
                "expected": line.item.expected,
                "fix": line.item.fix,
                "rollback": line.item.rollback,
                "owner": line.owner,
                "declared": line.declared and line.declared.as_json(),
            }
            for line in lines
        ],
    )


def _markdown(title: str, lines: Sequence[Line]) -> str:
    shown = [f"# Checklist of {_cell(title)}", "", summary(lines)]
    area = None
    for line in lines:
        if line.item.area is not area:
            area = line.item.area
            shown += [
                "",
                f"## {str(area).capitalize()}",
                "",
                "| verdict | item | evidence | expected | owner | rollback |",
            ]
            shown.append("| --- | --- | --- | --- | --- | --- |")
        cells = ("; ".join(line.evidence), line.item.expected, _owner(line), line.item.rollback)
        # Within backticks nothing is escaped; names are ours.
        ours = f"{line.verdict} | {_cell(line.item.title)} (`{line.item.name}`)"
        shown.append(f"| {ours} | {' | '.join(map(_cell, cells))} |")
    return "\n".join(shown)


def _owner(line: Line) -> str:
    if line.declared is None or line.verdict is not Verdict.DECLARED:
        return line.owner
    return f"{line.owner} declares until {line.declared.until}: {line.declared.reason}"


def _cell(text: str) -> str:
    """Foreign text in a table: nothing of it may be a tag, a link or the end of a cell."""
    safe = words.safe(" ".join(text.split()))
    for character in "\\|<>[]*_`&~":
        safe = safe.replace(character, f"\\{character}")
    return safe
