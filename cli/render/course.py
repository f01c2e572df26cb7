"""What was done to a run, and what it waits for, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.render import words
from headersweep.probes import GivenUp, ProbeState
from headersweep.states import RunAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.report import Action, Probed, Run
    from cli.standstill import Standstill

DONE = {
    RunAction.CANCEL: "cancelled",
    RunAction.RESUME: "resumed",
    RunAction.RERUN_FAILED: "failed pages put back",
    RunAction.RERUN: "run again",
}

GIVEN_UP: dict[str, str] = {
    GivenUp.ROBOTS_DENIED: "denied by robots.txt",
    GivenUp.ROBOTS_UNREACHABLE: "since robots.txt could not be fetched",
    GivenUp.LOST: "ended their workers three times",
    GivenUp.EXPIRED: "came to no turn within a day, or within the site's window",
    GivenUp.SWITCHED_OFF: "since the site does not want them any more",
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


def probes(found: Sequence[Probed]) -> list[str]:
    """How the probes of each kind stand, a line a kind."""
    kinds = dict.fromkeys(item.kind for item in found)
    lines = (_probed(kind, [item for item in found if item.kind == kind]) for kind in kinds)
    return [f"{'Probes     ' if place == 0 else ' ' * 11}{line}" for place, line in enumerate(lines)]


def _probed(kind: str, found: Sequence[Probed]) -> str:
    total = dict.fromkeys(ProbeState, 0)
    for item in found:
        total[item.state] += item.probes
    failed = [
        f"{item.probes:,} {GIVEN_UP.get(item.reason, words.safe(item.reason))}"
        for item in found
        if item.state is ProbeState.FAILED
    ]
    said = [
        f"{total[state]:,} {state}" for state in ProbeState if total[state] and state is not ProbeState.FAILED
    ]
    if failed:
        said.append(f"{total[ProbeState.FAILED]:,} failed ({', '.join(failed)})")
    return f"{words.safe(kind)}: {', '.join(said)}"


def _with_reason(said: str, reason: str) -> str:
    return f"{said}: {words.safe(reason)}" if reason else said
