"""Where the servers keep their state and their sockets, such that they and we reach them, and nobody else."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.embedded import account as accounts
from cli.embedded.account import Account
from headersweep.errors import ConfigurationError

#: State that the servers' account cannot reach under the home goes here; only root ever needs it.
SYSTEM_STATE = Path("/var/lib/headersweep")
SYSTEM_SOCKETS = Path("/run/headersweep")

#: A line in the home that says where its state is, when it is not in the home.
POINTER = "servers.location"
CREDENTIALS = "credentials.json"

PRIVATE = 0o700
PASSABLE = 0o711  # for accounts that know the names inside
READABLE = 0o755

#: sun_path holds 108 bytes on Linux and 104 elsewhere, with the end mark and Postgres' longest file name.
SOCKET_FOLDER_BYTES = 100 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Place:
    """One home's servers: their state, their sockets, whose they are, and what the operator should know of it."""

    home: Path
    state: Path
    account: Account

    @property
    def notice(self) -> tuple[str, ...]:
        """What an operator would not expect: state and programs that are elsewhere."""
        lines = []
        if self.state.parent != self.home:
            lines.append(
                f"the servers' state is in {self.state}: their account, {self.account.name}, cannot reach {self.home}"
            )
        if self.copies.is_dir() and any(self.copies.iterdir()):
            lines.append(
                f"the servers' programs were copied to {self.copies}: {self.account.name} cannot reach the installed ones"
            )
        return tuple(lines)

    @property
    def tag(self) -> str:
        """A short name that is different for every state folder; found again in command lines."""
        return hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]

    @property
    def settings(self) -> Path:
        """Folder of the files that we write and the servers only read."""
        return self.state / "conf"

    @property
    def copies(self) -> Path:
        """Folder of programs that the servers' account cannot reach where they are installed."""
        return self.state / "binaries"

    @property
    def sockets(self) -> Path:
        """Folder of the unix sockets: in the state, or a short private one when no socket can be there."""
        inside = self.state / "run"
        # Clients of Postgres read a comma as the end of one host and the start of another.
        if len(os.fsencode(inside)) <= SOCKET_FOLDER_BYTES and "," not in str(inside):
            return inside
        if os.geteuid() == 0:
            return SYSTEM_SOCKETS / self.tag
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if runtime and len(runtime) < SOCKET_FOLDER_BYTES // 2 and os.access(runtime, os.W_OK):
            return Path(runtime) / f"headersweep-{self.tag}"
        return Path(f"/tmp/headersweep-{self.account.uid}-{self.tag}")  # noqa: S108 - made and checked in prepare()

    def prepare(self) -> None:
        """Make the folders; the servers' own are open to their account only (and to root)."""
        for folder in (self.settings, self.copies):
            _make(folder, READABLE)
            self.give(folder)
        for folder in (self.state / "postgres", self.state / "broker", self.sockets):
            _make(folder.parent, PASSABLE)
            _make(folder, PRIVATE)
            self.account.own(folder)
            _insist_on_private(folder, self.account)
        if not (self.settings / CREDENTIALS).exists():
            fresh = {item.name: secrets.token_hex(24) for item in dataclasses.fields(Credentials)}
            self.write(CREDENTIALS, json.dumps(fresh), for_servers=False)

    def write(self, name: str, text: str, *, for_servers: bool = True) -> Path:
        """Write a file that only its owner reads; it is whole at any moment."""
        path = self.settings / name
        unfinished = path.with_name(f"{name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.give(unfinished, to_servers=for_servers)
        unfinished.replace(path)
        return path

    def give(self, path: Path, *, to_servers: bool = False) -> None:
        """Make the servers' account the owner, or else whoever owns the state; only root changes anything by it."""
        if to_servers:
            self.account.own(path)
        elif os.geteuid() == 0:
            owner = self.state.stat()
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@dataclass(frozen=True)
class Credentials:
    """The passwords of one home's servers; random, and only in a file of its state."""

    owner: str
    application: str
    broker: str


def credentials(place: Place) -> Credentials:
    """The passwords, made by ``prepare``."""
    path = place.settings / CREDENTIALS
    try:
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is missing or damaged; restore it from a backup ({error})"
        ) from error


def exists(home: Path) -> bool:
    """Whether servers were ever started in this home."""
    home = home.expanduser()
    return (home / POINTER).is_file() or (home / "servers").is_dir()


def locate(home: Path) -> Place:
    """The place of this home's servers; the choice made at the first start is kept."""
    home = home.expanduser().resolve()
    try:
        _make(home, PASSABLE if os.geteuid() == 0 else PRIVATE)
        return _located(home)
    except OSError as error:
        raise ConfigurationError(
            f"the home {home} cannot be used: {error.strerror} ({error.filename}); set HEADERSWEEP_HOME to a folder "
            f"that {accounts.current_name()} may write, with space on its disk"
        ) from error


@contextlib.contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn what the system refuses in the state into an error that says where and what to do."""
    try:
        yield
    except OSError as error:
        what = f"the servers' state in {place.state} cannot be used: {error.strerror or error}"
        hint = (
            "Check who owns that folder and whether its disk is full, or set HEADERSWEEP_HOME to another one."
        )
        raise ConfigurationError(
            f"{what} ({error.filename})\n{hint}" if error.filename else f"{what}\n{hint}"
        ) from error


def _located(home: Path) -> Place:
    state = _kept_state(home)
    if state is not None:
        return Place(home, state, _account_of(state))
    account = accounts.choose()
    state = home / "servers"
    if account.is_other and not account.can("-x", home):
        state = SYSTEM_STATE / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        _make(SYSTEM_STATE, PASSABLE)
    _make(state, PASSABLE if account.is_other else PRIVATE)
    if state.parent != home:
        (state / "home").write_text(f"{home}\n", encoding="utf-8", errors="surrogateescape")
        (home / POINTER).write_text(f"{state}\n", encoding="utf-8")
    return Place(home, state, account)


def _kept_state(home: Path) -> Path | None:
    """The state folder of an earlier start; a pointer is followed only when root has written it."""
    pointer = home / POINTER
    if pointer.is_file() and pointer.stat().st_uid == 0:
        state = Path(pointer.read_text(encoding="utf-8").strip())
        _make(state, PASSABLE)
        return state
    return home / "servers" if (home / "servers").is_dir() else None


def _account_of(state: Path) -> Account:
    """Whoever owns the data runs it, so that root and an ordinary user can share a home."""
    data = state / "postgres"
    owner = data.stat().st_uid if data.is_dir() else state.stat().st_uid
    if owner == os.geteuid():
        return accounts.choose()
    if os.geteuid() != 0:
        raise ConfigurationError(
            f"the servers in {state} belong to user id {owner}, and this is {accounts.current_name()}; "
            f"run as that user or as root, or set HEADERSWEEP_HOME to a folder of your own"
        )
    return accounts.of_uid(owner)


def _make(folder: Path, mode: int) -> None:
    """Make a folder with its parents; the mode is for what is made here, what is there already stays as it is."""
    if folder.is_dir():
        return
    if folder.exists():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    _make(folder.parent, PRIVATE if mode == PRIVATE else READABLE)
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    folder.chmod(mode)


def _insist_on_private(folder: Path, account: Account) -> None:
    """Refuse a folder that somebody else has put there first: in /tmp anybody could."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
        raise ConfigurationError(
            f"{folder} belongs to user id {found.st_uid} instead of {account.name}; remove it"
        )
    if found.st_mode & 0o077:
        folder.chmod(PRIVATE)
