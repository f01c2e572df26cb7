"""Upload limits, without an upload: a body far too large is announced, and the server says whether it would take it.

RFC 9110, section 10.1.1: a server that is asked with ``Expect: 100-continue`` answers 100 to have the body sent, or a final
status without it. The connection is closed before the body; whatever the answer, nothing was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from review.finding import Finding, Found, Rule, Severity
from review.probes.answered import Answered, grouped

ANNOUNCED_BYTES = 1_073_741_824
"""One gigabyte: nobody means to take that on a page of a form."""

MAX_ORIGINS = 5
CONTINUE = 100
REFUSALS = frozenset({413, 417})

NO_LIMIT = Rule(
    code="upload.no_limit",
    severity=Severity.MEDIUM,
    title="The server asks for a body of a gigabyte from whoever announces one",
    browser="It sends what the user chose, however large.",
    why="Anybody can fill the disk, the memory or the line, without logging in: the limit is what keeps that cheap to refuse.",
    fix="nginx: `client_max_body_size 10m;`, Apache: `LimitRequestBody 10485760`, IIS: `maxAllowedContentLength`",
    link="https://www.rfc-editor.org/rfc/rfc9110.html#section-10.1.1",
)
RULES = (NO_LIMIT,)


def judge(answers: Iterable[Answered]) -> tuple[Found, ...]:
    """One finding for every origin that invited the body."""
    return grouped(found for answer in answers for found in _of(answer))


def _of(one: Answered) -> Iterator[tuple[Finding, str]]:
    if one.answer.status == CONTINUE:
        evidence = f"POST, Expect: 100-continue, Content-Length: {ANNOUNCED_BYTES}: 100 Continue"
        yield NO_LIMIT.found(evidence, one.origin), one.url
