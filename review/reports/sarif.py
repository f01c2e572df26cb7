"""SARIF 2.1.0: for code hosts, which show each cause as one alert and know it again in the next upload.

Code hosts refuse an upload whose locations are http(s) URLs, since they look for files of a repository. So a page's
location is its URL without the scheme, which they show as a path; the URL itself stands in the message.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote, urlsplit

from headersweep import __version__
from review.finding import Rule, Severity
from review.report import Cause, Report
from review.reports import markdown, texts

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note", Severity.INFO: "note"}
PROBLEMS = {
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "recommendation",
    Severity.INFO: "recommendation",
}
SCORES = {Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "3.0"}
"""Code hosts sort by this number: from 7.0 high, from 4.0 medium, from 0.1 low. Facts and opinions have none."""

_PATH = "/%-._~!$&'()*+,;=@"
"""What may stand in the path of a URL as it is (RFC 3986); a colon is written as %3A, lest the host be taken for a scheme."""


def render(report: Report) -> str:
    """The report as one SARIF log."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}
    return json.dumps(log, ensure_ascii=True, indent=2)


def _run(report: Report) -> dict[str, Any]:
    rules = {cause.code: cause.rule for cause in sorted(report.causes, key=lambda cause: cause.code)}
    places = {code: place for place, code in enumerate(rules)}
    driver = {
        "name": "headersweep",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules.values()],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"headersweep/{_quoted(report.site)}/"},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": report.state == "finished"}],
        "results": [_result(report, cause, places[cause.code]) for cause in report.causes],
        "properties": {
            "run": report.run_id,
            "site": texts.visible(report.site),
            "slot": texts.instant(report.slot),
            "digest": report.digest,
            "pages": report.pages,
            "rulesVersion": report.rules_version,
            "grade": report.grade,
        },
    }


def _rule(rule: Rule) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "tags": ["security", "http-headers", *(["opinion"] if rule.opinion else [])],
        "precision": "very-high" if not rule.opinion else "medium",
        "problem.severity": PROBLEMS[rule.severity],
    }
    if rule.severity in SCORES:
        properties["security-severity"] = SCORES[rule.severity]
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.code.replace(".", "_").split("_")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.browser} {rule.why}"},
        "helpUri": rule.link,
        "help": {"text": _help(rule), "markdown": _help_markdown(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": properties,
    }


def _help(rule: Rule) -> str:
    return (
        f"What a browser does: {rule.browser}\nWhy it matters: {rule.why}\n"
        f"How to mend it: {rule.fix}\nStandard: {rule.link}"
    )


def _help_markdown(rule: Rule) -> str:
    value, rest = texts.fix(rule)
    parts = [
        f"**What a browser does.** {markdown.prose(rule.browser)}",
        f"**Why it matters.** {markdown.prose(rule.why)}",
        "**How to mend it.**",
        *(["\n".join(markdown.block([value]))] if value else []),
        *([markdown.prose(rest)] if rest else []),
        f"[{texts.source(rule.link)}]({rule.link})",
    ]
    return "\n\n".join(parts)


def _result(report: Report, cause: Cause, place: int) -> dict[str, Any]:
    fingerprint = _fingerprint(report, cause)
    result: dict[str, Any] = {
        "ruleId": cause.code,
        "ruleIndex": place,
        "level": LEVELS[cause.severity],
        "message": {"text": _message(cause)},
        "locations": [_location(report, url) for url in cause.sample_urls or ("",)],
        # The second is the name under which code hosts look for it.
        "partialFingerprints": {"cause/v1": fingerprint, "primaryLocationLineHash": f"{fingerprint[:16]}:1"},
        "properties": {"pages": cause.pages, "headerSets": cause.snapshots, "severity": str(cause.severity)},
    }
    if cause.waived_by:
        waiver = {"kind": "external", "status": "accepted", "justification": texts.visible(cause.waived_by)}
        result["suppressions"] = [waiver]
    return result


def _fingerprint(report: Report, cause: Cause) -> str:
    """The same for the same cause on the same site, whatever pages show it."""
    cause_of_site = f"{report.site}\n{cause.code}\n{cause.subject}"
    return hashlib.sha256(cause_of_site.encode("utf-8", "replace")).hexdigest()


def _message(cause: Cause) -> str:
    lines = [f"{texts.title(cause)} ({texts.where(cause)})."]
    lines += [texts.visible(cause.detail)] if cause.detail else []
    lines += [f"Received: {line}" for line in texts.evidence(cause)]
    lines += [f"For example: {texts.visible(url)}" for url in cause.sample_urls]
    return _without_links("\n".join(lines))


def _without_links(text: str) -> str:
    """Brackets before a parenthesis make a link in a message (SARIF, 3.11.6): a header's value shall make none."""
    return text.replace("[", r"\[").replace("]", r"\]") if "](" in text else text


def _location(report: Report, url: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": artifact(url) or _quoted(report.site)},
            "region": {"startLine": 1},
        }
    }
    if url:
        location["logicalLocations"] = [{"fullyQualifiedName": texts.visible(url), "kind": "resource"}]
    return location


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def artifact(url: str) -> str:
    """A page's URL as a relative reference that no code host takes for an address: host, port and path, without query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _quoted(url)
    path = quote(parts.path.rstrip("/").lstrip("/"), safe=_PATH, errors="replace")
    host = _quoted(parts.netloc)
    return f"{host}/{path}" if path else host
