"""Rules of the tests' own, so that no change of the real ones changes what these tests mean."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from review import judge, nonces, preload, redirects, table
from review.finding import Finding, Rule, Severity
from review.received import Received


def rule(code: str, severity: Severity) -> Rule:
    """A rule that says what it is called."""
    return Rule(
        code=code,
        severity=severity,
        title=f"Title of {code}",
        browser=f"Browser of {code}",
        why=f"Why of {code}",
        fix=f"X-Fixed: {code}\nMore about {code}.",
        link="https://rules.example/",
    )


MARKED = rule("mark.found", Severity.HIGH)
BARE = rule("mark.missing", Severity.LOW)


def marks(received: Received) -> Iterator[Finding]:
    """One finding for each value of X-Mark; one that there is none."""
    for value in received.values("x-mark"):
        yield MARKED.found(received.line("x-mark"), subject=value)
    if not received.has("x-mark"):
        yield BARE.found()


def install(
    patch: pytest.MonkeyPatch, check: Any = marks, *rules: Rule, version: int = judge.RULES_VERSION
) -> None:
    """Let these rules be the present ones; beside them only those about a whole run."""
    known = rules or (MARKED, BARE)
    patch.setattr(table, "CHECKS", (SimpleNamespace(RULES=known, EFFECTIVE={}, check=check),))
    patch.setattr(
        table,
        "RULES",
        {each.code: each for each in known} | redirects.BY_CODE | nonces.BY_CODE | preload.BY_CODE,
    )
    patch.setattr(judge, "RULES_VERSION", version)
