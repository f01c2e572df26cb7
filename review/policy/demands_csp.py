"""What profiles demand of a Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Callable

from headersweep.responses import ResponseClass
from review.finding import Severity
from review.policy import answers
from review.policy.answers import CSP, Answer
from review.policy.demand import demand


def _any_policy(holds: Callable[[answers.Directives], bool]) -> Callable[[Answer], bool]:
    """Several policies are all enforced, so one that does it is enough."""
    return lambda answer: any(holds(policy) for policy in answer.policies)


_CSP_LINK = "https://www.w3.org/TR/CSP3/"
_CSP_WHY = "Where text of a visitor gets into a page as a script, this is what keeps the script from running."

CSP_LOCKED = demand(
    "csp_locked",
    Severity.MEDIUM,
    CSP,
    lambda answer: (
        any(answers.only(answers.sources(policy, "object-src")) for policy in answer.policies)
        and any(answers.only(policy.get("base-uri")) for policy in answer.policies)
        and any(answers.locks_scripts(policy) for policy in answer.policies)
    ),
    title="No policy with object-src 'none', base-uri 'none' and a list of trusted scripts",
    browser="It loads plugins, changes the base of relative URLs, and runs inline scripts unless a policy forbids it.",
    why=_CSP_WHY,
    fix="Content-Security-Policy: default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
    link=_CSP_LINK,
)
CSP_NONCES = demand(
    "csp_nonces",
    Severity.MEDIUM,
    CSP,
    _any_policy(answers.names_scripts),
    title="Scripts are not trusted one by one, with nonces or hashes",
    browser="With a nonce or hash it runs the scripts that the page names, wherever they come from, and no others.",
    why="Trusted hosts often have a file that runs what a URL says; a list of hosts is then no protection.",
    fix="Content-Security-Policy: script-src 'nonce-...' 'strict-dynamic'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'\nThe nonce is new in every answer.",
    link=_CSP_LINK,
)
CSP_FRAME_ANCESTORS = demand(
    "csp_frame_ancestors",
    Severity.MEDIUM,
    CSP,
    _any_policy(answers.frames_listed),
    title="No frame-ancestors, or one that lets everybody frame the page",
    browser="Any site may show the page in a frame where nothing forbids it; X-Frame-Options knows no list.",
    why="A page that is shown, invisible, on top of another can be clicked by people who see only the other.",
    fix="Content-Security-Policy: frame-ancestors 'none'",
    link="https://www.w3.org/TR/CSP3/#directive-frame-ancestors",
)
CSP_FRAME_ANCESTORS_NONE = demand(
    "csp_frame_ancestors_none",
    Severity.INFO,
    CSP,
    _any_policy(lambda policy: answers.only(policy.get("frame-ancestors"))),
    title="Answers of the API may be shown in frames",
    browser="It shows text of any kind in a frame where nothing forbids it.",
    why="Rarely of use to anybody; forbidding it costs nothing.",
    fix="Content-Security-Policy: frame-ancestors 'none'",
    link="https://www.w3.org/TR/CSP3/#directive-frame-ancestors",
    classes=frozenset({ResponseClass.API}),
)
CSP_REPORTING = demand(
    "csp_reporting",
    Severity.LOW,
    CSP,
    _any_policy(answers.reports),
    title="Nobody is told what the policy blocked",
    browser="It sends a report of each violation where the policy names a place for it.",
    why="An attack, or a page that the policy breaks, goes unnoticed.",
    fix='Reporting-Endpoints: csp="https://reports.example.com/csp"\nAnd report-to csp in the policy; report-uri beside it '
    "for browsers that do not know it.",
    link="https://www.w3.org/TR/CSP3/#reporting",
)


def _is_owasp_policy(policy: answers.Directives) -> bool:
    own = "'self'"
    return (
        answers.only(policy.get("default-src"), own)
        and answers.locks_scripts(policy)
        and answers.only(policy.get("form-action"), own)
        and answers.only(answers.sources(policy, "object-src"))
        and answers.only(policy.get("frame-ancestors"))
        and "upgrade-insecure-requests" in policy
    )


CSP_OWASP = demand(
    "csp_owasp",
    Severity.LOW,
    CSP,
    _any_policy(_is_owasp_policy),
    title="The policy is looser than the one that OWASP recommends",
    browser="It loads from everywhere what no policy forbids, and sends forms anywhere.",
    why=_CSP_WHY,
    fix="Content-Security-Policy: default-src 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'none'; "
    "upgrade-insecure-requests",
    link=_CSP_LINK,
)
