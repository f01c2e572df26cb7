"""How far a sweep is: a live bar on a terminal, a plain line every few seconds elsewhere. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import click

from cli.render import words

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WINDOW_SECONDS = 10.0
"""The rate is the mean over this time: long enough to be calm, short enough to be true."""

PLAIN_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Standing:
    """How far some runs are."""

    title: str
    done: int
    found: int


class Meter:
    """Pages a second over the last seconds, and the time left if it stays so."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """Note how many pages are done now."""
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > WINDOW_SECONDS:  # noqa: PLR2004 - two make a rate
            self._samples.popleft()

    def rate(self) -> float:
        """Pages a second; 0 while nothing can be said."""
        if not self._samples:
            return 0.0
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        return max(0.0, (last - first) / (end - start)) if end > start else 0.0

    def seconds_left(self, standing: Standing) -> float | None:
        """How long the pages found so far will take; None while nothing can be said."""
        rate = self.rate()
        return (standing.found - standing.done) / rate if rate > 0 else None


def line(standing: Standing, meter: Meter) -> str:
    """One plain line of progress."""
    left = meter.seconds_left(standing)
    rest = f", about {words.clock(left)} left" if left is not None and standing.found > standing.done else ""
    return (
        f"{standing.title}: {words.number(standing.done)} of {words.number(standing.found)} pages done, "
        f"{words.rate(meter.rate())}{rest}"
    )


class View(Protocol):
    """Something that shows progress while the block lasts."""

    def __enter__(self) -> Self:
        """Start showing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing, and leave the terminal as it was."""

    def show(self, standing: Standing) -> None:
        """Show how far it is now."""


class PlainView:
    """A line on stderr every few seconds: for logs, cron mails and CI."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to clean up."""

    def show(self, standing: Standing) -> None:
        """Print a line when it is time for one."""
        now = time.monotonic()
        self._meter.add(now, standing.done)
        self._next = self._next or now + PLAIN_EVERY_SECONDS
        if now >= self._next:
            self._next = now + PLAIN_EVERY_SECONDS
            click.echo(line(standing, self._meter), err=True)


class TerminalView:
    """A live bar on the terminal; what is logged meanwhile appears above it."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._progress = _bar()
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, standing: Standing) -> None:
        """Move the bar."""
        self._meter.add(time.monotonic(), standing.done)
        left = self._meter.seconds_left(standing)
        fields: dict[str, Any] = {
            "counts": f"{words.number(standing.done)} of {words.number(standing.found)} pages",
            "speed": words.rate(self._meter.rate()),
            "left": f"{words.clock(left)} left" if left is not None else "",
        }
        if self._task is None:
            self._task = self._progress.add_task(standing.title, total=None, **fields)
        self._progress.update(self._task, completed=standing.done, total=standing.found or None, **fields)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[counts]}", markup=False),
        TextColumn("{task.fields[speed]}", markup=False),
        TextColumn("{task.fields[left]}", markup=False),
        console=Console(stderr=True),
        refresh_per_second=4,
        transient=True,
    )


def view() -> View:
    """The live bar where somebody looks at it, plain lines elsewhere."""
    return TerminalView() if sys.stderr.isatty() else PlainView()


def total(titles: Sequence[str], done: int, found: int) -> Standing:
    """The standing of several runs as one."""
    title = titles[0] if len(titles) == 1 else f"{len(titles)} sites"
    return Standing(title, done, found)
