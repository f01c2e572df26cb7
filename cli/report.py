"""What is known about a run, as plain values: read here, rendered by ``cli.render``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headersweep.errors import UsageError
from headersweep.probes import ProbeState
from headersweep.states import FINAL_STATES, Outcome, RunAction, RunState

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from cli.standstill import Standstill
    from review.report import Report

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Action:
    """One thing that was done to a run: by whom, why, and which generation of the run it ended or began."""

    action: RunAction
    asked_by: str
    reason: str
    at: datetime
    generation: int
    made_run: int | None = None


@dataclass(frozen=True)
class Run:
    """One run and its counts; the counts are None until it is over."""

    run_id: int
    site_id: int
    site: str
    slot: datetime
    state: RunState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    requested_by: str = ""
    reason: str = ""
    accounting: dict[str, int] | None = None
    snapshots: int | None = None
    new_snapshots: int | None = None
    changed_pages: int | None = None
    digest: bytes | None = None
    generation: int = 1
    max_pages: int | None = None
    failure_threshold: float = 0.05
    last_action: Action | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether the run is over without what was asked for. A page limit that cut it is what was asked for."""
        if self.state in {RunState.FAILED, RunState.CANCELLED}:
            return True
        counts = self.accounting or {}
        missed = counts.get("failed", 0) + counts.get("robots_unreachable", 0)
        tried = missed + counts.get("stored", 0)
        return self.state is RunState.PARTIAL and missed > self.failure_threshold * tried

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more by itself."""
        return self.state in FINAL_STATES

    @property
    def pages(self) -> int | None:
        """How many pages answered."""
        return None if self.accounting is None else self.accounting["stored"]

    @property
    def visited(self) -> int:
        """How many pages had an outcome when the run was closed; 0 until then."""
        counts = self.accounting or {}
        return counts.get("discovered", 0) - counts.get("unvisited", 0)

    @property
    def duration_ms(self) -> int | None:
        """From the first page's start to the end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0, round((self.finished_at - self.started_at).total_seconds() * 1000))


@dataclass(frozen=True)
class Answers:
    """How many pages ended so."""

    outcome: Outcome
    status: int | None
    pages: int


@dataclass(frozen=True)
class HeaderSet:
    """One snapshot as a run saw it: evidence (``pairs``) and its comparable form (``lines``).

    ``pages`` is None where the visits are gone.
    """

    content_hash: bytes
    pages: int | None
    statuses: tuple[int, ...]
    is_new: bool
    pairs: Pairs
    lines: Pairs
    malformed: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trouble:
    """Pages that were not stored, for one reason, with some of their URLs and what was said about each."""

    outcome: Outcome
    reason: str
    pages: int
    samples: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Mask:
    """A header that differed on nearly every response, and is masked for this site."""

    name: str
    distinct: int
    responses: int


@dataclass(frozen=True)
class Sitemap:
    """What came of one sitemap."""

    url: str
    entries: int
    error: str | None
    is_done: bool


@dataclass(frozen=True)
class Probed:
    """How many probes of a kind stand in one way, and why where they failed."""

    kind: str
    state: ProbeState
    reason: str
    probes: int


@dataclass(frozen=True)
class RunReport:
    """Everything that is shown of one run."""

    run: Run
    found: int = 0
    done: int = 0
    answers: tuple[Answers, ...] = ()
    sets: tuple[HeaderSet, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    masks: tuple[Mask, ...] = ()
    sitemaps: tuple[Sitemap, ...] = field(default=())
    actions: tuple[Action, ...] = ()
    waiting: tuple[Standstill, ...] = ()
    probes: tuple[Probed, ...] = ()
    retention_days: int = 0
    review: Report | None = None

    @property
    def visits_dropped(self) -> bool:
        """Whether the run's visits are past retention: there were some, and there are none."""
        return self.run.visited > 0 and not self.answers


def run_from_row(row: Row[Any]) -> Run:
    """A run as the database has it."""
    from models.runs import ACCOUNTS

    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    names = ("discovered", *ACCOUNTS, "unvisited")
    is_over = fields["discovered"] is not None and fields["finished_at"] is not None
    return Run(
        run_id=fields["id"],
        state=RunState(fields["state"]),
        accounting={name: fields[name] or 0 for name in names} if is_over else None,
        max_pages=fields["definition"].get("max_pages"),
        failure_threshold=fields["definition"].get("failure_threshold", 0.05),
        **{
            name: fields[name]
            for name in (
                "site_id",
                "site",
                "slot",
                "started_at",
                "finished_at",
                "requested_by",
                "reason",
                "snapshots",
                "new_snapshots",
                "changed_pages",
                "digest",
                "generation",
            )
        },
    )


def find_run(connection: Connection, run_id: int) -> Run:
    """The run of that number; a UsageError when there is none."""
    from models import reports

    row = connection.execute(reports.run_summary(run_id)).one_or_none()
    if row is None:
        raise UsageError(f"there is no run {run_id}; `headersweep runs` lists them")
    (run,) = with_actions(connection, [run_from_row(row)])
    return run


def list_runs(connection: Connection, site: str | None, limit: int) -> list[Run]:
    """The newest runs, of one site or of all, newest first."""
    from models import reports

    rows = connection.execute(reports.runs_list(site, limit))
    return with_actions(connection, [run_from_row(row) for row in rows])


def with_actions(connection: Connection, runs: Sequence[Run]) -> list[Run]:
    """The runs, each with what was done to it last."""
    from models import actions

    rows = connection.execute(actions.last_of([run.run_id for run in runs]))
    last = {row.run_id: _action(row) for row in rows}
    return [dataclasses.replace(run, last_action=last.get(run.run_id)) for run in runs]


def definition_of(connection: Connection, run_id: int) -> dict[str, Any]:
    """The definition that a run carries."""
    from models import reports

    return dict(connection.execute(reports.run_summary(run_id)).one().definition)


def collect(connection: Connection, run_id: int, *, retention_days: int = 0) -> RunReport:
    """Everything that is shown of one run; of one past retention, what is left."""
    from cli import standstill
    from models import actions, reports

    run = find_run(connection, run_id)
    standing = connection.execute(reports.progress([run_id])).one()
    answers = _answers(connection.execute(reports.answer_counts(run_id)))
    return RunReport(
        run=run,
        found=standing.found,
        done=standing.done,
        answers=answers,
        sets=_sets(connection, run_id) if answers or not run.visited else _sets_left(connection, run_id),
        troubles=_troubles(connection.execute(reports.troubles_by_reason(run_id))),
        masks=tuple(
            Mask(row.header_name, row.distinct_values, row.responses)
            for row in connection.execute(reports.masks_of_site(run.site_id))
        ),
        sitemaps=tuple(
            Sitemap(row.url, row.entries, row.error, row.done_at is not None)
            for row in connection.execute(reports.sitemaps_of_run(run_id))
        ),
        actions=tuple(_action(row) for row in connection.execute(actions.of_run(), {"run_id": run_id})),
        waiting=() if run.is_final else standstill.of_run(connection, run_id),
        probes=_probes(connection, run_id),
        retention_days=retention_days,
    )


def _probes(connection: Connection, run_id: int) -> tuple[Probed, ...]:
    from models import probes

    rows = connection.execute(probes.counts(), {"run_ids": [run_id]})
    return tuple(Probed(row.kind, ProbeState(row.state), row.error, row.probes) for row in rows)


def _action(row: Row[Any]) -> Action:
    return Action(RunAction(row.action), row.asked_by, row.reason, row.at, row.generation, row.made_run_id)


def _answers(rows: Iterable[Row[Any]]) -> tuple[Answers, ...]:
    return tuple(Answers(Outcome(row.outcome), row.status, row.pages) for row in rows)


def _sets(connection: Connection, run_id: int) -> tuple[HeaderSet, ...]:
    from models import reports

    samples: dict[int, list[str]] = {}
    for row in connection.execute(reports.sample_urls(run_id)):
        samples.setdefault(row.snapshot_id, []).append(row.url)
    return tuple(
        _header_set(row, tuple(samples.get(row.id, ())))
        for row in connection.execute(reports.snapshots_of_run(run_id))
    )


def _sets_left(connection: Connection, run_id: int) -> tuple[HeaderSet, ...]:
    """The sets of a run without visits: those kept when it was closed, else what its site sent around it."""
    from models import reports, reviews

    kept: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(reviews.sets_of_run(), {"run_id": run_id}):
        kept.setdefault(row.snapshot_id, []).append(row)
    if kept:
        sets = [_kept_set(connection, rows) for rows in kept.values()]
        return tuple(sorted(sets, key=lambda item: (-(item.pages or 0), item.content_hash)))
    return tuple(_header_set(row, ()) for row in connection.execute(reports.snapshots_around(run_id)))


def _kept_set(connection: Connection, rows: Sequence[Row[Any]]) -> HeaderSet:
    """One snapshot with all statuses and schemes that it came with."""
    from models import reviews

    ids = [page_id for row in rows for page_id in row.sample_page_ids]
    urls = {row.id: row.url for row in connection.execute(reviews.sample_urls(), {"page_ids": ids})}
    statuses = sorted({row.status for row in rows})
    return dataclasses.replace(
        _header_set(rows[0], tuple(sorted(urls.values()))[: reviews.SAMPLES], statuses),
        pages=sum(row.pages for row in rows),
    )


def _header_set(row: Row[Any], samples: tuple[str, ...], statuses: Sequence[int] | None = None) -> HeaderSet:
    from headersweep import headers

    parsed = headers.parse_block(bytes(row.raw))
    return HeaderSet(
        content_hash=bytes(row.content_hash),
        pages=row.pages,
        statuses=tuple(sorted(row.statuses if statuses is None else statuses)),
        is_new=row.is_new,
        pairs=parsed.pairs,
        lines=tuple(headers.value_lines(row.canonical)),
        malformed=parsed.malformed,
        samples=samples,
    )


def _troubles(rows: Iterable[Row[Any]]) -> tuple[Trouble, ...]:
    grouped: dict[tuple[int, str], list[Row[Any]]] = {}
    for row in rows:
        grouped.setdefault((row.outcome, row.reason), []).append(row)
    return tuple(
        Trouble(Outcome(outcome), reason, group[0].pages, tuple((row.url, row.error or "") for row in group))
        for (outcome, reason), group in grouped.items()
    )
