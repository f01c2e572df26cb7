"""One target under atheris, in this process: ``python -m tests.fuzz`` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

WATCHED = ["headersweep", "review", "worker.wire", "protego", "http_sf", "tests.fuzz"]
"""Where new coverage counts: our own code, and the readers in Python that it stands on."""

MOST_BYTES = 4096
HANGS_SECONDS = 20

with atheris.instrument_imports(include=WATCHED, enable_loader_override=False):
    from tests.fuzz import bounds, targets


def main(name: str, runs: str, seconds: str, folder: str) -> None:
    """Fuzz until the runs are done or the time is over; the library then ends the process."""
    found = Path(folder) / name
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-runs={runs}",
        f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={HANGS_SECONDS}",
        f"-dict={targets.TOKENS}",
        f"-artifact_prefix={folder}/{name}-",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    target = targets.TARGETS[name]
    atheris.Setup(
        [name, *options, str(found), str(targets.CORPUS / name)], lambda data: bounds.bounded(target, data)
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
