"""The canaries' own process: what they notice is not to be the garbage collector or the imports of whoever migrates.

Reads one JSON object from standard input (the database's URL and what to ask), prints ``ready``, asks until its input is
closed, and prints what it noticed as one JSON object. The URL goes through the pipe, so that no process list shows it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import psycopg

PAUSE_SECONDS = 0.005
END_SECONDS = 600.0
NOTABLE_SECONDS = 0.001
ORDINARY = 20
"""Of the calls that were answered at once every so many is kept, so that one sees that somebody asked."""

MOST_ERRORS = 100
READER, WRITER = "reader", "writer"
# A canary tells of locks: it does not wait for the disk, and keeps no plan that a change of types would break.
OPTIONS = "-c synchronous_commit=off -c statement_timeout=0 -c lock_timeout=0"


def main() -> None:
    """Sing until the input ends."""
    given = json.loads(sys.stdin.readline())
    calls: list[tuple[str, str, float, float]] = []
    errors: list[str] = []
    stop = threading.Event()
    threads = [
        threading.Thread(target=_sing, args=(_session(given["url"]), each, kind, calls, errors, stop))
        for each in given["canaries"]
        for kind in (READER, WRITER)
    ]
    for thread in threads:
        thread.daemon = True
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join(END_SECONDS)
    json.dump({"calls": calls, "errors": sorted(set(errors))}, sys.stdout)


def _session(url: str) -> psycopg.Connection:
    return psycopg.connect(
        url, autocommit=True, prepare_threshold=None, options=OPTIONS, application_name="headersweep-canary"
    )


def _sing(  # noqa: PLR0913, PLR0917 - the arguments of a thread
    session: psycopg.Connection,
    canary: dict[str, Any],
    kind: str,
    calls: list[tuple[str, str, float, float]],
    errors: list[str],
    stop: threading.Event,
) -> None:
    statement = canary["read" if kind == READER else "write"].encode()
    key = [bytes.fromhex(part["hex"]) if isinstance(part, dict) else part for part in canary["key"]]
    number = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            session.execute(statement, key)
        except psycopg.Error as error:
            errors.append(f"{kind} of {canary['table']}: {str(error).splitlines()[0]}")
            if session.closed or len(errors) > MOST_ERRORS:
                return
        ended = time.monotonic()
        if ended - began >= NOTABLE_SECONDS or number % ORDINARY == 0:
            calls.append((kind, canary["table"], began, ended))
        number += 1
        stop.wait(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
