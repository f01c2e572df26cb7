"""What the review wants to know of a body: facts small enough to be kept, read once where the body was read anyway."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loaded:
    """One script, style sheet, frame or other thing that a page loads, without path and query of its URL.

    ``kind`` is the element's name, ``source`` scheme and host and port, empty for the page's own origin.
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
