"""As whom the servers run: never as root, always as an account that exists already."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headersweep.errors import ConfigurationError, UnavailableError

#: Whom root hands the servers to, best first: an account made for us, then the one that owns nothing.
#: Not "postgres" or "redis": those own the data of other servers on this machine.
CANDIDATES = ("headersweep", "nobody")

PROGRAM_SECONDS = 600
OWN_URLS = "set HEADERSWEEP_DATABASE_URL and HEADERSWEEP_BROKER_URL to servers of your own"


@dataclass(frozen=True)
class Account:
    """An account of this machine, and whether we have to change to it."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether the servers belong to somebody else than this process: we are root, they are not."""
        return self.uid != os.geteuid()

    def run(self, command: list[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program as this account to its end: away from the terminal, with nothing of our environment."""
        try:
            return subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PROGRAM_SECONDS,
                check=False,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for us; we end the servers when we are done with them
                **self._identity(),
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"{command[0]} gave no answer within {PROGRAM_SECONDS} s") from error

    def launch(self, command: list[str], log: Path) -> int:
        """Start a server that outlives us, in a session of its own; its process id. It writes to the log."""
        # The shell goes away at once, so that the server is nobody's child: no zombie of ours, no warning at our end.
        script = '"$@" </dev/null >>"$0" 2>&1 & echo $!'
        done = self.run(["/bin/sh", "-c", script, str(log), *command])
        if done.returncode:
            raise UnavailableError(f"cannot start {command[0]}: {done.stderr.strip()}")
        return int(done.stdout)

    def send(self, pid: int, name: signal.Signals) -> None:
        """Send a signal; as this account where a root without the capability KILL may not."""
        try:
            os.kill(pid, name)
        except PermissionError:
            self.run(["/bin/sh", "-c", 'kill -s "$0" "$1"', name.name.removeprefix("SIG"), str(pid)])

    def can(self, test: str, path: Path) -> bool:
        """Whether this account passes a test of the shell (-x, -r, -w) on a path; asked for real, so that ACLs count."""
        return self.run(["/bin/sh", "-c", f'test {test} "$0"', str(path)]).returncode == 0

    def own(self, path: Path) -> None:
        """Make this account the owner of a file of ours."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def _identity(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}


def of_uid(uid: int) -> Account:
    """The account with this number; refused in words when it has no entry, since initdb would fail without."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise ConfigurationError(
            f"user id {uid} has no entry in the account database (/etc/passwd), and Postgres does not start for such "
            f"an account; run as an existing user, give this id a name (a line in /etc/passwd, or nss_wrapper in a "
            f"container), or {OWN_URLS}"
        ) from error
    return Account(entry.pw_name, uid, entry.pw_gid)


def current_name() -> str:
    """Who we are, in words; also for a number without an entry."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user id {os.geteuid()}"


def choose() -> Account:
    """The account that servers are started as: our own, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return of_uid(os.geteuid())
    for name in CANDIDATES:
        account = _usable(name)
        if account is not None:
            return account
    raise ConfigurationError(
        f"Postgres refuses to run as root, and root cannot change to any of the accounts {', '.join(CANDIDATES)} here "
        f"(is the capability SETUID dropped?); run headersweep as an ordinary user, or {OWN_URLS}"
    )


def _usable(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
        account = Account(name, entry.pw_uid, entry.pw_gid)
        return account if account.uid != 0 and account.can("-x", Path("/bin/sh")) else None
    except (KeyError, OSError, subprocess.SubprocessError):
        return None
