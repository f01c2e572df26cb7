"""Explanations of the review: findings, concerns, profiles, severities and response classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cli.explaining.explanation import MAINTAINERS, SITE_OWNER, Explanation, who_switched_off
from headersweep import policies
from headersweep.meanings import MEANINGS
from headersweep.policies import Switch
from headersweep.responses import ResponseClass
from review import table
from review.finding import Rule, Severity
from review.policy import profiles

SWITCH = '[[switch]] with what = "{what}", enabled = false, owner and reason, in the site\'s file, or in _all.toml for every site'
SEVERITIES = {
    Severity.HIGH: "An attacker gains something by it today.",
    Severity.MEDIUM: "A protection is absent or void.",
    Severity.LOW: "Hardening and hygiene.",
    Severity.INFO: "A fact without a fault, or an opinion.",
}


def explanations(switches: Sequence[Switch]) -> Iterator[Explanation]:
    """Everything that the review has names for; ``switches`` are those for every site."""
    for rule in table.RULES.values():
        yield _finding(rule, switches)
    for concern in sorted({code.partition(".")[0] for code in table.RULES}):
        yield _concern(concern, switches)
    for profile in profiles.PROFILES.values():
        yield Explanation(
            "profile",
            str(profile.name),
            f"{profile.title}: {len(profile.requirements)} demands on headers, from {profile.source}.",
            "Whoever must follow that standard sees what of it is not met, paragraph by paragraph.",
            'profile = "recommended" in the site\'s file: it demands nothing beyond the review',
            SITE_OWNER,
            re.escape(f'"{profile.name}"'),
            f"headersweep policy show {profile.name}",
        )
    yield from _words()


def _finding(rule: Rule, switches: Sequence[Switch]) -> Explanation:
    classes = ", ".join(sorted(str(kind) for kind in rule.classes))
    switch = policies.deciding(switches, rule.code)
    return Explanation(
        "finding",
        rule.code,
        f"{rule.title}. Severity {rule.severity}; looked for in: {classes}. A browser: {rule.browser}",
        f"{rule.why} To mend it: {rule.fix}",
        f"{_off(rule.code)}; to excuse it until a day: [[waiver]] in the site's file",
        f"{SITE_OWNER} for the headers; {switch.owner if switch else MAINTAINERS} for the rule",
        _written(rule.code),
        rule.link,
        decided=who_switched_off(switch),
    )


def _written(code: str) -> str:
    """How a rule's code stands in the code: whole, or, in a table of alike rules, as the last part on a line of its own."""
    return rf'"{re.escape(code)}"|^    "{re.escape(code.partition(".")[2])}",$'


def _off(code: str) -> str:
    if code.partition(".")[0] in {"waiver", "baseline", "switch"}:
        return "it cannot be switched off: it goes when the exception that it is about is mended"
    return SWITCH.format(what=code)


def _concern(concern: str, switches: Sequence[Switch]) -> Explanation:
    codes = [code for code in table.RULES if code.startswith(f"{concern}.")]
    switch = policies.deciding(switches, f"{concern}.*")
    return Explanation(
        "concern",
        concern,
        f"What the review looks at under that name: {', '.join(codes)}.",
        "Findings of one concern are switched, excused and read together.",
        _off(f"{concern}.*"),
        switch.owner if switch else MAINTAINERS,
        rf'"{re.escape(concern)}\.[a-z_{{]',
        "docs/checks.md",
        decided=who_switched_off(switch),
    )


def _words() -> Iterator[Explanation]:
    for severity, meaning in SEVERITIES.items():
        yield Explanation(
            "severity",
            str(severity),
            f"{meaning} What makes a command fail with --fail-on {severity} is a finding at least as bad.",
            "Whoever reads a report begins with the worst.",
            "it is a word; --fail-on none lets no finding fail a command",
            MAINTAINERS,
            r"^class Severity\(",
            "docs/checks.md",
        )
    for kind, meaning in MEANINGS[ResponseClass].items():
        yield Explanation(
            "response class",
            str(kind.value),
            f"A kind of answer: {meaning}.",
            "A header that makes no sense on a kind of answer is no finding there.",
            "it follows from status and headers; class = [...] narrows an [[expect]] to some of them",
            MAINTAINERS,
            r"^class ResponseClass\(",
            "docs/states.md",
        )
