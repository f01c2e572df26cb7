"""A wall clock that is wrong, for this process alone and at Python's level; the monotonic clock stays right."""

from __future__ import annotations

import copyreg
import datetime as dt
import time
from typing import Any


def shift(seconds: float) -> None:
    """Let the wall clock of this process be ahead (or behind, if negative). The monotonic clock stays."""
    now, now_ns, gmtime, localtime = time.time, time.time_ns, time.gmtime, time.localtime
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 1e9)
    time.gmtime = lambda at=None: gmtime(now() + seconds if at is None else at)
    time.localtime = lambda at=None: localtime(now() + seconds if at is None else at)
    real = dt.datetime
    ahead = dt.timedelta(seconds=seconds)

    class Kind(type):
        """Makes what C code built count as one of ours."""

        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, real)

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, real)

    class Shifted(real, metaclass=Kind):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.now(tz) + ahead

        @classmethod
        def utcnow(cls) -> Any:
            return real.now(dt.UTC).replace(tzinfo=None) + ahead

        @classmethod
        def today(cls) -> Any:
            return real.now() + ahead

    Shifted.__name__ = Shifted.__qualname__ = "datetime"
    Shifted.__module__ = "datetime"
    # What C code built is pickled as one of ours: pickle finds classes by their names (the beat's schedule is a shelf).
    copyreg.pickle(
        real, lambda moment: (Shifted, (*moment.timetuple()[:6], moment.microsecond, moment.tzinfo))
    )
    dt.datetime = Shifted  # type: ignore[misc]
