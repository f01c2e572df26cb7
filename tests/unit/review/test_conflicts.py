"""Lines that contradict each other, and lines that are none."""

from __future__ import annotations

import pytest

from review.checks import conflicts as check
from tests.unit.review._cases import HTML, Case, verify

REFUSED, REPEATED, TYPE = "header.refused", "header.repeated", "header.conflicting_content_type"
LENGTH, MALFORMED = "header.content_length", "header.malformed"
NON_ASCII, CONTROL = "header.non_ascii", "header.control_character"

CASES = (
    Case("nothing", (HTML,)),
    Case("two lengths", (HTML, "Content-Length: 1", "Content-Length: 2"), {REFUSED}),
    Case("one length twice", (HTML, "Content-Length: 1", "content-length: 1"), source="RFC 9110, 8.6"),
    Case("two targets", ("Location: /a", "Location: /b"), {REFUSED}, status=302),
    Case("one target twice", ("Location: /a", "Location: /a"), status=302),
    Case(
        "two names of a file",
        (HTML, "Content-Disposition: inline", "Content-Disposition: attachment"),
        {REFUSED},
    ),
    Case("two dates", (HTML, "Last-Modified: a", "Last-Modified: b"), {REPEATED}),
    Case("one date twice", (HTML, "Last-Modified: a", "Last-Modified: a")),
    Case(
        "lists may repeat",
        (HTML, "Vary: a", "Vary: b", "Link: <a>", "Link: <b>", "Set-Cookie: a", "Set-Cookie: b"),
    ),
    Case("two types", (HTML, "Content-Type: text/plain"), {TYPE}, source="Fetch, extract a MIME type"),
    Case("two types on one line", ("Content-Type: text/html, text/plain",), {TYPE}),
    Case("one type twice, two alphabets", (HTML, "Content-Type: TEXT/HTML; charset=x")),
    Case("one type and rubbish", (HTML, "Content-Type: x")),
    Case("a comma in quotes", ('Content-Type: text/html; x="a, b/c"',)),
    Case("a length and an encoding", (HTML, "Content-Length: 1", "Transfer-Encoding: chunked"), {LENGTH}),
    Case("an encoding", (HTML, "Transfer-Encoding: chunked")),
    Case("a length", (HTML, "Content-Length: 1")),
    Case("a length in a canonical text", (HTML, "Content-Length: <length>")),
    Case("a negative length", (HTML, "Content-Length: -1"), {LENGTH}),
    Case("a length twice on a line", (HTML, "Content-Length: 1, 1"), source="Fetch, extract a length"),
    Case("two lengths on a line", (HTML, "Content-Length: 1, 2"), {REFUSED}),
    Case("an empty length", (HTML, "Content-Length:"), {LENGTH}),
    Case("a broken line", (HTML,), {MALFORMED}, malformed=("X Frame Options: DENY",)),
    Case("a foreign letter", (HTML, "X-A: na\xefve"), {NON_ASCII}),
    Case("a foreign letter in a cookie", (HTML, "Set-Cookie: a=na\xefve")),
    Case("the last letter of ASCII", (HTML, "X-A: ~")),
    Case("a control character", (HTML, "X-A: a\x01b"), {CONTROL}),
    Case("a deletion", (HTML, "X-A: a\x7fb"), {CONTROL}),
    Case("a tab", (HTML, "X-A: a\tb")),
    Case("garbage", (HTML, "X-A: \xff\x00"), {NON_ASCII, CONTROL}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_conflicts(case: Case) -> None:
    verify(check, case)


def test_a_secret_in_a_broken_line_is_not_shown() -> None:
    (found,) = check.check(Case("", malformed=("X Y: https://user:pa55word123@db.example/",)).received())
    assert "pa55word123" not in found.evidence
