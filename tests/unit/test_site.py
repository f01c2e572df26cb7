"""What the pages of one run have in common in a process: what is new, what is decided at once, what is masked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headersweep import headers, urls
from headersweep.definition import SiteDefinition
from headersweep.states import Outcome, TrapReason
from headersweep.urls import PageUrl
from worker import site
from worker.site import RunSite

SLOT = datetime(2026, 3, 1, tzinfo=UTC)


def run_site(masked: frozenset[str] = frozenset(), **changes: object) -> RunSite:
    definition = SiteDefinition("s", ("https://www.example.org/",), max_depth=3, **changes)  # type: ignore[arg-type]
    return RunSite(1, 1, 2, "s", SLOT, definition, masked)


def at(url: str) -> PageUrl:
    found = urls.parse(url)
    assert found is not None
    return found


def block(number: int, fixed: str = "text/html") -> bytes:
    return f"Content-Type: {fixed}\r\nX-Served-By-Pod: pod-{number}\r\n".encode()


def count(tested: RunSite, numbers: range) -> list[str]:
    """Commit the answers of these pods, and give their canonical texts."""
    canonicals = [tested.snapshot(block(number))[0].canonical for number in numbers]
    tested.count(canonicals)
    return canonicals


def test_a_page_is_new_once_until_it_is_forgotten() -> None:
    tested = run_site()
    page, other = at("https://www.example.org/a"), at("https://www.example.org/b")
    assert [tested.is_new(page), tested.is_new(page), tested.is_new(other)] == [True, False, True]
    assert tested.remembered == 2
    tested.forget()
    assert tested.is_new(page)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "KNOWN_LIMIT", 10)
    tested = run_site()
    for number in range(100):
        assert tested.is_new(at(f"https://www.example.org/{number}"))
    assert tested.remembered <= 10


@pytest.mark.parametrize(
    ("url", "depth", "verdict"),
    [
        ("https://www.example.org/a", 3, None),
        ("https://www.example.org/a", 4, (Outcome.SKIPPED_LIMIT, "max_depth")),
        ("https://other.example/", 1, (Outcome.OUT_OF_SCOPE, None)),
        ("https://other.example/", 9, (Outcome.OUT_OF_SCOPE, None)),
        ("https://www.example.org/x/x/x/", 9, (Outcome.TRAPPED, TrapReason.REPEATED_SEGMENTS)),
    ],
)
def test_what_can_be_decided_at_once_is(
    url: str, depth: int, verdict: tuple[Outcome, str | None] | None
) -> None:
    assert run_site().verdict(at(url), depth) == verdict


def test_a_header_that_differs_on_every_response_is_masked_once_it_is_certain() -> None:
    tested = run_site()
    before = count(tested, range(59))
    assert tested.new_masks == {}
    count(tested, range(59, 75))
    assert tested.new_masks.keys() == {"x-served-by-pod"}
    distinct, responses = tested.new_masks["x-served-by-pod"]
    assert distinct > 50
    assert responses >= 60
    after = count(tested, range(100, 110))
    assert len(set(before)) == 59
    assert after == [headers.refold(before[0], frozenset({"x-served-by-pod"}))] * 10


def test_what_was_fetched_but_not_committed_does_not_count() -> None:
    tested = run_site()
    for number in range(200):
        tested.snapshot(block(number))
    assert tested.new_masks == {}


def test_the_masks_of_earlier_runs_hold_from_the_first_page() -> None:
    tested = run_site(frozenset({"x-served-by-pod"}))
    assert len(set(count(tested, range(5)))) == 1


def test_the_guard_remembers_a_bounded_number_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "SEEN_LIMIT", 100)
    tested = run_site()
    for number in range(1000):
        # The value counts for the review, so it is never masked.
        tested.count([tested.snapshot(f"Content-Type: text/{number}\r\n".encode())[0].canonical])
    assert tested.new_masks == {}
    assert len(tested._seen) <= 150
