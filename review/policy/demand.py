"""What a demand is: the rule that explains it, and the test that an answer has to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headersweep.responses import ResponseClass
from review.finding import DOCUMENTS, Rule, Severity
from review.policy.answers import Answer


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that can be demanded of an answer."""

    rule: Rule
    header: str
    is_met: Callable[[Answer], bool]


def demand(  # noqa: PLR0913 - the columns of the table below
    name: str,
    severity: Severity,
    header: str,
    is_met: Callable[[Answer], bool],
    *,
    title: str,
    browser: str,
    why: str,
    fix: str,
    link: str,
    classes: frozenset[ResponseClass] = DOCUMENTS,
) -> Demand:
    """A demand with its rule, whose code is ``policy.`` and the name."""
    rule = Rule(f"policy.{name}", severity, title, browser, why, fix, link, classes)
    return Demand(rule, header, is_met)
