"""A model of the sweep: workers that die, sleep and repeat themselves, clocks and operators, interleaved at random."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.integration import _model
from tests.integration._lab import Lab


def test_whatever_is_interleaved_nothing_is_lost_or_doubled_and_the_run_ends_as_if_undisturbed(
    lab: Lab,
) -> None:
    run_state_machine_as_test(_model.sweep(lab), settings=_model.MODEL_SETTINGS)
