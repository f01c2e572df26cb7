"""Explanations, for people and for scripts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from cli.explaining.explanation import Explanation
from cli.render import json, words

INDENT = 10


def as_text(found: Sequence[Explanation], width: int) -> str:
    """A few lines for each."""
    return "\n\n".join("\n".join(_lines(one, min(width, 110))) for one in found)


def _lines(one: Explanation, width: int) -> Iterable[str]:
    state = "" if one.enabled else "  [switched off]"
    yield words.safe(f"{one.name}  ({one.kind}){state}")
    for label, text in (
        ("what", one.what),
        ("why", one.why),
        ("off", f"{one.decided}" if one.decided else ""),
        ("to switch", one.off),
        ("owner", one.owner),
        ("in the code", ", ".join(one.where())),
        ("see", one.see),
    ):
        if text:
            yield from _wrapped(label, text, width)


def _wrapped(label: str, text: str, width: int) -> list[str]:
    paragraphs = [part for part in text.splitlines() if part.strip()]
    lines: list[str] = []
    for part in paragraphs:
        lines += textwrap.wrap(words.safe(part), max(30, width - 15), break_on_hyphens=False) or [""]
    return [f"  {label if number == 0 else '':<12} {line}" for number, line in enumerate(lines)]


def names(found: Iterable[Explanation]) -> str:
    """Every name under its kind."""
    kinds: dict[str, list[str]] = {}
    for one in found:
        kinds.setdefault(one.kind, []).append(words.safe(one.name))
    blocks = []
    for kind, members in kinds.items():
        body = textwrap.fill(
            ", ".join(members),
            108,
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
        blocks.append(f"{kind}: {len(members)}\n{body}")
    return "\n\n".join(blocks)


def switched_off(found: Sequence[Explanation]) -> str:
    """Everything that is off, one line each."""
    if not found:
        return "nothing is switched off"
    rows = [[one.kind, words.safe(one.name), words.safe(" ".join(one.decided.split()))] for one in found]
    return "\n".join(words.table(["KIND", "NAME", "WHO, AND WHY"], rows))


def as_json(found: Iterable[Explanation]) -> str:
    """One object with every explanation."""
    return json.document(
        explanations=[
            {
                "kind": one.kind,
                "name": one.name,
                "enabled": one.enabled,
                "decided": one.decided or None,
                "what": one.what,
                "why": one.why,
                "off": one.off,
                "owner": one.owner,
                "where": list(one.where()),
                "see": one.see,
            }
            for one in found
        ]
    )
