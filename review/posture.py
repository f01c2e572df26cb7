"""What one answer is protected against in effect: a list of protections, each with the answers that it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headersweep.responses import ResponseClass
from review import cookies, hsts
from review.caching import Sharing, fresh_for, sharing
from review.checks import (
    coop,
    corp,
    permissions_policy,
    referrer_policy,
    x_content_type_options,
    x_frame_options,
)
from review.csp import effective as csp
from review.csp import parse
from review.csp.places import Place
from review.finding import ANY, CONTENT, DOCUMENTS
from review.received import Received

HALF_A_YEAR_SECONDS = 15_552_000
POWERFUL = ("camera", "geolocation", "microphone")
"""The features that a policy has to keep from other sites, to count."""

_KEEPS_PATHS = referrer_policy.POLICIES - {"unsafe-url", "no-referrer-when-downgrade"}
_SHARED_OPENERS = frozenset({None, "unsafe-none"})


@dataclass(frozen=True, slots=True)
class Protection:
    """One thing that headers can protect an answer from. ``title`` says what holds where it is covered."""

    name: str
    title: str
    classes: frozenset[ResponseClass]
    holds: Callable[[Received], bool]
    matters: Callable[[Received], bool] = lambda _: True
    """Whether there is anything to protect: an answer without cookies has none that could be secure."""

    def applies(self, received: Received) -> bool:
        """Whether an answer counts for this at all."""
        return received.response_class in self.classes and self.matters(received)


@dataclass(frozen=True, slots=True)
class Posture:
    """One answer: of each protection that it counts for, whether it has it; and what a shared cache may do."""

    held: dict[str, bool]
    sharing: Sharing
    fresh_for: int | None


def posture(received: Received) -> Posture:
    """What headers do for an answer; never raises, whatever the bytes were."""
    held = {one.name: one.holds(received) for one in PROTECTIONS if one.applies(received)}
    return Posture(held, sharing(received), fresh_for(received))


# --- Content-Security-Policy -------------------------------------------------------------------------------------

_SCRIPTS = ("script-src-elem", "script-src-attr")


def _limits_scripts(received: Received) -> bool:
    policies = parse.enforced(received)
    return not any(csp.together(policies, name).everything for name in _SCRIPTS)


def _no_inline(received: Received) -> bool:
    policies = parse.enforced(received)
    return not any(csp.together(policies, name).has(csp.INLINE) for name in _SCRIPTS)


def _chosen_scripts(received: Received) -> bool:
    allowed = csp.together(parse.enforced(received), "script-src-elem")
    return _no_inline(received) and not allowed.reaches(Place("https", "*"))


def _no_eval(received: Received) -> bool:
    return not csp.together(parse.enforced(received), "script-src").has(csp.EVAL)


# --- the others --------------------------------------------------------------------------------------------------


def _hsts_lasts(received: Received) -> bool:
    found = hsts.read(received.values("strict-transport-security"), received.scheme, received.host)
    return found is not None and found.max_age >= HALF_A_YEAR_SECONDS


def _closes_powerful(received: Received) -> bool:
    found = permissions_policy.effective(received) or {}
    return all(name in found and "*" not in found[name] for name in POWERFUL)


def _kept(received: Received) -> list[cookies.Cookie]:
    """The cookies that a browser keeps from this answer."""
    return [one for one in cookies.read(received) if one.accepted and not one.removed]


def _sets_cookies(received: Received) -> bool:
    return bool(_kept(received))


def _all(holds: Callable[[cookies.Cookie], bool]) -> Callable[[Received], bool]:
    return lambda received: all(map(holds, _kept(received)))


PROTECTIONS: tuple[Protection, ...] = (
    Protection("https", "served over https", ANY, lambda received: received.secure),
    Protection(
        "hsts",
        "HSTS for half a year or longer",
        ANY,
        _hsts_lasts,
        lambda received: received.secure,
    ),
    Protection("csp", "an enforced CSP limits scripts", DOCUMENTS, _limits_scripts),
    Protection("csp_no_inline", "an effective CSP forbids inline scripts", DOCUMENTS, _no_inline),
    Protection(
        "csp_chosen_scripts",
        "an effective CSP lets scripts come from chosen places alone",
        DOCUMENTS,
        _chosen_scripts,
    ),
    Protection("csp_no_eval", "an effective CSP forbids eval", DOCUMENTS, _no_eval),
    Protection("framing", "not every site may frame it", DOCUMENTS, x_frame_options.limits_framing),
    Protection(
        "nosniff",
        "the content type is not guessed (nosniff)",
        CONTENT,
        lambda received: x_content_type_options.effective(received) == "nosniff",
    ),
    Protection(
        "referrer",
        "a referrer policy keeps paths from other sites",
        DOCUMENTS,
        lambda received: referrer_policy.in_force(received) in _KEEPS_PATHS,
    ),
    Protection(
        "permissions",
        "camera, position and microphone are kept from other sites",
        DOCUMENTS,
        _closes_powerful,
    ),
    Protection(
        "coop",
        "windows are kept apart from other sites' (COOP)",
        DOCUMENTS,
        lambda received: received.secure and coop.effective(received) not in _SHARED_OPENERS,
    ),
    Protection(
        "corp",
        "other sites may not embed it (CORP)",
        CONTENT,
        lambda received: corp.effective(received) in {"same-origin", "same-site"},
    ),
    Protection("cookies_secure", "all cookies are Secure", ANY, _all(lambda one: one.secure), _sets_cookies),
    Protection(
        "cookies_same_site",
        "all cookies say SameSite",
        ANY,
        _all(lambda one: one.same_site != "default"),
        _sets_cookies,
    ),
)
"""In the order in which people read them."""

TITLES = {one.name: one.title for one in PROTECTIONS}
