"""What ``doctor`` found, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence

from cli.health import Check, Level
from cli.render import json, words


def as_text(checks: Sequence[Check]) -> str:
    """One line a check, with what to do under the bad ones, and the sum last."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{check.level:<4}  {check.name:<{width}}  {words.safe(' '.join(check.found.split()))}")
        if check.todo:
            lines.append(f"      {'':<{width}}  -> {check.todo}")
    bad = {level: sum(check.level is level for check in checks) for level in (Level.FAIL, Level.WARN)}
    lines.append(f"{bad[Level.FAIL]} failed, {bad[Level.WARN]} to look at, {len(checks)} checks")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """One object with every check."""
    return json.document(
        checks=[
            {"name": check.name, "level": str(check.level), "found": check.found, "todo": check.todo or None}
            for check in checks
        ]
    )
