"""``python -m benchmarks.browser record`` asks real browsers; ``compare`` and ``table`` need none."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.browser import (
    agreement,
    certificates,
    chromium,
    differences,
    firefox,
    hosts,
    observers,
    observing,
    predictions,
    records,
    server,
)
from benchmarks.browser.cases.table import CASES
from benchmarks.browser.records import Record

BROWSERS = ("chromium", "firefox")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    record = commands.add_parser("record", help="ask the browsers that are installed")
    record.add_argument("--browser", choices=BROWSERS, action="append")
    record.add_argument("--only", help="one group of cases; the rest of the records stays")
    table = commands.add_parser("table", help="how often the review, and a known scanner, are right")
    table.add_argument("--write", action="store_true", help="put it into docs/truth.md")
    commands.add_parser("compare", help="where the review predicts something else than was recorded")
    given = parser.parse_args(arguments)
    if given.command == "record":
        for name in given.browser or BROWSERS:
            _record(name, given.only)
        return 0
    if given.command == "table":
        print(agreement.table())
        if given.write:
            agreement.write()
        return 0
    return _compare()


def _record(name: str, only: str | None) -> None:
    with _lab(name) as lab:
        began = time.monotonic()
        made = list(_observed(lab, only))
        print(
            f"{name} {lab.browser.version}: {len(made)} cases in {time.monotonic() - began:.0f} s",
            file=sys.stderr,
        )
        path = records.FOLDER / f"{name}-{lab.browser.version}.jsonl"
    kept = [one for old in records.FOLDER.glob(f"{name}-*.jsonl") for one in records.read(old) if only]
    for old in records.FOLDER.glob(f"{name}-*.jsonl"):
        old.unlink()
    order = list(observers.OBSERVERS)
    every = [*(one for one in kept if one.about != only), *made]
    records.write(path, sorted(every, key=lambda one: order.index(one.about)))


def _observed(lab: observing.Lab, only: str | None) -> Iterator[Record]:
    for about, found in itertools.groupby(CASES, key=lambda case: case.about):
        cases = list(found)
        if only in {None, about}:
            print(f"  {about}: {len(cases)} cases", file=sys.stderr)
            lab.browser.renew()
            for case, did in zip(cases, observers.OBSERVERS[about](lab, cases), strict=True):
                if did is not None:
                    yield Record(about, case.lines, case.host, did, lab.browser.name, lab.browser.version)


@contextlib.contextmanager
def _lab(name: str) -> Iterator[observing.Lab]:
    with tempfile.TemporaryDirectory(prefix="headersweep-browser-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        certificates.make(folder, hosts.every())
        with server.running(certificates.context(folder)) as (site, port):
            if name == "chromium":
                with chromium.running(folder, port, certificates.public_key_hash(folder)) as browser:
                    yield observing.Lab(browser, site)
            else:
                with firefox.running(folder, port) as fox:
                    yield observing.Lab(fox, site)


def _compare() -> int:
    wrong = 0
    for record in records.recorded():
        said, excused = predictions.predicted(record), differences.excused(record)
        other = {key: value for key, value in record.did.items() if said[key] != value and key not in excused}
        if other:
            wrong += 1
            print(f"{record.name}: did {other}, we say { {key: said[key] for key in other} }")
    print(f"{wrong} of {len(records.recorded())} records differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
