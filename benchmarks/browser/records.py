"""Cases and what a browser did with them, as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "data" / "browser"


@dataclass(frozen=True)
class Case:
    """Header lines to be answered with. ``about``: the group of cases, each observed in one way."""

    about: str
    lines: tuple[str, ...]
    host: str = ""
    """The host that has to answer, where the case depends on it."""


@dataclass(frozen=True)
class Record:
    """One case, and what one browser did with it: an answer to each thing that was asked."""

    about: str
    lines: tuple[str, ...]
    host: str
    did: dict[str, Any]
    browser: str
    version: str

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The lines as the review takes them."""
        split = (line.partition(":") for line in self.lines)
        return tuple((name, value.strip(" \t")) for name, _, value in split)

    @property
    def name(self) -> str:
        """How a case is called in lists and tests."""
        return f"{self.browser} {self.about}: {' | '.join(self.lines)}"[:160]


def write(path: Path, records: Iterable[Record]) -> None:
    """Keep records, in the order of the cases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(vars(record), sort_keys=True) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def read(path: Path) -> list[Record]:
    """The records of one file."""
    made = (json.loads(line) for line in path.read_text(encoding="ascii").splitlines())
    return [Record(**{**one, "lines": tuple(one["lines"])}) for one in made]


def recorded() -> list[Record]:
    """All records of all browsers."""
    return [record for path in sorted(FOLDER.glob("*.jsonl")) for record in read(path)]
