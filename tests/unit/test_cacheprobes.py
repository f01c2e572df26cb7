"""Probes of cache rules survive their way through the database: what is planted is what is judged."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from headersweep import headers
from headersweep.cacherules import CacheKind
from headersweep.probes import PlannedProbe, ProbeState
from review import received as reading
from review.received import Received
from scheduler import cacheprobes
from tests.unit.review.test_cacherules import SITE


def read(raw: bytes, status: int, scheme: str) -> Received:
    return reading.received(headers.parse_block(raw).pairs, status=status, scheme=scheme)


def row(planned: PlannedProbe, word: str, state: ProbeState = ProbeState.ANSWERED) -> Any:
    return SimpleNamespace(
        key=planned.key,
        step=planned.step,
        state=state,
        status=200,
        raw=f"X-Cache: {word}\r\n".encode(),
        evidence={"digest": "d"},
        request=json.loads(json.dumps(planned.as_json())),
    )


def test_what_was_planted_is_judged_by_the_rule_that_the_run_carried() -> None:
    planned = list(cacheprobes.plan(SITE, "7"))
    assert planned == list(cacheprobes.plan(SITE, "7"))
    rows = [row(each, "HIT") for each in planned]
    found = cacheprobes.judge(rows, read)
    told = {(each.finding.code, each.finding.subject, each.urls[0]) for each in found}
    assert told == {
        ("cache_rule.private_hit", "cart", "https://shop.example/cart"),
        ("cache_rule.private_hit", "pages (query preview)", "https://shop.example/a?preview=1"),
        ("cache_rule.bypass_hit", "pages (cookie logged_in_*)", "https://shop.example/a"),
        ("cache_rule.bypass_stored", "pages (cookie logged_in_*)", "https://shop.example/a"),
    }
    assert cacheprobes.judge([row(each, "MISS", ProbeState.FAILED) for each in planned], read) == ()


def test_a_try_that_is_not_answered_to_its_end_is_not_judged() -> None:
    planned = list(cacheprobes.plan(SITE, "7"))
    firsts = [row(each, "HIT") for each in planned if each.step == 1]
    assert cacheprobes.judge(firsts, read) == ()
    waiting = [
        row(each, "HIT", ProbeState.WAITING if each.step == 2 else ProbeState.ANSWERED) for each in planned
    ]
    assert cacheprobes.judge(waiting, read) == ()


def test_the_first_step_alone_carries_what_the_judge_must_know() -> None:
    for each in cacheprobes.plan(SITE, "7"):
        assert bool(each.context) is (each.step == 1)
    assert {
        CacheKind(each.context["cache_kind"]) for each in cacheprobes.plan(SITE, "7") if each.context
    } == {SITE.cache_kind}


def test_asked_again_by_a_person_the_last_answers_count() -> None:
    first, again = list(cacheprobes.plan(SITE, "7")), list(cacheprobes.plan(SITE, "7-2", "20261128T100000"))
    assert not {(each.key, each.step) for each in first} & {(each.key, each.step) for each in again}
    mended = [row(each, "HIT") for each in first] + [row(each, "MISS") for each in again]
    assert {each.finding.code for each in cacheprobes.judge(mended, read)} == {"cache_rule.never_hit"}
    broken = [row(each, "MISS") for each in first] + [row(each, "HIT") for each in again]
    assert "cache_rule.private_hit" in {each.finding.code for each in cacheprobes.judge(broken, read)}
