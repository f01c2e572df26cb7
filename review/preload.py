"""The browsers' HSTS preload list, as Chromium publishes it: who is on it, and who is about to leave it. Pure: text in.

The list is data with a date and no part of the program. Without it nobody knows who is listed, and nothing is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from headersweep.responses import ResponseClass
from review import contexts, hsts
from review.finding import Finding, Rule, Severity
from review.received import Received

HEADER = "strict-transport-security"
_LINK = "https://hstspreload.org/"
_COMMENTS = re.compile(r"^[ \t]*//.*$", re.MULTILINE)
_SUBDOMAINS, _BULK = 1, 2

NOT_LISTED = Rule(
    code="preload.not_listed",
    severity=Severity.INFO,
    title="Strict-Transport-Security asks for preloading, and the host is not on the list",
    browser="It learns of https on the first visit: the word preload means nothing to it, only its built-in list does.",
    why="The very first visit is not protected, though the header looks as if it were.",
    fix="Submit the registrable domain at hstspreload.org.\nIt takes weeks until browsers have it. Or leave out preload.",
    link=_LINK,
)
REMOVAL_RISK = Rule(
    code="preload.removal_risk",
    severity=Severity.MEDIUM,
    title="The host is on the preload list, and its header no longer qualifies",
    browser="It uses https alone for this host, until a version comes whose list has the host no more.",
    why="Hosts that were submitted may be removed as soon as their header falls short; the first visit is then unprotected again.",
    fix="Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\n"
    "To leave the list on purpose, ask for removal at hstspreload.org and wait for it before anything goes back to http.",
    link=f"{_LINK}removal/",
)
RULES = (NOT_LISTED, REMOVAL_RISK)
BY_CODE = {rule.code: rule for rule in RULES}


class UnreadableError(ValueError):
    """Text that is no preload list."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The entry that covers a host: its own, or a parent's with subdomains."""

    name: str
    include_subdomains: bool
    submitted: bool
    """Whether its owner submitted it, so that it may be removed when its header falls short."""


@dataclass(frozen=True)
class PreloadList:
    """Every host that browsers ask over https alone, as one text of three megabytes: objects would take twenty."""

    as_of: date
    size: int
    text: str

    @property
    def title(self) -> str:
        """The list as findings name it."""
        return f"the preload list of {self.as_of} ({self.size:,} hosts)"

    def entry(self, host: str) -> Listed | None:
        """The entry that makes browsers ask a host over https; None where there is none."""
        return _entry(self.text, host.lower().removesuffix("."))


@lru_cache(maxsize=4096)
def _entry(text: str, host: str) -> Listed | None:
    name = "" if contexts.is_address(host) else host
    while name:
        flags = _flags(text, f"{name}\t")
        if flags is not None and (name == host or flags & _SUBDOMAINS):
            return Listed(name, bool(flags & _SUBDOMAINS), bool(flags & _BULK))
        name = name.partition(".")[2]
    return None


def _flags(text: str, wanted: str) -> int | None:
    """What stands behind a name in sorted lines, by halving."""
    low, high = 0, len(text)
    while low < high:
        begin = max(text.rfind("\n", low, (low + high) // 2) + 1, low)
        end = text.index("\n", begin) + 1
        if text.startswith(wanted, begin):
            return int(text[begin + len(wanted) : end])
        low, high = (end, high) if text[begin:end] < wanted else (low, begin)
    return None


def parse(text: str, as_of: date) -> PreloadList:
    """The list in the shape of Chromium's transport_security_state_static.json, which is JSON with lines of comments."""
    try:
        found = json.loads(_COMMENTS.sub("", text), object_hook=_slim)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"it is no JSON: {error}") from error
    entries = found.get("entries") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise UnreadableError("it has no list called entries")
    lines = sorted({entry for entry in entries if isinstance(entry, str) and entry})
    if not lines:
        raise UnreadableError("no entry has the mode force-https")
    return PreloadList(as_of, len(lines), "\n".join((*lines, "")))


def _slim(found: dict[str, Any]) -> Any:
    """An entry as a line of the compact text, as soon as it is read; entries that only pin keys are empty."""
    name = found.get("name")
    if "entries" in found or not isinstance(name, str):
        return found
    if found.get("mode") != "force-https" or "\n" in name or "\t" in name:
        return ""
    policy = found.get("policy")
    flags = _SUBDOMAINS if found.get("include_subdomains") is True else 0
    flags |= _BULK if isinstance(policy, str) and policy.startswith("bulk-") else 0
    return f"{name.lower()}\t{flags}"


def judge(received: Received, known: PreloadList) -> Iterator[Finding]:
    """What the list makes of an answer over https of a host whose name is known."""
    if not received.secure or not received.host or received.response_class is ResponseClass.BLOCKED:
        return
    listed = known.entry(_name(received.host))
    policy = hsts.read(received.values(HEADER), received.scheme, received.host)
    line = received.line(HEADER)
    if listed is None:
        if policy is not None and policy.preload:
            yield NOT_LISTED.found(line, subject=_name(received.host), detail=f"not on {known.title}")
    elif listed.submitted and listed.name == _name(received.host) and not _qualifies(policy):
        yield REMOVAL_RISK.found(line, subject=listed.name, detail=f"on {known.title}")


def _qualifies(policy: hsts.Policy | None) -> bool:
    return (
        policy is not None
        and policy.max_age >= hsts.YEAR_SECONDS
        and policy.include_subdomains
        and policy.preload
    )


def _name(host: str) -> str:
    return host.partition(":")[0].lower().removesuffix(".")


def explained(findings: Iterable[Finding], host: str, known: PreloadList) -> Iterator[Finding]:
    """The findings, those about Strict-Transport-Security with what the list says of the host."""
    listed = known.entry(_name(host))
    said = f"{listed.name} is on {known.title}" if listed else f"the host is not on {known.title}"
    for finding in findings:
        if finding.code.startswith("hsts."):
            detail = f"{finding.detail}; {said}" if finding.detail else said
            yield Finding(finding.code, finding.severity, finding.evidence, finding.subject, detail)
        else:
            yield finding


def as_json(host: str, known: PreloadList) -> Mapping[str, Any]:
    """What the list says of a host, for scripts."""
    listed = known.entry(_name(host))
    return {
        "listed": listed is not None,
        "entry": listed.name if listed else None,
        "as_of": known.as_of.isoformat(),
        "hosts": known.size,
    }
