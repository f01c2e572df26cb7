"""JUnit XML: for whatever shows test results. A suite for each severity; a cause that matters is a failed test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from review.finding import Severity
from review.report import Cause, Report
from review.reports import texts

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The report as one ``<testsuites>``; what is waived is skipped, and what is only told passes."""
    failures = sum(_fails(cause) for cause in report.causes)
    tests = max(1, len(report.causes))
    suites = [line for severity in reversed(Severity) for line in _suite(report, severity)]
    if not suites:
        suites = list(_clean(report))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="{_text(f"headersweep {_site(report)}")}" tests="{tests}" failures="{failures}" errors="0">',
        *suites,
        "</testsuites>",
    ]
    return "\n".join(lines)


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", text))


def _site(report: Report) -> str:
    return texts.visible(report.site)


def _fails(cause: Cause) -> bool:
    return not cause.waived_by and cause.severity is not Severity.INFO


def _suite(report: Report, severity: Severity) -> Iterator[str]:
    found = [cause for cause in report.causes if cause.severity is severity]
    if not found:
        return
    failures, skipped = sum(map(_fails, found)), sum(bool(cause.waived_by) for cause in found)
    yield (
        f'  <testsuite name="{_text(f"{_site(report)}: {severity}")}" tests="{len(found)}" failures="{failures}" '
        f'errors="0" skipped="{skipped}" time="0" timestamp="{report.slot:%Y-%m-%dT%H:%M:%S}">'
    )
    for cause in found:
        yield from _case(report, cause)
    yield "  </testsuite>"


def _case(report: Report, cause: Cause) -> Iterator[str]:
    name = f"{cause.code} {cause.subject}".strip()
    yield f'    <testcase classname="{_text(f"headersweep.{_site(report)}")}" name="{_text(texts.visible(name))}" time="0">'
    message = _text(f"{texts.title(cause)} ({texts.where(cause)})")
    if cause.waived_by:
        yield f'      <skipped message="{_text(f"waived: {texts.visible(cause.waived_by)}")}"/>'
    elif _fails(cause):
        yield f'      <failure type="{_text(cause.code)}" message="{message}">{_text(_body(cause))}</failure>'
    else:
        yield f"      <system-out>{message}\n{_text(_body(cause))}</system-out>"
    yield "    </testcase>"


def _body(cause: Cause) -> str:
    rule = cause.rule
    parts: list[Sequence[str]] = [
        [texts.visible(cause.detail)] if cause.detail else [],
        ["Received:", *texts.evidence(cause)] if cause.evidence else [],
        [
            f"What a browser does: {rule.browser}",
            f"Why it matters: {rule.why}",
            f"How to mend it: {rule.fix}",
        ],
        [f"Standard: {rule.link}"],
        ["Pages, for example:", *map(texts.visible, cause.sample_urls)] if cause.sample_urls else [],
    ]
    return "\n".join(line for part in parts for line in part)


def _clean(report: Report) -> Iterator[str]:
    """Some readers take a file without any test for a broken one."""
    yield f'  <testsuite name="{_text(_site(report))}" tests="1" failures="0" errors="0" skipped="0" time="0">'
    yield f'    <testcase classname="{_text(f"headersweep.{_site(report)}")}" name="no findings" time="0"/>'
    yield "  </testsuite>"
