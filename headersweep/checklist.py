"""The hardening checklist: items that a machine looks at, or a person declares; each with owner, expectation and rollback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Area(StrEnum):
    """What the items are sorted by."""

    PERMISSIONS = "permissions"
    SECRETS = "secrets"
    HEADERS = "headers"
    UPLOAD_LIMITS = "upload limits"
    LOGGING = "logging"


class Verdict(StrEnum):
    """What came of looking."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist, before anybody looked."""

    name: str
    area: Area
    title: str
    looks_at: str
    expected: str
    rollback: str
    """How to undo what the fix changes."""
    fix: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a machine saw: a verdict, and the evidence for it. Never a secret."""

    verdict: Verdict
    evidence: tuple[str, ...]


def ok(*evidence: str) -> Looked:
    """As expected."""
    return Looked(Verdict.OK, evidence)


def fail(*evidence: str) -> Looked:
    """Not as expected."""
    return Looked(Verdict.FAIL, evidence)


def unknown(*evidence: str) -> Looked:
    """Nothing that a machine can know, or may look at here."""
    return Looked(Verdict.UNKNOWN, evidence)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a person answers for where a machine cannot know, until a day, which is the last on which it counts."""

    item: str
    owner: str
    until: date
    reason: str

    def as_json(self) -> dict[str, Any]:
        """The declaration with the keys of a site file."""
        return {**asdict(self), "until": self.until.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Declaration:
        """The declaration that ``as_json`` wrote."""
        return cls(**{**data, "until": date.fromisoformat(data["until"])})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the checklist after looking."""

    item: Item
    verdict: Verdict
    evidence: tuple[str, ...]
    owner: str
    declared: Declaration | None = None


def settle(item: Item, looked: Looked, owner: str, declarations: Iterable[Declaration], today: date) -> Line:
    """What stands on the checklist: a declaration counts only where a machine does not know, and only until its day."""
    said = next((one for one in declarations if one.item == item.name), None)
    if said is None or looked.verdict is not Verdict.UNKNOWN:
        return Line(item, looked.verdict, looked.evidence, owner)
    if today > said.until:
        over = f"declared by {said.owner} until {said.until}, which is over: {said.reason}"
        return Line(item, Verdict.FAIL, (*looked.evidence, over), said.owner, said)
    return Line(item, Verdict.DECLARED, looked.evidence, said.owner, said)
