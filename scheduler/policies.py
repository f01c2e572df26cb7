"""Policies over stored runs: their header sets by path scope, what a policy makes of them, and baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from headersweep import logs
from headersweep.definition import SiteDefinition
from headersweep.policies import Policy
from headersweep.responses import ResponseClass
from models import baselines, reports
from review import judge, report
from review.policy import applying, baseline, scopes
from review.policy.baseline import Baseline
from review.policy.scopes import Zone
from review.report import SAMPLES, Cause, HeaderSet
from scheduler import reviewed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

log = logs.get_logger()

BATCH_ROWS = 2_000

_Group = tuple[reviewed.Key, tuple[str, ...]]
"""Snapshot, status, scheme and facts, and the path scopes that hold the page."""


def today(connection: Connection) -> date:
    """The day by which waivers and baselines end: that of the database's clock, in UTC."""
    day: date = connection.execute(reports.today()).scalar_one()
    return day


def policy_of(definition: dict[str, Any]) -> Policy:
    """The policy that a run carries."""
    return SiteDefinition.from_json(definition).policy


def header_sets(connection: Connection, run_id: int, known: Sequence[Zone] = ()) -> tuple[HeaderSet, ...]:
    """The header sets of a run, judged by the rules of this program, pages of different path scopes kept apart.

    With path scopes it reads every visit of the run once (about ten seconds for a million pages); where these are
    behind retention, or there are no scopes, the sets are as they were kept when the run was closed.
    """
    kept = {key: _judged(one) for key, one in reviewed.keyed_sets(connection, run_id).items()}
    kept = kept or reviewed.counted_sets(connection, run_id)
    found = _told_apart(connection, run_id, kept, known) if known else ()
    return found or tuple(kept.values())


def _told_apart(
    connection: Connection, run_id: int, kept: Mapping[reviewed.Key, HeaderSet], known: Sequence[Zone]
) -> tuple[HeaderSet, ...]:
    counts: dict[_Group, int] = {}
    samples: dict[_Group, list[str]] = {}
    for row in _visits(connection, run_id):
        key = (row.snapshot_id, row.status, row.url.partition(":")[0], row.facts_id or 0)
        if key not in kept:
            # The run goes on, and this came after its sets were counted.
            continue
        path = scopes.path_of(row.url)
        group = (key, scopes.zones_of(path, known, row.url))
        counts[group] = counts.get(group, 0) + 1
        urls = samples.setdefault(group, [])
        if len(urls) < SAMPLES:
            urls.append(row.url)
    found = [
        replace(kept[group[0]], pages=pages, sample_urls=tuple(samples[group]), zones=group[1])
        for group, pages in counts.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.pages, one.content_hash, one.status, one.scheme)))


def _judged(one: HeaderSet) -> HeaderSet:
    """A set that only older rules have judged, judged by those of this program."""
    if one.judgement.judged or one.judgement.response_class is ResponseClass.BLOCKED:
        return one
    return replace(one, judgement=judge.judge(applying.received_of(one)))


def _visits(connection: Connection, run_id: int) -> Iterator[Row[Any]]:
    connection.execute(reports.unhurried())
    streamed = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
    with connection.execute(reports.export_rows(run_id), execution_options=streamed) as rows:
        yield from (row for row in rows if row.snapshot_id is not None)


# --- baselines ---------------------------------------------------------------------------------------------------


def causes(
    connection: Connection, run_id: int, sets: Sequence[HeaderSet], more: Sequence[Cause] = ()
) -> tuple[Cause, ...]:
    """The causes of a run under the policy that it carries, those that its site's baseline does not have as new.

    ``more`` are causes that are known from elsewhere than the run.
    """
    row = connection.execute(reports.run_summary(run_id)).one()
    policy = policy_of(row.definition)
    approved = baseline_of(connection, row.site_id, policy)
    return applying.apply(policy, sets, today(connection), approved, (*others(connection, run_id), *more))


def causes_under(connection: Connection, run_id: int, policy: Policy) -> tuple[Cause, ...]:
    """The causes of a run under any policy, whatever baseline its site has."""
    sets = header_sets(connection, run_id, scopes.zones(policy))
    return applying.apply(policy, sets, today(connection), None, others(connection, run_id))


def others(connection: Connection, run_id: int) -> tuple[Cause, ...]:
    """The causes of a run that no header set shows."""
    return report.of_run(reviewed.of_run(connection, run_id))


def baseline_of(connection: Connection, site_id: int, policy: Policy) -> Baseline | None:
    """The baseline of a site, with what its run shows under this policy; None where nobody approved one."""
    row = connection.execute(baselines.of_site(), {"site_id": site_id}).one_or_none()
    if row is None:
        return None
    known = _known_causes(connection, row.run_id, policy)
    return Baseline(row.run_id, row.owner, row.reason, row.expires, row.rollback_note, known)


def _known_causes(connection: Connection, run_id: int, policy: Policy) -> frozenset[tuple[str, str]] | None:
    """What a run showed; None where nothing of it is left."""
    found = causes_under(connection, run_id, policy)
    if not found and connection.execute(reports.run_summary(run_id)).one().stored:
        return None
    return baseline.known(found)


def approve(connection: Connection, site_id: int, approved: Baseline, requested_by: str) -> bool:
    """Make a run the baseline of its site; False where it is that already. The caller commits, then logs."""
    values = {
        "site_id": site_id,
        "run_id": approved.run_id,
        "expires": approved.expires,
        "owner": approved.owner,
        "reason": approved.reason,
        "rollback_note": approved.rollback_note,
        "approved_by": requested_by,
    }
    return connection.execute(baselines.approve(), values).one_or_none() is not None


def drop(connection: Connection, site_id: int) -> int | None:
    """Forget the baseline of a site; returns the run that it was. The caller commits, then logs."""
    run_id: int | None = connection.execute(baselines.drop(), {"site_id": site_id}).scalar_one_or_none()
    return run_id


def log_approved(site_name: str, run_id: int, requested_by: str) -> None:
    """Say who approved what; call it after the commit."""
    log.info("baseline.approved", site_name=site_name, run_id=run_id, requested_by=requested_by)


def log_dropped(site_name: str, run_id: int, requested_by: str) -> None:
    """Say who dropped what; call it after the commit."""
    log.info("baseline.dropped", site_name=site_name, run_id=run_id, requested_by=requested_by)
