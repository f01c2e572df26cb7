"""The Celery tasks: thin, synchronous, idempotent. What they do stands in functions that need no Celery."""

from __future__ import annotations

import time

from celery import shared_task

from headersweep import logs
from models import control
from scheduler import doorbell, finishing, judging, tick
from worker import celery

log = logs.get_logger()


@shared_task(name="crawl.slice")
def crawl_slice() -> None:
    """Work for a while on whatever shards and probes are due.

    Idempotency key: none needed; shards and probes are leased under a fencing number, visits are unique by (run, page).
    Repeat: a slice without due shards ends at once.
    """
    celery.runtime().start_probing()
    report = celery.runtime().crawl_slice()
    if report is not None and report.more:
        doorbell.ring(celery.settings().broker_url)


@shared_task(name="sweep.plan")
def sweep_plan() -> None:
    """Make the runs of the slots that have come, and ring if there are any: the beat's sign of life.

    Idempotency key: (site, slot).
    Repeat: a slot that has its run gets no other.
    """
    started = time.monotonic()
    engine = celery.runtime().engine
    planned = tick.plan(engine)
    with engine.begin() as connection:
        connection.execute(control.record_heartbeat(name="beat", kind="beat", detail={}))
    if planned:
        doorbell.ring(celery.settings().broker_url)
    log.info("beat.ticked", planned=len(planned), duration_ms=round((time.monotonic() - started) * 1000))


@shared_task(name="sweep.rescue")
def sweep_rescue() -> None:
    """Bring back shards of dead workers, close runs that are done, write the promised log events, ring for the rest.

    Idempotency key: the state of the rows themselves (fencing number, final state, event id).
    Repeat: nothing left to rescue is nothing to do.
    """
    settings = celery.settings()
    result = tick.tick(
        celery.runtime().engine, retention_days=settings.retention_days, ping_url=settings.ping_url
    )
    if result.ring:
        doorbell.ring(settings.broker_url)


@shared_task(name="run.finish")
def run_finish(run_id: int) -> None:
    """Close a run if nothing of it is left, and write its event.

    Idempotency key: the run's generation; zero rows updated mean that somebody else was first.
    Repeat: a closed run is left alone.
    """
    engine = celery.runtime().engine
    if finishing.finish(engine, run_id):
        judging.judge_closed(engine, run_id)
        tick.emit(engine, celery.settings().ping_url)
