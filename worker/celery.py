"""The Celery app, and the composition root of a worker process. Messages are doorbells: none of them matters.

Run it as ``celery -A worker worker -P threads -c 2`` and ``celery -A worker beat``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import cache
from typing import Any

from celery import Celery, signals
from sqlalchemy.exc import InterfaceError, OperationalError

from headersweep import __version__, logs
from headersweep import settings as configuration
from headersweep.errors import WrongRevisionError
from headersweep.settings import Settings
from models import migrate
from scheduler import beat, doorbell
from worker.runtime import Runtime

SUPERVISOR_SECONDS = 1.0
RETRY_SECONDS = 1.0

log = logs.get_logger()


def options(settings: Settings) -> dict[str, Any]:
    """Celery's settings: early acknowledgement, no results, hints that expire; nothing may depend on a message.

    On Redis, Celery loses messages on kill -9 whatever the settings (it pops before it records), so none of these try
    to prevent that.
    """
    shared = doorbell.broker_settings()
    return {
        "broker_url": settings.broker_url,
        "result_backend": None,
        "task_store_errors_even_if_ignored": False,
        "task_acks_late": False,
        "task_track_started": False,
        "task_send_sent_event": False,
        "worker_send_task_events": False,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_enable_remote_control": False,
        "worker_eta_task_limit": 100,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        **shared,
        "broker_transport_options": {
            **shared["broker_transport_options"],
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        "task_publish_retry": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": beat.schedule(settings.tick_seconds),
        "beat_max_loop_interval": settings.tick_seconds,
        "imports": ("worker.tasks",),
    }


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return configuration.from_mapping(os.environ)


@cache
def runtime() -> Runtime:
    """The runtime of this worker process, made on first use."""
    return Runtime(settings())


app = Celery("headersweep")
app.config_from_object(options(settings()))


@signals.setup_logging.connect
def _set_up_logging(**_arguments: Any) -> None:
    """One log pipeline for Celery's lines and ours."""
    logs.configure(settings(), is_terminal=sys.stderr.isatty())


@signals.worker_init.connect
def _start(sender: Any = None, **_arguments: Any) -> None:
    """Refuse a database at the wrong revision; then look after due work, whether or not the broker answers."""
    _wait_for_database()
    runtime().node = str(getattr(sender, "hostname", None) or runtime().owner)
    runtime().start_timer()


def _wait_for_database() -> None:
    """Return when the database answers and has our schema. Celery swallows whatever a handler raises but SystemExit."""
    while True:
        try:
            migrate.check_head(settings().database_url)
        except WrongRevisionError as error:
            raise SystemExit(str(error)) from error
        except (OperationalError, InterfaceError) as error:
            if _is_orphan(settings().supervisor_pid):
                raise SystemExit("the supervisor is gone") from error
            time.sleep(RETRY_SECONDS)
        else:
            return


def _is_orphan(supervisor_pid: int) -> bool:
    return bool(supervisor_pid) and os.getppid() != supervisor_pid


@signals.worker_ready.connect
def _say_ready(**_arguments: Any) -> None:
    """Said here, since the log is not set up yet when the worker begins."""
    log.info("service.started", component="worker", service_version=__version__, process_id=os.getpid())


@signals.beat_init.connect
def _start_beat(**_arguments: Any) -> None:
    _wait_for_database()
    threading.Thread(target=_end_with, args=(settings().supervisor_pid,), daemon=True).start()
    log.info("service.started", component="beat", service_version=__version__, process_id=os.getpid())


def _end_with(supervisor_pid: int) -> None:
    """Stop the beat when the supervisor that started it was killed: nobody else would, and the next one has its own."""
    while supervisor_pid:
        if _is_orphan(supervisor_pid):
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(SUPERVISOR_SECONDS)


@signals.worker_shutting_down.connect
def _stop(**_arguments: Any) -> None:
    """The running slice hands back its shards within seconds; nothing is lost."""
    runtime().stop()
    log.info("service.stopped", component="worker", process_id=os.getpid(), reason="asked to stop")


@signals.worker_shutdown.connect
def _finish(**_arguments: Any) -> None:
    runtime().finish()
