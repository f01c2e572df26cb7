"""Which files a range of commits touched, as git says; whatever is in the way is explained."""

from __future__ import annotations

import re
import subprocess

from headersweep.errors import UsageError

_RANGE = re.compile(r"(?!-)[^\s:?*\[\\]+?\.{2,3}(?!-)[^\s:?*\[\\]+")
TIMEOUT_SECONDS = 60


def files(wanted: str) -> tuple[str, ...]:
    """The files that differ over a range ``A..B`` of the repository around the current folder, from its top."""
    if not _RANGE.fullmatch(wanted):
        raise UsageError(f"--range {wanted!r} is no range of commits, as v1.2..v1.3 or main..HEAD")
    listed = _git("diff", "--name-only", "-z", "--no-ext-diff", wanted, "--")
    return tuple(sorted(name for name in listed.split("\0") if name))


def resolved(wanted: str) -> str:
    """The range with commits in the place of names, which move."""
    dots = "..." if "..." in wanted else ".."
    ends = wanted.split(dots)
    return dots.join(_git("rev-parse", "--verify", "--short=12", f"{end}^{{commit}}").strip() for end in ends)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except FileNotFoundError as error:
        raise UsageError(
            "--range needs git, which is not installed here; name the files with --file"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"git did not answer within {TIMEOUT_SECONDS} s; name the files with --file"
        ) from error
    if done.returncode:
        raise UsageError(_explained(done.stderr.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "replace")


def _explained(said: str) -> str:
    first = " ".join(said.split())[:200]
    if "not a git repository" in said.lower():
        return "--range: this folder is in no git repository; change into one, or name the files with --file"
    if "dubious ownership" in said:
        return f"--range: git does not trust this repository, since another user owns it: {first}"
    return f"--range: git knows no such range: {first or 'it did not say why'}"
