"""What is judged: one answer with its header lines in order, ready to be asked by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from headersweep import responses
from headersweep.bodyfacts import BodyFacts
from headersweep.responses import ResponseClass

Pair = tuple[str, str]
Read = TypeVar("Read")
WHITESPACE = " \t"
"""What HTTP calls optional whitespace (RFC 9110, section 5.6.3)."""


@dataclass(frozen=True, slots=True)
class Received:
    """One answer. ``host`` is empty where the judgement is for all pages with these headers."""

    pairs: tuple[Pair, ...]
    status: int = 200
    scheme: str = "https"
    host: str = ""
    malformed: tuple[str, ...] = ()
    facts: BodyFacts | None = None
    response_class: ResponseClass = ResponseClass.DOCUMENT
    _by_name: dict[str, tuple[Pair, ...]] = field(default_factory=dict, repr=False, compare=False)
    # What was asked for once: every check asks, and a name may have thousands of lines.
    _values: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lines: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _read: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def secure(self) -> bool:
        """Whether it came over https."""
        return self.scheme == "https"

    @property
    def shown_as(self) -> ResponseClass:
        """What a browser would take a successful answer with these headers for: of an error page, what it shows."""
        return responses.by_type(responses.media_type((name.lower(), value) for name, value in self.pairs))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that were received, in lower case, each once, in order."""
        return tuple(self._by_name)

    def has(self, name: str) -> bool:
        """Whether there is a line of that (lower-case) name."""
        return name in self._by_name

    def values(self, name: str) -> tuple[str, ...]:
        """The values of the lines of that (lower-case) name, in order, without whitespace around them."""
        if name in self._by_name and name not in self._values:
            self._values[name] = tuple([value for _, value in self._by_name[name]])
        return self._values.get(name, ())

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of that (lower-case) name as received: for evidence."""
        if name in self._by_name and name not in self._lines:
            self._lines[name] = tuple([f"{written}: {value}" for written, value in self._by_name[name]])
        return self._lines.get(name, ())

    def line(self, name: str) -> str:
        """All lines of that name as one evidence; empty without any."""
        return self.once(("line", name), lambda: "\n".join(self.lines(name)))

    def combined(self, name: str) -> str | None:
        """The lines joined by a comma and a space, as Fetch's "get" does; None without any."""
        if not self.has(name):
            return None
        return self.once(("combined", name), lambda: ", ".join(self.values(name)))

    def once(self, what: Any, read: Callable[[], Read]) -> Read:
        """What a reader makes of this answer, read once; nobody may change it."""
        if what not in self._read:
            self._read[what] = read()
        found: Read = self._read[what]
        return found


def received(  # noqa: PLR0913 - all of them by keyword, all of them facts about one answer
    pairs: Iterable[Pair],
    *,
    status: int = 200,
    scheme: str = "https",
    host: str = "",
    malformed: Iterable[str] = (),
    facts: BodyFacts | None = None,
) -> Received:
    """An answer to be judged; its class follows from status, headers and what is known of the body."""
    kept = tuple((name, value.strip(WHITESPACE)) for name, value in pairs)
    by_name: dict[str, list[Pair]] = {}
    for pair in kept:
        by_name.setdefault(pair[0].lower(), []).append(pair)
    kind = responses.classify(status, kept)
    if facts is not None and facts.challenge:
        kind = ResponseClass.BLOCKED
    frozen = {name: tuple(found) for name, found in by_name.items()}
    return Received(kept, status, scheme, host, tuple(malformed), facts, kind, frozen)
