"""Origin-Agent-Cluster (HTML, section 7.1.2): a boolean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review import contexts, fields
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

HEADER = "origin-agent-cluster"
_LINK = "https://html.spec.whatwg.org/multipage/browsers.html#origin-keyed-agent-clusters"
_FIX = "Origin-Agent-Cluster: ?1"

IGNORED = Rule(
    code="origin_agent_cluster.ignored",
    severity=Severity.LOW,
    title="Origin-Agent-Cluster has a value that browsers ignore",
    browser="It wants ?1 or ?0. Without a value that it knows, Chromium separates origins all the same, and Firefox may not; Safari does not read the header.",
    why="What was asked for is not in force.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
OFF = Rule(
    code="origin_agent_cluster.off",
    severity=Severity.INFO,
    title="Origin-Agent-Cluster gives up the separation of origins",
    browser="It lets pages of one site share a process, and lets them set document.domain.",
    why="A sibling host that falls can reach this one through document.domain.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
RULES = (IGNORED, OFF)


def effective(received: Received) -> bool | None:
    """Whether the origin asks for agents of its own; None where the browser ignores the header."""
    return fields.boolean_item(received.combined(HEADER)) if contexts.trustworthy(received) else None


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say where the header is void, or loosens; over http browsers do not read it."""
    if not received.has(HEADER) or not contexts.trustworthy(received):
        return
    asked = effective(received)
    if asked is None:
        yield IGNORED.found(received.line(HEADER))
    elif not asked:
        yield OFF.found(received.line(HEADER))
