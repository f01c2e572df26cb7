"""What real browsers were seen to do is what the review says: every record, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.browser import agreement, differences, predictions, records
from benchmarks.browser.cases.table import CASES
from benchmarks.browser.records import Record

RECORDS = records.recorded()


@pytest.mark.parametrize(
    "record", RECORDS, ids=lambda record: record.name.encode("ascii", "backslashreplace").decode()
)
def test_the_review_says_what_the_browser_did(record: Record) -> None:
    excused = differences.excused(record)
    said = predictions.predicted(record)
    assert {key: said[key] for key in record.did if key not in excused} == {
        key: did for key, did in record.did.items() if key not in excused
    }


def test_there_are_records_of_both_browsers_about_everything() -> None:
    assert {(one.browser, one.about) for one in RECORDS} >= {
        (browser, about)
        for browser, lacks in (("chromium", set()), ("firefox", {"documents", "permissions"}))
        for about in predictions.PREDICTIONS.keys() - lacks
    }


@pytest.mark.parametrize("one", differences.DIFFERENCES, ids=lambda one: one.reason)
def test_every_difference_on_purpose_is_still_one(one: differences.Difference) -> None:
    covered = [record for record in RECORDS if one.covers(record)]
    assert len(covered) == len(one.values)
    assert all(_differs(record, one) for record in covered)


def _differs(record: Record, one: differences.Difference) -> bool:
    said = predictions.predicted(record)
    return any(said[key] != did for key, did in record.did.items() if key in (one.keys or record.did))


def test_the_differences_are_few() -> None:
    excused = sum(bool(differences.excused(record)) for record in RECORDS)
    assert excused < len(RECORDS) / 40


def test_the_page_shows_the_table_of_these_records() -> None:
    page = (Path(__file__).parents[3] / "docs" / "truth.md").read_text(encoding="utf-8")
    assert agreement.table() in page


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_the_records_are_those_of_the_cases(browser: str) -> None:
    mine = [(one.about, one.lines, one.host) for one in RECORDS if one.browser == browser]
    asked = {about for about, _, _ in mine}
    cases = [(case.about, case.lines, case.host) for case in CASES if case.about in asked]
    assert sorted(mine) == sorted(cases)
