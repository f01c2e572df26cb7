"""How fast the command line answers: ``python -m benchmarks.startup``. ``--help`` and ``check`` are to answer within 300 ms."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 5
LIMIT_MS = 300
COMMANDS = (("--help",), ("--version",), ("check",), ("sweep", "--help"), ("events", "--format", "json"))
HELD = COMMANDS[:3]
HEADERS = b"""\
HTTP/1.1 200 OK
Content-Type: text/html; charset=utf-8
Strict-Transport-Security: max-age=31536000; includeSubDomains
Content-Security-Policy: default-src 'self'; script-src 'self' https://cdn.example; object-src 'none'
Permissions-Policy: camera=(), geolocation=(self)
Set-Cookie: session=abc; Path=/; Secure; HttpOnly; SameSite=Lax
"""
"""What ``check`` is given to judge."""


def milliseconds(arguments: tuple[str, ...]) -> float:
    """How long one command takes, interpreter and all."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cli", *arguments], check=True, stdout=subprocess.DEVNULL, input=HEADERS
    )
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """Print the medians; 1 when one of the promised ones is over the limit."""
    bare = statistics.median(_bare() for _ in range(ROUNDS))
    print(f"{'python, nothing else':<28} {bare:6.0f} ms")
    late = False
    for arguments in COMMANDS:
        median = statistics.median(milliseconds(arguments) for _ in range(ROUNDS))
        late = late or (arguments in HELD and median > LIMIT_MS)
        print(f"{'headersweep ' + ' '.join(arguments):<28.28} {median:6.0f} ms")
    return int(late)


def _bare() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
