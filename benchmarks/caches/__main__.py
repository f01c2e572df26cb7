"""Hold our model and our probes against real caches: ``python -m benchmarks.caches``; ``--keep`` renews tests/data/caches.

Needs nginx and varnishd (Debian: ``apt-get install nginx varnish``); each is left out, with a word, where it is not there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.caches import comparing, observing, origin, rehearsing, servers
from benchmarks.caches.cases import CASES
from benchmarks.caches.observing import QUESTIONS

PROGRAMS = {"nginx": "nginx", "varnish": "varnishd"}
KEPT = Path(__file__).parents[2] / "tests" / "data" / "caches"


def main() -> int:
    """Ask both caches, print where they and the model agree, and end with 1 where they do not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.caches", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write what was observed to tests/data/caches")
    keep = parser.parse_args().keep
    there = [cache for cache, program in PROGRAMS.items() if servers.found(program)]
    for cache in PROGRAMS.keys() - set(there):
        print(f"skipped: {cache} is not installed (Debian: apt-get install nginx varnish)")
    with tempfile.TemporaryDirectory() as folder:
        wrong = sum([_observe(cache, Path(folder), keep=keep) for cache in there])
        wrong += _rehearse(Path(folder), there)
    return 1 if wrong else 0


def _observe(cache: str, folder: Path, *, keep: bool) -> int:
    start = servers.nginx if cache == "nginx" else servers.varnish
    with origin.serving(observing.respond) as port, start(port, folder / cache) as cache_port:
        lines = [comparing.line(each) for each in observing.observe(cache_port, cache)]
    different = list(comparing.differences(lines))
    asked = len(lines) * len(QUESTIONS)
    print(
        f"{servers.version(PROGRAMS[cache])}: {len(CASES)} answers, {asked - len(different)} of {asked} verdicts agree"
    )
    print(f"    second-hand answers: {_counted(lines)}")
    for each in different:
        print(f"    {each.case}, {each.question}: observed {each.observed}, the model says {each.expected}")
    if keep:
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (KEPT / f"{cache}.jsonl").write_text(text)
    return len(different)


def _counted(lines: list[dict[str, Any]]) -> str:
    counts = Counter(
        name for line in lines for name, second_hand in line["second_hand"].items() if second_hand
    )
    return ", ".join(f"{question.name} {counts[question.name]}" for question in QUESTIONS)


def _rehearse(folder: Path, there: list[str]) -> int:
    wrong = 0
    for setup, found in rehearsing.rehearse(folder, there):
        agrees = found == setup.finds
        wrong += not agrees
        print(
            f"{setup.cache}, {setup.name}: {len(found)} findings, {'as expected' if agrees else 'NOT as expected'}"
        )
        for code, subject in sorted(found):
            print(f"    {code}  {subject}")
        for code, subject in sorted(setup.finds - found):
            print(f"    missing: {code}  {subject}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
