"""Targets that judge: every check, effective values, grades, policies, cookies, structured fields, and directions."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import http_sf

from benchmarks import hostile_headers
from headersweep import headers
from review import (
    caching,
    cookie_dates,
    cookies,
    drift,
    fields,
    hsts,
    judge,
    readers,
    redirects,
    single,
    table,
)
from review import received as reading
from review.csp import effective, parse, subsume
from review.finding import EVIDENCE_LENGTH
from review.inputs import Answer
from review.received import Received
from tests.fuzz.blocks import SECRET, TOKEN

Pair = tuple[str, str]

OPPOSITE = {"equal": "equal", "stricter": "looser", "looser": "stricter", "incomparable": "incomparable"}
STATUSES = (200, 204, 301, 401, 404, 429, 500, 999)
HOSTS = ("", "site.example", "10.0.0.1", "[::1]", "localhost", "xn--bcher-kva.example", "CO.UK", "a..b")
NAMES = hostile_headers.names()


def pairs_of(data: bytes) -> tuple[Pair, ...]:
    """The headers of a block; a line that begins with a byte of 0x80 or more has the header of that number."""
    lines = data.split(b"\n")
    return tuple(pair for line in lines for pair in _line(line))


def _line(line: bytes) -> tuple[Pair, ...]:
    if line[:1] >= b"\x80":
        return ((NAMES[(line[0] - 0x80) % len(NAMES)], line[1:].decode("latin-1")),)
    return headers.parse_block(line).pairs


def answer_of(data: bytes) -> Received:
    """An answer; the first byte says of what status, host and scheme."""
    first = data[0] if data else 0
    return reading.received(
        pairs_of(data[1:]),
        status=STATUSES[first & 7],
        host=HOSTS[first >> 3 & 7],
        scheme="http" if first >> 6 & 1 else "https",
    )


def judged(data: bytes) -> None:
    """Every check says what is in the catalogue, twice the same, and effective values are JSON."""
    received = answer_of(data)
    found, made = judge.judge(received), judge.effective(received)
    assert found == judge.judge(received)
    assert made == judge.effective(received)
    assert set(made) <= set(received.names)
    json.dumps(made, allow_nan=False)
    for finding in found.findings:
        assert finding.code in table.RULES
        assert len(finding.evidence) < EVIDENCE_LENGTH + 40


def secret(data: bytes) -> None:
    """No finding shows a cookie's value, or a key that stands in a header."""
    if SECRET in data or TOKEN in data or b"X-Amz-Signature=" in data:
        return
    line = data.replace(b"\n", b" ").replace(b"\r", b" ").decode("latin-1")
    pairs = (
        ("Set-Cookie", f"sid={SECRET.decode()}; {line}"),
        ("X-Data", f"{line} {TOKEN.decode()}"),
        *pairs_of(data),
    )
    verdict = single.verdict(Answer(pairs, url="https://site.example/"))
    text = json.dumps(verdict.as_json(), allow_nan=False)
    assert SECRET.decode() not in text
    assert TOKEN.decode() not in text


def graded(data: bytes) -> None:
    """A grade is one of the scale, whatever was received."""
    received = answer_of(data)
    answer = Answer(received.pairs, received.status, f"{received.scheme}://{received.host}/")
    found = single.verdict(answer).as_json()["grade"]
    json.dumps(found, allow_nan=False)
    assert found["score"] is None or found["score"] >= 0


def policy(data: bytes) -> None:
    """Policies are read as lines of a header and as a meta element, and say what they allow."""
    lines = data.decode("latin-1").split("\n")
    for found in (parse.header(lines), parse.meta(lines)):
        for each in found:
            assert each.directives
            for name in each.directives:
                effective.allowed(each, name)
        assert subsume.compare(found, found).word == "equal"


def policies(data: bytes) -> None:
    """Which of two policies allows more does not depend on which is named first."""
    old, _, new = data.decode("latin-1").partition("\n")
    word, parts = subsume.direction([old], [new])
    back, parts_back = subsume.direction([new], [old])
    assert back == OPPOSITE[word], (word, back)
    assert {name: OPPOSITE[one] for name, one in parts} == dict(parts_back)
    assert subsume.direction([old], [old])[0] == "equal"


def drifted(data: bytes) -> None:
    """The way back of every change is the opposite of the way there."""
    old, _, new = data.partition(b"\n\n")
    before, after = (reading.received(pairs_of(side), host="site.example") for side in (old, new))
    seen = datetime(2026, 11, 22, tzinfo=UTC)
    there = {one.header: str(one.direction) for one in drift.changes(before, after, seen=seen)}
    back = {one.header: str(one.direction) for one in drift.changes(after, before, seen=seen)}
    assert {name: OPPOSITE[way] for name, way in there.items()} == back
    assert drift.changes(before, before) == ()


def cookie(data: bytes) -> None:
    """A cookie is read the same with its value masked, and never shows it."""
    line = data.decode("latin-1")
    found = cookies.cookie(line, host="site.example", date="Sun, 22 Nov 2026 11:00:00 GMT")
    json.dumps(found.as_json())
    assert found.accepted is (found.rejected_because is None)
    cookie_dates.instant(line)


def structured(data: bytes) -> None:
    """A structured field is read as the standard's own library reads it, and what is read can be written again."""
    text = data.decode("latin-1")
    for kind in ("item", "list", "dictionary"):
        found = readers.structured(text, kind)
        try:
            right = http_sf.parse(data, tltype=kind)
        except (http_sf.StructuredFieldError, ValueError):
            right = None
        assert repr(found) == repr(right)
    for member in (fields.dictionary(text) or {}).values():
        [fields.plain(item) for item in fields.items(member)]
        fields.tokens(member)


def directives(data: bytes) -> None:
    """Strict-Transport-Security and Cache-Control: any text is read or refused."""
    text = data.decode("latin-1")
    hsts.parse(text)
    caching.parse(text)
    received = reading.received([("Cache-Control", text), *pairs_of(data)])
    caching.storable_by_shared_cache(received)
    caching.sharing(received, authorized=True)


def moved(data: bytes) -> None:
    """Redirects between any origins are judged with rules that there are."""
    sides = data.decode("latin-1").split("\n")
    hops = [
        redirects.Hop(source, target, 1, f"{source}/")
        for source, target in zip(sides, [*sides[1:], ""], strict=True)
    ]
    for found in redirects.judge(hops):
        assert found.finding.code in redirects.BY_CODE
