"""What the chaos suite draws, and how it finds the commit that it cuts off."""

from __future__ import annotations

import collections
import struct

import pytest

from tests.chaos import schedule
from tests.chaos.schedule import OURS, OUTAGES, Fault, Mode, Servers
from tests.chaos.wire import APPLICATION, Reader

SEEDS = range(1, 101)
LEAST = 3
INSERT = b"\n INSERT INTO visits (run_id) VALUES ($1)"


def test_every_fault_has_its_turns_in_a_hundred_seeds() -> None:
    schedules = [schedule.drawn(seed, 2.0) for seed in SEEDS]
    counts = collections.Counter(strike.fault for drawn in schedules for strike in drawn.strikes)
    assert {fault for fault in Fault if counts[fault] < LEAST} == set()
    assert sum(drawn.beats == 2 for drawn in schedules) >= LEAST


def test_a_schedule_has_one_long_outage_at_most_and_the_servers_that_its_faults_need() -> None:
    for drawn in (schedule.drawn(seed, 2.0) for seed in SEEDS):
        faults = [strike.fault for strike in drawn.strikes]
        assert sum(fault in OUTAGES for fault in faults) <= 1
        assert drawn.servers is Servers.GIVEN or OURS.isdisjoint(faults)
        assert drawn.mode is Mode.UP or (drawn.beats == 1 and Fault.BEAT_KILLED not in faults)


def message(kind: bytes, *words: bytes) -> bytes:
    body = b"".join(word + b"\0" for word in words)
    return kind + struct.pack("!I", 4 + len(body)) + body


def opening(application: bytes) -> bytes:
    body = b"user\0me\0application_name\0" + application + b"\0\0"
    return struct.pack("!II", 8 + len(body), 3 << 16) + body


def transaction(statement: bytes, name: bytes = b"") -> list[bytes]:
    parse = message(b"P", name, statement, b"")
    return [message(b"Q", b"BEGIN"), parse, message(b"B", b"", name), message(b"Q", b"COMMIT")]


@pytest.mark.parametrize("name", [b"", b"_pg3_0"])
def test_the_commit_of_a_workers_pages_is_found(name: bytes) -> None:
    reader = Reader()
    *before, commit = [opening(APPLICATION), *transaction(INSERT, name)]
    assert not any(reader.commits(piece) for piece in before)
    # Also when it comes in two pieces.
    assert not reader.commits(commit[:4])
    assert reader.commits(commit[4:])
    # The statement is known by its name from now on.
    again = transaction(INSERT, name)
    assert not any(reader.commits(piece) for piece in (again[0], again[2]))
    assert reader.commits(again[3])


@pytest.mark.parametrize(
    ("application", "statement"), [(APPLICATION, b"SELECT 1"), (b"headersweep-cli", INSERT)]
)
def test_no_other_commit_is_taken_for_it(application: bytes, statement: bytes) -> None:
    reader = Reader()
    assert not any(reader.commits(piece) for piece in [opening(application), *transaction(statement)])


def test_what_was_rolled_back_is_not_committed_later() -> None:
    reader = Reader()
    pieces = [
        opening(APPLICATION),
        *transaction(INSERT)[:-1],
        message(b"Q", b"ROLLBACK"),
        *transaction(b"SELECT 1"),
    ]
    assert not any(reader.commits(piece) for piece in pieces)
