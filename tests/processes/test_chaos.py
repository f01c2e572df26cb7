"""The short form of ``make chaos``: five seeds that end soon, with most of the faults; a failure says what was drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos import laboratory
from tests.chaos.laboratory import Laboratory
from tests.processes._program import Home


@pytest.fixture(scope="module")
def lab(made_home: Home) -> Iterator[Laboratory]:
    with laboratory.opened(made_home, laboratory.IMPATIENT) as found:
        yield found


@pytest.mark.parametrize("seed", [5, 13, 16, 20, 39])
def test_a_sweep_under_a_schedule_of_faults_ends_as_if_nothing_had_happened(
    lab: Laboratory, seed: int
) -> None:
    verdict = lab.tried(seed)
    assert verdict.wrong == (), f"{verdict.schedule}; again: python -m tests.chaos --seed {seed}"
    assert verdict.struck
