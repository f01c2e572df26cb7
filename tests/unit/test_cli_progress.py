from __future__ import annotations

from cli import progress
from cli.progress import Meter, Standing


def _meter(*samples: tuple[float, int]) -> Meter:
    meter = Meter()
    for now, done in samples:
        meter.add(now, done)
    return meter


def test_the_rate_is_the_mean_over_the_last_seconds() -> None:
    assert _meter((0, 0), (100, 50), (105, 550), (110, 1050)).rate() == 100.0


def test_one_sample_makes_no_rate() -> None:
    assert _meter((5, 100)).rate() == 0.0


def test_a_count_that_falls_back_is_no_negative_rate() -> None:
    assert _meter((0, 100), (1, 50)).rate() == 0.0


def test_a_line_says_done_found_rate_and_time_left() -> None:
    meter = _meter((0, 0), (10, 1000))
    assert progress.line(Standing("docs", 1000, 7000), meter) == (
        "docs: 1,000 of 7,000 pages done, 100 pages/s, about 1:00 left"
    )


def test_while_nothing_moves_no_time_left_is_claimed() -> None:
    meter = _meter((0, 5), (10, 5))
    assert progress.line(Standing("docs", 5, 10), meter) == "docs: 5 of 10 pages done, 0.0 pages/s"


def test_several_runs_are_shown_as_one() -> None:
    assert progress.total(["a", "b"], 3, 4) == Standing("2 sites", 3, 4)
