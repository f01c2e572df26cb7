"""Our reader of structured fields against http-sf: ``python -m benchmarks.structured 1000000``.

What our reader makes of each value, as every type, must be what http-sf makes of it. It ends with 1 at the first value that
is read differently.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import Any

import http_sf

from benchmarks import structured_values
from review import structured_fields

KINDS = ("dictionary", "list", "item")


def library(data: bytes, kind: str) -> Any:
    """What http-sf makes of a value; None where it refuses it."""
    try:
        return http_sf.parse(data, tltype=kind)
    except (http_sf.StructuredFieldError, ValueError):
        return None


def differs(data: bytes) -> str:
    """As which type the two read a value differently; empty where they agree. Texts tell 0 from -0.0 and from false."""
    return next(
        (kind for kind in KINDS if repr(structured_fields.parse(data, kind)) != repr(library(data, kind))), ""
    )


def main() -> int:
    """Compare so many values; 1 at the first difference."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structured")
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    chance, began, read = random.Random(wanted.seed), time.perf_counter(), 0  # noqa: S311 - nothing secret
    for _ in range(wanted.count):
        data = structured_values.value(chance)
        if kind := differs(data):
            print(f"{data!r} is read differently as {kind}")
            return 1
        read += any(structured_fields.parse(data, kind) is not None for kind in KINDS)
    took = time.perf_counter() - began
    print(
        f"{wanted.count:,} values in {took:.0f} s, all read as http-sf reads them; {read:,} are valid as one type or more"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
