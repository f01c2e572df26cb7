"""The table of all checks, registered by hand: one line a header or concern, in the order in which reports show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from review import nonces, preload, redirects
from review.cacherules import rules as cache_rules
from review.checks import (
    body_contents,
    cache,
    clear_site_data,
    coep,
    conflicts,
    coop,
    corp,
    cors,
    csp,
    csp_differences,
    csp_gaps,
    csp_reporting,
    csp_scripts,
    csp_syntax,
    deprecated,
    document_policy,
    feature_policy,
    integrity_policy,
    leaks,
    mixed_content,
    origin_agent_cluster,
    permissions_policy,
    referrer_policy,
    reporting,
    secrets,
    set_cookie,
    sri,
    strict_transport_security,
    x_content_type_options,
    x_frame_options,
)
from review.finding import Finding, Rule
from review.policy import rules
from review.probes import kinds
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


CHECKS: tuple[Check, ...] = (
    strict_transport_security,
    csp,
    csp_differences,
    csp_gaps,
    csp_scripts,
    csp_syntax,
    csp_reporting,
    x_frame_options,
    x_content_type_options,
    referrer_policy,
    permissions_policy,
    feature_policy,
    coop,
    coep,
    corp,
    origin_agent_cluster,
    document_policy,
    integrity_policy,
    set_cookie,
    cors,
    cache,
    clear_site_data,
    reporting,
    sri,
    mixed_content,
    secrets,
    leaks,
    body_contents,
    deprecated,
    conflicts,
)

RULES: dict[str, Rule] = (
    {rule.code: rule for check in CHECKS for rule in check.RULES}
    | redirects.BY_CODE
    | nonces.BY_CODE
    | preload.BY_CODE
    | kinds.BY_CODE
    | rules.RULES
    | cache_rules.RULES
)
"""Every rule by its code: those on single answers, on whole runs, and of policies."""

EFFECTIVE: dict[str, Effective] = {name: read for check in CHECKS for name, read in check.EFFECTIVE.items()}
"""For each header whose effect is known, the function that reads it."""
