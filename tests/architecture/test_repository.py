from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 700
# Spelt so that this file does not name them itself.
PACKAGE_HOSTS = re.compile(r"[p]ypi\.org|[p]ythonhosted|[i]ndex-url|[f]ind-links")
PERSONAL_PATHS = re.compile(r"(?<![\w.~-])/(?:home|Users|root|work)/[a-z][\w.-]*")
LOCKS = ("requirements.lock", "deploy/runtime.lock", "deploy/build.lock")


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_path_of_somebodys_machine() -> None:
    # Tests may make up such paths, to see what the program does there.
    paths = [path for path in tracked() if ROOT / "tests" not in path.parents]
    assert lines_with(PERSONAL_PATHS, paths) == []


def test_no_tracked_file_names_a_package_host() -> None:
    allowed = {ROOT / ".ci" / "make-lock"}  # names the options that keep hosts out
    assert lines_with(PACKAGE_HOSTS, [path for path in tracked() if path not in allowed]) == []


def test_no_file_grows_beyond_what_one_can_read() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked()
        if path.suffix in {".py", ".toml", ".yml", ".yaml", ".sh", ""}
        and (count := path.read_bytes().count(b"\n")) > MAX_LINES
    }
    assert long == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pinned_version_or_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") > text.count("==") > 0
    odd = [
        line
        for line in text.splitlines()
        if not re.match(r"[a-z0-9.-]+==\S+( ;.*)? \\$|    --hash=sha256:", line)
    ]
    assert odd == []


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_smaller_locks_pin_what_the_whole_lock_pins(lock: str) -> None:
    whole, part = ((ROOT / name).read_text(encoding="utf-8") for name in (LOCKS[0], lock))
    assert pins(part) <= pins(whole)


def test_the_lock_holds_every_dependency_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    named = [*project["project"]["dependencies"], *groups["build"]]
    named += [entry for entry in groups["dev"] if isinstance(entry, str)]
    locked = {pin.partition("==")[0] for pin in pins((ROOT / LOCKS[0]).read_text(encoding="utf-8"))}
    assert {re.split(r"[\[<>=;!~ ]", entry)[0].lower() for entry in named} <= locked


def pins(text: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+==\S+)", text, flags=re.MULTILINE))
