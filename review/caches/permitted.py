"""What a shared cache may do with an answer, and the dates by which caches decide that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headersweep import cookies
from review.caching import Sharing
from review.received import Received


@dataclass(frozen=True, slots=True)
class Permitted:
    """What a shared cache may do with an answer, for how long, and what decided."""

    sharing: Sharing
    lifetime: int | None = None
    """Seconds from when the origin made it; None where nothing says so."""
    age: int = 0
    """Seconds of it that were over when it came, as far as the cache counts them."""
    why: str = ""
    stale_for: int = 0
    """Seconds for which the cache gives it out beyond its lifetime, while it asks for a new one."""

    def reusable(self, after: float) -> bool | None:
        """Whether it may be given to another visitor that many seconds later without asking; None: nobody can say."""
        if self.sharing.rank < Sharing.GUESSING.rank:
            return False
        return None if self.lifetime is None else self.age + after < self.lifetime + self.stale_for


def instant(received: Received, name: str) -> int | None:
    """The instant in the first line of a header; None where it is none."""
    values = received.values(name)
    return cookies.instant(values[0]) if values else None


_MONTHS = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")


def strict_instant(text: str) -> int | None:
    """A date as nginx and Varnish read it: only with a month in the case that the standard has."""
    return cookies.instant(text) if _MONTHS.search(text) else None
