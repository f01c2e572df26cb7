"""What stands in the built wheel, and that our flat names belong to us alone in an environment with everything we need."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"headersweep", "review", "models", "scheduler", "worker", "cli"}
OWNERS = """
import importlib.metadata, json, sys
sys.path[:0] = json.loads(sys.argv[1])
print(json.dumps(importlib.metadata.packages_distributions()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    return next(folder.glob("headersweep-*.whl"))


def test_the_wheel_holds_our_packages_and_nothing_else_at_the_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_the_migrations_travel_inside_models(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "models/_alembic/env.py" in names
    assert any(name.startswith("models/_alembic/versions/") for name in names)
    assert not any(name.startswith("alembic/") for name in names)
    assert not any("__pycache__" in name for name in names)


def test_each_of_our_top_level_names_belongs_to_us_alone(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-index", "--no-warn-conflicts", "--target", str(tmp_path), str(wheel)]
    subprocess.run(command, check=True)
    run = subprocess.run(
        [sys.executable, "-c", OWNERS, json.dumps([str(tmp_path)])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    owners = {name: set(found) for name, found in json.loads(run.stdout).items()}
    assert {name: owners.get(name) for name in PACKAGES} == {name: {"headersweep"} for name in PACKAGES}
    assert owners["alembic"] == {"alembic"}
