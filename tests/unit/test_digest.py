from __future__ import annotations

import hashlib
import itertools

import pytest

from headersweep import digest
from headersweep.states import Outcome

KEY_A, KEY_B = bytes(16), bytes([1] * 16)
STORED: digest.Row = (KEY_A, Outcome.STORED.label, 200, b"\xaa" * 32)
FAILED: digest.Row = (KEY_B, Outcome.FAILED.label, None, None)


def test_a_visit_is_one_readable_line() -> None:
    assert digest.line(STORED) == f"{'00' * 16} stored 200 {'aa' * 32}\n"
    assert digest.line(FAILED) == f"{'01' * 16} failed - -\n"


def test_the_digest_is_the_hash_of_the_lines() -> None:
    text = digest.line(STORED) + digest.line(FAILED)

    assert digest.run_digest(iter([STORED, FAILED])) == hashlib.sha256(text.encode()).digest()


def test_a_run_without_visits_has_a_digest() -> None:
    assert digest.run_digest([]) == hashlib.sha256(b"").digest()


def test_whatever_differs_in_a_visit_differs_in_the_digest() -> None:
    rows: list[digest.Row] = [
        STORED,
        (KEY_B, "stored", 200, b"\xaa" * 32),
        (KEY_A, "failed", 200, b"\xaa" * 32),
        (KEY_A, "stored", 404, b"\xaa" * 32),
        (KEY_A, "stored", None, b"\xaa" * 32),
        (KEY_A, "stored", 200, b"\xab" * 32),
        (KEY_A, "stored", 200, None),
    ]
    digests = [digest.run_digest([row]) for row in rows]

    assert all(one != other for one, other in itertools.combinations(digests, 2))


@pytest.mark.parametrize("rows", [[FAILED, STORED], [STORED, STORED]], ids=["unsorted", "twice"])
def test_a_digest_over_unsorted_or_repeated_visits_is_refused(rows: list[digest.Row]) -> None:
    with pytest.raises(ValueError, match="out of order"):
        digest.run_digest(rows)
