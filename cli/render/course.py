"""What was done to a run, and what it waits for, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.render import words
from headersweep.states import RunAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.report import Action, Run
    from cli.standstill import Standstill

DONE = {
    RunAction.CANCEL: "cancelled",
    RunAction.RESUME: "resumed",
    RunAction.RERUN_FAILED: "failed pages put back",
    RunAction.RERUN: "run again",
}


def origin(run: Run) -> str:
    """Who asked for a run, and why."""
    return _with_reason(f"asked for by {words.safe(run.requested_by)}", run.reason)


def actions(found: Sequence[Action]) -> list[str]:
    """What was done to the run since, a line each."""
    lines = ["What was done to it"] if found else []
    return [*lines, *(f"  {words.instant(item.at.replace(microsecond=0))}  {action(item)}" for item in found)]


def action(item: Action) -> str:
    """One thing that was done to a run, by whom and why."""
    made = f" as run {item.made_run}" if item.made_run is not None else ""
    return _with_reason(f"{DONE[item.action]}{made} by {words.safe(item.asked_by)}", item.reason)


def last(run: Run) -> str:
    """What the list of runs says about people: what was done last, else who asked for the run."""
    if run.last_action is not None:
        return action(run.last_action)
    return _with_reason(words.safe(run.requested_by), run.reason)


def waiting(found: Sequence[Standstill]) -> list[str]:
    """What the run waits for, a line each."""
    return [f"{'Waits      ' if place == 0 else ' ' * 11}{item.said}" for place, item in enumerate(found)]


def _with_reason(said: str, reason: str) -> str:
    return f"{said}: {words.safe(reason)}" if reason else said
