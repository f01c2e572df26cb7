"""Doorbells that are all lost, or all rung twice, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import redis

from cli import embedded
from scheduler import doorbell
from tests.chaos.schedule import Messages

QUEUE = f"{doorbell.KEY_PREFIX}{doorbell.QUEUE}"
PAUSE_SECONDS = 0.002
PATIENCE_SECONDS = 1.0
RETRY_SECONDS = 0.2


class Meddler:
    """A thread between those who ring and those who listen; ``count`` messages went wrong by it."""

    def __init__(self, broker_url: str, messages: Messages) -> None:
        self.count = 0
        self._url = embedded.client_url(broker_url)
        self._stopped = threading.Event()
        work = {Messages.DROPPED: self._drop, Messages.DOUBLED: self._double}
        self._work = work.get(messages)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        if self._work:
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._work:
            self._thread.join(PATIENCE_SECONDS * 5)

    def _run(self) -> None:
        assert self._work is not None
        while not self._stopped.is_set():
            # The broker is killed and frozen under us: that is what we are here for.
            with contextlib.suppress(redis.RedisError, OSError), self._client() as client:
                self._work(client)
            self._stopped.wait(RETRY_SECONDS)

    def _client(self) -> Any:
        return redis.Redis.from_url(
            self._url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        )

    def _drop(self, client: Any) -> None:
        while not self._stopped.is_set():
            lost = client.eval(
                "local n = redis.call('LLEN', KEYS[1]); redis.call('DEL', KEYS[1]); return n", 1, QUEUE
            )
            self.count += int(lost)
            time.sleep(PAUSE_SECONDS)

    def _double(self, client: Any) -> None:
        ours: set[str] = set()
        with client.monitor() as monitor, self._client() as ringer:
            while not self._stopped.is_set():
                # Looked at first: a read that times out would close the connection.
                if monitor.connection.can_read(timeout=RETRY_SECONDS):
                    self._again(ringer, str(monitor.next_command()["command"]), ours)

    def _again(self, ringer: Any, command: str, ours: set[str]) -> None:
        name, _, rest = command.partition(" ")
        key, _, message = rest.partition(" ")
        if name != "LPUSH" or key != QUEUE:
            return
        if message in ours:
            ours.discard(message)
            return
        ours.add(message)
        ringer.lpush(QUEUE, message)
        self.count += 1


@contextlib.contextmanager
def meddled(broker_url: str, messages: Messages) -> Iterator[Meddler]:
    """Messages go wrong as long as the block."""
    meddler = Meddler(broker_url, messages)
    meddler.start()
    try:
        yield meddler
    finally:
        meddler.stop()
