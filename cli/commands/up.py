"""``headersweep up``: everything in the foreground."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from cli import options
from headersweep import __version__, logs

if TYPE_CHECKING:
    from cli.context import Database
    from cli.supervisor import Supervisor
    from cli.waiting import Interrupts

log = logs.get_logger()

LOOK_SECONDS = 1.0
POLL_SECONDS = 5.0


@click.command(short_help="Run everything in the foreground: servers, workers, beat.")
@options.workers
def up(workers: int | None) -> None:
    """Run workers and the beat until Ctrl-C or SIGTERM; with no servers configured, our own Postgres and broker too.

    What dies or hangs is replaced. Stopping is clean and exits with 0; every run can be resumed.
    """
    from cli import context, supervisor, waiting
    from cli.render import words

    with context.database() as database:
        crew = supervisor.Supervisor(database.settings, lambda: waiting.worker_heartbeats(database))
        count = supervisor.worker_count(workers, database.settings)
        with waiting.Interrupts() as interrupts:
            try:
                crew.start_workers(count)
                crew.start_beat()
                log.info(
                    "service.started",
                    component="up",
                    service_version=__version__,
                    process_id=os.getpid(),
                )
                context.notice(
                    f"up: {words.count(count, 'worker')} and a beat; their logs: {crew.log_folder}"
                )
                context.notice("Ctrl-C stops everything")
                _watch(database, crew, interrupts)
                context.notice("stopping: what is in flight is finished and kept")
                crew.stop()
                waiting.say_what_is_promised(database)
                log.info("service.stopped", component="up", process_id=os.getpid())
            except KeyboardInterrupt:
                context.notice("stopping at once")
            finally:
                crew.kill()


def _watch(database: Database, crew: Supervisor, interrupts: Interrupts) -> None:
    from sqlalchemy.exc import DBAPIError

    from cli import context

    next_poll, answered = time.monotonic(), True
    while not interrupts.count:
        if time.monotonic() >= next_poll:
            next_poll = time.monotonic() + POLL_SECONDS
            context.revive(database)
            try:
                crew.poll()
                answered = True
            except DBAPIError as error:
                if not context.is_disconnect(error):
                    raise
                if answered:
                    # Workers wait for Postgres as well: there is nothing to replace until it is back.
                    context.notice(f"{context.unreachable(database.settings, error)}; waiting for it")
                answered = False
        interrupts.sleep(LOOK_SECONDS)
