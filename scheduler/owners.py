"""Who holds a lease: host, process and its start time, so that a dead owner on this host is known at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_START_TIME_FIELD = 19
"""Field 22 of /proc/PID/stat (proc(5)), counted behind the command name."""


def own(token: str) -> str:
    """The name under which this process holds leases."""
    return of(os.getpid(), token)


def of(pid: int, token: str) -> str:
    """The same for another process of this host, which lives now."""
    return f"{_host()}/{pid}/{_started(pid)}/{token}"


def dead_here(owner: str) -> bool:
    """Whether an owner is a process of this host that is certainly gone; False in any doubt."""
    try:
        host, pid, started, _token = owner.split("/")
    except ValueError:
        return False
    if host != _host() or not pid.isdigit() or not Path("/proc/self/stat").exists():
        return False
    return _started(int(pid)) != started


def leaving(detail: Mapping[str, Any]) -> bool:
    """Whether a worker that reported itself, or the command that started it, was killed on this host."""
    return any(dead_here(detail.get(name, "")) for name in ("owner", "supervisor"))


def _host() -> str:
    """The host and its boot: process ids mean nothing across a reboot or in another pid namespace."""
    return f"{socket.gethostname()}:{_boot()}:{_namespace()}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        return "-"


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return "-"


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; "0" when there is no such process (a zombie is none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "0"
    fields = text.rpartition(")")[2].split()
    return "0" if fields[0] in {"Z", "X"} else fields[_START_TIME_FIELD]
