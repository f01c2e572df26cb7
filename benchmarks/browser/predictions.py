"""What our review must conclude: from its effective values to what a browser will be seen to do."""

from __future__ import annotations

from benchmarks.browser import hosts, predictions_pages
from benchmarks.browser.observers_csp import HANDLER, HASHED, NONCE, SCRIPTS, digest, script_path
from benchmarks.browser.predictions_pages import Did, Prediction, reaches, received
from benchmarks.browser.records import Record
from review.csp import effective as csp
from review.csp import parse
from review.csp.parse import Policy
from review.csp.places import Place


def predicted(record: Record) -> Did:
    """What a browser will do, by our review alone."""
    return PREDICTIONS[record.about](record)


def _content(record: Record) -> Did:
    policies = parse.enforced(received(record))
    found = {**_scripts(policies), **_styles(policies), **_loads(policies), **_others(policies)}
    if record.browser == "chromium":
        # What the object element loads here is a page, and so a frame as well; not in Firefox.
        found["object"] = found["object"] and found["frame"]
    return found


def _scripts(policies: tuple[Policy, ...]) -> Did:
    blocks = {
        "inline": all(_allowed(one, "script-src-elem").has(csp.INLINE) for one in policies),
        "nonce": all(_inline_with_nonce(one) for one in policies),
        "hash": _all_have(policies, "script-src-elem", digest(HASHED)),
        "handler": _all_have(policies, "script-src-attr", csp.INLINE),
        "handler_hash": _all_have(policies, "script-src-attr", digest(HANDLER)),
        "eval": _all_have(policies, "script-src", csp.EVAL) and not _demands_types(policies),
        "external_data": all(
            _allowed(one, "script-src-elem").reaches(Place("data", "*", "*")) for one in policies
        ),
    }
    blocks |= {
        name: all(_external(one, host, script_path(name), nonce) for one in policies)
        for name, (host, nonce) in SCRIPTS.items()
    }
    dynamic = all(_dynamic(one) for one in policies)
    return {**blocks, "dynamic": blocks["nonce"] and dynamic and not _demands_types(policies)}


def _allowed(policy: Policy, directive: str) -> csp.Allowed:
    return csp.allowed(policy, directive)


def _all_have(policies: tuple[Policy, ...], directive: str, grant: str) -> bool:
    return all(_allowed(one, directive).has(grant) for one in policies)


def _has_nonce(policy: Policy) -> bool:
    """Whether the policy lets pass what carries the page's nonce."""
    listed = csp.governing_list(policy, "script-src-elem")
    return listed is not None and NONCE in listed.nonces


def _inline_with_nonce(policy: Policy) -> bool:
    return _allowed(policy, "script-src-elem").has(csp.INLINE) or _has_nonce(policy)


def _external(policy: Policy, host: str, path: str, nonce: str) -> bool:
    return (bool(nonce) and _has_nonce(policy)) or reaches(_allowed(policy, "script-src-elem"), host, path)


def _dynamic(policy: Policy) -> bool:
    allowed = _allowed(policy, "script-src-elem")
    return csp.DYNAMIC in allowed.grants or reaches(allowed, hosts.SECOND, script_path("dynamic"))


def _worker(policy: Policy) -> bool:
    """A worker that a script starts: that script is trusted."""
    allowed = _allowed(policy, "worker-src")
    return csp.DYNAMIC in allowed.grants or reaches(allowed, hosts.FIRST, "/part/worker.js")


def _demands_types(policies: tuple[Policy, ...]) -> bool:
    return any("'script'" in policy.directives.get("require-trusted-types-for", ()) for policy in policies)


def _styles(policies: tuple[Policy, ...]) -> Did:
    return {
        "style_inline": _all_have(policies, "style-src-elem", csp.INLINE),
        "style_attribute": _all_have(policies, "style-src-attr", csp.INLINE),
        "style_foreign": _all_reach(policies, "style-src-elem", hosts.SECOND, "/part/style.css"),
    }


def _all_reach(policies: tuple[Policy, ...], directive: str, host: str, path: str) -> bool:
    return all(reaches(_allowed(one, directive), host, path) for one in policies)


def _loads(policies: tuple[Policy, ...]) -> Did:
    return {
        "image": _all_reach(policies, "img-src", hosts.SECOND, "/pixel"),
        "image_data": all(_allowed(one, "img-src").reaches(Place("data", "*", "*")) for one in policies),
        "connect": _all_reach(policies, "connect-src", hosts.SECOND, "/echo"),
        "worker": all(_worker(one) for one in policies) and not _demands_types(policies),
        "frame": _all_reach(policies, "frame-src", hosts.SECOND, "/part/frame"),
        "object": _all_reach(policies, "object-src", hosts.SECOND, "/part/object"),
    }


def _others(policies: tuple[Policy, ...]) -> Did:
    upgrades = any("upgrade-insecure-requests" in policy.directives for policy in policies)
    framed = _all_reach(policies, "frame-src", hosts.SECOND, "/part/upgraded")
    sent = _all_reach(policies, "form-action", hosts.SECOND, "/part/form")
    return {
        "base": _all_reach(policies, "base-uri", hosts.SECOND, "/base/"),
        "form": sent and _all_reach(policies, "frame-src", hosts.SECOND, "/part/form"),
        "upgraded": upgrades and framed,
        "html": not _demands_types(policies),
    }


def _sandbox(record: Record) -> Did:
    found = [
        one.directives["sandbox"] for one in parse.enforced(received(record)) if "sandbox" in one.directives
    ]
    flags = [{token.lower() for token in tokens} for tokens in found]
    open_to_scripts = _allows_inline(record)
    return {
        "script": all("allow-scripts" in one for one in flags) and open_to_scripts,
        "own_origin": all("allow-same-origin" in one for one in flags),
    }


def _allows_inline(record: Record) -> bool:
    return _all_have(parse.enforced(received(record)), "script-src-elem", csp.INLINE)


PREDICTIONS: dict[str, Prediction] = {
    **predictions_pages.PREDICTIONS,
    "content": _content,
    "sandbox": _sandbox,
}
