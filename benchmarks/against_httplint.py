"""Our freshness by RFC 9111 against httplint's, over a generated table: ``python -m benchmarks.against_httplint``.

Needs httplint (``pip install httplint``, for this alone), and says so where it is not there. Both are asked whether a shared cache may
store an answer, and for how many seconds it is fresh where it says so itself.
"""

from __future__ import annotations

import argparse
import email.utils
import importlib
import importlib.util
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from headersweep.cacherules import CacheKind
from review import cachekinds
from review import received as reading
from review.caching import Sharing

NOW = 1_800_000_000
SHOWN = 3

CONTROLS = (
    "",
    "max-age=600",
    "max-age=0",
    "s-maxage=60",
    "public",
    "private",
    "no-store",
    "no-cache",
    "must-revalidate",
)
EXPIRES = (None, 600, -600, "0", "rubbish")
AGES = (None, "0", "30", "900")
STATUSES = (200, 301, 302, 404, 500)
VARIES = (None, "*", "Accept")

Pairs = list[tuple[str, str]]


def table() -> Iterator[tuple[Pairs, int]]:
    """Every pair of directives with every Expires, Age, status and Vary."""
    for first, second in itertools.combinations_with_replacement(CONTROLS, 2):
        control = ", ".join(dict.fromkeys(each for each in (first, second) if each))
        for expires, age, status, vary in itertools.product(EXPIRES, AGES, STATUSES, VARIES):
            yield _pairs(control, expires, age, vary), status


def _pairs(control: str, expires: int | str | None, age: str | None, vary: str | None) -> Pairs:
    when = _date(expires) if isinstance(expires, int) else expires
    given = (("Cache-Control", control or None), ("Expires", when), ("Age", age), ("Vary", vary))
    return [("Date", _date(0)), *((name, value) for name, value in given if value is not None)]


def _date(offset: int) -> str:
    return email.utils.formatdate(NOW + offset, usegmt=True)


def ours(pairs: Pairs, status: int) -> tuple[bool, int | None]:
    """Whether it may be stored, and for how long it says that it is fresh."""
    said = cachekinds.permitted(reading.received(pairs, status=status), CacheKind.RFC9111)
    if said.sharing is Sharing.NEVER:
        return False, None
    if said.sharing is Sharing.GUESSING:
        return True, None
    return True, said.lifetime if said.sharing is Sharing.FRESH else 0


def theirs(pairs: Pairs, status: int) -> tuple[bool, int | None]:
    """The same by httplint, whose lifetimes may be negative, do not look at no-cache, and are 0 where nothing says any."""
    linter: Any = importlib.import_module("httplint.message").HttpResponseLinter(start_time=NOW)
    linter.process_response_topline(b"HTTP/1.1", str(status).encode(), b"")
    linter.process_headers([(name.encode(), value.encode()) for name, value in pairs])
    linter.finish_content(True)
    found = linter.caching
    if not found.store_shared:
        return False, None
    names = " ".join(f"{name}={value}" for name, value in pairs).lower()
    stated = any(word in names for word in ("max-age", "s-maxage", "expires", "no-cache"))
    if not stated:
        return True, None
    return True, 0 if "no-cache" in names else max(found.freshness_lifetime_shared, 0)


def main() -> int:
    """Print how many verdicts agree, and a few that do not, by what they have in common."""
    argparse.ArgumentParser(prog="python -m benchmarks.against_httplint", description=__doc__).parse_args()
    if importlib.util.find_spec("httplint") is None:
        print("skipped: httplint is not installed (pip install httplint)")
        return 0
    rows = list(table())
    different: dict[tuple[Any, Any], list[str]] = {}
    agreeing = Counter[str]()
    for pairs, status in rows:
        mine, other = ours(pairs, status), theirs(pairs, status)
        agreeing["stored or not"] += mine[0] is other[0]
        agreeing["lifetime"] += mine == other
        if mine != other:
            text = f"{status} {'; '.join(f'{name}: {value}' for name, value in pairs[1:])}"
            different.setdefault((mine, other), []).append(text)
    for what, number in agreeing.items():
        print(f"{what}: {number:,} of {len(rows):,} agree")
    for (mine, other), texts in sorted(different.items(), key=lambda each: -len(each[1])):
        print(f"{len(texts)} times ours {mine}, theirs {other}, as in")
        for text in texts[:SHOWN]:
            print(f"    {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
