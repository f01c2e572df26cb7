"""Our reader of structured fields against http-sf: the same values, and the same refusals.

`python -m benchmarks.structured 1000000` compares a million more.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import structured, structured_values
from review import structured_fields

pieces = st.lists(
    st.sampled_from([*structured_values.SIGNS, *structured_values.KEYS, *structured_values.BARE]), max_size=12
).map("".join)


@pytest.mark.parametrize("seed", range(20))
def test_values_are_read_as_http_sf_reads_them(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    values = [structured_values.value(chance) for _ in range(200)]
    assert [data for data in values if structured.differs(data)] == []


def test_of_what_is_compared_a_third_is_valid_and_a_third_refused() -> None:
    chance = random.Random(1)  # noqa: S311 - nothing secret
    read = [_is_read(structured_values.value(chance)) for _ in range(1_000)]
    assert 330 < sum(read) < 670


def _is_read(data: bytes) -> bool:
    return any(structured_fields.parse(data, kind) is not None for kind in structured.KINDS)


@given(pieces)
def test_pieces_in_any_order_are_read_as_http_sf_reads_them(text: str) -> None:
    assert structured.differs(text.encode("latin-1")) == ""


@given(st.binary(max_size=12))
def test_any_bytes_are_read_as_http_sf_reads_them(data: bytes) -> None:
    assert structured.differs(data) == ""


@pytest.mark.parametrize("bare", [*structured_values.BARE, *structured_values.NEARLY])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "a={}",
        "a=({})",
        "a=({} {})",
        "a;b={}",
        "a;b={};b",
        "a={}, a=1",
        "a={}, a={};c",
        " {} ",
        "\t{}\t",
    ],
)
def test_every_kind_of_item_is_read_everywhere(around: str, bare: str) -> None:
    assert structured.differs(around.replace("{}", bare).encode("latin-1")) == ""


@pytest.mark.parametrize("members", [["a=1", "b", "a=2"], ["a;x", " b=(c)", "\ta"], ["a", "a=1", "b=2", "a"]])
def test_repeated_members_keep_the_first_place_and_the_last_value(members: list[str]) -> None:
    assert structured.differs(",".join(members * 9).encode()) == ""
