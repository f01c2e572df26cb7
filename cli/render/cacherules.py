"""What came of verifying cache rules: values in, text or JSON out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.render import json, words
from headersweep import durations
from headersweep.cachematch import Matcher
from review import cachekinds
from review.caching import Sharing
from review.finding import Severity

if TYPE_CHECKING:
    from headersweep.cacherules import CacheRule
    from headersweep.definition import SiteDefinition
    from review.cacherules.collecting import Cause
    from scheduler.cachehistory import Period, Wanted
    from scheduler.cacheverify import Verified

MOST_UNSEEN = 10

_MAY = {
    Sharing.NEVER: "not kept by shared caches",
    Sharing.ASKING: "kept, and asked for before each use",
    Sharing.GUESSING: "kept for as long as each cache guesses",
    Sharing.FRESH: "given to others without asking",
}


@dataclass(frozen=True)
class History:
    """One page over all runs, by the rules of its site."""

    site: str
    url: str
    definition: SiteDefinition
    periods: list[Period]


# --- verify ------------------------------------------------------------------------------------------------------


def verified_text(wanted: Wanted, found: Verified) -> str:
    """The dangerous causes first, each with owner, rollback and samples; then how many pages each rule holds."""
    lines = [_heading(wanted, found)]
    for title, dangerous in (("dangerous", True), ("wasteful", False)):
        causes = [each for each in found.causes if each.dangerous is dangerous]
        if causes:
            lines += ["", f"{title}:"]
        for cause in causes:
            lines += _cause(cause, found, rule_of(wanted.definition, cause.subject))
    return "\n".join([*lines, "", *_held(wanted, found)])


def _heading(wanted: Wanted, found: Verified) -> str:
    number = Counter(each.severity for each in found.causes)
    counts = ", ".join(f"{number[each]} {each}" for each in reversed(Severity) if number[each])
    runs = f"run {wanted.until}"
    if wanted.since != wanted.until:
        runs = f"runs {wanted.since} to {wanted.until}"
    rules = words.count(len(wanted.definition.cache), "cache rule")
    said = f"{words.count(len(found.causes), 'cause')} ({counts})" if found.causes else "all as it should be"
    return f"{wanted.definition.name}, {runs}: {rules} for {wanted.definition.cache_kind}, {said}"


def _cause(cause: Cause, found: Verified, rule: CacheRule) -> Iterator[str]:
    yield f"  {cause.severity:<7}{cause.code}  {words.safe(cause.subject)}: {cause.rule.title}"
    yield f"      {_where(cause, found)} [{cause.level}]"
    if cause.detail:
        yield f"      {words.safe(cause.detail)}"
    for line in cause.evidence.splitlines()[:3]:
        yield f"      {words.safe(line)}"
    for seen in cause.samples:
        past = "" if seen.last_run is None or cause.pages else f"  (runs {seen.first_run} to {seen.last_run})"
        yield f"      {words.safe(seen.url)}{past}"
    yield f"      rollback: {rule.rollback_note}"
    if cause.waived_by:
        yield f"      waived by {words.safe(cause.waived_by)}"


def _where(cause: Cause, found: Verified) -> str:
    parts = [words.count(cause.pages, "page")]
    if cause.past:
        parts.append(f"{words.count(cause.past, 'earlier answer')}")
    if cause.first_run is not None and cause.level == "policy":
        parts.append(f"since run {cause.first_run}{_day(found, cause.first_run)}")
    if not cause.pages and cause.last_run:
        parts.append(f"until run {cause.last_run}{_day(found, cause.last_run)}")
    return ", ".join(parts)


def _day(found: Verified, run: int) -> str:
    slot = found.slots.get(run)
    return f" ({slot:%Y-%m-%d})" if slot else ""


def rule_of(definition: SiteDefinition, subject: str) -> CacheRule:
    """The rule that a finding is about; names have no spaces, and a bypass stands behind one."""
    name = subject.partition(" ")[0]
    return next(each for each in definition.cache if each.name == name)


def _held(wanted: Wanted, found: Verified) -> Iterator[str]:
    by_name = {each.name: each for each in wanted.definition.cache}
    rows = [
        [
            each.rule,
            "off" if not by_name[each.rule].enabled else str(by_name[each.rule].expect.shared),
            words.number(each.pages),
            words.number(each.faulty),
            by_name[each.rule].owner,
        ]
        for each in found.held
    ]
    yield from words.table(["RULE", "EXPECTS", "PAGES", "FAULTY", "OWNER"], rows, right=frozenset({2, 3}))
    if found.probes:
        yield f"probes: {', '.join(f'{number} {words.safe(state)}' for state, number in sorted(found.probes.items()))}"
    if found.unheld:
        yield f"{words.count(found.unheld, 'page')} under no rule"
    for rule, url in found.unseen[:MOST_UNSEEN]:
        yield f"example of {rule} not seen in the run: {words.safe(url)}"
    if len(found.unseen) > MOST_UNSEEN:
        yield f"and {len(found.unseen) - MOST_UNSEEN} more examples"


def verified_json(wanted: Wanted, found: Verified) -> str:
    """The same for scripts."""
    return json.document(
        site=wanted.definition.name,
        cache_kind=str(wanted.definition.cache_kind),
        since=wanted.since,
        run=wanted.until,
        causes=[
            _cause_object(each, found, rule_of(wanted.definition, each.subject)) for each in found.causes
        ],
        rules=[{"rule": each.rule, "pages": each.pages, "faulty": each.faulty} for each in found.held],
        pages_without_rule=found.unheld,
        probes=dict(sorted(found.probes.items())),
        examples_not_seen=[{"rule": rule, "url": url} for rule, url in found.unseen],
    )


def _cause_object(cause: Cause, found: Verified, rule: CacheRule) -> dict[str, Any]:
    slot = found.slots.get(cause.first_run or 0)
    return {
        "code": cause.code,
        "level": cause.level,
        "severity": str(cause.severity),
        "dangerous": cause.dangerous,
        "rule": rule.name,
        "subject": cause.subject,
        "owner": rule.owner,
        "rollback_note": rule.rollback_note,
        "title": cause.rule.title,
        "detail": cause.detail,
        "waived_by": cause.waived_by or None,
        "evidence": cause.evidence,
        "fix": cause.rule.fix,
        "pages": cause.pages,
        "earlier_answers": cause.past,
        "since_run": cause.first_run if cause.level == "policy" else None,
        "since_slot": words.instant(slot) if slot and cause.level == "policy" else None,
        "until_run": None if cause.pages else cause.last_run,
        "sample_urls": [each.url for each in cause.samples],
    }


# --- history -----------------------------------------------------------------------------------------------------


def history_text(told: History) -> str:
    """One line a period, the newest first."""
    claim = Matcher(told.definition.cache).claim(told.url)
    held = f"rule {claim.rule.name} expects {claim.shared}" if claim else "no cache rule holds it"
    lines = [f"{words.safe(told.url)}: {held} ({told.definition.cache_kind})"]
    for each in told.periods:
        until = f"to run {each.last_run}" if each.last_run is not None else "on"
        found = cachekinds.permitted(each.received, told.definition.cache_kind)
        lasting = f", {durations.of_seconds(found.lifetime)}" if found.lifetime else ""
        why = f" ({words.safe(found.why)})" if found.why else ""
        lines.append(
            f"  from run {each.first_run} {until}: {each.status}, {_MAY[found.sharing]}{lasting}{why}"
        )
        lines += [
            f"      {finding.severity} {finding.code}: {words.safe(finding.detail)}"
            for finding in each.findings
        ]
    return "\n".join(lines)


def history_json(told: History) -> str:
    """The same for scripts."""
    claim = Matcher(told.definition.cache).claim(told.url)
    return json.document(
        site=told.site,
        url=told.url,
        cache_kind=str(told.definition.cache_kind),
        rule=claim.rule.name if claim else None,
        expects=str(claim.shared) if claim else None,
        periods=[_period(each, told.definition) for each in told.periods],
    )


def _period(each: Period, definition: SiteDefinition) -> dict[str, Any]:
    found = cachekinds.permitted(each.received, definition.cache_kind)
    return {
        "first_run": each.first_run,
        "last_run": each.last_run,
        "status": each.status,
        "sharing": str(found.sharing),
        "lifetime_s": found.lifetime,
        "why": found.why,
        "findings": [
            {"code": one.code, "severity": str(one.severity), "detail": one.detail} for one in each.findings
        ],
    }
