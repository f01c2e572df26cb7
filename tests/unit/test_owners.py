"""Who holds a lease, and who of them is certainly dead."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scheduler import owners


def of(pid: int, started: str | None = None, host: str | None = None) -> str:
    own_host = owners.own("x").split("/")[0]
    return f"{host or own_host}/{pid}/{owners._started(pid) if started is None else started}/token"


def test_this_process_is_alive() -> None:
    assert not owners.dead_here(owners.own("a"))
    assert owners.own("a") != owners.own("b")


def test_a_process_that_ended_is_dead_even_before_its_parent_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = of(process.pid)
        assert not owners.dead_here(owner)
        process.kill()
        # A zombie still has its process id.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert owners.dead_here(owner)
    assert owners.dead_here(owner)


def test_a_process_id_that_was_given_out_again_is_another_owner() -> None:
    assert owners.dead_here(of(os.getpid(), started="1"))


@pytest.mark.parametrize(
    "owner",
    [
        "",
        "nonsense",
        "a/b/c",
        "a/b/c/d/e",
        "elsewhere:boot:1/999999999/1/token",
    ],
)
def test_in_any_doubt_an_owner_is_alive(owner: str) -> None:
    assert not owners.dead_here(owner)


def test_an_owner_whose_process_has_no_number_is_alive() -> None:
    assert not owners.dead_here(of(0, started="1").replace("/0/", "/none/"))


def test_another_boot_or_another_pid_namespace_is_another_host() -> None:
    name, boot, namespace = owners.own("x").split("/")[0].rsplit(":", 2)
    for host in (f"{name}:other:{namespace}", f"{name}:{boot}:other", f"other:{boot}:{namespace}"):
        assert not owners.dead_here(of(999_999_999, started="1", host=host))
