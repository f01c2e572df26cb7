"""How numbers, times and foreign text are written for people."""

from __future__ import annotations

from datetime import UTC, datetime

SECONDS_A_MINUTE = 60
MINUTES_AN_HOUR = 60
SLOW_RATE = 10


def number(value: int) -> str:
    """1234567 as ``1,234,567``."""
    return f"{value:,}"


def count(value: int, noun: str) -> str:
    """``1 page``, ``2 pages``."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def rate(value: float) -> str:
    """Pages a second, with a decimal where it is slow."""
    return f"{value:.1f} pages/s" if value < SLOW_RATE else f"{value:,.0f} pages/s"


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    minutes, second = divmod(whole, SECONDS_A_MINUTE)
    hour, minute = divmod(minutes, MINUTES_AN_HOUR)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def duration(milliseconds: int) -> str:
    """A duration as a person says it: ``0.4 s``, ``5.1 s``, ``2:05``."""
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < SECONDS_A_MINUTE else clock(seconds)


def instant(moment: datetime | None) -> str | None:
    """An instant as ISO 8601 in UTC with a Z, as all our JSON has it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def safe(text: str) -> str:
    """Text from a foreign server with everything escaped that could move a terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def cut(text: str, width: int) -> str:
    """Text shortened to a width, with dots where something is missing."""
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."


def hexed(digest: bytes | None) -> str | None:
    """A SHA-256 as everybody writes it."""
    return None if digest is None else f"sha256:{digest.hex()}"


def table(heads: list[str], rows: list[list[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Columns under their heads; those in ``right`` are numbers and stand to the right."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, *rows]
    ]
