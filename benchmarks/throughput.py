"""Pages a second of headersweep and of Scrapy: same site, same server, one run; and whether the result is right.

Run by ``make bench``; docs/benchmarks.md says what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import comparison, server, sites, sweeps
from benchmarks.comparison import Crawl
from benchmarks.server import Server
from benchmarks.sweeps import Home, Sweep

LEAST_RATE = 300.0
"""Pages a second that one worker process must reach."""

SAMPLE = 5


@dataclass(frozen=True)
class Row:
    """One line of the table. CPU is that of the worker resp. of Scrapy, without its start."""

    name: str
    pages: int
    seconds: float
    wall_seconds: float
    cpu_ms: float | None
    postgres_ms: float | None = None

    @property
    def rate(self) -> float:
        """Pages a second while it ran."""
        return self.pages / self.seconds if self.seconds else 0.0


@dataclass
class Findings:
    """What was checked beside the speed: what held, and what did not."""

    held: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, *, ok: bool, text: str) -> None:
        """Note one check."""
        (self.held if ok else self.broken).append(text)


@dataclass(frozen=True)
class Round:
    """Everything measured on one server."""

    rows: list[Row]
    findings: Findings


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether it was fast enough and right."""
    options = _options(arguments)
    if not sites.available(options.site):
        print(f"the site {options.site!r} is not installed here; try --site synthetic", file=sys.stderr)
        return 2
    interpreter = None if options.skip_scrapy else comparison.python(options.scrapy_python)
    rounds, kind = [], ""
    with sites.opened(options.site, options.pages) as site, sweeps.home() as home:
        starts = _Starts(home, interpreter)
        for number in range(options.repeat):
            with server.running(site) as running:
                kind = running.kind
                _say(f"round {number + 1} of {options.repeat}: {site.name}, served by {kind}")
                rounds.append(_round(home, running, starts, options, interpreter))
        name = site.name
    return _report(options, name, kind, rounds)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure pages a second beside Scrapy.")
    parser.add_argument("--site", choices=[*sites.INSTALLED, sites.SYNTHETIC], default=sites.default_name())
    parser.add_argument("--pages", type=_positive, help="pages of the synthetic site, or a page limit")
    parser.add_argument(
        "--repeat", type=_positive, default=1, help="rounds, each on a fresh site; medians are shown"
    )
    parser.add_argument("--kill", action="store_true", help="also kill the worker in the middle of a sweep")
    parser.add_argument("--skip-scrapy", action="store_true", help="measure headersweep alone")
    parser.add_argument("--scrapy-python", type=Path, help="a Python that has Scrapy (default: .venv-bench)")
    parser.add_argument(
        "--least", type=float, default=LEAST_RATE, help="pages a second below which the exit code is 1"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to this file")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


class _Starts:
    """What it costs only to start: measured once, by crawling a site of one page, and taken off afterwards."""

    def __init__(self, home: Home, interpreter: Path | None) -> None:
        _say("measuring what a start costs")
        with sites.opened(sites.SYNTHETIC, 1) as site, server.running(site) as running:
            self.worker = sweeps.sweep(home, running).usage.workers_cpu
            self.scrapy = comparison.crawl(interpreter, running).cpu_seconds if interpreter else 0.0


def _round(
    home: Home, running: Server, starts: _Starts, options: argparse.Namespace, interpreter: Path | None
) -> Round:
    limit = None if options.site == sites.SYNTHETIC else options.pages
    findings = Findings()
    first = sweeps.sweep(home, running, max_pages=limit)
    rows = [_sweep_row("headersweep, first sweep", first, starts)]
    crawl = None
    if interpreter:
        crawl = comparison.crawl(interpreter, running, limit)
        rows.append(_crawl_row(crawl, starts))
    second = sweeps.sweep(home, running, max_pages=limit)
    rows.append(_sweep_row("headersweep, second sweep", second, starts))
    _check(home, first, second, findings, limited=limit is not None)
    if crawl is not None and limit is None:
        _compare(sweeps.urls(home, int(first.run["run"])), crawl, findings)
    if options.kill:
        _check_kill(home, running, first, limit, findings)
    return Round(rows, findings)


def _sweep_row(name: str, sweep: Sweep, starts: _Starts) -> Row:
    worker = sweep.usage.workers_cpu
    used = None if worker is None or starts.worker is None else worker - starts.worker
    cpu, postgres = _per_page(used, sweep.pages), _per_page(sweep.postgres_cpu, sweep.pages)
    return Row(name, sweep.pages, sweep.seconds, sweep.usage.wall_seconds, cpu, postgres)


def _crawl_row(crawl: Crawl, starts: _Starts) -> Row:
    cpu = _per_page(crawl.cpu_seconds - starts.scrapy, crawl.pages)
    return Row("Scrapy", crawl.pages, crawl.seconds, crawl.wall_seconds, cpu)


def _per_page(seconds: float | None, pages: int) -> float | None:
    return None if seconds is None or not pages else max(0.0, seconds) / pages * 1000


# -- is it right? ----------------------------------------------------------------------------------------------


def _check(home: Home, first: Sweep, second: Sweep, findings: Findings, *, limited: bool) -> None:
    urls = sweeps.urls(home, int(first.run["run"]))
    once = len(urls) == len(set(urls)) == first.pages
    findings.check(ok=once, text=f"each of the {first.pages} pages has exactly one visit")
    extra = first.requests - first.pages
    findings.notes.append(
        f"the server answered {first.requests} requests, {extra} of them for robots.txt and sitemaps"
    )
    for sweep in (first, second):
        accounting = dict(sweep.run["accounting"])
        adds_up = accounting.pop("discovered") == sum(accounting.values())
        findings.check(ok=adds_up, text=f"the accounting of run {sweep.run['run']} adds up")
    if limited:
        findings.notes.append(
            "a page limit was given: which pages are skipped may differ, digests are not compared"
        )
        return
    findings.check(ok=first.run["digest"] == second.run["digest"], text="both sweeps have the same digest")
    findings.check(ok=second.run["new_snapshots"] == 0, text="the second sweep added no snapshot")


def _compare(urls: Iterable[str], crawl: Crawl, findings: Findings) -> None:
    ours, theirs = set(urls), set(crawl.urls)
    findings.check(ok=ours == theirs, text=f"the same {len(theirs)} URLs as Scrapy")
    for name, only in (("headersweep", ours - theirs), ("Scrapy", theirs - ours)):
        if only:
            findings.notes.append(f"{len(only)} only by {name}, such as {' '.join(sorted(only)[:SAMPLE])}")


def _check_kill(home: Home, running: Server, first: Sweep, limit: int | None, findings: Findings) -> None:
    _say("sweeping once more, with a kill -9 of the worker in the middle")
    killed = sweeps.sweep(home, running, max_pages=limit, kill_after=max(1, first.pages // 2))
    again = killed.requests - first.requests
    findings.notes.append(
        f"after the kill about {max(0, again)} pages were fetched again, {killed.seconds:.1f} s in all"
    )
    findings.check(ok=killed.usage.killed, text="the worker was killed in the middle of a sweep")
    if limit is None:
        findings.check(
            ok=killed.run["digest"] == first.run["digest"], text="the interrupted sweep has the same digest"
        )


# -- what is printed -------------------------------------------------------------------------------------------


def _report(options: argparse.Namespace, site: str, kind: str, rounds: list[Round]) -> int:
    rows = _medians(rounds)
    ours = rows[0]
    least: float = options.least
    fast = ours.rate >= least
    print(f"\n{site}, served by {kind}, {sweeps.CONCURRENCY} connections, one worker process")
    print("\n".join(_table(rows)))
    for text in _ratios(rows):
        print(text)
    for finding in rounds[-1].findings.notes:
        print(f"  note: {finding}")
    broken = [text for one in rounds for text in one.findings.broken]
    for text in rounds[-1].findings.held:
        print(f"  ok: {text}")
    for text in broken:
        print(f"  BROKEN: {text}")
    print(f"  {'ok' if fast else 'TOO SLOW'}: {ours.rate:.0f} pages/s, at least {least:.0f} are wanted")
    if options.json:
        _write(options.json, site, kind, rows, rounds)
    return 0 if fast and not broken else 1


def _medians(rounds: list[Round]) -> list[Row]:
    return [_median([one.rows[index] for one in rounds]) for index in range(len(rounds[0].rows))]


def _median(rows: list[Row]) -> Row:
    def middle(value: Callable[[Row], float | None]) -> float | None:
        known = [number for number in map(value, rows) if number is not None]
        return statistics.median(known) if known else None

    return Row(
        rows[0].name,
        rows[0].pages,
        middle(lambda row: row.seconds) or 0.0,
        middle(lambda row: row.wall_seconds) or 0.0,
        middle(lambda row: row.cpu_ms),
        middle(lambda row: row.postgres_ms),
    )


def _table(rows: list[Row]) -> list[str]:
    form = "  {:<26} {:>7} {:>9} {:>9} {:>9} {:>12} {:>12}"
    head = form.format("", "pages", "seconds", "pages/s", "wall s", "CPU ms/page", "Postgres ms")
    return [head, *(_line(form, row) for row in rows)]


def _line(form: str, row: Row) -> str:
    cells = (f"{row.seconds:.2f}", f"{row.rate:.0f}", f"{row.wall_seconds:.2f}", _number(row.cpu_ms))
    return form.format(row.name, row.pages, *cells, _number(row.postgres_ms))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ratios(rows: list[Row]) -> list[str]:
    theirs = next((row for row in rows if row.name == "Scrapy"), None)
    if theirs is None or not theirs.rate:
        return []
    ours = rows[0]
    texts = [f"  headersweep is {ours.rate / theirs.rate:.1f} times as fast as Scrapy (pages/s)"]
    if ours.cpu_ms and theirs.cpu_ms:
        texts.append(f"  and uses {ours.cpu_ms / theirs.cpu_ms:.1%} of its CPU a page, without Postgres")
    return texts


def _write(path: Path, site: str, kind: str, rows: list[Row], rounds: list[Round]) -> None:
    content: dict[str, Any] = {
        "schema_version": 1,
        "site": site,
        "server": kind,
        "connections": sweeps.CONCURRENCY,
        "rows": [_plain(row) for row in rows],
        "rounds": [
            {"rows": [_plain(row) for row in one.rows], "findings": asdict(one.findings)} for one in rounds
        ],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _plain(row: Row) -> dict[str, Any]:
    return {**asdict(row), "rate": row.rate}


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
