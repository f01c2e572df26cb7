"""Homes for tests that start the program: fresh ones, without waiting for initdb each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes import _program
from tests.processes._program import Home


@pytest.fixture(scope="session")
def made_home() -> Iterator[Home]:
    """A home whose database was made and migrated, and never used: to be copied."""
    with _program.home() as home:
        ended = home.run("db", "upgrade")
        assert ended.code == 0, ended.err
        yield home


@pytest.fixture
def home(made_home: Home) -> Iterator[Home]:
    """A fresh home with a database of its own."""
    copied = made_home.copy_to(_program.new_folder())
    try:
        yield copied
    finally:
        copied.close()


@pytest.fixture(scope="module")
def shared_home(made_home: Home) -> Iterator[Home]:
    """One home for the tests of a module that do not disturb each other; its servers run all the time."""
    copied = made_home.copy_to(_program.new_folder())
    try:
        with copied.servers():
            yield copied
    finally:
        copied.close()
