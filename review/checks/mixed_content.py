"""Mixed content (Mixed Content Level 2): what a page over https loads over http.

Browsers block what can change the page. Pictures, audio and video they ask for over https instead: Chromium since
version 81, Firefox since 127, Safari since 18; older ones show them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from headersweep.bodyfacts import Loaded
from review import loads
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_LINK = "https://www.w3.org/TR/mixed-content/"
_FIX = (
    "Content-Security-Policy: upgrade-insecure-requests\n"
    "Better write https in the page; the policy helps until that is done, where the other server speaks https."
)

ACTIVE = Rule(
    code="mixed_content.active",
    severity=Severity.HIGH,
    title="A page over https loads scripts, style sheets or frames over http",
    browser="It blocks them, also where HSTS would make https of them: this is decided first. Old browsers and some apps load them.",
    why="The page does not work as meant; where they are loaded, whoever is on the way runs scripts in it.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
PASSIVE = Rule(
    code="mixed_content.passive",
    severity=Severity.LOW,
    title="A page over https shows pictures or media over http",
    browser="Today it asks for them over https, and shows none where that fails; older ones load them over http.",
    why="Pictures that have no https are missing; in older browsers others can see and change them.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
UPGRADED = Rule(
    code="mixed_content.upgraded",
    severity=Severity.INFO,
    title="A page writes http where its policy makes https of it",
    browser="It asks for https: the policy says upgrade-insecure-requests.",
    why="Nothing is unsafe; without the policy it would be, and what has no https is missing.",
    fix="Write https in the page.",
    link="https://www.w3.org/TR/upgrade-insecure-requests/",
    classes=DOCUMENTS,
)
RULES = (ACTIVE, PASSIVE, UPGRADED)
EFFECTIVE: Mapping[str, Any] = {}

_UPGRADES = re.compile(r"(?<![^,;])\s*+upgrade-insecure-requests(?![^\s,;])")
"""The directive in policies in small letters. Its name is the whole of it: what stands behind does not count."""
_PASSIVE_KINDS = frozenset({"img", "media"})
_HINTS = frozenset({"preload", "modulepreload"})
"""What is only fetched ahead is no loss when it is blocked; what then uses it is looked at itself."""


def check(received: Received) -> Iterator[Finding]:
    """Say what comes without TLS into a page that came with it."""
    if not received.secure:
        return
    upgraded = _upgrades(received)
    for loaded in loads.of(received):
        if loaded.source.startswith("http:") and loaded.kind not in _HINTS and not loads.is_loopback(loaded):
            rule = UPGRADED if upgraded else _rule(loaded)
            yield rule.found(loads.markup(loaded), subject=loads.subject(loaded))


def _rule(loaded: Loaded) -> Rule:
    return PASSIVE if loaded.kind in _PASSIVE_KINDS else ACTIVE


def _upgrades(received: Received) -> bool:
    metas = received.facts.meta_policies if received.facts is not None else ()
    policies = ",".join((*received.values("content-security-policy"), *metas))
    return _UPGRADES.search(policies.lower()) is not None
