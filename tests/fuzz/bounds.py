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
    """The input repeated to some length, and to twice that length: twice the calls at most, more or less."""
    times = GROWN_BYTES // len(data) + 1
    few = calls(lambda: target(data * times))
    many = calls(lambda: target(data * times * 2))
    assert many <= few * MOST_GROWTH + FIXED_CALLS, f"{times} times: {few} calls, twice that: {many}"


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
