"""Pages that take their worker down: they are named and left out, everything else is stored, and the run ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from headersweep.states import FINAL_STATES, Outcome, RunState
from scheduler import tick
from tests.integration._lab import Lab, definition, named
from tests.integration._web import Web, page, plain
from worker.site import RunSite

ROOT = Path(__file__).resolve().parents[2]
POISON = "x-poison"
KILLED = 77

VICTIM = """
import os, sys
from headersweep import headers, sitemaps
from tests.integration import _lab
from worker import prepare

parse, read = headers.parse_block, sitemaps.read

def deadly(raw):
    if b"x-poison" in raw.lower():
        os._exit(77)
    return parse(raw)

def deadly_sitemap(chunks, *, url):
    if "poison" in url:
        os._exit(77)
    return read(chunks, url=url)

headers.parse_block, sitemaps.read = deadly, deadly_sitemap
with _lab.opened(sys.argv[1], "redis://127.0.0.1:1/0") as lab:
    lab.work(int(sys.argv[2]), lab.runtime(commit_seconds=0.1))
"""


def crawl_until_it_ends(lab: Lab, run_id: int) -> int:
    """Start a worker process again whenever it dies; returns how many died."""
    for deaths in range(12):
        command = [sys.executable, "-c", VICTIM, lab.database_url, str(run_id)]
        ended = subprocess.run(command, cwd=ROOT, check=False, timeout=60, capture_output=True, text=True)
        assert ended.returncode in (0, KILLED), ended.stderr
        tick.tick(lab.engine)
        if lab.run(run_id).state in FINAL_STATES:
            return deaths + (ended.returncode == KILLED)
    pytest.fail(f"the run did not end: {lab.describe(run_id)}")


def test_a_page_that_kills_the_process_three_times_is_named_and_left_out(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a", "/b", "/poison", "/c"), a=page("/d"), b=page(), c=page(), d=page())
    web.routes["/poison"] = page(headers=[(POISON, "1")])
    run_id = lab.plan(definition(web.start, sitemaps=False, failure_threshold=0.5))
    deaths = crawl_until_it_ends(lab, run_id)
    visits = lab.visits(run_id)
    assert deaths == 3 == web.hits["/poison"]
    assert (visits[web.url("/poison")].outcome, visits[web.url("/poison")].error) == (
        Outcome.FAILED,
        "quarantined",
    )
    assert {url for url, v in visits.items() if v.outcome is Outcome.STORED} == {
        web.url(path) for path in ("/", "/a", "/b", "/c", "/d")
    }
    lab.assert_consistent(run_id)
    assert lab.run(run_id).state == RunState.FINISHED


def test_a_sitemap_that_kills_the_process_is_left_out_and_the_run_ends(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=page(), b=page())
    web.routes["/robots.txt"] = plain(f"Sitemap: {web.url('/good.txt')}\nSitemap: {web.url('/poison.txt')}\n")
    web.routes["/good.txt"] = plain(web.url("/b"))
    web.routes["/poison.txt"] = plain(web.url("/never"))
    run_id = lab.plan(definition(web.start))
    assert crawl_until_it_ends(lab, run_id) == 3
    assert lab.run(run_id).stored == 3
    read = {row.url: row.error for row in lab.rows("SELECT url, error FROM sitemaps")}
    assert read[web.url("/good.txt")] is None
    assert "its worker died" in read[web.url("/poison.txt")]


# defects that raise instead of killing


def bad_snapshot(monkeypatch: pytest.MonkeyPatch, *, name: str, spoil: Any) -> None:
    """Let the snapshots of poisoned pages of one site go wrong."""
    whole = RunSite.snapshot

    def snapshot(self: RunSite, raw: bytes) -> Any:
        made, parsed = whole(self, raw)
        return (
            (spoil(made), parsed) if self.name == name and POISON.encode() in raw.lower() else (made, parsed)
        )

    monkeypatch.setattr(RunSite, "snapshot", snapshot)


def test_a_defect_in_our_code_costs_one_page_and_says_which(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_snapshot: Any) -> Any:
        raise KeyError("a defect")

    bad_snapshot(monkeypatch, name="bad", spoil=stumble)
    web.pages(home=page("/poison", "/a", "/b"), a=page(), b=page())
    web.routes["/poison"] = page(headers=[(POISON, "1")])
    site = definition(web.start, sitemaps=False, failure_threshold=0.5, concurrency=1)
    good, bad = lab.plan(named(site, "good")), lab.plan(named(site, "bad"))
    runtime = lab.runtime()
    started = time.monotonic()
    assert lab.work(good, runtime).stored == 4
    assert lab.work(bad, runtime).stored == 3
    assert lab.visits(bad)[web.url("/poison")].error == "quarantined"
    assert time.monotonic() - started < 5
    assert web.hits["/poison"] == 2
    lab.assert_consistent(bad)


def test_what_the_database_refuses_costs_one_page_of_one_site(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(snapshot: Any) -> Any:
        return type(snapshot)(bytes(32), "no canonical text", snapshot.raw)

    bad_snapshot(monkeypatch, name="bad", spoil=spoil)
    web.pages(home=page("/poison", "/a", "/b"), a=page(), b=page())
    web.routes["/poison"] = page(headers=[(POISON, "1")])
    site = definition(web.start, sitemaps=False, failure_threshold=0.5)
    good, bad = lab.plan(named(site, "good")), lab.plan(named(site, "bad"))
    runtime = lab.runtime(slice_seconds=3.0)
    assert lab.work(good, runtime).stored == 4
    assert lab.value("SELECT lost_leases FROM shards WHERE run_id = :id", id=good) == 0
    assert lab.work(bad, runtime).stored == 3
    assert lab.visits(bad)[web.url("/poison")].error == "quarantined"


def test_a_run_that_cannot_be_read_holds_up_no_other(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=page())
    site = definition(web.start, sitemaps=False)
    strange, good = lab.plan(named(site, "strange")), lab.plan(named(site, "good"))
    lab.execute(
        "UPDATE runs SET definition = definition || '{\"from_the_future\": 1}' WHERE id = :id", id=strange
    )
    assert lab.work(good, lab.runtime(slice_seconds=2.0)).stored == 2
    assert lab.run(strange).state == RunState.RUNNING
