"""Cache rules over what is stored: which rule holds which page, what its headers permit, and since which run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from headersweep import cachematch
from headersweep.cachematch import Claim, Matcher
from headersweep.definition import SiteDefinition
from headersweep.probes import ProbeKind
from models import reports, spans, visits
from models import runs as run_rows
from review.cacherules import observed, policy, rules
from review.cacherules.collecting import Cause, Causes, Seen
from review.finding import Finding
from review.policy import applying
from scheduler import cacheprobes, probing
from scheduler.cachehistory import POLICY, Answers, Wanted, date_causes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, TextClause

BATCH_ROWS = 2_000
OBSERVED, PROBE = "observed", "probe"


@dataclass
class Held:
    """The pages that one rule holds in the run."""

    rule: str
    pages: int = 0
    faulty: int = 0


@dataclass
class Verified:
    """What came of it."""

    causes: tuple[Cause, ...] = ()
    held: list[Held] = field(default_factory=list)
    unheld: int = 0
    """Pages that no rule holds."""
    unseen: list[tuple[str, str]] = field(default_factory=list)
    """Rule and URL of examples that the run did not see."""
    slots: dict[int, datetime] = field(default_factory=dict)
    """When the runs were due that causes name."""
    probes: Counter[str] = field(default_factory=Counter)
    """How many probes of the run's rules stand how; those that failed by their reason."""


def verify(connection: Connection, wanted: Wanted) -> Verified:
    """Judge every stored answer by the rules, in one stream over the site's spans and one over what caches had kept.

    Bounded by the number of different answers, not of pages.
    """
    connection.execute(reports.unhurried())
    work = _Work(connection, wanted)
    work.judge_spans()
    work.judge_ages()
    work.judge_probes()
    return work.result()


def ask_again(connection: Connection, wanted: Wanted, asked_by: str) -> int:
    """Plant the tries of the rules beside a run that is over, whatever was tried before; returns how many requests."""
    now: datetime = connection.execute(reports.clock()).scalar_one()
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
    planned = list(cacheprobes.plan(wanted.definition, f"{wanted.until}-{stamp}", stamp))
    return probing.add(connection, wanted.until, wanted.site_id, planned, asked_by)


class _Work:
    def __init__(self, connection: Connection, wanted: Wanted) -> None:
        self.connection, self.wanted = connection, wanted
        self.kind = wanted.definition.cache_kind
        self.matcher = Matcher(wanted.definition.cache)
        self.causes = Causes()
        self.held = {rule.name: Held(rule.name) for rule in wanted.definition.cache}
        self.probes: Counter[str] = Counter()
        self.words = _Words()
        self.unheld = 0
        self.examples = dict(_examples(wanted.definition))
        self.answers = Answers(connection)
        self.verdicts: dict[tuple[object, ...], tuple[tuple[Finding, ...], tuple[Finding, ...]]] = {}

    def judge_spans(self) -> None:
        values = {
            "site_id": self.wanted.site_id,
            "since": self.wanted.since,
            "until": self.wanted.until,
        }
        for rows in _batches(self.connection, spans.between(), values):
            self.answers.load(row.snapshot_id for row in rows)
            for row in rows:
                self._span(row)

    def _span(self, row: Row[Any]) -> None:
        claim = self.matcher.claim(row.url)
        words_of = self.words.of(row.snapshot_id, policy.subject(claim) if claim else "")
        seen = Seen(row.url, row.page_id, row.snapshot_id, row.status, row.first_run_id, row.last_run_id)
        is_present = row.last_run_id is None or row.last_run_id >= self.wanted.until
        if is_present:
            self.examples.pop(row.url, None)
        if claim is None:
            self.unheld += is_present
            return
        permits, words = self._verdict(claim, seen)
        self.causes.add(POLICY, permits, seen, is_present=is_present)
        if words and words_of is not None:
            words_of.add(OBSERVED, words, seen, is_present=is_present)
        if is_present:
            held = self.held[claim.rule.name]
            held.pages += 1
            held.faulty += bool(permits)

    def _verdict(self, claim: Claim, seen: Seen) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        scheme = seen.url.partition(":")[0]
        label = claim.bypass.label if claim.bypass else ""
        key = (claim.rule.name, label, seen.snapshot_id, seen.status, scheme)
        found = self.verdicts.get(key)
        if found is None:
            received = self.answers.received(seen)
            permits = tuple(policy.findings(claim, received, self.kind))
            found = permits, tuple(observed.findings(claim, received, None))
            self.verdicts[key] = found
        return found

    def judge_ages(self) -> None:
        """What each visit of the run says by its own Age."""
        for rows in _batches(self.connection, visits.ages_of_run(), {"run_id": self.wanted.until}):
            self.answers.load(row.snapshot_id for row in rows)
            for row in rows:
                claim = self.matcher.claim(row.url)
                if claim is not None:
                    run = self.wanted.until
                    seen = Seen(row.url, row.page_id, row.snapshot_id, row.status, run)
                    found = observed.findings(claim, self.answers.received(seen), row.age_s)
                    self.causes.add(OBSERVED, found, seen)

    def judge_probes(self) -> None:
        """What the probes of the run were answered, by the rules that it carried."""
        rows = probing.rows(self.connection, self.wanted.until, ProbeKind.CACHE)
        for found in probing.judged(rows, ProbeKind.CACHE):
            if found.finding.subject.partition(" ")[0] in self.held:
                self.causes.add(PROBE, [found.finding], Seen(found.urls[0], 0, 0, 0, self.wanted.until))
        self.probes.update(row.error or row.state for row in rows)

    def result(self) -> Verified:
        for found in self.words.sure():
            self.causes.merge(found)
        for rule in self.wanted.definition.cache:
            if rule.enabled and not self.held[rule.name].pages:
                detail = f"{rule.owner}: {rule.why}"
                self.causes.about(POLICY, rules.UNUSED.found("", rule.name, detail))
        causes = self.causes.ordered()
        self._excuse(causes)
        date_causes(self.connection, self.wanted, self.matcher, causes)
        named = {run for each in causes for run in (each.first_run, each.last_run) if run is not None}
        slots = self.connection.execute(run_rows.slots(), {"ids": sorted(named)})
        return Verified(
            causes,
            list(self.held.values()),
            self.unheld,
            [(rule, url) for url, rule in self.examples.items()],
            {row.id: row.slot for row in slots},
            self.probes,
        )

    def _excuse(self, causes: Iterable[Cause]) -> None:
        """Mark what the waivers of the file excuse."""
        today = self.connection.execute(reports.today()).scalar_one()
        for each in causes:
            found = [seen.url for seen in each.samples]
            waivers = self.wanted.definition.waiver
            each.waived_by = applying.waived_by(waivers, each.code, each.subject, found, today)


class _Words:
    """What caches said in words, by snapshot: they are those of one page, so they count only where all pages are alike.

    Pages of two rules may share a snapshot; then nobody knows on whose page the words stood.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[str, Causes | None]] = {}

    def of(self, snapshot_id: int, subject: str) -> Causes | None:
        """Where to count what the words of a snapshot mean for the pages of one subject; None where others have it, too."""
        known = self._found.get(snapshot_id)
        if known is None:
            known = self._found[snapshot_id] = (subject, Causes())
        elif known[0] != subject and known[1] is not None:
            known = self._found[snapshot_id] = (subject, None)
        return known[1]

    def sure(self) -> Iterator[Causes]:
        """What is known to be about the pages of one rule."""
        return (found for _, found in self._found.values() if found is not None)


def _batches(
    connection: Connection, statement: TextClause, values: dict[str, Any]
) -> Iterator[Sequence[Row[Any]]]:
    streamed = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
    with connection.execute(statement, values, execution_options=streamed) as rows:
        yield from rows.partitions(BATCH_ROWS)


def _examples(definition: SiteDefinition) -> Iterator[tuple[str, str]]:
    for rule in definition.cache:
        for text, _ in rule.examples:
            url = cachematch.resolve(text, rule.match, definition.start_urls[0])
            if rule.enabled and url is not None:
                yield url, rule.name
