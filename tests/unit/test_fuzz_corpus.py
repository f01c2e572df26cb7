"""The corpus of the fuzzer again, quick and the same everywhere; `make fuzz` looks for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import bounds, targets

SEEDS = [(name, path) for name in targets.TARGETS for path in targets.seeds(name)]


@pytest.mark.parametrize(("name", "path"), SEEDS, ids=[f"{name}/{path.name}" for name, path in SEEDS])
def test_what_the_fuzzer_started_from_and_found_keeps_every_promise(name: str, path: Path) -> None:
    targets.TARGETS[name](path.read_bytes())


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert {folder.name for folder in targets.CORPUS.iterdir()} == set(targets.TARGETS)
    assert all(targets.seeds(name) for name in targets.TARGETS)


def test_work_that_grows_with_the_square_would_be_noticed() -> None:
    def square(data: bytes) -> None:
        [abs(one) for one in data[::15] for _ in data[::15]]

    with pytest.raises(AssertionError, match="calls"):
        bounds.grown(square, b"a")
