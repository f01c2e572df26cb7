"""Applying a policy: the causes of a run's header sets, with what its profile and owner demand and excuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from headersweep.policies import ALL_OF, Expectation, Policy, Waiver
from headersweep.responses import ResponseClass
from review import judge, report
from review import received as reading
from review.finding import Finding, Severity
from review.policy import caching, profiles, rules, scopes, switching, values
from review.policy.answers import Answer
from review.policy.baseline import Baseline
from review.policy.scopes import BY_SAMPLES, Within
from review.received import Received
from review.report import Cause, HeaderSet


def apply(
    policy: Policy,
    sets: Sequence[HeaderSet],
    today: date,
    baseline: Baseline | None = None,
    others: Sequence[Cause] = (),
) -> tuple[Cause, ...]:
    """The causes of all header sets under a policy, the worst first; ``others`` are causes that no header set shows.

    A cause that a waiver excuses on some pages and not on others is there twice, each with its own pages.
    """
    demanded = [_demanded(policy, one) for one in sets]
    shown, others_shown = switching.without(policy, demanded), switching.others_without(policy, others)
    found = [
        *_excused(policy.waivers, shown, today),
        *_others_excused(policy.waivers, others_shown, today),
        *_about_waivers(policy.waivers, shown, others_shown, today),
        *switching.about_switches(policy, demanded, others),
    ]
    if baseline is not None:
        found = [*baseline.mark(found), *baseline.expired(today)]
    return tuple(sorted(found, key=report.order))


# --- what is demanded --------------------------------------------------------------------------------------------


def _demanded(policy: Policy, one: HeaderSet) -> HeaderSet:
    """The header set with what profile and owner miss in it, beside its own findings."""
    if not one.judgement.judged:
        return one
    received = received_of(one)
    answer = Answer(received, judge.effective(received))
    known = {finding.code for finding in one.judgement.findings}
    missed = [
        *_unmet(policy, answer),
        *_unexpected(policy.expectations, one, answer),
        *caching.unmet(policy, one.zones, received, known),
    ]
    findings = (*one.judgement.findings, *missed)
    return replace(one, judgement=replace(one.judgement, findings=findings))


def received_of(one: HeaderSet) -> Received:
    """What is judged of a header set."""
    return reading.received(
        one.pairs, status=one.status, scheme=one.scheme, malformed=one.malformed, facts=one.facts
    )


def _unmet(policy: Policy, answer: Answer) -> Iterator[Finding]:
    profile = profiles.PROFILES[policy.profile]
    kind = answer.received.response_class
    for requirement in profile.requirements:
        if judge.applies(requirement.classes, answer.received) and not requirement.is_met(answer):
            evidence = answer.received.line(requirement.header)
            detail = f"{profile.title}: {requirement.paragraph}"
            finding = requirement.rule.found(evidence, requirement.id, detail)
            yield finding._replace(severity=_placed(requirement.severity, kind))


def _unexpected(expectations: Iterable[Expectation], one: HeaderSet, answer: Answer) -> Iterator[Finding]:
    kind = answer.received.response_class
    for expectation in expectations:
        place = scopes.within(one, expectation.path)
        if place is Within.NONE or (expectation.classes and kind not in expectation.classes):
            continue
        if not values.is_met(expectation, answer.received):
            detail = f"expected: {values.said(expectation)} ({expectation.owner}: {expectation.why})"
            if not place.is_exact:
                detail = f"{detail}; judged {BY_SAMPLES}"
            finding = rules.EXPECTATION.found(
                answer.received.line(expectation.header), expectation.name, detail
            )
            yield finding._replace(severity=_placed(Severity(expectation.severity), kind))


def _placed(severity: Severity, kind: ResponseClass) -> Severity:
    """An error page matters one level less, as with the review's own findings."""
    return severity.lowered() if kind is ResponseClass.ERROR else severity


# --- what is excused ---------------------------------------------------------------------------------------------


def _excused(waivers: Iterable[Waiver], sets: Iterable[HeaderSet], today: date) -> Iterator[Cause]:
    """The causes of all sets; those that a waiver excuses carry its name."""
    active = [waiver for waiver in waivers if not waiver.is_expired(today)]
    parts: dict[str, list[HeaderSet]] = {}
    for one in sets:
        by_excuse: dict[str, list[Finding]] = {}
        for finding in one.judgement.findings:
            by_excuse.setdefault(_excuse(active, one, finding), []).append(finding)
        for excuse, findings in by_excuse.items():
            judgement = replace(one.judgement, findings=tuple(findings))
            parts.setdefault(excuse, []).append(replace(one, judgement=judgement))
    for excuse, members in parts.items():
        for cause in report.causes(members):
            yield replace(cause, waived_by=excuse)


def _others_excused(waivers: Iterable[Waiver], others: Iterable[Cause], today: date) -> Iterator[Cause]:
    active = [waiver for waiver in waivers if not waiver.is_expired(today)]
    for cause in others:
        yield replace(cause, waived_by=_excuse(active, cause, cause))


def _excuse(waivers: Iterable[Waiver], shown_by: HeaderSet | Cause, found: Finding | Cause) -> str:
    """How the first waiver that excuses a finding is called; empty without any."""
    for waiver in waivers:
        if _excuses(waiver, shown_by, found):
            how = "" if _within(shown_by, waiver.path).is_exact else f"; judged {BY_SAMPLES}"
            return f"{waiver.label} ({waiver.owner}, until {waiver.expires}{how})"
    return ""


def waived_by(waivers: Iterable[Waiver], code: str, subject: str, urls: Iterable[str], today: date) -> str:
    """How the first waiver is called that holds today and excuses a finding on all of these pages; empty without any."""
    for waiver in waivers:
        fits = covers(waiver.code, code) and waiver.subject in {"", subject} and not waiver.is_expired(today)
        if fits and scopes.within_urls(urls, waiver.path) in {Within.ALL, Within.ALL_SAMPLES}:
            return f"{waiver.label} ({waiver.owner}, until {waiver.expires})"
    return ""


def _excuses(waiver: Waiver, shown_by: HeaderSet | Cause, found: Finding | Cause) -> bool:
    """Whether a waiver is for a finding; for a path, only where all that is known of the pages is below it."""
    return (
        covers(waiver.code, found.code)
        and waiver.subject in {"", found.subject}
        and _within(shown_by, waiver.path) in {Within.ALL, Within.ALL_SAMPLES}
    )


def _within(shown_by: HeaderSet | Cause, pattern: str) -> Within:
    if isinstance(shown_by, HeaderSet):
        return scopes.within(shown_by, pattern)
    return scopes.within_urls(shown_by.sample_urls, pattern)


def covers(wanted: str, code: str) -> bool:
    """Whether a waiver's code, which may be all of a concern, is for the code of a finding."""
    return code.startswith(wanted.removesuffix("*")) if wanted.endswith(ALL_OF) else code == wanted


def _about_waivers(
    waivers: Iterable[Waiver], sets: Sequence[HeaderSet], others: Sequence[Cause], today: date
) -> Iterator[Cause]:
    for waiver in waivers:
        if waiver.is_expired(today):
            said = (
                f"its last day was {waiver.expires} ({waiver.owner}: {waiver.reason}); {waiver.rollback_note}"
            )
            yield report.about(rules.WAIVER_EXPIRED, waiver.label, said)
        elif (sets or others) and not _is_used(waiver, sets, others):
            yield report.about(rules.WAIVER_UNUSED, waiver.label, f"{waiver.owner}: {waiver.reason}")


def _is_used(waiver: Waiver, sets: Iterable[HeaderSet], others: Iterable[Cause]) -> bool:
    on_sets = any(_excuses(waiver, one, finding) for one in sets for finding in one.judgement.findings)
    return on_sets or any(_excuses(waiver, cause, cause) for cause in others)
