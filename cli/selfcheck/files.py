"""Items about files and processes of this machine: secrets in files, environments, logs and process lists; accounts; listeners."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, urlsplit

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
_SERVERS = frozenset({"postgres", "postgresql", "redis", "rediss", "unix"})
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
    try:
        if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP) and not _is_closed(path.parent):
            yield f"{path} {_mode(path)}: others may read or change it"
        folder = path.resolve().parent
        if folder.stat().st_mode & stat.S_IWOTH and not folder.stat().st_mode & stat.S_ISVTX:
            yield f"{folder} {_mode(folder)}: others may put another file in its place"
    except OSError as error:
        yield f"{path}: {error.strerror}"


def _is_closed(folder: Path) -> bool:
    """Whether nobody but its owner enters, as in deploy/secrets: then the modes of the files matter to nobody."""
    return not folder.resolve().stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


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
    """A URL of a server without a password is no secret; a dead-man's switch is one by its path."""
    try:
        parts = urlsplit(value)
        scheme = parts.scheme.partition("+")[0]
        return scheme not in _SERVERS or bool(parts.password) or "password=" in parts.query
    except ValueError:
        return True


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


def shows(text: str, password: str) -> bool:
    """Whether a text holds a password, as it is or as URLs spell it; a word that stands in many texts only where it is given as one."""
    spelt = {password, quote(password, safe="")}
    if _weak(password):
        return any(re.search(rf"[=:]{re.escape(each)}(?!\w)", text) for each in spelt)
    return any(each in text for each in spelt)


def process_list(place: Place) -> Looked:
    """Whether a password stands in a command line, which everybody on this machine can read."""
    if not place.processes.is_dir():
        return unknown("this system has no /proc to look at")
    lines = list(_command_lines(place.processes))
    wrong = [
        f"process {pid} shows the password of {name} in its command line"
        for pid, line in lines
        for name, password in place.passwords.items()
        if shows(line, password)
    ]
    return fail(*wrong) if wrong else ok(f"none of the {len(lines)} command lines that can be seen shows one")


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
    folder = Path(place.settings.home)
    found = sorted(folder.rglob("*.log")) if folder.is_dir() else []
    ends = {path: _end(path) for path in found}
    wrong = [
        f"{path} holds {what}"
        for path, text in ends.items()
        for what in _secrets(text or "", place.passwords.values())
    ]
    if wrong:
        return fail(*wrong)
    closed = [f"{path} cannot be read by this account" for path, text in ends.items() if text is None]
    if closed:
        return unknown(*closed)
    return ok(f"{len(found)} log files under {folder}, the last {LOG_BYTES:,} bytes of each")


def _end(path: Path) -> str | None:
    """The end of a log; None of one that is not ours to read. One that was rotated away meanwhile is empty."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
            return file.read().decode(errors="replace")
    except PermissionError:
        return None
    except OSError:
        return ""


def _secrets(text: str, passwords: Iterable[str]) -> Iterator[str]:
    if any(shows(text, password) for password in passwords):
        yield "a password of ours"
    yield from sorted({found.label for found in tokens.find(text)})


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
        yield from (each for each in (folder, *inside) if _mode_bits(each) & stat.S_IWOTH)


def _mode_bits(path: Path) -> int:
    """The mode of what a path leads to; none of what is not there, or not any more."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


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
        if is_ours(line.split()):
            yield pid


def is_ours(words: list[str]) -> bool:
    """Whether a command line is one of headersweep: the command itself, with or without its Python, or Celery with our app."""
    program = words[1:2] if words and Path(words[0]).name.startswith("python") else words[:1]
    if any(Path(word).name == "headersweep" for word in program) or words[1:3] == ["-m", "cli"]:
        return True
    return any(Path(word).name == "celery" for word in words) and ("-A", "worker") in pairwise(words)


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
