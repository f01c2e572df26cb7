"""Who gets a shard, and when: exclusive leases, fencing numbers that grow, lost leases that are counted."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Row

from models import control, shards
from scheduler import owners, tick
from tests.integration._lab import Lab, definition

SHARDS = 24
END_RUN = (
    "UPDATE runs SET state = 'cancelled', finished_at = now(), digest = sha256(''), discovered = 1, stored = 0, failed = 0,"
    " robots_denied = 0, robots_unreachable = 0, out_of_scope = 0, trapped = 0, skipped_limit = 0, unvisited = 1"
)


def claim(lab: Lab, owner: str = "me", *, solo: bool = False, limit: int = 100) -> list[Row[Any]]:
    values = {"owner": owner, "lease": 30.0, "limit": limit, "solo": solo, "solo_after": shards.SOLO_AFTER}
    with lab.engine.begin() as connection:
        return list(connection.execute(shards.claim(), values).all())


def release(lab: Lab, row: Row[Any], owner: str = "me", *, prepared: bool = True) -> int:
    values = {
        "owner": owner,
        "ids": [row.id],
        "fences": [row.fence],
        "prepared": [prepared],
        "done_uptos": [row.done_upto],
    }
    with lab.engine.begin() as connection:
        return len(connection.execute(shards.release(), values).all())


def lapse(lab: Lab) -> None:
    lab.execute("UPDATE shards SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL")


def shard(lab: Lab) -> Row[Any]:
    return lab.rows("SELECT * FROM shards ORDER BY id")[0]


@pytest.fixture
def one(lab: Lab) -> Lab:
    """A lab whose only run has one shard."""
    lab.plan(definition("http://a.example/"))
    return lab


def test_many_claimers_at_once_get_each_shard_once(lab: Lab) -> None:
    lab.plan(definition(*(f"http://h{n}.example/" for n in range(SHARDS))))

    def greedy(number: int) -> list[int]:
        mine: list[int] = []
        while rows := claim(lab, f"owner{number}", limit=2):
            mine += [row.id for row in rows]
        return mine

    with ThreadPoolExecutor(6) as pool:
        got = [shard_id for ids in pool.map(greedy, range(6)) for shard_id in ids]
    assert len(got) == len(set(got))
    # A row that was locked at that moment is passed over, so a last look may find some.
    assert len(got) + len(claim(lab, "late")) == SHARDS
    assert lab.value("SELECT count(*) FROM shards WHERE fence <> 1") == 0


def test_a_lease_that_ran_out_is_claimed_under_a_larger_number_and_counted(one: Lab) -> None:
    first = claim(one)[0]
    assert claim(one, "other") == []
    lapse(one)
    second = claim(one, "other")[0]
    assert (second.fence, second.lost_leases) == (first.fence + 1, 1)
    assert release(one, first) == 0
    assert shard(one).lease_owner == "other"


def test_a_lease_handed_back_is_no_lost_one(one: Lab) -> None:
    first = claim(one)[0]
    assert release(one, first) == 1
    second = claim(one)[0]
    assert (second.fence, second.lost_leases) == (first.fence + 1, 0)


def test_nothing_is_claimed_while_everything_is_paused(one: Lab) -> None:
    with one.engine.begin() as connection:
        connection.execute(control.pause(changed_by="test", reason=""))
    assert claim(one) == []
    with one.engine.begin() as connection:
        connection.execute(control.unpause(changed_by="test", reason=""))
    assert len(claim(one)) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        "UPDATE origins SET blocked_until = now() + interval '1 minute'",
        "UPDATE origins SET next_request_at = now() + interval '10 seconds'",
        "UPDATE shards SET not_before = now() + interval '1 minute'",
        END_RUN,
        "UPDATE shards SET state = 'done', done_upto = top",
    ],
)
def test_what_is_not_due_is_neither_claimed_nor_rung_for(one: Lab, trouble: str) -> None:
    one.execute(trouble)
    assert claim(one) == []
    with one.engine.begin() as connection:
        assert connection.execute(shards.due_count()).scalar() == 0


def test_a_shard_that_lost_two_leases_goes_on_alone(one: Lab) -> None:
    for _ in range(2):
        assert len(claim(one)) == 1
        lapse(one)
    assert claim(one) == []
    alone = claim(one, solo=True)[0]
    assert alone.lost_leases == 2


def test_a_shard_that_goes_on_losing_leases_lets_the_others_work(one: Lab) -> None:
    for _ in range(2):
        claim(one)
        lapse(one)
    for _ in range(3):
        assert len(claim(one, solo=True)) == 1
        lapse(one)
    assert claim(one, solo=True) == []
    assert one.value("SELECT not_before > now() + interval '50 seconds' FROM shards")


def test_the_count_of_lost_leases_ends_somewhere(one: Lab) -> None:
    one.execute(
        "UPDATE shards SET lost_leases = 100, lease_owner = 'x', lease_until = now() - interval '1 second'"
    )
    assert claim(one, solo=True)[0].lost_leases == 100


def test_a_renewed_lease_is_kept_and_a_lost_one_is_not_renewed(one: Lab) -> None:
    row = claim(one)[0]
    one.execute("UPDATE shards SET lease_until = now() + interval '1 second'")
    values = {"owner": "me", "ids": [row.id], "fences": [row.fence], "lease": 30.0}
    with one.engine.begin() as connection:
        assert len(connection.execute(shards.renew(), values).all()) == 1
        assert connection.execute(shards.renew(), {**values, "fences": [row.fence - 1]}).all() == []
        assert connection.execute(shards.renew(), {**values, "owner": "you"}).all() == []
    assert one.value("SELECT lease_until > now() + interval '20 seconds' FROM shards")


def test_a_shard_that_grew_while_it_was_handed_back_stays_open(one: Lab) -> None:
    row = claim(one)[0]
    one.execute("UPDATE shards SET done_upto = top, known_upto = NULL")
    grown = {"ids": [row.id], "counts": [1], "decided": [0]}
    with ThreadPoolExecutor(1) as pool, one.engine.connect() as other:
        transaction = other.begin()
        answer = other.execute(shards.grow(), grown).one()
        assert answer.held
        releasing = pool.submit(release, one, row)
        with pytest.raises(TimeoutError):
            releasing.result(timeout=0.3)
        transaction.commit()
        assert releasing.result(timeout=5) == 1
    assert (shard(one).state, shard(one).top, shard(one).done_upto) == ("open", 2, 1)


# owners that are dead for certain


def owner_of(pid: int, started: str) -> str:
    host = owners.own("x").split("/")[0]
    return f"{host}/{pid}/{started}/abcd"


def rescued(lab: Lab) -> int:
    with lab.engine.begin() as connection:
        return tick.rescue(connection)


def test_the_lease_of_a_dead_process_of_this_host_ends_at_once(one: Lab) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = owner_of(process.pid, owners._started(process.pid))
        claim(one, owner)
        assert rescued(one) == 0
        process.kill()
    assert rescued(one) == 1
    assert rescued(one) == 0
    assert claim(one)[0].lost_leases == 1


def test_a_process_id_used_again_is_another_process(one: Lab) -> None:
    claim(one, owner_of(os.getpid(), "1"))
    assert rescued(one) == 1


@pytest.mark.parametrize(
    "owner", ["elsewhere:1:2/1/2/abcd", "nonsense", owners.own("live")], ids=["elsewhere", "nonsense", "ours"]
)
def test_a_live_owner_and_one_that_nobody_here_can_know_of_are_left_alone(one: Lab, owner: str) -> None:
    claim(one, owner)
    assert rescued(one) == 0
    assert shard(one).lease_owner == owner


def test_a_tick_says_whether_somebody_should_ring(one: Lab) -> None:
    assert tick.tick(one.engine).ring
    claim(one)
    assert not tick.tick(one.engine).ring
    lapse(one)
    assert tick.tick(one.engine).ring
