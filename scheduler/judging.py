"""Judge what closed runs show: once for each combination and rules version, never in the way of closing a run.

A combination is a snapshot with a status, a scheme and what was read in the bodies. What one run had judged is known for
all. Any number of judges at once do no harm: the first to write is right, and all of them say the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from headersweep import logs
from headersweep.states import FINAL_STATES
from models import nonces, redirects, reviews, runs, visits
from review import judge
from review.finding import Finding, Severity
from scheduler import reviewed
from scheduler.reviewed import Key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Row

    from review.judge import Judgement

log = logs.get_logger()

BATCH = 100
"""So many combinations are read, judged and written at a time: hostile sites have sets without end."""

SETS_TIMEOUT_MS = 1_800_000
"""Making the sets of an old run of a million pages takes longer than a statement usually may."""

UNSORTED = "SET LOCAL enable_sort = off"
"""The planner's statistics know nothing of a run that has just ended: it would sort a million pages to group them."""

BEFORE_ALL: Key = (0, 0, "", 0)


@dataclass(frozen=True)
class JudgedRun:
    """What came of judging a run: how many combinations were new, and of how many a defect kept us from judging."""

    run_id: int
    rules_version: int
    judged: int = 0
    unjudged: int = 0


@dataclass
class _Tally:
    judged: int = 0
    errors: list[Exception] = field(default_factory=list)


def judge_closed(engine: Engine, run_id: int) -> None:
    """Judge a run that was closed just now, and say so; a defect is told, and is nobody's concern but the maintainers'."""
    try:
        _judge(engine, run_id, is_news=True)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a judgement, the run is closed and others go on
        _unjudged(run_id, error, sets=0)


def judge_run(engine: Engine, run_id: int, *, make_sets: bool = True) -> JudgedRun:
    """Judge what a closed run shows and the present rules do not know yet; says so only where there was any.

    Runs that were closed by a program without sets get theirs now, where their visits are kept.
    """
    if make_sets:
        with engine.begin() as connection:
            ensure_sets(connection, run_id)
    return _judge(engine, run_id, is_news=False)


def ensure_sets(connection: Connection, run_id: int) -> bool:
    """Make the header sets of a closed run from its visits where they do not add up; False where nothing is to be made.

    A program that knew nothing of sets closed it, for the first time or once more.
    """
    if connection.execute(reviews.sets_add_up(), {"run_id": run_id}).scalar_one():
        return False
    run = connection.execute(runs.lock_one(), {"id": run_id}).one()
    if (
        run.state not in FINAL_STATES
        or not connection.execute(visits.any_kept(), {"run_id": run_id}).scalar_one()
    ):
        return False
    connection.execute(text(f"SET LOCAL statement_timeout = {SETS_TIMEOUT_MS}"))
    connection.execute(reviews.drop_sets(), {"run_id": run_id})
    return make_sets(connection, run_id) > 0


def make_sets(connection: Connection, run_id: int) -> int:
    """Keep from its visits which header sets a run showed, where it redirects, which nonces it repeats; returns how many sets."""
    connection.execute(text(UNSORTED))
    made = connection.execute(reviews.add_sets(), {"run_id": run_id}).rowcount
    earlier = list(connection.execute(nonces.earlier(), {"run_id": run_id}).scalars())
    connection.execute(nonces.add(), {"run_id": run_id, "earlier": earlier})
    connection.execute(text("SET LOCAL enable_sort TO DEFAULT"))
    connection.execute(redirects.add(), {"run_id": run_id})
    return made


def _judge(engine: Engine, run_id: int, *, is_news: bool) -> JudgedRun:
    tally, after = _Tally(), BEFORE_ALL
    while rows := _unjudged_rows(engine, run_id, after):
        after = reviewed.key(rows[-1])
        _judge_batch(engine, rows, tally)
    if tally.errors:
        _unjudged(run_id, tally.errors[0], sets=len(tally.errors))
    elif is_news or tally.judged:
        _say(engine, run_id)
    return JudgedRun(run_id, judge.RULES_VERSION, tally.judged, len(tally.errors))


def _unjudged_rows(engine: Engine, run_id: int, after: Key) -> Sequence[Row[Any]]:
    names = ("snapshot_id", "status", "scheme", "facts_id")
    values = {"run_id": run_id, "rules_version": judge.RULES_VERSION, "limit": BATCH}
    with engine.connect() as connection:
        return connection.execute(
            reviews.unjudged(), {**values, **dict(zip(names, after, strict=True))}
        ).all()


def _judge_batch(engine: Engine, rows: Sequence[Row[Any]], tally: _Tally) -> None:
    verdicts: dict[Key, Judgement] = {}
    for row in rows:
        try:
            verdicts[reviewed.key(row)] = reviewed.judgement_of(row)
        except Exception as error:  # noqa: BLE001 - a defect of one check: what else the run shows is judged
            tally.errors.append(error)
    if verdicts:
        with engine.begin() as connection:
            tally.judged += keep(connection, verdicts)


def keep(connection: Connection, verdicts: dict[Key, Judgement]) -> int:
    """Write judgements with their findings; what somebody else has written meanwhile stays. Returns how many are new."""
    keys = list(verdicts)
    columns = {
        "rules_version": judge.RULES_VERSION,
        "snapshot_ids": [key[0] for key in keys],
        "statuses": [key[1] for key in keys],
        "schemes": [key[2] for key in keys],
        "facts_ids": [key[3] for key in keys],
        "response_classes": [str(verdicts[key].response_class) for key in keys],
        "judgeds": [verdicts[key].judged for key in keys],
    }
    new = connection.execute(reviews.add_judgements(), columns).all()
    found = [
        (row.id, ordinal, finding)
        for row in new
        for ordinal, finding in enumerate(verdicts[reviewed.key(row)].findings, 1)
    ]
    if found:
        connection.execute(reviews.add_findings(), _columns(found))
    return len(new)


def _columns(found: Sequence[tuple[int, int, Finding]]) -> dict[str, list[Any]]:
    return {
        "judgement_ids": [judgement_id for judgement_id, _, _ in found],
        "ordinals": [ordinal for _, ordinal, _ in found],
        "codes": [finding.code for *_, finding in found],
        "severities": [str(finding.severity) for *_, finding in found],
        "subjects": [_storable(finding.subject) for *_, finding in found],
        "evidences": [_storable(finding.evidence) for *_, finding in found],
        "details": [_storable(finding.detail) for *_, finding in found],
    }


def _storable(value: str) -> str:
    """Text as Postgres takes it: a header may hold a NUL, which no text column can."""
    return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _say(engine: Engine, run_id: int) -> None:
    with engine.connect() as connection:
        causes = reviewed.causes(connection, run_id)
    counts = Counter(worst for worst, _ in causes.values())
    log.info(
        "run.judged",
        run_id=run_id,
        rules_version=judge.RULES_VERSION,
        high=counts[Severity.HIGH],
        medium=counts[Severity.MEDIUM],
        low=counts[Severity.LOW],
        info=counts[Severity.INFO],
    )


def _unjudged(run_id: int, error: Exception, sets: int) -> None:
    log.error("run.unjudged", run_id=run_id, error_type=type(error).__name__, sets=sets, exc_info=error)
