"""``make demo``: serve the demo site, sweep it with the real program, stop the server."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from demosite import pages, serving

PORT = 8808
"""The same port every time where it is free, so that a second demo is a second sweep of the same site."""


def main(arguments: list[str]) -> int:
    """Sweep the demo site; more arguments go to ``headersweep sweep``. The answer is its exit code."""
    with serving.in_background(pages.respond, PORT if _is_free(PORT) else 0) as port:
        url = f"http://127.0.0.1:{port}/"
        command = ["sweep", url, "--allow-private", "--rate", "0", *arguments]
        print(
            f"The demo site is at {url}. This sweeps it:\n\n  headersweep {' '.join(command)}\n", flush=True
        )
        return _run([str(Path(sys.executable).with_name("headersweep")), *command])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _run(command: list[str]) -> int:
    with subprocess.Popen(command) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal told the sweep too: it says how to go on, and ends by itself.
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
