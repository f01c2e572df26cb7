"""What applying the site files would change: added, changed key by key, gone and so disabled. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headersweep.definition import SiteDefinition
from headersweep.policies import Waiver

FILE_SOURCE = "file"


class ChangeKind(StrEnum):
    """What happens to a site."""

    ADDED = "added"
    CHANGED = "changed"
    DISABLED = "disabled"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class KnownSite:
    """A site as the database has it."""

    name: str
    source: str
    enabled: bool
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """One key of a site and what becomes of it; ``None`` where it was or is not there."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True)
class SiteChange:
    """What happens to one site, and through which keys."""

    name: str
    kind: ChangeKind
    differences: tuple[Difference, ...] = ()

    def touches(self, *keys: str) -> bool:
        """Whether one of these keys differs."""
        return any(difference.key in keys for difference in self.differences)


def compare(wanted: Iterable[SiteDefinition], known: Iterable[KnownSite]) -> list[SiteChange]:
    """What becomes of each site that a file names or named, by name; sites made for a URL are left alone."""
    known_by_name = {site.name: site for site in known}
    wanted_by_name = {definition.name: definition for definition in wanted}
    changes = [_change(definition, known_by_name.get(name)) for name, definition in wanted_by_name.items()]
    changes += [
        SiteChange(site.name, ChangeKind.DISABLED, (Difference("enabled", old=True, new=False),))
        for site in known_by_name.values()
        if site.source == FILE_SOURCE and site.enabled and site.name not in wanted_by_name
    ]
    return sorted(changes, key=lambda change: change.name)


def _change(definition: SiteDefinition, known: KnownSite | None) -> SiteChange:
    if known is None:
        return SiteChange(definition.name, ChangeKind.ADDED)
    # The switch in the database counts, not the one in the definition that was applied: somebody may have turned it.
    old = flat({**known.definition, "enabled": known.enabled, "source": known.source})
    new = flat({**json.loads(json.dumps(definition.as_json())), "source": FILE_SOURCE})
    differences = tuple(
        Difference(key, old.get(key), new.get(key))
        for key in {**new, **old}
        if key not in old or key not in new or old[key] != new[key]
    )
    kind = ChangeKind.CHANGED if differences else ChangeKind.UNCHANGED
    return SiteChange(definition.name, kind, differences)


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """A definition's JSON with one value a key: tables are opened, and each expectation, waiver and cache rule stands by itself."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        elif key in _NAMED:
            found.update({f"{key} {_NAMED[key](item)}": item for item in value})
        else:
            found[key] = value
    return found


def waiver_key(waiver: Waiver) -> str:
    """The key under which a waiver stands in a flat definition."""
    return f"waiver {waiver.label}"


_NAMED: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "expect": lambda item: str(item["name"]),
    "waiver": lambda item: Waiver.from_json(item).label,
    "switch": lambda item: str(item["what"]),
    "declare": lambda item: str(item["item"]),
    "cache": lambda item: str(item["name"]),
}
"""Lists whose items have names: each item is a key of its own, so that a change of one does not show all."""
