"""The whole review over arbitrary headers: it never raises, always says the same, and the order of names is nothing to it."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from benchmarks import hostile_headers
from headersweep.bodyfacts import BodyFacts, Loaded
from review import judge, single, table
from review import received as reading
from review.finding import EVIDENCE_LENGTH
from review.inputs import Answer
from review.received import Received

Pair = tuple[str, str]

KNOWN = hostile_headers.names()
WORDS = [
    *hostile_headers.PATTERNS.values(),
    *(
        "'self'",
        "'none'",
        "*",
        "nosniff",
        "DENY",
        "same-origin",
        "?1",
        "max-age=31536000",
        "private",
        "no-store",
    ),
    *(
        "; Secure",
        "; SameSite=None",
        "; Domain=.a.example",
        "__Host-a=b",
        "default-src",
        "script-src",
        "camera=()",
    ),
]
octets = st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
names = st.sampled_from(KNOWN) | st.sampled_from(KNOWN).map(str.upper) | octets
values = st.lists(st.sampled_from(WORDS) | octets, max_size=6).map("".join)
blocks = st.lists(st.tuples(names, values), max_size=8).map(tuple)
loads = st.builds(
    Loaded, st.sampled_from(["script", "link", "iframe", "img"]), octets, st.booleans(), st.booleans()
)
facts = st.none() | st.builds(
    BodyFacts,
    st.lists(values, max_size=2).map(tuple),
    st.lists(values, max_size=2).map(tuple),
    st.lists(loads, max_size=3).map(tuple),
)


@st.composite
def answers(draw: st.DrawFn) -> Received:
    return reading.received(
        draw(blocks),
        status=draw(st.sampled_from([200, 204, 301, 401, 404, 429, 500])),
        scheme=draw(st.sampled_from(["https", "http"])),
        host=draw(st.sampled_from(["", "site.example", "10.0.0.1", "[::1]", "localhost"])),
        malformed=draw(st.lists(octets, max_size=2)),
        facts=draw(facts),
    )


@given(answers())
def test_no_bytes_make_the_review_fail(received: Received) -> None:
    judgement = judge.judge(received)
    effective = judge.effective(received)
    assert judgement == judge.judge(received)
    assert effective == judge.effective(received)
    assert set(effective) <= set(received.names)
    json.dumps(effective, allow_nan=False)
    for finding in judgement.findings:
        assert finding.code in table.RULES
        assert len(finding.evidence) < EVIDENCE_LENGTH + 40


@given(answers(), st.randoms(use_true_random=False))
def test_the_order_of_different_names_does_not_matter(received: Received, chance: random.Random) -> None:
    other = reading.received(
        shuffled(received.pairs, chance),
        status=received.status,
        scheme=received.scheme,
        host=received.host,
        malformed=received.malformed,
        facts=received.facts,
    )
    assert causes(other) == causes(received)
    assert judge.effective(other) == judge.effective(received)


def shuffled(pairs: tuple[Pair, ...], chance: random.Random) -> list[Pair]:
    """The pairs in another order, equal names still in theirs."""
    order = [name.lower() for name, _ in pairs]
    chance.shuffle(order)
    waiting = {name: [pair for pair in pairs if pair[0].lower() == name] for name in order}
    return [waiting[name].pop(0) for name in order]


def causes(received: Received) -> set[tuple[str, str, str]]:
    return {(one.code, one.subject, str(one.severity)) for one in judge.judge(received).findings}


@given(blocks, st.sampled_from([100, 200, 301, 404, 429, 999]), octets)
def test_no_bytes_make_a_verdict_fail(pairs: tuple[Pair, ...], status: int, url: str) -> None:
    verdict = single.verdict(Answer(pairs, status, url))
    json.dumps(verdict.as_json(), allow_nan=False)
