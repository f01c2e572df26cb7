"""All cases."""

from benchmarks.browser.cases import framing, sniffing
from benchmarks.browser.records import Case

CASES: tuple[Case, ...] = (*sniffing.CASES, *framing.CASES)
