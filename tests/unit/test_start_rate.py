"""The rate that a slice starts with: what the origin's row remembers, within what the owner allows now."""

from __future__ import annotations

import pytest

from headersweep.definition import SiteDefinition
from worker.claim import start_rate


@pytest.mark.parametrize(
    ("learnt", "level", "rate", "max_rate", "expected"),
    [
        (None, 0, 1.0, 10.0, 1.0),
        (4.0, 0, 1.0, 10.0, 4.0),
        (40.0, 0, 1.0, 10.0, 10.0),
        (0.5, 3, 1.0, 10.0, 0.5),
        (None, 0, 0.0, 0.0, 0.0),
        (5.0, 1, 0.0, 0.0, 5.0),
        # A run with --rate has left this behind; the origin is well.
        (1.2, 0, 0.0, 0.0, 0.0),
    ],
)
def test_the_start_rate(
    learnt: float | None, level: int, rate: float, max_rate: float, expected: float
) -> None:
    definition = SiteDefinition("docs", ("https://docs.example/",), rate=rate, max_rate=max_rate)
    assert start_rate(learnt, level, definition) == expected
