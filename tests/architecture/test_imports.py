from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("headersweep", "review", "models", "scheduler", "worker", "cli")
LINT = Path(sys.executable).with_name("lint-imports")

BREAKS = [
    ("headersweep", "from models import metadata", "Arrows point downwards only"),
    ("models", "from scheduler import beat", "Arrows point downwards only"),
    ("worker", "import cli", "Arrows point downwards only"),
    ("cli", "import worker", "Arrows point downwards only"),
    ("review", "import sqlalchemy", "The pure core reaches no I/O library"),
    ("scheduler", "import httpx", "Only the worker reaches httpx"),
    ("models", "import celery", "Only the worker and the doorbell reach Celery"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-logo", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_arrows_point_downwards() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("package", "line", "contract"), BREAKS)
def test_an_arrow_that_points_upwards_is_found(
    package: str, line: str, contract: str, tmp_path: Path
) -> None:
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / package / "upwards.py").write_text(f"{line}\n", encoding="utf-8")
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in result.stdout
    assert f"{package}.upwards" in result.stdout
