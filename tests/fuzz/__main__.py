"""Coverage-guided fuzzing: ``make fuzz``, or ``python -m tests.fuzz --runs 50000 judged policies``.

Needs atheris, which is no dependency: it has wheels for some Pythons alone. Each target runs in a process of its own,
starts from its corpus, and leaves what it found in ``--found``; an input that broke a promise is named and kept there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz import targets


def main() -> int:
    """Fuzz each target in turn; 1 when any input broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(targets.TARGETS)}")
    parser.add_argument("--runs", type=int, default=20_000, metavar="N", help="inputs for each target")
    parser.add_argument("--seconds", type=int, default=0, metavar="N", help="at the longest for each target")
    parser.add_argument("--found", type=Path, default=Path(".fuzz"), metavar="DIR")
    wanted = parser.parse_args()
    unknown = set(wanted.targets) - set(targets.TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    names = wanted.targets or list(targets.TARGETS)
    failed = [name for name in names if fuzz(name, wanted.runs, wanted.seconds, wanted.found)]
    print(f"{len(names)} targets, {len(failed)} failed: {', '.join(failed) or 'none'}")  # noqa: T201 - what was asked for
    return int(bool(failed))


def fuzz(name: str, runs: int, seconds: int, found: Path) -> int:
    """Fuzz one target; in a process of its own, because the library ends the one that it runs in."""
    print(f"== {name}", flush=True)  # noqa: T201 - what was asked for
    command = [sys.executable, "-m", "tests.fuzz.inside", name, str(runs), str(seconds), str(found)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
