"""Before and after, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from cli.render import json as json_module
from cli.render import words
from review import comparing
from review.comparing import Cacheability, Comparison, Coverage, Share, Side, Turn, Turned
from review.reports import compared, compared_html, compared_markdown, texts
from review.reports.compared import Row

SHAPES = ("text", "json", "md", "html")
_SHOWN = (Turn.OPENED, Turn.WORSE, Turn.CLOSED, Turn.WAIVED)


def render(found: Comparison, shape: str, width: int) -> str:
    """The comparison in one of the shapes."""
    if shape == "json":
        return as_json(found)
    if shape == "md":
        return compared_markdown.render(found)
    return compared_html.render(found) if shape == "html" else text(found, width)


# --- for people ---


def text(found: Comparison, width: int) -> str:
    """What is before and after, and how it moved."""
    blocks = [
        _heading(found),
        _rows("In short", compared.summary(found)),
        _rows("Protection, by pages", [one.row for one in compared.protections(found)]),
        _rows("Caches", compared.caching(found)),
        _rows("Latency", compared.latency(found)),
        _owners(found),
        *(_turned(turn, [one for one in found.turned if one.turn is turn]) for turn in _SHOWN),
        [words.safe(said) for said in compared.remarks(found)],
    ]
    return "\n\n".join("\n".join(words.cut(line, width) for line in block) for block in blocks if block)


def _heading(found: Comparison) -> list[str]:
    old, new = found.before, found.after
    return [
        f"{words.safe(found.site)}: before and after",
        f"from run {old.run_id}, slot {words.instant(old.slot)}, to run {new.run_id}, slot {words.instant(new.slot)}",
    ]


def _rows(heading: str, rows: Sequence[Row]) -> list[str]:
    cells = [[words.safe(cell) for cell in (row.what, row.before, row.after, row.moved)] for row in rows]
    lines = words.table([heading, "before", "after", "moved"], cells, right=frozenset({3}))
    return [lines[0], *(f"  {line}" for line in lines[1:])] if rows else []


def _owners(found: Comparison) -> list[str]:
    rows = [
        [words.safe(owner), *(words.number(counts[turn]) for turn in Turn)]
        for owner, counts in compared.owners(found)
    ]
    heads = ["Findings by owner", *(compared.TURNS[turn] for turn in Turn)]
    return words.table(heads, rows, right=frozenset(range(1, len(heads)))) if rows else []


def _turned(turn: Turn, found: Sequence[Turned]) -> list[str]:
    return [f"Findings: {compared.TURNS[turn]}", *_lines(found)] if found else []


def _lines(found: Sequence[Turned]) -> Iterator[str]:
    for one in found:
        said = f"  {one.cause.severity}  {one.cause.code}  {texts.title(one.cause)}  on {words.count(one.cause.pages, 'page')}"
        yield words.safe(f"{said}  ({one.owner or 'nobody'})")


# --- for scripts ---


def as_json(found: Comparison) -> str:
    """The comparison as one object; its shape is a contract (docs/cli.md)."""
    return json_module.document(
        site=found.site,
        rules_version=found.rules_version,
        policy_changed=found.policy_changed,
        before=_side(found.before),
        after=_side(found.after),
        findings=[_finding(one) for one in found.turned],
        findings_by_owner={
            owner: {str(turn): number for turn, number in counts.items()}
            for owner, counts in comparing.by_owner(found.turned).items()
        },
    )


def _side(side: Side) -> dict[str, Any]:
    return {
        "run": side.run_id,
        "slot": words.instant(side.slot),
        "finished_at": words.instant(side.finished_at),
        "state": side.state,
        "pages": side.pages,
        "not_judged": side.not_judged,
        "grade": side.grade,
        "findings": {
            str(severity): number for severity, number in comparing.by_severity(side.causes).items()
        },
        "coverage": {one.name: _coverage(one) for one in side.coverage},
        "caching": _caching(side.caching),
        "from_cache": None if side.from_cache is None else _share(side.from_cache),
        "latency_ms": None if side.latency is None else asdict(side.latency),
    }


def _coverage(one: Coverage) -> dict[str, Any]:
    return {
        **_share(one.pages),
        "by_class": {str(kind): _share(share) for kind, share in one.by_class.items()},
    }


def _share(one: Share) -> dict[str, Any]:
    ratio = None if one.ratio is None else round(one.ratio, 6)
    return {"pages": one.part, "of": one.whole, "share": ratio}


def _caching(one: Cacheability) -> dict[str, Any]:
    least, median, most = one.seconds or (None, None, None)
    return {
        "storable": _share(one.storable),
        "by_sharing": {str(kind): pages for kind, pages in one.by_sharing.items()},
        "fresh_seconds": {"least": least, "median": median, "most": most},
    }


def _finding(one: Turned) -> dict[str, Any]:
    cause = one.cause
    return {
        "turn": str(one.turn),
        "owner": one.owner,
        "code": cause.code,
        "subject": cause.subject,
        "severity": str(cause.severity),
        "pages": cause.pages,
        "pages_before": one.pages_before,
        "waived_by": cause.waived_by,
        "sample_urls": list(cause.sample_urls),
    }
