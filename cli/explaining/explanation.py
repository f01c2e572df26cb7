"""One explanation, and where things stand in the code."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headersweep.policies import Switch

PACKAGES = ("headersweep", "review", "models", "scheduler", "worker", "cli")
MAINTAINERS = "the maintainers of headersweep"
OPERATOR = "whoever operates headersweep"
SITE_OWNER = "the site's owner"
MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """What something is, why it is there, how to switch it off, who answers for it, and where it stands in the code."""

    kind: str
    name: str
    what: str
    why: str
    off: str
    owner: str
    seek: str
    """What is looked for in our sources to find where it stands; empty: nowhere."""
    see: str = ""
    decided: str = ""
    """Who switched it off, and why; empty while it is on."""

    @property
    def enabled(self) -> bool:
        """Whether it is on."""
        return not self.decided

    def where(self) -> tuple[str, ...]:
        """File and line of the first places in our own sources that name it; empty where there are none."""
        return places(self.seek) if self.seek else ()


def who_switched_off(switch: Switch | None) -> str:
    """Who decided that something is off, and why; empty where it is on."""
    return "" if switch is None or switch.enabled else f"{switch.owner}: {switch.reason}"


def places(seek: str) -> tuple[str, ...]:
    """The first places in our sources that match a pattern, as ``folder/file.py:line``."""
    pattern = re.compile(seek)
    found: list[str] = []
    for name, lines in _sources():
        found += [f"{name}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]
        if len(found) >= MOST_PLACES:
            break
    return tuple(found[:MOST_PLACES])


@cache
def _sources() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[str, tuple[str, ...]]]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                name = f"{package}/{path.relative_to(folder).as_posix()}"
                if not name.startswith("cli/explaining/"):
                    yield name, tuple(path.read_text(encoding="utf-8").splitlines())
