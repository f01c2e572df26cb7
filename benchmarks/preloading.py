"""What a preload list of the real size costs: ``python -m benchmarks.preloading``. Made up, 150,000 hosts in 20 MB.

Each step runs in this one process, so the memory of the second line is what stays.
"""

from __future__ import annotations

import gc
import resource
import time
from datetime import date
from pathlib import Path

from review import preload

HOSTS = 150_000
LOOKUPS = 2_000
PADDING = "x" * 30


def text(hosts: int) -> str:
    """A list in the shape of the real one."""
    lines = (
        f'    {{ "name": "host{number}-{PADDING}.example", "policy": "bulk-1-year", "mode": "force-https", '
        f'"include_subdomains": true }},\n    // {number}\n'
        for number in range(hosts)
    )
    last = '{ "name": "last.example", "policy": "bulk-1-year", "mode": "force-https" }'
    return "// A comment.\n{\n" + f'  "pinsets": [],\n  "entries": [\n{"".join(lines)}    {last}\n  ]\n}}\n'


def megabytes() -> float:
    """The memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Make, read, look up; print."""
    source = text(HOSTS)
    print(f"{len(source) / 1e6:.1f} MB, {HOSTS:,} hosts")
    before, began = megabytes(), time.process_time()
    known = preload.parse(source, date(2026, 11, 20))
    print(f"read in {time.process_time() - began:.2f} s of CPU")
    gc.collect()
    print(f"kept: {len(known.text) / 1e6:.1f} MB; the process grew by {megabytes() - before:.0f} MB")
    began = time.process_time()
    for number in range(LOOKUPS):
        known.entry(f"www.nowhere{number}.example")
    spent = time.process_time() - began
    print(f"a host that is not listed: {spent / LOOKUPS * 1e6:.0f} µs, once a host")


if __name__ == "__main__":
    main()
