"""Read back what the review said of a run, as the plain values that ``review.report`` is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from headersweep import bodyfacts, headers, responses
from headersweep.responses import ResponseClass
from models import redirects as redirect_rows
from models import reviews
from review import judge, redirects, table
from review.finding import Finding, Severity
from review.judge import Judgement
from review.report import HeaderSet
from scheduler import probing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from review.redirects import Found

Key = tuple[int, int, str, int]
Cause = tuple[str, str]
"""A code and a subject: by these, findings are grouped over header sets."""


class Weight(NamedTuple):
    """The worst severity of a cause in a run, and on how many pages it shows."""

    severity: Severity
    pages: int


class Answered(NamedTuple):
    """One answer of a site."""

    url: str
    status: int
    pairs: tuple[tuple[str, str], ...]


def header_sets(connection: Connection, run_id: int) -> tuple[HeaderSet, ...]:
    """What a closed run showed with the judgements of the present rules, the most common first.

    A set that could not be judged has no findings and is marked as not judged.
    """
    return tuple(keyed_sets(connection, run_id).values())


def keyed_sets(connection: Connection, run_id: int) -> dict[Key, HeaderSet]:
    """The same, by the combination that each is."""
    rows = connection.execute(reviews.sets_of_run(), {"run_id": run_id}).all()
    verdicts = judgements(connection, run_id)
    urls = _urls(connection, rows)
    return {key(row): _header_set(row, verdicts.get(key(row)), urls) for row in rows}


def answers_from(connection: Connection, run_id: int, site_id: int, url_key: bytes) -> tuple[Answered, ...]:
    """What a run got for one page, and for where it was redirected to from there; nothing where its visits are gone."""
    values = {"run_id": run_id, "site_id": site_id, "url_key": url_key}
    return tuple(
        Answered(row.url, row.status, headers.parse_block(bytes(row.raw)).pairs)
        for row in connection.execute(reviews.answers_from(), values)
    )


def judgements(connection: Connection, run_id: int) -> dict[Key, Judgement]:
    """What the present rules say of each combination that a run showed."""
    values = {"run_id": run_id, "rules_version": judge.RULES_VERSION}
    rows = connection.execute(reviews.judgements_of_run(), values).all()
    findings = _findings(connection, rows)
    return {
        key(row): Judgement(
            ResponseClass(row.response_class),
            # A code that is not known here was written by another program under the same version.
            tuple(finding for finding in findings.get(row.id, ()) if finding.code in table.RULES),
            row.judged,
        )
        for row in rows
    }


def causes(connection: Connection, run_id: int) -> dict[Cause, Weight]:
    """What the present rules find in a run, by cause."""
    values = {"run_id": run_id, "rules_version": judge.RULES_VERSION}
    rows = connection.execute(reviews.judgements_of_run(), values).all()
    return weigh(connection, rows)


def weigh(connection: Connection, rows: Sequence[Row[Any]]) -> dict[Cause, Weight]:
    """The findings of judgements (rows with their id and pages) by cause, whatever rules version made them."""
    findings, found = _findings(connection, rows), dict[Cause, Weight]()
    for row in rows:
        for cause, severity in _worst(findings.get(row.id, ())).items():
            before = found.get(cause, Weight(severity, 0))
            worst = max(before.severity, severity, key=lambda one: one.rank)
            found[cause] = Weight(worst, before.pages + row.pages)
    return found


def redirects_of(connection: Connection, run_id: int) -> tuple[Found, ...]:
    """What is to be said of the redirects of a closed run."""
    rows = connection.execute(redirect_rows.of_run(), {"run_id": run_id}).all()
    hops = [redirects.Hop(row.source, row.target, row.pages, row.url) for row in rows if row.kind == "hop"]
    chains = [redirects.Chain(row.source, row.pages, row.url) for row in rows if row.kind == "chain"]
    return redirects.judge(hops, chains)


def of_run(connection: Connection, run_id: int) -> tuple[Found, ...]:
    """What only a whole run shows: its redirects, and what its probes were answered so far."""
    return redirects_of(connection, run_id) + probing.found(connection, run_id)


def _worst(findings: Iterable[Finding]) -> dict[Cause, Severity]:
    """Each cause on one answer once: a page counts once, however many lines show the same."""
    found: dict[Cause, Severity] = {}
    for finding in findings:
        cause = finding.code, finding.subject
        found[cause] = max(found.get(cause, Severity.INFO), finding.severity, key=lambda one: one.rank)
    return found


def _findings(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, list[Finding]]:
    found: dict[int, list[Finding]] = {}
    for row in connection.execute(reviews.findings_of(), {"judgement_ids": [row.id for row in rows]}):
        finding = Finding(row.code, Severity(row.severity), row.evidence, row.subject, row.detail)
        found.setdefault(row.judgement_id, []).append(finding)
    return found


def _urls(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, str]:
    ids = sorted({page_id for row in rows for page_id in row.sample_page_ids})
    return {row.id: row.url for row in connection.execute(reviews.sample_urls(), {"page_ids": ids})}


def _header_set(row: Row[Any], judgement: Judgement | None, urls: dict[int, str]) -> HeaderSet:
    parsed = headers.parse_block(bytes(row.raw))
    if judgement is None:
        judgement = Judgement(responses.classify(row.status, parsed.pairs), (), judged=False)
    return HeaderSet(
        content_hash=f"sha256:{bytes(row.content_hash).hex()}",
        status=row.status,
        scheme=row.scheme,
        pages=row.pages,
        pairs=parsed.pairs,
        judgement=judgement,
        malformed=parsed.malformed,
        sample_urls=tuple(urls[page_id] for page_id in row.sample_page_ids if page_id in urls),
        is_new=row.is_new,
        facts=None if row.facts is None else bodyfacts.from_json(row.facts),
    )


def key(row: Row[Any]) -> Key:
    """Which combination a row is about."""
    return row.snapshot_id, row.status, row.scheme, row.facts_id
