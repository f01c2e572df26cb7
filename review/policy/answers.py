"""One answer with what a browser makes of it, and the questions that requirements ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from review.received import Received

CSP = "content-security-policy"
NONE = ["'none'"]
_WIDE = frozenset({"*", "http:", "https:", "data:", "blob:", "http://*", "https://*"})
_PREFIXES = ("'nonce-", "'sha256-", "'sha384-", "'sha512-")
_SCRIPTS = {
    "script-src-elem": ("script-src-elem", "script-src"),
    "script-src-attr": ("script-src-attr", "script-src"),
}

Directives = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the effective values of its headers, as ``review.judge.effective`` gives them."""

    received: Received
    effective: Mapping[str, Any] = field(default_factory=dict)

    @property
    def policies(self) -> list[Directives]:
        """The directives of each policy that is enforced."""
        found = self.effective.get(CSP) or {}
        return [_lowered(policy["directives"]) for policy in found.get("policies", ())]

    @property
    def cookies(self) -> list[Mapping[str, Any]]:
        """The cookies that a browser keeps."""
        return [cookie for cookie in self.effective.get("set-cookie") or () if cookie["accepted"]]

    def value(self, name: str) -> str:
        """The lines of a header joined, without spaces around; empty without any."""
        return (self.received.combined(name) or "").strip()


def _lowered(directives: Mapping[str, Iterable[str]]) -> Directives:
    """Keywords and hosts ignore case; a nonce is not compared here."""
    return {name: [source.lower() for source in sources] for name, sources in directives.items()}


def hsts_lasts(answer: Answer, seconds: int, *, subdomains: bool) -> bool:
    """Whether browsers come over https for so long; over http there is nothing to demand, they would not listen."""
    if not answer.received.secure:
        return True
    found = answer.effective.get("strict-transport-security") or {"max_age": 0, "include_subdomains": False}
    return found["max_age"] >= seconds and (found["include_subdomains"] or not subdomains)


def sources(policy: Directives, *names: str) -> list[str] | None:
    """The sources of the first of these directives that is there, else of default-src; None without any."""
    return next((policy[name] for name in (*names, "default-src") if name in policy), None)


def only(found: list[str] | None, *allowed: str) -> bool:
    """Whether a directive is there and allows nothing but these; one without sources allows nothing."""
    return found is not None and set(found) <= {*allowed, *NONE}


def has_nonce_or_hash(found: list[str]) -> bool:
    """Whether scripts are named one by one."""
    return any(source.startswith(_PREFIXES) for source in found)


def locks_scripts(policy: Directives) -> bool:
    """Whether only scripts that the site trusts run: by a list of hosts, nonces or hashes."""
    return all(_locks(sources(policy, *names)) for names in _SCRIPTS.values())


def names_scripts(policy: Directives) -> bool:
    """Whether every script element needs a nonce or a hash, or none may run."""
    found = sources(policy, *_SCRIPTS["script-src-elem"])
    return locks_scripts(policy) and found is not None and (only(found) or has_nonce_or_hash(found))


def _locks(found: list[str] | None) -> bool:
    if found is None:
        return False
    named = has_nonce_or_hash(found)
    if "'unsafe-inline'" in found and not named:
        return False
    # With strict-dynamic, which counts only beside a nonce or hash, hosts and schemes are ignored.
    return (named and "'strict-dynamic'" in found) or not _WIDE & set(found)


def frames_listed(policy: Directives) -> bool:
    """Whether not everybody may show the page in a frame."""
    return "frame-ancestors" in policy and not _WIDE & set(policy["frame-ancestors"])


def reports(policy: Directives) -> bool:
    """Whether violations are reported to somebody."""
    return bool(policy.get("report-to") or policy.get("report-uri"))
