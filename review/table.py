"""The table of all checks, registered by hand: one line a header or concern, in the order in which reports show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from review.checks import x_content_type_options
from review.finding import Finding, Rule
from review.policy import rules
from review.received import Received

Effective = Callable[[Received], Any]


class Check(Protocol):
    """What a module under checks/ offers."""

    @property
    def __name__(self) -> str:
        """The module's name."""

    @property
    def RULES(self) -> tuple[Rule, ...]:  # noqa: N802 - a constant of the module
        """Every kind of finding it can make."""

    @property
    def EFFECTIVE(self) -> Mapping[str, Effective]:  # noqa: N802 - a constant of the module
        """For each header that it knows: what a browser makes of it, as JSON values; None where it is ignored."""

    def check(self, received: Received, /) -> Iterable[Finding]:
        """What is to be said about an answer. Total: no values make it raise."""


CHECKS: tuple[Check, ...] = (x_content_type_options,)

RULES: dict[str, Rule] = {rule.code: rule for check in CHECKS for rule in check.RULES} | rules.RULES
"""Every rule by its code, those of policies behind those of the headers."""

EFFECTIVE: dict[str, Effective] = {name: read for check in CHECKS for name, read in check.EFFECTIVE.items()}
"""For each header whose effect is known, the function that reads it."""
