from __future__ import annotations

import ast
import importlib
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("headersweep", "review", "models", "scheduler", "worker", "cli")
FOLDERS = (*PACKAGES, "alembic", "tests", "docs", "demosite", "deploy")
FILES = ("docker-compose.yml", "pyproject.toml", "Makefile", ".ci/run", "alembic.ini", "LICENSE", "README.md")
TASK_DECORATORS = {"shared_task", "task"}


def test_the_folder_of_the_migrations_is_no_package() -> None:
    """``alembic/__init__.py`` would shadow the library for everything run with ``-m`` from the root."""
    assert not (ROOT / "alembic" / "__init__.py").exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_prescribed_folder_is_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("file", FILES)
def test_a_prescribed_file_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


def test_every_package_says_in_one_sentence_what_is_in_it() -> None:
    silent = [name for name in PACKAGES if not _docstring(ROOT / name / "__init__.py")]
    assert silent == []


def test_every_module_of_ours_says_what_it_is_for() -> None:
    silent = [str(path.relative_to(ROOT)) for path in _modules() if not _docstring(path)]
    assert silent == []


def test_the_project_file_lists_every_package_of_the_wheel_and_of_the_import_contracts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tuple(project["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert tuple(project["importlinter"]["root_packages"]) == PACKAGES


def test_no_task_is_a_coroutine() -> None:
    """Celery has no asyncio pool: it marks a coroutine task successful without running it."""
    asynchronous = [task.name for task in _tasks() if isinstance(task, ast.AsyncFunctionDef)]
    assert asynchronous == []


def test_every_task_has_a_name_of_its_own_and_says_what_makes_it_idempotent() -> None:
    tasks = list(_tasks())
    assert tasks, "no task was found in worker/"
    assert [task.name for task in tasks if _task_name(task) is None] == []
    assert [task.name for task in tasks if "Idempotency key:" not in (ast.get_docstring(task) or "")] == []


def test_beat_plans_only_tasks_that_exist() -> None:
    beat = importlib.import_module("scheduler.beat")
    known = {_task_name(task) for task in _tasks()}
    planned = {entry["task"] for entry in beat.schedule(5.0).values()}
    assert planned
    assert planned <= known


def test_importing_any_module_opens_no_connection_and_needs_no_setting() -> None:
    """The predecessor connected to Postgres at import; here everything can be imported anywhere."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__") and "_alembic" not in module.name:
                importlib.import_module(module.name)


def _modules() -> Iterator[Path]:
    for name in PACKAGES:
        for path in sorted((ROOT / name).rglob("*.py")):
            if "_alembic" not in path.parts:
                yield path


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def _tasks() -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for path in sorted((ROOT / "worker").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _task_decorator(node) is not None:
                yield node


def _task_decorator(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in TASK_DECORATORS:
            return decorator
    return None


def _task_name(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    decorator = _task_decorator(function)
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return None
