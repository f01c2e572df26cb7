"""Active probes: requests beyond the pages of a run, which a site asks for by name. Pure: what is asked, and its limits.

A probe is one request to an origin of the site and its answer. Probes that belong together share their key and are asked
in the order of their steps, each at the earliest ``gap`` seconds after the one before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ProbeKind(StrEnum):
    """What a probe is for. A kind is a key of the table ``[probes]`` in site files and has a planter in scheduler/probing.py."""

    CORS = "cors"
    EXPOSED_FILES = "exposed_files"
    UPLOAD_LIMIT = "upload_limit"
    REPORTING_ENDPOINTS = "reporting_endpoints"
    ERROR_PAGE = "error_page"
    CACHE = "cache"


class ProbeState(StrEnum):
    """Where a probe stands: waiting -> answered (whatever the status) or failed."""

    WAITING = "waiting"
    ANSWERED = "answered"
    FAILED = "failed"


class GivenUp(StrEnum):
    """Why a probe failed without an answer of the network, beside the reasons of pages (``states.FailureReason``)."""

    ROBOTS_DENIED = "robots_denied"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    LOST = "lost"
    EXPIRED = "expired"
    SWITCHED_OFF = "switched_off"


MAX_ATTEMPTS = 3
"""A probe is tried so often; attempts are counted when it is claimed, so that none can take down workers for ever."""

EXPIRES_SECONDS = 86_400
"""A probe that nobody could make for so long would say nothing about its run any more."""

MAX_BODY_BYTES = 64 * 1024
"""At most so much of a body is read, in memory; what is kept of it is the kind's to say, and by default nothing is."""

MAX_KEY = 2_100
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT"})
FORBIDDEN_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "expect",
        "user-agent",
    }
)
"""Nobody's credentials, and nothing that frames a message: a probe is a request like any other."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[!-~](?:[ -~]{0,998}[!-~])?")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """One request. ``length`` announces a body of so many bytes with ``Expect: 100-continue``; none is ever sent."""

    url: str
    method: str = "GET"
    headers: tuple[Pair, ...] = ()
    length: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no request of a probe; ValueError."""
        if self.method not in METHODS:
            raise ValueError(f"{self.method!r} is no method of a probe")
        for name, value in self.headers:
            if not _NAME.fullmatch(name) or name.lower() in FORBIDDEN_HEADERS or not _VALUE.fullmatch(value):
                raise ValueError(f"{name[:100]!r} is no header of a probe, or its value is none")
        if self.length is not None and (self.length < 1 or self.method not in {"POST", "PUT"}):
            raise ValueError("only POST and PUT announce a body, of one byte at least")

    def as_json(self) -> dict[str, Any]:
        """As kept in ``probes.request``; what is as usual is left out."""
        values: dict[str, Any] = {"url": self.url, "method": self.method}
        if self.headers:
            values["headers"] = [list(pair) for pair in self.headers]
        if self.length is not None:
            values["length"] = self.length
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ProbeRequest:
        """The request that ``as_json`` wrote; ValueError, TypeError or KeyError where it did not."""
        pairs = tuple((str(name), str(value)) for name, value in values.get("headers", ()))
        return cls(values["url"], values["method"], pairs, values.get("length"))


@dataclass(frozen=True, slots=True)
class PlannedProbe:
    """One probe as it is planted: (kind, key, step) names it within its run. ``context`` is what its judge must know."""

    kind: ProbeKind
    key: str
    step: int
    request: ProbeRequest
    gap: float = 0.0
    context: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The request with its context, as kept in ``probes.request``."""
        return {**self.request.as_json(), **({"context": self.context} if self.context else {})}
