"""One probe and what came of it, as the judges of most kinds take it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from review.finding import Finding, Found
from review.received import Received


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered; ``evidence`` is what the kind's reader kept of the body."""

    origin: str
    """Of the site: scheme, host and port."""
    url: str
    answer: Received
    evidence: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    """What was planted along with the request."""


def unlikely_path(run_id: int, kind: str) -> str:
    """A path that no site has, the same for every probe of a run, and telling whoever reads logs who asked."""
    digest = hashlib.sha256(f"{kind}/1 {run_id}".encode()).hexdigest()
    return f"/headersweep-{digest[:12]}"


def grouped(found: Iterable[tuple[Finding, str]]) -> tuple[Found, ...]:
    """Findings with the URL that shows each: one for each cause, with the number of URLs, the worst first."""
    causes: dict[tuple[str, str], list[tuple[Finding, str]]] = {}
    for finding, url in found:
        causes.setdefault((finding.code, finding.subject), []).append((finding, url))
    made = [Found(*_worst(members, len(members))) for members in causes.values()]
    return tuple(
        sorted(made, key=lambda one: (-one.finding.severity.rank, one.finding.code, one.finding.subject))
    )


def _worst(members: list[tuple[Finding, str]], pages: int) -> tuple[Finding, int, tuple[str, ...]]:
    finding, url = max(members, key=lambda member: member[0].severity.rank)
    return finding, pages, (url,)
