"""What the review wants to know of a body: facts small enough to be kept, read once where the body was read anyway.

Facts have a canonical text, and a hash of it, so that the pages of one template have one row in common::

    {"challenge":"","loads":[["script","https://cdn.example",false,false]],"meta_policies":[],...,"version":"facts/1"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERSION = "facts/1"


@dataclass(frozen=True, slots=True, order=True)
class Loaded:
    """One script, style sheet, frame or other thing that a page loads, without path and query of its URL.

    ``kind`` is ``script``, ``iframe`` (frames too), ``embed``, ``object``, ``stylesheet``, ``preload``, ``modulepreload``;
    ``img`` and ``media`` are there only where they name http. ``source`` is scheme and host and port; it begins with
    ``//`` where the page leaves the scheme open, and is empty for the page's own origin. ``has_crossorigin``: asked with CORS,
    be it by the attribute or as a module.
    """

    kind: str
    source: str
    has_integrity: bool = False
    has_crossorigin: bool = False


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """Facts about one page's body. Empty tuples: looked at, and nothing found."""

    meta_policies: tuple[str, ...] = ()
    """Contents of ``<meta http-equiv=content-security-policy>`` in the head, in order."""

    meta_referrers: tuple[str, ...] = ()
    """Contents of ``<meta name=referrer>``, in order; the last recognised one counts."""

    loads: tuple[Loaded, ...] = ()
    """What the page loads from elsewhere, each once."""

    challenge: str = ""
    """Which firewall's block or challenge page this looks like; empty for none."""

    is_listing: bool = False
    """Whether the page lists a folder of the server, as servers make such pages by themselves."""

    secrets: tuple[str, ...] = ()
    """Kinds of secrets that the beginning of the body seems to hold, sorted; never the secrets."""


def canonical_text(facts: BodyFacts) -> str:
    """The facts as JSON without any choice in it; ASCII, and without what a database refuses."""
    value: dict[str, Any] = {
        "version": VERSION,
        "meta_policies": facts.meta_policies,
        "meta_referrers": facts.meta_referrers,
        "loads": [[one.kind, one.source, one.has_integrity, one.has_crossorigin] for one in facts.loads],
        "challenge": facts.challenge,
    }
    # Left out where there is nothing: most pages keep the text, and so the hash, that they had before these were read.
    if facts.is_listing:
        value["is_listing"] = True
    if facts.secrets:
        value["secrets"] = facts.secrets
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def content_hash(text: str) -> bytes:
    """The key of a canonical text: SHA-256, the very last step."""
    return hashlib.sha256(text.encode()).digest()


def from_json(value: Mapping[str, Any]) -> BodyFacts:
    """The facts that a canonical text was made of."""
    return BodyFacts(
        tuple(value["meta_policies"]),
        tuple(value["meta_referrers"]),
        tuple(Loaded(*one) for one in value["loads"]),
        value["challenge"],
        value.get("is_listing", False),
        tuple(value.get("secrets", ())),
    )
