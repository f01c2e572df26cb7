"""Lengths of time as people write them: ``90s``, ``10m``, ``24h``, ``7d``, ``1h30m``."""

from __future__ import annotations

import re
from datetime import timedelta

_PATTERN = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")


def parse(text: str) -> timedelta:
    """The length that a text means; ValueError, saying how to write one, where it means none."""
    found = _PATTERN.fullmatch(text)
    if found is None or not text:
        raise ValueError(
            "it is no duration, such as 90s, 10m, 24h, 7d or 1h30m (days, hours, minutes, seconds)"
        )
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def shown(length: timedelta) -> str:
    """A length as ``parse`` reads it, to the second."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def of_seconds(seconds: int) -> str:
    """That many seconds as ``parse`` reads them; a number too great for a length of time as it is."""
    return shown(timedelta(seconds=seconds)) if seconds < _TOO_MANY else f"{seconds}s"


_TOO_MANY = 10**12
