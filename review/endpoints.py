"""Where reports go: Reporting-Endpoints, Report-To and NEL as browsers read them, and who sends reports to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from review import fields
from review.received import Received
from review.structured_fields import Token

ENDPOINTS, REPORT_TO, NEL = "reporting-endpoints", "report-to", "nel"
LONGEST_JSON = 16 * 1024
"""Chromium, the only one that reads Report-To and NEL, ignores longer ones."""

_GREATEST = 2**31 - 1
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://)?[^/?#\s]")
_ITEMS = (
    "cross-origin-opener-policy",
    "cross-origin-opener-policy-report-only",
    "cross-origin-embedder-policy",
    "cross-origin-embedder-policy-report-only",
)
_MEMBERS = (
    "permissions-policy",
    "permissions-policy-report-only",
    "document-policy",
    "document-policy-report-only",
)
_LISTS = ("integrity-policy", "integrity-policy-report-only")


def fault(url: str) -> str:
    """Why a URL is no place for reports: ``insecure``, ``invalid``, or empty where it is one."""
    if url.startswith("/") and not url.startswith("//"):
        return ""
    absolute = _ABSOLUTE.match(url)
    if absolute is None:
        return "invalid"
    return "" if absolute[1].lower() == "https" else "insecure"


def named(received: Received) -> dict[str, Any] | None:
    """The items of Reporting-Endpoints by their names, whatever they are; None where the header is void."""
    return received.once(named, lambda: _read(received))


def _read(received: Received) -> dict[str, Any] | None:
    members = fields.dictionary(received.combined(ENDPOINTS)) if received.secure else None
    return {name: member[0] for name, member in members.items()} if members else None


def faults(received: Received) -> dict[str, str]:
    """Why each item of Reporting-Endpoints is no place for reports; empty for those that are."""
    return received.once(
        faults, lambda: {name: _fault(item) for name, item in (named(received) or {}).items()}
    )


def usable(received: Received) -> dict[str, str]:
    """The names that browsers can send reports to, and their URLs."""
    found = named(received)
    return {name: found[name] for name, why in faults(received).items() if not why} if found else {}


def _fault(item: Any) -> str:
    return fault(item) if type(item) is str else "invalid"


def groups(received: Received) -> list[dict[str, Any]]:
    """The groups of Report-To that count."""
    value = received.combined(REPORT_TO) if received.secure else None
    if value is None or len(value) > LONGEST_JSON:
        return []
    found = _json(f"[{value}]")
    return [group for each in found or () if (group := _group(each)) is not None]


def alive(received: Received) -> frozenset[str]:
    """The groups of Report-To that are not being taken back: without an age they are forgotten."""
    return frozenset(group["group"] for group in groups(received) if group["max_age"] > 0)


def reachable(received: Received) -> frozenset[str]:
    """Every name that some browser can send reports to."""
    return alive(received) | usable(received).keys()


def nel(received: Received) -> dict[str, Any] | None:
    """The Network Error Logging policy, or None where Chromium ignores it."""
    value = received.combined(NEL) if received.secure else None
    sent = _json(value) if value is not None and len(value) <= LONGEST_JSON else None
    if not isinstance(sent, dict) or not _whole(sent.get("max_age")):
        return None
    fractions = sent.get("success_fraction", 0.0), sent.get("failure_fraction", 1.0)
    target = sent.get("report_to")
    if not all(_fraction(each) for each in fractions):
        return None
    if not isinstance(target, str) and sent["max_age"] > 0:
        return None
    return {
        "report_to": target if isinstance(target, str) else None,
        "max_age": sent["max_age"],
        "include_subdomains": sent.get("include_subdomains") is True,
        "success_fraction": fractions[0],
        "failure_fraction": fractions[1],
    }


def wanted(received: Received) -> Iterator[tuple[str, str]]:
    """Every header but CSP that sends reports, with the name that it sends them to."""
    for name in filter(received.has, _ITEMS):
        found = fields.token_item(received.combined(name))
        if found is not None and (target := fields.string_parameter(found[1], "report-to")):
            yield name, target
    for name in filter(received.has, _MEMBERS):
        for _, parameters in (fields.dictionary(received.combined(name)) or {}).values():
            if not parameters:
                continue
            target = parameters.get("report-to")
            if (isinstance(target, Token) or fields.is_string(target)) and target != "none":
                yield name, str(target)
    for name in filter(received.has, _LISTS):
        members = fields.dictionary(received.combined(name)) or {}
        for target in (fields.tokens(members["endpoints"]) or []) if "endpoints" in members else []:
            yield name, target


def _group(sent: Any) -> dict[str, Any] | None:
    if not isinstance(sent, dict) or not _whole(sent.get("max_age")):
        return None
    name, offered = sent.get("group", "default"), sent.get("endpoints")
    if not isinstance(name, str) or not isinstance(offered, list):
        return None
    urls = [url for each in offered if (url := _url(each)) is not None]
    if not urls:
        return None
    return {
        "group": name,
        "max_age": sent["max_age"],
        "include_subdomains": sent.get("include_subdomains") is True,
        "endpoints": urls,
    }


def _url(sent: Any) -> str | None:
    if not isinstance(sent, dict) or not isinstance(sent.get("url"), str) or fault(sent["url"]):
        return None
    orders = sent.get("priority", 1), sent.get("weight", 1)
    return sent["url"] if all(_whole(order) for order in orders) else None


def _whole(number: Any) -> bool:
    return type(number) is int and 0 <= number <= _GREATEST


def _fraction(number: Any) -> bool:
    return type(number) in {int, float} and 0 <= number <= 1


def _json(text: str) -> Any:
    """The value, or None where it is no JSON: neither nesting without end nor Python's own additions."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
