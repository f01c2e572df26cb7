"""Items about files and processes of this machine: secrets in files, environments, logs and process lists; accounts; listeners."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.selfcheck.place import Check, Place
from headersweep import settings as settings_module
from headersweep.checklist import Area, Item, Looked, fail, ok, unknown
from headersweep.settings import FILE_SUFFIX, PREFIX
from review import tokens

LOG_BYTES = 1_000_000
"""So much of the end of each log is read."""
SHORTEST_PASSWORD = 16
WEAK = frozenset({"postgres", "redis", "headersweep", "password", "changeme", "secret", "admin", "test"})
_CONTAINER_SECRETS = Path("/run/secrets")
"""Mounted into one container alone; the mode of the files there says nothing."""
_LISTENING = "0A"
_INODE = 9


def secret_files(place: Place) -> Looked:
    """Whether others on this machine may read or replace the files of the secrets."""
    paths = [
        Path(value)
        for name, value in sorted(place.environ.items())
        if name.startswith(PREFIX) and name.endswith(FILE_SUFFIX)
    ]
    if not paths:
        return ok("no secret stands in a file")
    wrong = [said for path in paths for said in _open(path)]
    return fail(*wrong) if wrong else ok(*(f"{path} {_mode(path)}" for path in paths))


def _open(path: Path) -> Iterator[str]:
    if _CONTAINER_SECRETS in path.parents:
        return
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        yield f"{path} {_mode(path)}: others may read or change it"
    folder = path.resolve().parent
    if folder.stat().st_mode & stat.S_IWOTH and not folder.stat().st_mode & stat.S_ISVTX:
        yield f"{folder} {_mode(folder)}: others may put another file in its place"


def _mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def environment(place: Place) -> Looked:
    """Whether secrets stand in the environment, where `docker inspect`, unit files and crash reports show them."""
    if place.embedded:
        return ok("the embedded servers' passwords stand in a private file")
    secret = [item.name for item in settings_module.secrets()]
    given = [f"{PREFIX}{name.upper()}" for name in secret if place.environ.get(f"{PREFIX}{name.upper()}")]
    with_password = [name for name in given if _holds_secret(place.environ[name])]
    if with_password:
        return fail(f"a secret stands in {', '.join(with_password)}")
    return ok("no secret stands in the environment")


def _holds_secret(value: str) -> bool:
    """A URL without a password is no secret; a dead-man's switch is one by its path."""
    rest = value.partition("://")[2]
    host = rest.partition("/")[0]
    return "@" in host and ":" in host.partition("@")[0] if value.startswith(("postgres", "redis")) else True


def strength(place: Place) -> Looked:
    """Whether the passwords could be guessed."""
    wrong = [
        f"the password of {name} {said}" for name, value in place.passwords.items() if (said := _weak(value))
    ]
    return fail(*wrong) if wrong else ok(f"{len(place.passwords)} passwords, none short or well known")


def _weak(password: str) -> str:
    if password.lower() in WEAK:
        return "is a well-known word"
    return f"has fewer than {SHORTEST_PASSWORD} characters" if len(password) < SHORTEST_PASSWORD else ""


def process_list(place: Place) -> Looked:
    """Whether a password stands in a command line, which everybody on this machine can read."""
    wrong = [
        f"process {pid} shows the password of {name} in its command line"
        for pid, line in _command_lines(place.processes)
        for name, password in place.passwords.items()
        if password in line
    ]
    if not place.processes.is_dir():
        return unknown("this system has no /proc to look at")
    return fail(*wrong) if wrong else ok("no command line on this machine shows one of our passwords")


def _command_lines(processes: Path) -> Iterator[tuple[int, str]]:
    for pid in _pids(processes):
        try:
            line = (processes / str(pid) / "cmdline").read_bytes()
        except OSError:
            continue  # it ended, or is none of our business
        if pid != os.getpid():
            yield pid, line.replace(b"\0", b" ").decode(errors="replace")


def _pids(processes: Path) -> list[int]:
    return (
        [int(path.name) for path in processes.iterdir() if path.name.isdigit()] if processes.is_dir() else []
    )


def logs(place: Place) -> Looked:
    """Whether a password or a token got into our logs."""
    found = sorted(Path(place.settings.home).rglob("*.log")) if Path(place.settings.home).is_dir() else []
    wrong = [said for path in found for said in _leaks(path, place.passwords.values())]
    if wrong:
        return fail(*wrong)
    return ok(f"{len(found)} log files under {place.settings.home}, the last {LOG_BYTES:,} bytes of each")


def _leaks(path: Path, passwords: Iterable[str]) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return
    if any(password in text for password in passwords):
        yield f"{path} holds a password of ours"
    labels = sorted({found.label for found in tokens.find(text)})
    if labels:
        yield f"{path} holds: {', '.join(labels)}"


def home(place: Place) -> Looked:
    """Whether others may change what headersweep writes, or what it is told to sweep."""
    wrong = [
        f"{path} {_mode(path)}: every account of this machine may write there"
        for path in _writable(Path(place.settings.home), Path(place.settings.sites))
    ]
    return (
        fail(*wrong) if wrong else ok(f"{place.settings.home} and {place.settings.sites} are not open to all")
    )


def _writable(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        inside = folder.glob("*.toml") if folder.is_dir() else ()
        yield from (
            each for each in (folder, *inside) if each.exists() and each.stat().st_mode & stat.S_IWOTH
        )


def account(place: Place) -> Looked:
    """Whether anything of ours runs as root."""
    roots = [
        f"process {pid} runs as root" for pid in _ours(place.processes) if _uid(place.processes, pid) == 0
    ]
    if os.geteuid() == 0:
        roots.insert(0, "this command runs as root")
    return fail(*roots) if roots else ok(f"account {os.geteuid()}, no process of ours runs as root")


def _ours(processes: Path) -> Iterator[int]:
    """Workers, beats and commands of headersweep on this machine."""
    for pid, line in _command_lines(processes):
        words = line.split()
        if any(word.endswith("/headersweep") for word in words[:2]) or (
            "-A worker" in line and "celery" in line
        ):
            yield pid


def _uid(processes: Path, pid: int) -> int | None:
    try:
        return (processes / str(pid)).stat().st_uid
    except OSError:
        return None


def listeners(place: Place) -> Looked:
    """Whether a process of ours listens on the network: none has a reason to."""
    sockets = _listening(place.processes)
    wrong = [
        f"process {pid} listens on {sockets[inode]}"
        for pid in _ours(place.processes)
        for inode in _inodes(place.processes, pid)
        if inode in sockets
    ]
    return fail(*wrong) if wrong else ok("no process of headersweep listens on the network")


def _listening(processes: Path) -> dict[str, str]:
    """The listening TCP sockets by inode, with their port."""
    found = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = (processes / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING:
                found[fields[_INODE]] = f"{name} port {int(fields[1].rpartition(':')[2], 16)}"
    return found


def _inodes(processes: Path, pid: int) -> Iterator[str]:
    try:
        for link in (processes / str(pid) / "fd").iterdir():
            target = str(link.readlink())
            if target.startswith("socket:["):
                yield target[len("socket:[") : -1]
    except OSError:
        return


CHECKS = (
    Check(
        Item(
            "self.account", Area.PERMISSIONS, "Nothing of ours runs as root",
            "the account of this command, and of headersweep's processes on this machine",
            "an account of its own",
            "start it as before; nothing of headersweep needs root",
            "User= in the units under deploy/systemd, or `user:` in the compose file",
        ),
        account,
    ),
    Check(
        Item(
            "self.listeners", Area.PERMISSIONS, "Nothing of ours listens on the network",
            "listening sockets of headersweep's processes on this machine",
            "none",
            "nothing to undo",
            "find out what opened it: workers and beat only call out",
        ),
        listeners,
    ),
    Check(
        Item(
            "self.folders", Area.PERMISSIONS, "Others cannot change what is swept, or what was written",
            "the modes of HEADERSWEEP_HOME, HEADERSWEEP_SITES and the site files",
            "not writable by everybody",
            "chmod o+w, as before",
            "chmod -R o-w on both folders",
        ),
        home,
    ),
    Check(
        Item(
            "self.secret_files", Area.SECRETS, "Only their owner reads the files of the secrets",
            "the modes of the files that HEADERSWEEP_*_FILE name, and of their folders",
            "no right for others",
            "chmod o+r, as before",
            "chmod 600 (or 640 with a group of its own)",
        ),
        secret_files,
    ),
    Check(
        Item(
            "self.secrets_in_environment", Area.SECRETS, "Secrets stand in files, not in the environment",
            "the HEADERSWEEP_ variables of this command",
            "HEADERSWEEP_DATABASE_URL_FILE and HEADERSWEEP_BROKER_URL_FILE",
            "set the variable again, and unset the one with _FILE",
            "write the value into a file of mode 600, and name it in the variable with _FILE",
        ),
        environment,
    ),
    Check(
        Item(
            "self.password_strength", Area.SECRETS, "The passwords cannot be guessed",
            "length and commonness of both passwords, in memory",
            f"at least {SHORTEST_PASSWORD} characters, no well-known word",
            "ALTER ROLE ... PASSWORD, requirepass, and the files, as before",
            "deploy/make-secrets makes good ones",
        ),
        strength,
    ),
    Check(
        Item(
            "self.process_list", Area.SECRETS, "No command line shows a password",
            "the command lines of all processes of this machine",
            "none",
            "nothing to undo",
            "pass passwords by file or environment, never as arguments; then change the one that was shown",
        ),
        process_list,
    ),
    Check(
        Item(
            "self.secrets_in_logs", Area.SECRETS, "No secret got into a log",
            "the end of every log under HEADERSWEEP_HOME",
            "no password of ours, nothing that looks like a token",
            "nothing to undo",
            "change what was logged, delete that log, and tell the maintainers where the line comes from",
        ),
        logs,
    ),
)  # fmt: skip
