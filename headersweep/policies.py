"""What a site's owner demands of its headers and what he excuses, as written in its file. Judging is ``review.policy``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from headersweep.cacherules import CacheKind, CacheRule

EVERYWHERE = "*"
"""The path scope that holds every page."""

ALERT = "alert:"
"""Begins a switch that is about the alert of an event."""

ALL_OF = ".*"
"""How the code of a waiver ends that is for all findings of a concern: ``csp.*``."""

FINDING_SEVERITIES = ("info", "low", "medium", "high")


class Profile(StrEnum):
    """The named lists of requirements that stand in ``review.policy.profiles``."""

    RECOMMENDED = "recommended"
    OWASP_2026_07 = "owasp-2026-07"
    ASVS_5_L1 = "asvs-5.0-l1"
    ASVS_5_L2 = "asvs-5.0-l2"
    ASVS_5_L3 = "asvs-5.0-l3"
    API = "api"


class ValueTest(StrEnum):
    """How an expectation looks at the value that was received."""

    EQUALS = "equals"
    CONTAINS = "contains"
    MATCHES = "matches"
    ABSENT = "absent"
    PRESENT = "present"

    @property
    def takes_text(self) -> bool:
        """Whether there is something to compare with."""
        return self not in {ValueTest.ABSENT, ValueTest.PRESENT}


@dataclass(frozen=True)
class Expectation:
    """One thing that an owner expects of a header, on the pages of a path and of some response classes."""

    name: str
    owner: str
    why: str
    header: str
    test: ValueTest
    value: str = ""
    path: str = EVERYWHERE
    classes: tuple[str, ...] = ()
    """Empty: all of them."""
    severity: str = "medium"
    enabled: bool = True

    def as_json(self) -> dict[str, Any]:
        """The expectation with the keys of a site file."""
        values = {**_asked(self), "class": list(self.classes)}
        del values["test"], values["value"], values["classes"]
        return {**values, str(self.test): self.value if self.test.takes_text else True}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Expectation:
        """The expectation that ``as_json`` wrote."""
        values = {**data, "classes": tuple(data.get("class", ()))}
        values.pop("class", None)
        test = next(each for each in ValueTest if each in values)
        value = values.pop(test)
        return cls(**values, test=test, value=value if test.takes_text else "")


@dataclass(frozen=True)
class Waiver:
    """A finding that an owner accepts until a day, which is the last on which it is excused."""

    code: str
    owner: str
    reason: str
    expires: date
    rollback_note: str
    subject: str = ""
    """Empty: whatever the finding is about."""
    path: str = EVERYWHERE
    enabled: bool = True

    @property
    def label(self) -> str:
        """What it excuses, in a few words; two waivers of a site never have the same."""
        about = f" ({self.subject})" if self.subject else ""
        where = "" if self.path == EVERYWHERE else f" in {self.path}"
        return f"{self.code}{about}{where}"

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires

    def as_json(self) -> dict[str, Any]:
        """The waiver with the keys of a site file."""
        return {**_asked(self), "expires": self.expires.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Waiver:
        """The waiver that ``as_json`` wrote."""
        return cls(**{**data, "expires": date.fromisoformat(data["expires"])})


@dataclass(frozen=True)
class Switch:
    """Whether findings are looked for, or an event raises an alert, who decided that, and why."""

    what: str
    """A code, all codes of a concern (``csp.*``), or an event's alert (``alert:run.stuck``)."""
    owner: str
    reason: str
    enabled: bool = False

    def covers(self, code: str) -> bool:
        """Whether it is about that code."""
        return code.startswith(self.what.removesuffix("*")) if self.is_wide else code == self.what

    @property
    def is_wide(self) -> bool:
        """Whether it is about a whole concern."""
        return self.what.endswith(ALL_OF)

    def as_json(self) -> dict[str, Any]:
        """The switch with the keys of a site file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Switch:
        """The switch that ``as_json`` wrote."""
        return cls(**data)


def deciding(switches: Iterable[Switch], code: str) -> Switch | None:
    """The switch that decides about a code: the one that names it before one that names its concern; None: it is on."""
    about = sorted((switch for switch in switches if switch.covers(code)), key=lambda each: each.is_wide)
    return about[0] if about else None


def merged(own: Iterable[Switch], everywhere: Iterable[Switch]) -> tuple[Switch, ...]:
    """A site's own switches, and those for every site that it says nothing about."""
    mine = tuple(own)
    said = {switch.what for switch in mine}
    return mine + tuple(switch for switch in everywhere if switch.what not in said)


@dataclass(frozen=True)
class Policy:
    """All that a site's owner says about its headers."""

    profile: Profile = Profile.RECOMMENDED
    expectations: tuple[Expectation, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    switches: tuple[Switch, ...] = ()
    cache: tuple[CacheRule, ...] = ()
    cache_kind: CacheKind = CacheKind.RFC9111

    def switched_off(self, code: str) -> Switch | None:
        """The switch by which a code is off; None where it is on."""
        switch = deciding(self.switches, code)
        return switch if switch is not None and not switch.enabled else None


def _asked(item: Expectation | Waiver) -> dict[str, Any]:
    """Its values, without the ``enabled`` that says nothing new: workers of earlier versions do not know that key."""
    values = asdict(item)
    if item.enabled:
        del values["enabled"]
    return values
