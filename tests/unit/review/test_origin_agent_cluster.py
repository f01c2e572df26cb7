"""Origin-Agent-Cluster: cases on both sides of a structured boolean."""

from __future__ import annotations

import pytest

from review.checks import origin_agent_cluster as check
from tests.unit.review._cases import HTML, IMAGE, Case, verify

IGNORED, OFF = "origin_agent_cluster.ignored", "origin_agent_cluster.off"
NAME = "origin-agent-cluster"
LINE = "Origin-Agent-Cluster: "
_TESTS = "web-platform-tests, html/browsers/origin/origin-keyed-agent-clusters"


def ignored(name: str, *values: str) -> Case:
    return Case(name, (HTML, *(LINE + value for value in values)), {IGNORED}, {NAME: None}, source=_TESTS)


CASES = (
    Case("nothing", (HTML,)),
    Case("on", (HTML, LINE + "?1"), effective={NAME: True}),
    Case("on with a parameter", (HTML, LINE + "?1;param=x"), effective={NAME: True}, source=_TESTS),
    Case("off", (HTML, LINE + "?0"), {OFF}, {NAME: False}),
    Case("off on a picture", (IMAGE, LINE + "?0")),
    ignored("a number", "1"),
    ignored("a word", "true"),
    ignored("a string", '"?1"'),
    ignored("a list", "(?1)"),
    ignored("twice", "?1", "?1"),
    ignored("two", "?2"),
    ignored("empty", ""),
    ignored("garbage bytes", "?1\xff"),
    Case("over http", (HTML, LINE + "?1"), effective={NAME: None}, scheme="http"),
    Case("broken over http", (HTML, LINE + "1"), effective={NAME: None}, scheme="http"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_origin_agent_cluster(case: Case) -> None:
    verify(check, case)
