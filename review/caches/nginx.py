"""What nginx with ``proxy_cache`` makes of an answer, where nothing else is configured (src/http/ngx_http_upstream.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from review import caching
from review.caches.permitted import Permitted, instant, strict_instant
from review.caching import Sharing
from review.received import Received

LONGEST_VARY = 128
"""In bytes; an answer with a longer one is not kept."""


def permitted(received: Received, now: int | None) -> Permitted:
    """Nginx 1.22 with proxy_cache and no proxy_cache_valid (src/http/ngx_http_upstream.c, ``process_*``).

    It reads headers as they come, and what once forbade storing stays forbidden. It guesses nothing, counts no Age,
    and keeps any status whose headers say for how long.
    """
    reading = _Reading(instant(received, "date") if now is None else now)
    for name, value in received.pairs:
        reader = _READERS.get(name.lower())
        if reader is not None:
            reader(reading, value)
    if reading.forbidden_by:
        return Permitted(Sharing.NEVER, why=reading.forbidden_by)
    if reading.seconds is None:
        return Permitted(Sharing.NEVER, why="nothing says for how long")
    return Permitted(Sharing.FRESH, reading.seconds, why=reading.by)


@dataclass
class _Reading:
    now: int | None
    seconds: int | None = None
    by: str = ""
    forbidden_by: str = ""
    by_accel: bool = False

    def keep(self, seconds: int, by: str) -> None:
        self.seconds, self.by = seconds, by

    def forbid(self, by: str) -> None:
        self.forbidden_by = self.forbidden_by or by


def _control(reading: _Reading, value: str) -> None:
    if reading.by_accel and reading.seconds is not None:
        return
    text = value.lower()
    for word in ("no-cache", "no-store", "private"):
        if word in text:
            reading.forbid(f"cache-control: {word}")
            return
    for word in ("s-maxage=", "max-age="):
        if word in text:
            digits = re.split(r"[,; ]", text.partition(word)[2], maxsplit=1)[0]
            seconds = caching.whole_seconds(digits)
            if not seconds:
                reading.forbid(f"cache-control: {word}{digits[:20]}")
            else:
                reading.keep(seconds, f"cache-control: {word.rstrip('=')}")
            return


def _expires(reading: _Reading, value: str) -> None:
    if reading.seconds is not None:
        return
    until = strict_instant(value)
    if value.startswith("<expires:future>"):
        reading.keep(1, "expires")
    elif until is None or reading.now is None or until < reading.now:
        reading.forbid("expires: passed")
    else:
        reading.keep(until - reading.now, "expires")


def _accel(reading: _Reading, value: str) -> None:
    reading.by_accel = True
    if value == "0":
        reading.forbid("x-accel-expires: 0")
    elif (seconds := caching.whole_seconds(value)) is not None:
        reading.keep(seconds, "x-accel-expires")


def _cookie(reading: _Reading, _value: str) -> None:
    reading.forbid("set-cookie")


def _vary(reading: _Reading, value: str) -> None:
    if value == "*" or len(value) > LONGEST_VARY:
        reading.forbid("vary: *" if value == "*" else "vary: too long")


_READERS: dict[str, Callable[[_Reading, str], None]] = {
    "cache-control": _control,
    "expires": _expires,
    "x-accel-expires": _accel,
    "set-cookie": _cookie,
    "vary": _vary,
}
