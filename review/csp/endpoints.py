"""Which names of endpoints an answer defines, for `report-to` (Reporting API, and the Report-To header before it)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from review import readers
from review.received import Received


def defined(received: Received) -> frozenset[str]:
    """The names that Reporting-Endpoints or Report-To give; none of what a browser cannot parse."""
    return frozenset((*_endpoints(received), *_groups(received)))


def _endpoints(received: Received) -> Iterator[str]:
    combined = received.combined("reporting-endpoints")
    parsed = readers.structured(combined, "dictionary") if combined else None
    for name, member in (parsed or {}).items():
        if isinstance(member, tuple) and isinstance(member[0], str):
            yield name


def _groups(received: Received) -> Iterator[str]:
    for value in (value for value in received.values("report-to") if "{" in value):
        for group in _objects(value):
            if isinstance(group, dict):
                name = group.get("group", "default")
                if isinstance(name, str):
                    yield name


def _objects(value: str) -> list[object]:
    try:
        parsed = json.loads(f"[{value}]")
    except (ValueError, RecursionError):
        return []
    return list(parsed)
