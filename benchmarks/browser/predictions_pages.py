"""From effective values to what browsers do with pages, pictures and cookies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.browser import hosts
from benchmarks.browser.observers_pages import FEATURES
from benchmarks.browser.records import Record
from review import cookies, judge
from review import received as reading
from review.csp import effective as csp
from review.csp import parse
from review.csp.places import Place
from review.csp.sources import SELF
from review.received import Received

Did = dict[str, Any]
Prediction = Callable[[Record], Did]


def received(record: Record, kind: str = "text/html") -> Received:
    """The answer of a case as the review takes it."""
    return reading.received((*record.pairs, ("Content-Type", kind)), host=record.host)


def _effective(record: Record, name: str, kind: str = "text/html") -> Any:
    return judge.effective(received(record, kind)).get(name)


def _transport(record: Record) -> Did:
    policy = _effective(record, "strict-transport-security")
    bound = policy is not None and policy["max_age"] > 0
    below = bound and policy["include_subdomains"]
    before = bound if policy is not None else True
    found = {"host": bound, "below": below, "bound_before": before}
    return {key: "https" if value else "http" for key, value in found.items()}


def _sniffing(record: Record) -> Did:
    return {"script": _effective(record, "x-content-type-options", "text/plain") != "nosniff"}


def _framing(record: Record) -> Did:
    policies = [one for one in parse.enforced(received(record)) if "frame-ancestors" in one.directives]
    origins = {"same": hosts.FIRST, "sibling": hosts.SUB, "foreign": hosts.HARNESS}
    if policies:
        allowed = [csp.allowed(policy, "frame-ancestors") for policy in policies]
        return {key: all(reaches(one, host) for one in allowed) for key, host in origins.items()}
    value = _effective(record, "x-frame-options")
    return {key: value is None or (value == "sameorigin" and key == "same") for key in origins}


def reaches(allowed: csp.Allowed, host: str, path: str = "") -> bool:
    """Whether a page of a.test may load from there."""
    own = host == hosts.FIRST and allowed.reaches(Place("https", SELF, "", path))
    return own or allowed.reaches(Place("https", host, "", path))


_TOLD = {
    "no-referrer": ("nothing", "nothing", "nothing"),
    "no-referrer-when-downgrade": ("url", "url", "nothing"),
    "same-origin": ("url", "nothing", "nothing"),
    "origin": ("origin", "origin", "origin"),
    "strict-origin": ("origin", "origin", "nothing"),
    "origin-when-cross-origin": ("url", "origin", "origin"),
    "strict-origin-when-cross-origin": ("url", "origin", "nothing"),
    "unsafe-url": ("url", "url", "url"),
}


def _referrer(record: Record) -> Did:
    policy = _effective(record, "referrer-policy") or "strict-origin-when-cross-origin"
    same, foreign, insecure = _TOLD[policy]
    if record.browser == "firefox":
        # It tells other sites no more than it would without a policy, says referrer_policy.unsafe_url.
        foreign, insecure = foreign.replace("url", "origin"), "nothing"
    return {"same": same, "foreign": foreign, "insecure": insecure}


def _permissions(record: Record) -> Did:
    new = _effective(record, "permissions-policy") or {}
    old = _effective(record, "feature-policy") or {}
    return {name: _origins(new.get(name, old.get(name, ["self"]))) for name in FEATURES}


def _origins(allowed: list[str]) -> list[str]:
    return sorted(f"https://{hosts.FIRST}" if one == "self" else one for one in allowed)


def _opener(record: Record) -> Did:
    policy = _effective(record, "cross-origin-opener-policy")
    unknown = record.browser == "firefox" and policy == "noopener-allow-popups"  # says coop.not_everywhere
    return {"opener": unknown or policy in {None, "unsafe-none"}}


def _isolation(record: Record) -> Did:
    opener = _effective(record, "cross-origin-opener-policy")
    embedder = _effective(record, "cross-origin-embedder-policy")
    permissions = _effective(record, "permissions-policy") or {}
    # Firefox does not read Permissions-Policy.
    forbidden = record.browser == "chromium" and permissions.get("cross-origin-isolated") == []
    isolated = opener == "same-origin" and embedder in {"require-corp", "credentialless"} and not forbidden
    return {"isolated": isolated, "foreign": embedder != "require-corp"}


def _resource(record: Record) -> Did:
    value = _effective(record, "cross-origin-resource-policy", "image/svg+xml")
    return {
        "same": True,
        "sibling": value != "same-origin",
        "foreign": value not in {"same-origin", "same-site"},
    }


def _agents(record: Record) -> Did:
    asked = _effective(record, "origin-agent-cluster")
    # What holds without the header differs, says origin_agent_cluster.ignored.
    return {"own": record.browser == "chromium" if asked is None else asked}


def _cors(record: Record) -> Did:
    origin = _effective(record, "access-control-allow-origin", "image/svg+xml")
    mine = origin == f"https://{hosts.HARNESS}"
    credentials = _effective(record, "access-control-allow-credentials", "image/svg+xml") is True
    return {"anonymous": origin == "*" or mine, "credentials": mine and credentials}


def _caching(record: Record) -> Did:
    control = _effective(record, "cache-control", "text/plain") or {}
    # A list of names in no-cache concerns these headers alone.
    held_back = control.get("no-store") is True or control.get("no-cache") is True
    return {"asked_again": held_back or int(control.get("max-age") or 0) <= 0}


def _clearing(record: Record) -> Did:
    cleared = _effective(record, "clear-site-data") or []
    return {key: key in cleared or "*" in cleared for key in ("cookies", "storage")}


def _documents(record: Record) -> Did:
    return {"js-profiling": (_effective(record, "document-policy") or {}).get("js-profiling") is True}


def _integrity(record: Record) -> Did:
    blocked = (_effective(record, "integrity-policy") or {}).get("blocked_destinations", [])
    return {key: key not in blocked for key in ("script", "style")}


def _cookies(record: Record) -> Did:
    kept: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    for one in _each_cookie(record):
        key = (one["name"], one["domain"], one["path"] or "/case")
        if one["accepted"]:
            kept.pop(key, None)
            if not one["removed"]:
                kept[key] = one
    found = list(kept.values())
    places: dict[str, Callable[[dict[str, Any]], bool]] = {
        "script": lambda one: not one["http_only"] and _path(one),
        "same": _path,
        "below": lambda one: one["domain"] is not None and _path(one),
        # One that is partitioned belongs to its own top-level site alone.
        "embedded": lambda one: _same_site(record, one) == "none" and not one["partitioned"] and _path(one),
        "link": lambda one: _same_site(record, one) != "strict" and _path(one),
        "insecure": lambda one: not one["secure"] and _path(one),
    }
    return {key: sorted(one["shown"] for one in found if test(one)) for key, test in places.items()}


def _each_cookie(record: Record) -> list[dict[str, Any]]:
    """The cookies with what an observer takes for their name: one without a name comes back as its value."""
    answer = received(record)
    values = (line.partition(";")[0].strip(" \t=") for line in answer.values("set-cookie"))
    return [
        {**one.as_json(), "removed": one.removed, "shown": one.name or value}
        for one, value in zip(cookies.read(answer), values, strict=True)
    ]


def _path(one: dict[str, Any]) -> bool:
    """Everything is asked for below /case/."""
    path = one["path"] or "/case"
    return path in {"/", "/case", "/case/"}


def _same_site(record: Record, one: dict[str, Any]) -> str:
    """Browsers differ in what a missing SameSite stands for, as cookie.samesite_missing says."""
    said = str(one["same_site"])
    if said != "default":
        return said
    return "lax" if record.browser == "chromium" else "none"


PREDICTIONS: dict[str, Prediction] = {
    "transport": _transport,
    "sniffing": _sniffing,
    "framing": _framing,
    "referrer": _referrer,
    "permissions": _permissions,
    "opener": _opener,
    "isolation": _isolation,
    "resource": _resource,
    "agents": _agents,
    "cookies": _cookies,
    "cors": _cors,
    "caching": _caching,
    "clearing": _clearing,
    "documents": _documents,
    "integrity": _integrity,
}
