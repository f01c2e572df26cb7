"""The findings that a policy makes, beside those of its profile's requirements."""

from __future__ import annotations

from review.finding import Rule, Severity
from review.policy import profiles

_LINK = "https://datatracker.ietf.org/doc/html/rfc9110#section-5"

EXPECTATION = Rule(
    code="policy.expectation",
    severity=Severity.MEDIUM,
    title="A header is not as the site's file expects it",
    browser="It knows nothing of what was expected; the findings on the header itself say what it does.",
    why="Somebody wrote down how this header has to be, and why; either the site or that line is wrong.",
    fix="Send the header as expected, or change [[expect]] in the site's file.",
    link=_LINK,
)
WAIVER_EXPIRED = Rule(
    code="waiver.expired",
    severity=Severity.LOW,
    title="A waiver's last day is over",
    browser="It knows nothing of waivers.",
    why="What it excused counts again. Somebody promised to mend this by that day.",
    fix="Mend what it excuses and delete [[waiver]] from the site's file, or agree on another day.",
    link=_LINK,
)
WAIVER_UNUSED = Rule(
    code="waiver.unused",
    severity=Severity.INFO,
    title="A waiver excuses nothing",
    browser="It knows nothing of waivers.",
    why="It would hide the finding if it came back.",
    fix="Delete [[waiver]] from the site's file.",
    link=_LINK,
)
BASELINE_EXPIRED = Rule(
    code="baseline.expired",
    severity=Severity.LOW,
    title="The baseline's last day is over",
    browser="It knows nothing of baselines.",
    why="What counts as new is still told by comparing with it, but nobody stands behind that state any more.",
    fix="headersweep baseline approve RUN --owner ... --reason ... --expires ... --rollback-note ...",
    link=_LINK,
)
SWITCHED_OFF = Rule(
    code="switch.off",
    severity=Severity.INFO,
    title="Findings are switched off",
    browser="It knows nothing of switches, and does what it always did.",
    why="Nobody sees what is off. It is named here so that it is not forgotten.",
    fix="Delete [[switch]] from the site's file, or from _all.toml.",
    link=_LINK,
)

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        *(demand.rule for demand in profiles.DEMANDS),
        EXPECTATION,
        WAIVER_EXPIRED,
        WAIVER_UNUSED,
        BASELINE_EXPIRED,
        SWITCHED_OFF,
    )
}
"""Every rule of policies by its code."""
