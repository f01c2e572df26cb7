"""Our reading of RFC 9111 against the fixtures of cache-tests.fyi: ``python -m benchmarks.cache_tests FOLDER``.

FOLDER is an unpacked npm package ``http-cache-tests`` (``npm pack http-cache-tests``; BSD-3-Clause; nothing of it is kept
here), which node reads. Asked are its tests of two plain requests: a response, a pause, and whether a cache may answer.
"""

from __future__ import annotations

import argparse
import email.utils
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from headersweep.cacherules import CacheKind
from review import cachekinds
from review import received as reading
from review.cachekinds import Asked, Later

PAUSE_SECONDS = 3
"""What ``pause_after`` means there."""

_EXPORT = """
import tests from './tests/index.mjs';
process.stdout.write(JSON.stringify(tests.flatMap(suite => suite.tests.map(test => ({...test, suite: suite.id})))));
"""
_DATES = frozenset({"date", "expires", "last-modified"})
_APART = frozenset({"surrogate-control", "stale", "partial", "other", "update304", "updateHead"})
"""Groups about other things than the freshness of one stored response."""


class Asking(NamedTuple):
    """One test as we can be asked it: the answer, whether it may be reused, and how the standard demands that."""

    id: str
    suite: str
    kind: str
    answer: reading.Received
    later: Later
    expected: bool


def main() -> int:
    """Print how many verdicts agree, and those that do not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache_tests", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    said = subprocess.run(
        ["node", "--input-type=module", "-e", _EXPORT], cwd=folder, capture_output=True, text=True, check=True
    )
    asked = [each for test in json.loads(said.stdout) if (each := _asking(test)) is not None]
    agreeing: Counter[str] = Counter()
    for each in asked:
        verdict = cachekinds.serves(each.answer, CacheKind.RFC9111, each.later)
        # A lifetime that is left to the cache is neither right nor wrong, where the test wants nothing forbidden.
        agrees = verdict is each.expected or (verdict is None and each.expected)
        agreeing[each.suite] += agrees
        if not agrees:
            pairs = "; ".join(f"{name}: {value}" for name, value in each.answer.pairs)
            print(f"{each.suite} {each.id} ({each.kind}): expected {each.expected}, ours {verdict}: {pairs}")
    total = Counter(each.suite for each in asked)
    for suite, number in total.items():
        print(f"{suite}: {agreeing[suite]} of {number}")
    print(f"all: {agreeing.total()} of {total.total()}")
    return 0


def _asking(test: dict[str, Any]) -> Asking | None:
    requests = test["requests"]
    kind = test.get("kind", "required")
    if len(requests) != 2 or test["suite"] in _APART or test.get("browser_only") or kind == "check":
        return None
    first, second = requests
    expected = {"cached": True, "not_cached": False}.get(second.get("expected_type", ""))
    methods = {each.get("request_method", "GET") for each in requests}
    if expected is None or methods != {"GET"} or second.get("request_headers") or second.get("query_arg"):
        return None
    asked = Asked(
        headers=tuple((name.lower(), str(value)) for name, value in first.get("request_headers", ()))
    )
    status = first.get("response_status", [200])[0]
    answer = reading.received(_headers(first.get("response_headers", ())), status=status, scheme="http")
    pause = PAUSE_SECONDS if first.get("pause_after") else 0
    return Asking(test["id"], test["suite"], kind, answer, Later(asked, Asked(), pause), expected)


def _headers(given: Any) -> list[tuple[str, str]]:
    now = int(time.time())
    found = list(_pairs(given, now))
    if not any(name.lower() == "date" for name, _ in found):
        found.append(("Date", email.utils.formatdate(now, usegmt=True)))
    return found


def _pairs(given: Any, now: int) -> Iterator[tuple[str, str]]:
    for name, value, *_ in given:
        if name.lower() in _DATES and isinstance(value, int):
            yield name, email.utils.formatdate(now + value, usegmt=True)
        else:
            yield name, str(value)


if __name__ == "__main__":
    sys.exit(main())
