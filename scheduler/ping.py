"""The dead-man's switch: a URL elsewhere that is told of finished runs, so that silence is noticed there.

The protocol is that of healthchecks: POST to the URL when a run is finished or partial, to URL/fail when it failed, with
``rid`` the same for every repetition and the run's summary as the body. Whatever the other side does, no run waits for it.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import certifi

from headersweep import __version__, logs
from headersweep.states import RunState

log = logs.get_logger()

TRY_SECONDS = 5.0
PAUSE_SECONDS = 1.0
TOTAL_SECONDS = 12.0
"""For so long at the most a process that ends waits for pings under way."""

_SERVER_ERROR = 500
_ENDPOINTS = {RunState.FINISHED: "", RunState.PARTIAL: "", RunState.FAILED: "/fail"}
"""A cancelled run is no sign of life and no failure: somebody wanted it."""

_under_way: set[threading.Thread] = set()


@dataclass(frozen=True)
class Ping:
    """One message about one run."""

    run_id: int
    url: str
    body: bytes


def tell(ping_url: str, finished: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Tell the switch, from a thread of its own, of finished runs (event id and payload); returns at once."""
    pings = [ping for event_id, payload in finished if (ping := made(ping_url, event_id, payload))]
    if not pings:
        return
    thread = threading.Thread(target=_send_all, args=(pings,), name="ping", daemon=True)
    _wait_at_exit()
    _under_way.add(thread)
    thread.start()


def made(ping_url: str, event_id: str, payload: Mapping[str, Any]) -> Ping | None:
    """The message about one finished run; None when nobody is to be told."""
    endpoint = _ENDPOINTS.get(RunState(payload["state"]))
    if not ping_url or endpoint is None:
        return None
    parts = urlsplit(ping_url)
    rid = uuid.uuid5(uuid.NAMESPACE_URL, f"headersweep:{event_id}")
    query = "&".join(filter(None, (parts.query, f"rid={rid}")))
    url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + endpoint, query=query, fragment=""))
    body = json.dumps({"event": "run.finished", "event_id": event_id, **payload}).encode()
    return Ping(payload["run_id"], url, body)


def wait(seconds: float = TOTAL_SECONDS) -> None:
    """Wait for the pings under way, but no longer than that."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(KeyboardInterrupt):
        for thread in list(_under_way):
            thread.join(max(0.0, deadline - time.monotonic()))


@cache
def _wait_at_exit() -> None:
    atexit.register(wait)


def _send_all(pings: Sequence[Ping]) -> None:
    try:
        for ping in pings:
            if not _send(ping):
                # The others would fail the same way; the next finished run tries again.
                return
    finally:
        _under_way.discard(threading.current_thread())


def _send(ping: Ping) -> bool:
    error = _try(ping)
    if error is not None and not _is_refusal(error):
        time.sleep(PAUSE_SECONDS)
        error = _try(ping)
    if error is None:
        return True
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    kind = type(cause if isinstance(cause, Exception) else error).__name__
    log.warning(
        "ping.unanswered", run_id=ping.run_id, error_type=kind, status_code=getattr(error, "code", None)
    )
    return False


def _try(ping: Ping) -> Exception | None:
    headers = {"Content-Type": "application/json", "User-Agent": f"headersweep/{__version__}"}
    # S310: settings accept http and https only.
    request = urllib.request.Request(ping.url, ping.body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TRY_SECONDS, context=_tls()):  # noqa: S310 - as above
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return error
    except (OSError, http.client.HTTPException, ValueError) as error:
        return error


def _is_refusal(error: Exception) -> bool:
    """Whether the other side understood and does not want it: asking again would not help."""
    return isinstance(error, urllib.error.HTTPError) and error.code < _SERVER_ERROR


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
