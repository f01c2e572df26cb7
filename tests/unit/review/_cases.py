"""Cases of the review: header lines in, codes and effective values out; each stands beside the check that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from headersweep.bodyfacts import BodyFacts
from review import judge, table
from review import received as reading
from review.received import Received

HTML = "Content-Type: text/html; charset=utf-8"
JSON = "Content-Type: application/json"
SCRIPT = "Content-Type: text/javascript"
IMAGE = "Content-Type: image/png"


@dataclass(frozen=True)
class Case:
    """One answer, and what must be said about it: all codes of the check that it stands beside, and no other of them.

    ``effective`` names only the headers that the case is about. ``source`` says where the expectation comes from, when
    it is not obvious: a section of a standard, a browser test.
    """

    name: str
    lines: tuple[str, ...] = ()
    codes: frozenset[str] | set[str] = frozenset()
    effective: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    scheme: str = "https"
    host: str = ""
    facts: BodyFacts | None = None
    malformed: tuple[str, ...] = ()
    source: str = ""

    def __str__(self) -> str:
        return self.name

    def received(self) -> Received:
        pairs = [line.partition(":") for line in self.lines]
        return reading.received(
            [(name, value.strip(" \t")) for name, _, value in pairs],
            status=self.status,
            scheme=self.scheme,
            host=self.host,
            facts=self.facts,
            malformed=self.malformed,
        )


def codes_of(check: ModuleType | table.Check, case: Case) -> set[str]:
    """The codes of one check's rules that the whole review finds in a case: response classes are obeyed."""
    ours = {rule.code for rule in check.RULES}
    return {finding.code for finding in judge.judge(case.received()).findings} & ours


def verify(check: ModuleType, case: Case) -> None:
    """The check says exactly what the case expects."""
    assert codes_of(check, case) == case.codes
    found = judge.effective(case.received())
    for name, value in case.effective.items():
        assert name in found, f"{name} was not received in this case"
        assert found[name] == value
