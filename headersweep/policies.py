"""What a site's owner demands of its headers and what he excuses, as written in its file. Judging is ``review.policy``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from headersweep.cacherules import CacheKind, CacheRule

EVERYWHERE = "*"
"""The path scope that holds every page."""

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

    def as_json(self) -> dict[str, Any]:
        """The expectation with the keys of a site file."""
        values = {**asdict(self), "class": list(self.classes)}
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
        return {**asdict(self), "expires": self.expires.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Waiver:
        """The waiver that ``as_json`` wrote."""
        return cls(**{**data, "expires": date.fromisoformat(data["expires"])})


@dataclass(frozen=True)
class Policy:
    """All that a site's owner says about its headers."""

    profile: Profile = Profile.RECOMMENDED
    expectations: tuple[Expectation, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    cache: tuple[CacheRule, ...] = ()
    cache_kind: CacheKind = CacheKind.RFC9111
