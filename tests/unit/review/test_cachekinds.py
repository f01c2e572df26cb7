"""What nginx and Varnish did with every kept case is what the model says, without either of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.caches import comparing
from benchmarks.caches.cases import CASES
from benchmarks.caches.observing import QUESTIONS
from headersweep.cacherules import CacheKind
from review import cachekinds, received
from review.cachekinds import Asked, Later
from review.cacherules import observed
from review.caches import varnish
from review.caches.permitted import Permitted
from review.caching import Sharing
from tests.unit.review.test_linear import FIXED_CALLS, LARGE, MOST_GROWTH, SMALL, calls

DATA = Path(__file__).parents[2] / "data" / "caches"
SOON = Later(Asked(), Asked(), 0)


def kept(cache: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / f"{cache}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("cache", ["nginx", "varnish"])
def test_the_model_says_what_the_cache_did_in_every_case(cache: str) -> None:
    assert list(comparing.differences(kept(cache))) == []


@pytest.mark.parametrize("cache", ["nginx", "varnish"])
def test_what_is_kept_is_about_the_present_cases_with_both_answers_to_most_questions(cache: str) -> None:
    lines = kept(cache)
    assert [line["case"] for line in lines] == [case.name for case in CASES]
    never = {"other_query"}
    if cache == "varnish":
        never |= {"then_cookie", "cookie_first", "then_authorization", "authorization_first"}
    for question in QUESTIONS:
        answers = Counter(line["second_hand"][question.name] for line in lines)
        assert answers[False] > 30
        assert (answers[True] == 0) if question.name in never else (answers[True] > 50)


def test_the_two_caches_and_the_standard_really_differ() -> None:
    nothing = received.received([])
    assert cachekinds.permitted(nothing, CacheKind.RFC9111).sharing is Sharing.GUESSING
    assert cachekinds.permitted(nothing, CacheKind.NGINX).sharing is Sharing.NEVER
    assert cachekinds.permitted(nothing, CacheKind.VARNISH).lifetime == varnish.DEFAULT


def _says(kind: CacheKind, *pairs: tuple[str, str], status: int = 200) -> Permitted:
    return cachekinds.permitted(received.received(pairs, status=status), kind)


TARGETED = (("Cache-Control", "max-age=60"), ("CDN-Cache-Control", "max-age=600"))


def test_only_a_cdn_obeys_the_targeted_field() -> None:
    assert _says(CacheKind.CDN, *TARGETED).lifetime == 600
    assert _says(CacheKind.RFC9111, *TARGETED).lifetime == 60
    unreadable = (("Cache-Control", "max-age=60"), ("CDN-Cache-Control", "max-age=600,"))
    assert _says(CacheKind.CDN, *unreadable).lifetime == 60


def test_what_a_cache_guesses_is_a_tenth_of_the_time_since_the_last_change() -> None:
    said = _says(
        CacheKind.RFC9111,
        ("Date", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("Last-Modified", "Sun, 22 Nov 2026 09:50:00 GMT"),
    )
    assert (said.sharing, said.lifetime) == (Sharing.GUESSING, 60)


@pytest.mark.parametrize(
    ("control", "shared"),
    [
        ("max-age=60", False),
        ("public, max-age=60", True),
        ("s-maxage=60", True),
        ("max-age=60, must-revalidate", True),
    ],
)
def test_an_answer_to_authorization_is_for_others_only_where_it_says_so(control: str, shared: bool) -> None:
    first = Asked(headers=(("authorization", "Basic x"),))
    answer = received.received([("Cache-Control", control)])
    assert cachekinds.serves(answer, CacheKind.RFC9111, Later(first, Asked(), 0)) is shared
    assert cachekinds.serves(answer, CacheKind.RFC9111, SOON) is True


def test_age_counts_by_the_standard_and_not_for_nginx() -> None:
    answer = received.received([("Cache-Control", "max-age=60"), ("Age", "59")])
    for kind, expected in ((CacheKind.RFC9111, False), (CacheKind.NGINX, True)):
        assert cachekinds.serves(answer, kind, Later(Asked(), Asked(), 1.5)) is expected


NAMES = st.sampled_from(
    [
        *(
            "Cache-Control",
            "CDN-Cache-Control",
            "Surrogate-Control",
            "X-Accel-Expires",
            "Expires",
            "Date",
            "Age",
            "Vary",
        ),
        *("Set-Cookie", "Last-Modified", "Cache-Status", "X-Cache", "X-Varnish", "CF-Cache-Status"),
    ]
)
PIECES = st.sampled_from(
    [
        "max-age",
        "s-maxage",
        "=",
        "9" * 5000,
        "0",
        "-",
        "*",
        ",",
        ";",
        " ",
        '"',
        "private",
        "Nov",
        "hit",
        "fwd",
        "GMT",
    ]
)
VALUES = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.sampled_from(CacheKind), st.integers(100, 999))
def test_no_headers_make_the_model_raise(pairs: list[tuple[str, str]], kind: CacheKind, status: int) -> None:
    answer = received.received(pairs, status=status)
    cachekinds.serves(answer, kind, SOON)
    cachekinds.permitted(answer, kind, now=1_800_000_000)
    observed.observe(answer)


@pytest.mark.parametrize(
    "name", ["Cache-Control", "X-Accel-Expires", "Age", "Vary", "Expires", "X-Cache", "X-Varnish"]
)
@pytest.mark.parametrize("piece", ["max-age=", "9", " max-age", "a, ", "private", "*,", "1 "])
def test_the_work_for_a_header_grows_no_faster_than_its_length(name: str, piece: str) -> None:
    def work(times: int) -> int:
        answer = received.received([(name, piece * times)])
        return calls(
            lambda: [cachekinds.permitted(answer, kind) for kind in CacheKind] + [observed.observe(answer)]
        )

    # Whatever is made once in a process, such as an expression, is made before anything is counted; of another length,
    # since what was parsed before is remembered.
    work(SMALL - 1)
    assert work(LARGE) <= work(SMALL) * MOST_GROWTH + FIXED_CALLS
