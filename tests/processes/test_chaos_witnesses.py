"""The chaos suite is not blind: without a safeguard it turns red, and in the same trouble the whole program stays right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos import laboratory, witnesses
from tests.chaos.laboratory import Laboratory
from tests.chaos.points import Source
from tests.chaos.troubles import TROUBLES
from tests.chaos.witnesses import MUTATIONS, SITE, Mutation
from tests.processes._program import Home


@pytest.fixture(scope="module")
def lab(made_home: Home) -> Iterator[Laboratory]:
    with laboratory.opened(made_home, *SITE) as found:
        yield found


@pytest.mark.parametrize("name", TROUBLES)
def test_the_whole_program_is_right_in_the_trouble_of_the_witnesses(lab: Laboratory, name: str) -> None:
    assert TROUBLES[name](lab, Source()) == ()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_safeguard_that_is_taken_away_turns_the_suite_red(lab: Laboratory, mutation: Mutation) -> None:
    with witnesses.applied(mutation) as source:
        wrong = mutation.trouble(lab, source)
    assert [line for line in wrong if mutation.complaint in line], f"blind; it complains only of {wrong}"
