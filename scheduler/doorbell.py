"""The doorbell: a message that says there may be work. Ring after the commit; losing it costs a tick, no more."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from headersweep import logs

if TYPE_CHECKING:
    from celery import Celery

TASK = "crawl.slice"
QUEUE = "headersweep"
KEY_PREFIX = "headersweep:"
VISIBILITY_TIMEOUT_SECONDS = 3_600
PATIENCE_SECONDS = 1.0
EXPIRES_SECONDS = 10.0

log = logs.get_logger()


def broker_settings() -> dict[str, Any]:
    """The Celery settings that whoever rings and whoever listens must have in common."""
    return {
        "task_default_queue": QUEUE,
        "task_ignore_result": True,
        "broker_transport_options": {
            "global_keyprefix": KEY_PREFIX,
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        },
    }


def ring(broker_url: str, count: int = 1, expires: float = EXPIRES_SECONDS) -> bool:
    """Send ``count`` hints that there may be work; False, said in the log, if the broker did not take them all.

    Never raises because the broker is away, and gives up within about three seconds.
    """
    # Celery takes a quarter of a second to import, and most commands never ring.
    from kombu.exceptions import OperationalError  # noqa: PLC0415 - see above
    from redis.exceptions import RedisError  # noqa: PLC0415 - see above

    try:
        _send(_client(broker_url), count, expires)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("doorbell.unanswered", error_type=type(error).__name__)
        return False
    return True


def _send(client: Celery, count: int, expires: float) -> None:
    with client.producer_or_acquire() as producer:
        for _ in range(count):
            client.send_task(TASK, producer=producer, expires=expires, ignore_result=True, retry=False)


@functools.lru_cache(maxsize=8)
def _client(broker_url: str) -> Celery:
    """One client a broker, with its connections; made once, since making it costs a connection."""
    from celery import Celery  # noqa: PLC0415 - see ring

    client = Celery("headersweep-doorbell", broker=broker_url, set_as_current=False)
    client.conf.update(broker_settings())
    client.conf.broker_connection_timeout = PATIENCE_SECONDS
    client.conf.broker_transport_options |= {
        "socket_timeout": PATIENCE_SECONDS,
        "socket_connect_timeout": PATIENCE_SECONDS,
        "max_retries": 0,
    }
    return client
