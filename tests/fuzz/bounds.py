"""What holds for every target beside its own promises: an input takes its time, and twice the input at most about twice the work."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable
from types import FrameType

Target = Callable[[bytes], None]

FIXED_SECONDS = 0.25
SECONDS_PER_BYTE = 50e-6
"""Generous: the code is watched while it is fuzzed, and the machine may be busy. It finds hangs, not slowness."""

GROWN_BYTES = 1_500
MOST_GROWTH = 2.6
FIXED_CALLS = 2_500
"""What does not grow, what a cache hides, and what begins only behind a limit."""
MOST_DOUBLINGS = 4
ONE_IN = 256


def bounded(target: Target, data: bytes) -> None:
    """Run a target; its time is bounded, and for some inputs the growth of its work as well."""
    began = time.thread_time()
    target(data)
    took = time.thread_time() - began
    most = FIXED_SECONDS + len(data) * SECONDS_PER_BYTE
    assert took < most, f"{len(data)} bytes took {took:.3f} s"
    if data and zlib.crc32(data) % ONE_IN == 0:
        grown(target, data)


def grown(target: Target, data: bytes) -> None:
    """The input repeated to some length, and to twice that length: twice the calls at most, more or less.

    Two copies may be something else than one (a second side, a second header): then four are held to two, and eight to four.
    """
    times = GROWN_BYTES // len(data) + 1
    found = [calls(lambda: target(data * times))]
    while len(found) < MOST_DOUBLINGS:
        found.append(calls(lambda: target(data * times * 2 ** len(found))))
        if found[-1] <= found[-2] * MOST_GROWTH + FIXED_CALLS:
            return
    raise AssertionError(f"{times} times and its doubles: {found} calls")


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those in C as well."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
