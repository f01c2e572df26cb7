"""``python -m benchmarks``, which is what ``make bench`` calls: the throughput, and whether the result is right."""

import sys

from benchmarks import throughput

if __name__ == "__main__":
    sys.exit(throughput.main())
