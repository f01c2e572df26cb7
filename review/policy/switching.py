"""What a policy switched off: it is taken out of the findings, and named once, so that nobody forgets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from headersweep.policies import ALERT, Policy, Switch
from review import report
from review.policy import rules
from review.report import Cause, HeaderSet


def without(policy: Policy, sets: Sequence[HeaderSet]) -> list[HeaderSet]:
    """The header sets without the findings that are off."""
    if not policy.switches:
        return list(sets)
    return [_kept(one, lambda code: policy.switched_off(code) is None) for one in sets]


def others_without(policy: Policy, others: Sequence[Cause]) -> list[Cause]:
    """The causes that no header set shows, without those that are off."""
    return [cause for cause in others if policy.switched_off(cause.code) is None]


def about_switches(policy: Policy, sets: Sequence[HeaderSet], others: Sequence[Cause]) -> Iterator[Cause]:
    """For every switch that is off, a cause that names it and says how much it hides."""
    for switch in policy.switches:
        if switch.enabled or switch.what.startswith(ALERT):
            continue
        hidden = report.causes(_kept(one, _decided_by(policy, switch)) for one in sets)
        beside = [cause for cause in others if policy.switched_off(cause.code) is switch]
        yield _about(switch, [*hidden, *beside])


def _decided_by(policy: Policy, switch: Switch) -> Callable[[str], bool]:
    return lambda code: policy.switched_off(code) is switch


def _kept(one: HeaderSet, wanted: Callable[[str], bool]) -> HeaderSet:
    findings = tuple(finding for finding in one.judgement.findings if wanted(finding.code))
    return replace(one, judgement=replace(one.judgement, findings=findings))


def _about(switch: Switch, hidden: Sequence[Cause]) -> Cause:
    pages = max((cause.pages for cause in hidden), default=0)
    causes = "1 cause" if len(hidden) == 1 else f"{len(hidden)} causes"
    worst = max((cause.severity for cause in hidden), key=lambda one: one.rank, default=None)
    hides = (
        f"it hides {causes}, the worst {worst}, on up to {pages:,} pages"
        if hidden
        else "it hides nothing now"
    )
    detail = f"{switch.owner}: {switch.reason}; {hides}"
    return report.about(rules.SWITCHED_OFF, switch.what, detail)
