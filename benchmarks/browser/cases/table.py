"""All cases, in the order in which they are asked."""

from benchmarks.browser.cases import (
    access,
    content,
    cookies,
    documents,
    framing,
    isolation,
    permissions,
    referrer,
    sniffing,
    storing,
    transport,
)
from benchmarks.browser.records import Case

CASES: tuple[Case, ...] = (
    *transport.CASES,
    *sniffing.CASES,
    *framing.CASES,
    *referrer.CASES,
    *content.CASES,
    *permissions.CASES,
    *isolation.CASES,
    *cookies.CASES,
    *access.CASES,
    *storing.CASES,
    *documents.CASES,
)
