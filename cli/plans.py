"""How many buffers a query plan touched: read from what EXPLAIN (ANALYZE, BUFFERS) printed, as text or JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from headersweep.errors import UsageError

_BUFFERS = re.compile(r"Buffers: shared((?: \w+=\d+)+)")
_COUNT = re.compile(r"(hit|read)=(\d+)")


def moved(before: str, after: str) -> str:
    """The buffers of two plans, from files that hold them."""
    old, new = buffers(before), buffers(after)
    return f"plan buffers: {_said(old)} -> {_said(new)}"


def buffers(path: str) -> tuple[int, int]:
    """The shared buffers of a plan: found in memory, and read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the plan {path}: {getattr(error, 'strerror', None) or 'no UTF-8'}"
        ) from error
    found = _of_json(text) if text.lstrip().startswith(("[", "{")) else _of_text(text)
    if found is None:
        raise UsageError(f"{path} holds no plan with buffers: EXPLAIN (ANALYZE, BUFFERS) prints one")
    return found


def _of_text(text: str) -> tuple[int, int] | None:
    """The first line with buffers belongs to the topmost node, which counts those below it."""
    line = _BUFFERS.search(text)
    if not line:
        return None
    counts = {name: int(number) for name, number in _COUNT.findall(line[1])}
    return counts.get("hit", 0), counts.get("read", 0)


def _of_json(text: str) -> tuple[int, int] | None:
    try:
        found: Any = json.loads(text)
        plan = (found[0] if isinstance(found, list) else found)["Plan"]
        return int(plan["Shared Hit Blocks"]), int(plan["Shared Read Blocks"])
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _said(one: tuple[int, int]) -> str:
    return f"{sum(one):,} ({one[0]:,} in memory, {one[1]:,} read)"
