"""What real browsers were seen to do is what the review says: every record, without a browser."""

from __future__ import annotations

import pytest

from benchmarks.browser import differences, predictions, records
from benchmarks.browser.records import Record

RECORDS = records.recorded()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name.encode("ascii", "backslashreplace").decode())
def test_the_review_says_what_the_browser_did(record: Record) -> None:
    excused = differences.excused(record)
    said = predictions.predicted(record)
    assert {key: said[key] for key in record.did if key not in excused} == {
        key: did for key, did in record.did.items() if key not in excused
    }


def test_there_are_records_of_both_browsers_about_everything() -> None:
    assert {(one.browser, one.about) for one in RECORDS} >= {
        (browser, about) for browser in ("chromium", "firefox") for about in predictions.PREDICTIONS
    }


def test_every_difference_on_purpose_is_still_one() -> None:
    stale = [
        one
        for one in differences.DIFFERENCES
        if not any(_differs(record, one) for record in RECORDS)
    ]
    assert stale == []


def _differs(record: Record, one: differences.Difference) -> bool:
    if (one.about, one.lines) != (record.about, record.lines) or one.browser not in {"", record.browser}:
        return False
    said = predictions.predicted(record)
    return all(said[key] != record.did[key] for key in one.keys if key in record.did)
