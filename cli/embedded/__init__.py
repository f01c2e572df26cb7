"""Our own Postgres and Redis-compatible server, from wheels: for whoever has set no URLs.

``running(home)`` starts or joins them and stops them behind the last user; ``ensure(home)`` revives what died
meanwhile; ``stop(home)`` ends what a killed command left behind; ``status(home)`` looks and changes nothing.
docs/embedded.md says what runs where and as whom.
"""

from __future__ import annotations

from cli.embedded.binaries import Choice
from cli.embedded.broker import client_url
from cli.embedded.launcher import Servers, ServerStatus, Status, ensure, running, status, stop

__all__ = ["Choice", "ServerStatus", "Servers", "Status", "client_url", "ensure", "running", "status", "stop"]
