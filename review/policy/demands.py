"""What profiles demand of the headers whose value is a word or a list."""

from __future__ import annotations

from headersweep.responses import ResponseClass
from review.finding import ANY, CONTENT, DOCUMENTS, Severity
from review.policy.answers import Answer
from review.policy.demand import demand

API = frozenset({ResponseClass.API})
_CLOSED_FEATURES = frozenset(
    [
        "accelerometer",
        "autoplay",
        "camera",
        "clipboard-read",
        "clipboard-write",
        "cross-origin-isolated",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "gamepad",
        "geolocation",
        "gyroscope",
        "hid",
        "idle-detection",
        "keyboard-map",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "picture-in-picture",
        "publickey-credentials-get",
        "screen-wake-lock",
        "serial",
        "unload",
        "usb",
        "web-share",
        "xr-spatial-tracking",
    ]
)
_TELLS_NO_PATH = frozenset(
    [
        "no-referrer",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
    ]
)


NOSNIFF = demand(
    "nosniff",
    Severity.LOW,
    "x-content-type-options",
    lambda answer: answer.effective.get("x-content-type-options") == "nosniff",
    title="Not every answer forbids guessing its content type",
    browser="Without it, it may run an answer as a script although its Content-Type says otherwise.",
    why="A file that users can upload can become a script of the site.",
    fix="X-Content-Type-Options: nosniff",
    link="https://fetch.spec.whatwg.org/#x-content-type-options-header",
    classes=ANY,
)
REFERRER = demand(
    "referrer",
    Severity.LOW,
    "referrer-policy",
    lambda answer: answer.effective.get("referrer-policy") in _TELLS_NO_PATH,
    title="No Referrer-Policy that keeps paths from other sites",
    browser="Without one, today's browsers send the origin alone to other sites; older ones send the whole URL.",
    why="URLs carry names, searches and tokens, which other sites then find in their logs.",
    fix="Referrer-Policy: strict-origin-when-cross-origin",
    link="https://www.w3.org/TR/referrer-policy/",
)
REFERRER_NONE = demand(
    "referrer_none",
    Severity.LOW,
    "referrer-policy",
    lambda answer: answer.effective.get("referrer-policy") == "no-referrer",
    title="Referrer-Policy is not no-referrer",
    browser="With no-referrer it never tells where a visitor came from.",
    why="URLs carry names, searches and tokens.",
    fix="Referrer-Policy: no-referrer",
    link="https://www.w3.org/TR/referrer-policy/",
)
COOP = demand(
    "coop",
    Severity.LOW,
    "cross-origin-opener-policy",
    lambda answer: (
        answer.effective.get("cross-origin-opener-policy") in {"same-origin", "same-origin-allow-popups"}
    ),
    title="Other sites keep hold of windows that show the page",
    browser="Without it, whoever opened the page in a window may count its frames and lead it elsewhere.",
    why="Number and timing of frames tell about a visitor's account; a tab led elsewhere asks for passwords.",
    fix="Cross-Origin-Opener-Policy: same-origin",
    link="https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies",
)
COOP_SAME_ORIGIN = demand(
    "coop_same_origin",
    Severity.LOW,
    "cross-origin-opener-policy",
    lambda answer: answer.effective.get("cross-origin-opener-policy") == "same-origin",
    title="Cross-Origin-Opener-Policy is not same-origin",
    browser="With same-origin the page shares no group of windows with other origins.",
    why="Number and timing of frames tell about a visitor's account.",
    fix="Cross-Origin-Opener-Policy: same-origin",
    link="https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies",
)
COEP_REQUIRE_CORP = demand(
    "coep_require_corp",
    Severity.LOW,
    "cross-origin-embedder-policy",
    lambda answer: answer.effective.get("cross-origin-embedder-policy") == "require-corp",
    title="Cross-Origin-Embedder-Policy is not require-corp",
    browser="With require-corp the page loads from other origins only what agrees to it.",
    why="What is not loaded cannot be read from the process's memory.",
    fix="Cross-Origin-Embedder-Policy: require-corp",
    link="https://html.spec.whatwg.org/multipage/browsers.html#coep",
)
CORP_SAME_ORIGIN = demand(
    "corp_same_origin",
    Severity.LOW,
    "cross-origin-resource-policy",
    lambda answer: answer.effective.get("cross-origin-resource-policy") == "same-origin",
    title="Cross-Origin-Resource-Policy is not same-origin",
    browser="With same-origin it gives the answer to no other origin's page, not even as a picture.",
    why="What is not loaded cannot be read from the process's memory.",
    fix="Cross-Origin-Resource-Policy: same-origin",
    link="https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header",
    classes=CONTENT,
)


def _closes_features(answer: Answer) -> bool:
    found = answer.effective.get("permissions-policy") or {}
    closed = all(found.get(feature) == [] for feature in _CLOSED_FEATURES)
    return closed and set(found.get("sync-xhr", ("*",))) <= {"self"}


PERMISSIONS = demand(
    "permissions",
    Severity.LOW,
    "permissions-policy",
    _closes_features,
    title="Not every feature that OWASP lists is switched off",
    browser="A feature that the policy does not name has its own default, which for most of them is the page's origin.",
    why="A script that somebody else brought into the page can ask for the camera in the site's name.",
    fix="Permissions-Policy: "
    + ", ".join(f"{feature}=()" for feature in sorted(_CLOSED_FEATURES))
    + ", sync-xhr=(self)",
    link="https://www.w3.org/TR/permissions-policy/",
)
FRAME_DENY = demand(
    "frame_deny",
    Severity.LOW,
    "x-frame-options",
    lambda answer: answer.effective.get("x-frame-options") == "deny",
    title="X-Frame-Options is not DENY",
    browser="With DENY it shows the page in no frame, unless a frame-ancestors says something else.",
    why="A page that is shown, invisible, on top of another can be clicked by people who see only the other.",
    fix="X-Frame-Options: DENY",
    link="https://html.spec.whatwg.org/multipage/document-lifecycle.html#the-x-frame-options-header",
    classes=DOCUMENTS | API,
)
CROSS_DOMAIN_NONE = demand(
    "cross_domain_none",
    Severity.INFO,
    "x-permitted-cross-domain-policies",
    lambda answer: answer.value("x-permitted-cross-domain-policies").lower() == "none",
    title="X-Permitted-Cross-Domain-Policies is not none",
    browser="No browser reads it; Flash and Acrobat did.",
    why="Part of OWASP's list; opinion beyond that.",
    fix="X-Permitted-Cross-Domain-Policies: none",
    link="https://owasp.org/www-project-secure-headers/",
)
DNS_PREFETCH_OFF = demand(
    "dns_prefetch_off",
    Severity.INFO,
    "x-dns-prefetch-control",
    lambda answer: answer.value("x-dns-prefetch-control").lower() == "off",
    title="X-DNS-Prefetch-Control is not off",
    browser="No standard knows it. In OWASP's tests only Chromium's relatives resolved hosts early and stopped at off.",
    why="Part of OWASP's list, for pages with personal content: an injected link element can carry some of it out in the "
    "name of a host that is looked up. Opinion beyond that.",
    fix="X-DNS-Prefetch-Control: off",
    link="https://owasp.org/www-project-secure-headers/#x-dns-prefetch-control",
)
NO_STORE = demand(
    "no_store",
    Severity.INFO,
    "cache-control",
    lambda answer: "no-store" in (answer.effective.get("cache-control") or {}),
    title="The answer may be stored",
    browser="It keeps an answer on disk, and proxies may too, where no-store does not forbid it.",
    why="Whoever uses the machine next can read what was personal. Where nothing is personal, being stored is welcome.",
    fix="Cache-Control: no-store",
    link="https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5",
    classes=DOCUMENTS | API,
)
