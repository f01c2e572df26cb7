"""Slices over real HTTP and a real Postgres, in this process: what a user finds in the database after a sweep."""

from __future__ import annotations

import gzip
import itertools
import threading
import time
from typing import Any

import pytest

from cli import supervisor
from demosite.serving import Answer
from headersweep.definition import RobotsMode, Scope
from headersweep.states import Outcome, RunState
from models import control
from scheduler import operations, reviewed
from tests.integration import _web
from tests.integration._lab import Lab, definition, named
from tests.integration._web import Web, in_turn, moved, page, plain
from tests.site_plan import CALM, Kind, Shares
from tests.site_server import SiteServer
from worker import site as worker_site
from worker import slice as worker_slice
from worker.fetch import Fetcher

BUSY = Shares(slow=1, busy=2, limited=0)


def outcomes(lab: Lab, run_id: int) -> dict[str, str]:
    """Outcomes by path."""
    return {
        url.split("/", 3)[3]: visit.outcome.label
        if visit.outcome is not Outcome.STORED
        else str(visit.status)
        for url, visit in lab.visits(run_id).items()
    }


# a whole site


@pytest.mark.parametrize("shards", [1, 2])
def test_a_sweep_records_the_truth_about_every_page_once(lab: Lab, shards: int) -> None:
    with SiteServer(pages=161, origins=3, shares=BUSY if shards == 1 else CALM, slow_seconds=0.3) as site:
        run = lab.sweep(definition(*site.start_urls, shards=shards))
        assert run.state == RunState.FINISHED
        found = {
            url: (visit.outcome, visit.status, visit.target) for url, visit in lab.visits(run.id).items()
        }
        assert found == {url: (t.outcome, t.status, t.target) for url, t in site.truth().items()}
        hits = {url: n for url, n in site.hits().items() if url in found}
        busy = {site.plan.url(n) for n in range(161) if site.plan.kind(n) is Kind.BUSY}
        assert {url for url, n in hits.items() if n != 1} == busy
    lab.assert_consistent(run.id)
    assert lab.value("SELECT count(*) FROM shards") == 3 * shards


def test_two_sweeps_of_an_unchanged_site_are_equal_and_the_second_writes_no_history(lab: Lab) -> None:
    with SiteServer(pages=91, origins=2, shares=CALM) as site:
        swept = definition(*site.start_urls)
        first, second = lab.sweep(swept), lab.sweep(swept, commit_pages=1)
    assert first.digest == second.digest
    assert (second.new_snapshots, second.changed_pages) == (0, 0)
    assert (first.new_snapshots, first.snapshots) == (second.snapshots, second.snapshots)
    assert lab.rows("SELECT DISTINCT first_run_id, last_run_id FROM spans") == [(first.id, None)]
    assert lab.value("SELECT count(*) FROM snapshots") == second.snapshots


def test_a_dropped_header_is_a_change_on_exactly_its_pages(lab: Lab) -> None:
    with SiteServer(pages=61, origins=1, shares=CALM) as site:
        swept = definition(*site.start_urls)
        first = lab.sweep(swept)
        before = lab.visits(first.id)
        site.drop_header("Strict-Transport-Security")
        second = lab.sweep(swept)
    concerned = [v for v in before.values() if "strict-transport-security" in (v.canonical or "")]
    assert second.changed_pages == len(concerned) > 0
    closed = lab.rows("SELECT page_id FROM spans WHERE last_run_id = :id", id=first.id)
    opened = lab.rows("SELECT page_id FROM spans WHERE first_run_id = :id", id=second.id)
    assert len(closed) == len(opened) == len(concerned)
    assert second.digest != first.digest


# what becomes of single pages


def test_every_answer_is_stored_whatever_its_status(lab: Lab, web: Web) -> None:
    web.pages(home=page("/gone", "/broken", "/teapot"), broken=page(status=500), teapot=page(status=418))
    run = lab.sweep(definition(web.start))
    assert outcomes(lab, run.id) == {"": "200", "gone": "404", "broken": "500", "teapot": "418"}
    assert run.state == RunState.FINISHED


def test_redirects_are_visits_that_lead_to_other_visits_and_loops_end(lab: Lab, web: Web) -> None:
    web.pages(home=page("/one", "/self", "/away"), one=moved("/two"), two=moved("/one", 301))
    web.routes["/self"] = moved("/self")
    web.pages(away=moved("http://elsewhere.example/"))
    run = lab.sweep(definition(web.start))
    visits = lab.visits(run.id)
    assert visits[web.url("/one")].target == web.url("/two")
    assert visits[web.url("/two")].target == web.url("/one")
    assert visits[web.url("/self")].target is None
    assert visits[web.url("/away")].target == "http://elsewhere.example/"
    assert visits["http://elsewhere.example/"].outcome is Outcome.OUT_OF_SCOPE
    assert max(web.hits[path] for path in ("/one", "/two", "/self", "/away")) == 1


def test_links_are_not_followed_where_the_owner_does_not_want_it(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=page())
    web.routes["/sitemap.xml"] = plain(f"{web.url('/b')}\n")
    run = lab.sweep(definition(web.start, follow_links=False, sitemaps=False))
    assert outcomes(lab, run.id) == {"": "200"}


def test_a_sweep_without_links_ends_no_history(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=page())
    lab.sweep(definition(web.start))
    quick = lab.sweep(definition(web.start, follow_links=False, sitemaps=False))
    assert quick.state == RunState.FINISHED
    assert lab.rows("SELECT * FROM spans WHERE last_run_id IS NOT NULL") == []


def test_the_page_limit_is_kept_and_what_it_cut_is_named(lab: Lab, web: Web) -> None:
    web.pages(home=page(*(f"/p{n}" for n in range(20))))
    for n in range(20):
        web.routes[f"/p{n}"] = page("/p0")
    run = lab.sweep(definition(web.start, max_pages=8))
    assert (run.stored, run.skipped_limit, run.discovered) == (8, 13, 21)
    assert {v.error for v in lab.visits(run.id).values() if v.outcome is Outcome.SKIPPED_LIMIT} == {
        "max_pages"
    }
    assert sum(n for path, n in web.hits.items() if path.startswith("/p")) == 7


def test_the_depth_limit_counts_links_but_no_redirects(lab: Lab, web: Web) -> None:
    web.pages(home=page("/1"), deep=page())
    web.routes |= {"/1": moved("/1b"), "/1b": page("/2"), "/2": page("/3"), "/3": page()}
    run = lab.sweep(definition(web.start, max_depth=2))
    assert outcomes(lab, run.id) == {"": "200", "1": "302", "1b": "200", "2": "200", "3": "skipped_limit"}
    assert lab.visits(run.id)[web.url("/3")].error == "max_depth"


def test_patterns_say_what_belongs_to_the_site(lab: Lab, web: Web) -> None:
    web.pages(home=page("/docs/a", "/docs/old/b", "/blog/c"))
    web.routes |= {"/docs/a": page(), "/docs/old/b": page(), "/blog/c": page()}
    run = lab.sweep(definition(web.start, scope=Scope(include=("/docs/*",), exclude=("*/old/*",))))
    assert outcomes(lab, run.id) == {
        "": "200",
        "docs/a": "200",
        "docs/old/b": "out_of_scope",
        "blog/c": "out_of_scope",
    }
    assert "/blog/c" not in web.hits


# robots.txt


def test_what_robots_forbids_is_named_and_not_fetched(lab: Lab, web: Web) -> None:
    web.pages(home=page("/open", "/private/x"), open=page())
    web.routes["/robots.txt"] = plain("User-agent: *\nDisallow: /private/\n")
    run = lab.sweep(definition(web.start))
    assert outcomes(lab, run.id) == {"": "200", "open": "200", "private/x": "robots_denied"}
    assert web.hits["/private/x"] == 0
    assert web.hits["/robots.txt"] == 1


def test_an_owner_may_override_robots_txt(lab: Lab, web: Web) -> None:
    web.pages(home=page("/private"), private=page())
    web.routes["/robots.txt"] = plain("User-agent: *\nDisallow: /\n")
    run = lab.sweep(definition(web.start, robots=RobotsMode.IGNORE))
    assert outcomes(lab, run.id) == {"": "200", "private": "200"}
    assert web.hits["/robots.txt"] == 0


def test_a_robots_txt_that_cannot_be_had_forbids_everything_under_its_own_name(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"))
    web.routes["/robots.txt"] = page(status=503)
    run = lab.sweep(definition(web.start, sitemaps=False))
    assert outcomes(lab, run.id) == {"": "robots_unreachable"}
    assert (run.state, web.hits["/"], web.hits["/robots.txt"]) == (RunState.FAILED, 0, 3)


def test_half_a_robots_txt_allows_nothing(lab: Lab, web: Web) -> None:
    web.pages(home=page("/secret"))
    chunks = b"10\r\nUser-agent: *\n\r\n\r\nno chunk at all\r\n"
    cut = Answer(200, [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")], chunks)
    web.routes["/robots.txt"] = cut
    run = lab.sweep(definition(web.start, sitemaps=False))
    assert run.robots_unreachable == 1


def test_a_robots_txt_slower_than_a_slice_is_waited_for(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=page())
    web.routes["/robots.txt"] = Answer(404, [], delay=1.2)
    run = lab.sweep(definition(web.start, sitemaps=False), slice_seconds=0.4)
    assert outcomes(lab, run.id) == {"": "200", "a": "200"}
    assert web.hits["/robots.txt"] == 1


# sitemaps


def test_sitemaps_are_read_through_indexes_and_gzip(lab: Lab, web: Web) -> None:
    def urlset(*paths: str) -> str:
        return "<urlset>" + "".join(f"<url><loc>{web.url(path)}</loc></url>" for path in paths) + "</urlset>"

    web.pages(home=page(), a=page(), b=page(), c=page())
    web.routes["/robots.txt"] = plain(f"Sitemap: {web.url('/index.xml')}\n")
    parts = "".join(
        f"<sitemap><loc>{web.url(path)}</loc></sitemap>" for path in ("/1.xml", "/2.xml.gz", "/3.xml")
    )
    web.routes["/index.xml"] = plain(f"<sitemapindex>{parts}</sitemapindex>", "application/xml")
    web.routes["/1.xml"] = plain(urlset("/a", "/"), "application/xml")
    web.routes["/2.xml.gz"] = plain(gzip.compress(urlset("/b").encode()), "application/gzip")
    web.routes["/3.xml"] = plain(urlset("/c")[:-6], "application/xml")
    run = lab.sweep(definition(web.start))
    assert outcomes(lab, run.id) == {"": "200", "a": "200", "b": "200", "c": "200"}
    read = {
        row.url.rsplit("/", 1)[1]: (row.entries, row.error is None)
        for row in lab.rows("SELECT * FROM sitemaps")
    }
    assert read == {"index.xml": (3, True), "1.xml": (2, True), "2.xml.gz": (1, True), "3.xml": (1, False)}


def test_a_sitemap_that_is_busy_at_first_is_read_later(lab: Lab, web: Web) -> None:
    web.pages(home=page(), a=page())
    web.routes["/sitemap.xml"] = in_turn(page(status=503), plain(f"{web.url('/a')}\n"))
    run = lab.sweep(definition(web.start))
    assert outcomes(lab, run.id) == {"": "200", "a": "200"}


def test_sitemaps_that_outlast_a_slice_are_read_over_several(lab: Lab, web: Web) -> None:
    names = [f"/s{n}.txt" for n in range(6)]
    web.pages(home=page())
    web.routes["/robots.txt"] = plain("".join(f"Sitemap: {web.url(name)}\n" for name in names))
    for n, name in enumerate(names):
        web.routes[f"/p{n}"] = page()
        web.routes[name] = Answer(
            200, [("Content-Type", "text/plain")], web.url(f"/p{n}").encode(), delay=0.3
        )
    run = lab.sweep(definition(web.start), slice_seconds=0.5)
    assert run.stored == 7
    assert {web.hits[name] for name in names} == {1}


def test_sitemaps_are_asked_for_as_politely_as_pages(lab: Lab, web: Web) -> None:
    web.pages(home=page())
    web.routes["/robots.txt"] = plain("".join(f"Sitemap: {web.url(f'/{n}.txt')}\n" for n in range(4)))
    lab.sweep(definition(web.start, rate=5.0, max_rate=5.0))
    assert len(web.gaps) == 4
    assert min(web.gaps) > 0.15


# trouble


def test_a_page_that_cannot_be_had_is_tried_again_and_then_named(lab: Lab, web: Web) -> None:
    web.pages(home=page("/dropped"), dropped=Answer(200, [], dropped=True))
    run = lab.sweep(definition(web.start, failure_threshold=0.5), slice_seconds=1.0)
    assert lab.visits(run.id)[web.url("/dropped")].error == "reset"
    assert (run.failed, run.state) == (1, RunState.FINISHED)
    # A kept connection that closes without a word is tried once more on a new one, within one attempt.
    assert 3 <= web.hits["/dropped"] <= 6


def test_a_host_that_refuses_or_does_not_resolve_fails_the_run(lab: Lab) -> None:
    with _web.serving() as gone:
        pass
    run = lab.sweep(definition(gone.start, "http://no-such-host.invalid/"))
    errors = {visit.error for visit in lab.visits(run.id).values()}
    assert (run.state, run.failed, errors) == (RunState.FAILED, 2, {"refused", "dns"})


def test_headers_that_never_end_are_a_failure_and_no_snapshot(lab: Lab, web: Web) -> None:
    web.pages(home=page("/endless"))
    web.routes["/endless"] = Answer(200, [("X-Large", "x" * 200_000)])
    run = lab.sweep(definition(web.start, failure_threshold=0.5))
    assert lab.visits(run.id)[web.url("/endless")].error == "headers_too_large"


def test_a_page_that_asks_for_rest_blocks_its_origin_and_is_stored_later(lab: Lab, web: Web) -> None:
    web.pages(home=page("/limited", "/other"), other=page())
    web.routes["/limited"] = in_turn(page(status=429, headers=[("Retry-After", "1")]), page())
    run = lab.sweep(definition(web.start, concurrency=1, sitemaps=False))
    assert outcomes(lab, run.id) == {"": "200", "limited": "200", "other": "200"}
    assert [target for _, target in web.log[1:3]] == ["/", "/limited"]
    assert web.hits["/limited"] == 2
    assert web.gaps[1] > 0.95


def test_an_origin_that_asks_one_shard_for_rest_is_left_alone_by_all(lab: Lab, web: Web) -> None:
    web.pages(home=page("/slow"), slow=page(*(f"/{n}" for n in range(60)), delay=0.2))
    for n in range(60):
        web.routes[f"/{n}"] = page(delay=0.15)
    first, second = (
        lab.plan(named(definition(web.start, sitemaps=False, concurrency=1), name)) for name in "ab"
    )
    runtime = lab.runtime(slice_seconds=3.0)
    worker = threading.Thread(target=runtime.crawl_slice)
    worker.start()
    while sum(web.hits.values()) < 12:
        time.sleep(0.05)
    lab.execute("UPDATE origins SET blocked_until = now() + interval '1 hour'")
    time.sleep(0.6)
    before = sum(web.hits.values())
    time.sleep(0.6)
    assert sum(web.hits.values()) == before
    worker.join()
    assert lab.value("SELECT count(*) FROM shards WHERE lease_owner IS NOT NULL") == 0
    assert {lab.run(first).state, lab.run(second).state} == {"running"}


def test_an_origin_that_goes_down_for_a_moment_loses_no_pages(lab: Lab) -> None:
    pages = [f"/{n}" for n in range(60)]
    with _web.serving() as web:
        web.pages(home=page(*pages))
        web.routes |= {path: page(delay=0.05) for path in pages}
        run_id, runtime = lab.plan(definition(web.start, sitemaps=False)), lab.runtime()
        worker = threading.Thread(target=runtime.crawl_slice)
        worker.start()
        while sum(web.hits.values()) < 15:
            time.sleep(0.01)
    time.sleep(0.3)
    with _web.serving_on(web, web.port):
        worker.join()
        run = lab.work(run_id, runtime)
    assert run.failed <= 10
    assert run.stored >= 50


def test_a_slow_page_is_stored_and_holds_up_nobody(lab: Lab, web: Web) -> None:
    web.pages(home=page("/slow", *(f"/{n}" for n in range(10))), slow=page("/after", delay=1.6), after=page())
    web.routes |= {f"/{n}": page() for n in range(10)}
    started = time.monotonic()
    run = lab.sweep(definition(web.start, sitemaps=False), slice_seconds=0.8, lease_seconds=3.0)
    assert run.stored == 13
    assert time.monotonic() - started < 6
    assert web.hits["/slow"] == 1


# pages known from earlier runs


def test_a_page_that_lost_its_links_is_still_visited_while_it_answers(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a", "/b"), a=page(), b=page())
    swept = definition(web.start)
    first = lab.sweep(swept)
    web.pages(home=page())
    del web.routes["/b"]
    second = lab.sweep(swept)
    assert outcomes(lab, second.id) == {"": "200", "a": "200", "b": "404"}
    third = lab.sweep(swept)
    assert outcomes(lab, third.id) == {"": "200", "a": "200"}
    history = lab.rows(
        """SELECT s.first_run_id, s.last_run_id, s.status FROM spans s JOIN pages p ON p.id = s.page_id
           WHERE p.url = :url ORDER BY 1""",
        url=web.url("/b"),
    )
    assert history == [(first.id, first.id, 200), (second.id, second.id, 404)]
    assert (second.changed_pages, third.changed_pages) == (1, 0)


# the cardinality guard


def pods(web: Web, count: int) -> None:
    """Pages with a header that differs on every single response."""
    numbers = itertools.count()
    web.pages(home=page(*(f"/{n}" for n in range(count))))
    for n in range(count):
        web.routes[f"/{n}"] = lambda: page(headers=[("X-Served-By-Pod", f"pod-{next(numbers)}")])


@pytest.mark.parametrize("commit_pages", [1, 1000])
def test_a_header_that_differs_on_every_response_is_masked_and_folded(
    lab: Lab, web: Web, commit_pages: int
) -> None:
    pods(web, 80)
    swept = definition(web.start, sitemaps=False)
    first = lab.sweep(swept, commit_pages=commit_pages)
    assert first.snapshots == 2
    assert {
        "x-served-by-pod" in (v.canonical or "") and "pod-" in (v.canonical or "")
        for v in lab.visits(first.id).values()
    } == {False}
    masks = lab.rows("SELECT header_name, run_id FROM site_masks")
    assert masks == [("x-served-by-pod", first.id)]
    second = lab.sweep(swept, commit_pages=1001 - commit_pages)
    assert (second.digest, second.new_snapshots, second.changed_pages) == (first.digest, 0, 0)


def test_the_digest_does_not_depend_on_when_the_mask_was_decided(lab: Lab, web: Web) -> None:
    pods(web, 80)
    one = lab.sweep(definition(web.start, name="one", sitemaps=False), commit_pages=1)
    other = lab.sweep(definition(web.start, name="other", sitemaps=False), commit_pages=1000)
    assert one.digest == other.digest


def test_a_header_that_is_masked_late_changes_nobodys_history(lab: Lab, web: Web) -> None:
    pods(web, 40)
    swept = definition(web.start, sitemaps=False)
    assert lab.sweep(swept).snapshots == 41
    pods(web, 80)
    second = lab.sweep(swept)
    assert (second.snapshots, second.changed_pages) == (2, 0)


# stopping


def test_a_worker_told_to_stop_hands_back_everything_within_seconds(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert worker_slice.DRAIN_SECONDS <= 8 < supervisor.STOP_GRACE_SECONDS - 5
    monkeypatch.setattr(worker_slice, "DRAIN_SECONDS", 1.0)
    web.pages(home=page("/slow", "/a"), a=page(), slow=page(delay=30.0))
    run_id, runtime = lab.plan(definition(web.start, sitemaps=False)), lab.runtime()
    runtime.fetcher = Fetcher(user_agent="patient/test")
    worker = threading.Thread(target=runtime.crawl_slice)
    worker.start()
    while not web.hits["/slow"]:
        time.sleep(0.02)
    started = time.monotonic()
    runtime.stop()
    worker.join()
    assert 1.0 < time.monotonic() - started < 3
    shard = lab.rows("SELECT lease_owner, lost_leases, state FROM shards")[0]
    assert shard == (None, 0, "open")
    web.pages(slow=page())
    run = lab.work(run_id)
    assert run.stored == 3


def test_the_kill_switch_stops_fetching_within_two_seconds(lab: Lab, web: Web) -> None:
    web.pages(home=page(*(f"/{n}" for n in range(300))))
    web.routes |= {f"/{n}": page(delay=0.02) for n in range(300)}
    run_id, runtime = (
        lab.plan(definition(web.start, sitemaps=False, concurrency=2)),
        lab.runtime(commit_seconds=1.0),
    )
    worker = threading.Thread(target=runtime.crawl_slice)
    worker.start()
    while sum(web.hits.values()) < 10:
        time.sleep(0.02)
    with lab.engine.begin() as connection:
        operations.pause(connection, "test", "fire")
    time.sleep(2.0)
    before = sum(web.hits.values())
    worker.join()
    assert sum(web.hits.values()) == before < 300
    assert runtime.crawl_slice().claimed == 0  # type: ignore[union-attr]
    with lab.engine.begin() as connection:
        assert connection.execute(control.is_paused()).scalar()
        operations.unpause(connection, "test", "out")
    assert lab.work(run_id, runtime).stored == 301


def test_a_window_that_closes_stops_a_run_within_two_seconds_and_loses_nothing(lab: Lab, web: Web) -> None:
    web.pages(home=page(*(f"/{n}" for n in range(300))))
    web.routes |= {f"/{n}": page(delay=0.02) for n in range(300)}
    run_id, runtime = (
        lab.plan(definition(web.start, sitemaps=False, concurrency=2)),
        lab.runtime(commit_seconds=1.0),
    )
    worker = threading.Thread(target=runtime.crawl_slice)
    worker.start()
    while sum(web.hits.values()) < 10:
        time.sleep(0.02)
    lab.execute("UPDATE runs SET not_after = clock_timestamp()")
    time.sleep(2.0)
    before = sum(web.hits.values())
    worker.join()
    assert sum(web.hits.values()) == before < 300
    assert lab.rows("SELECT lease_owner, lost_leases, state FROM shards") == [(None, 0, "open")]
    assert lab.value("SELECT count(*) FROM visits") == before - web.hits["/robots.txt"]
    assert runtime.crawl_slice().claimed == 0  # type: ignore[union-attr]
    lab.execute("UPDATE runs SET not_after = NULL")
    assert lab.work(run_id, runtime).stored == 301
    assert max(web.hits[f"/{n}"] for n in range(300)) == 1


def test_waiting_politely_costs_next_to_nothing(lab: Lab, web: Web) -> None:
    web.pages(home=page(*(f"/{n}" for n in range(9))))
    web.routes |= {f"/{n}": page() for n in range(9)}
    lab.plan(definition(web.start, sitemaps=False, rate=1.0, max_rate=1.0, concurrency=2))
    runtime = lab.runtime(slice_seconds=3.0, commit_seconds=1.0)
    used = time.process_time()
    runtime.crawl_slice()
    assert time.process_time() - used < 0.6
    assert len(web.gaps) >= 2
    assert min(web.gaps) > 0.9


def test_what_was_reserved_and_not_used_holds_nobody_up(lab: Lab, web: Web) -> None:
    web.pages(home=page(*(f"/{n}" for n in range(9))))
    lab.plan(definition(web.start, sitemaps=False, rate=0.2, max_rate=0.2, concurrency=2))
    lab.runtime(slice_seconds=1.0).crawl_slice()
    wait = lab.value("SELECT extract(epoch FROM next_request_at - clock_timestamp()) FROM origins")
    assert wait < 5.1


def test_a_slice_without_work_asks_for_no_other_slice(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"))
    lab.plan(definition(web.start, sitemaps=False, rate=0.1, max_rate=0.1))
    runtime = lab.runtime(slice_seconds=0.5)
    first, second = runtime.crawl_slice(), runtime.crawl_slice()
    assert first is not None
    assert second is not None
    assert (second.claimed, second.more) == (0, False)


# what is known of bodies

POLICY = b'<head><meta http-equiv=Content-Security-Policy content="default-src x"></head>'


def html(body: bytes, status: int = 200) -> Answer:
    """A page that says something in its body."""
    return Answer(status, [_web.HTML], body)


def facts_by_path(lab: Lab, run_id: int) -> dict[str, Any]:
    """What the review will know of each page's body."""
    rows = lab.rows(
        """SELECT p.url, f.facts FROM visits v JOIN pages p ON p.id = v.page_id
           LEFT JOIN body_facts f ON f.id = v.facts_id WHERE v.run_id = :id""",
        id=run_id,
    )
    return {row.url.split("/", 3)[3]: row.facts for row in rows}


def test_what_bodies_say_arrives_once_for_each_template(lab: Lab, web: Web) -> None:
    web.pages(
        home=page("/a", "/b", "/c", "/gone", "/walled"),
        c=html(POLICY + b"<script src=//cdn.example/x></script>"),
    )
    web.routes |= {
        "/a": html(POLICY + b"one"),
        "/b": html(POLICY + b"two<a href=/d>"),
        "/d": plain("no page"),
    }
    web.routes["/walled"] = html(b"<title>Access Denied</title>Reference&#32;&#35;18<a href=/never>", 403)
    site = definition(web.start, sitemaps=False)
    first, second = lab.sweep(site), lab.sweep(site, commit_pages=1)
    known = facts_by_path(lab, first.id)
    assert facts_by_path(lab, second.id) == known
    assert known["a"] == known["b"] == {**known[""], "meta_policies": ["default-src x"]}
    assert known["c"]["loads"] == [["script", "//cdn.example", False, False]]
    assert known["walled"]["challenge"] == "akamai"
    assert known["d"] is None is known["gone"]
    assert "never" not in known
    assert lab.value("SELECT count(*) FROM body_facts") == 4
    assert (second.digest, second.changed_pages) == (first.digest, 0)
    lab.assert_consistent(second.id)


def test_facts_count_neither_in_the_digest_nor_as_a_change(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a"), a=html(b"<a href=/>"))
    first = lab.sweep(definition(web.start))
    web.pages(a=html(POLICY + b"<a href=/>"))
    second = lab.sweep(definition(web.start))
    assert facts_by_path(lab, first.id) != facts_by_path(lab, second.id)
    assert (second.digest, second.changed_pages) == (first.digest, 0)


def test_a_site_whose_bodies_differ_all_the_time_fills_no_table(
    lab: Lab, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_site, "FACTS_LIMIT", 3)
    paths = [f"/p{number}" for number in range(10)]
    web.pages(home=page(*paths))
    for path in paths:
        web.routes[path] = html(f"<script src=https://{path[1:]}.example/></script>\0&#0;".encode())
    run = lab.sweep(definition(web.start, sitemaps=False))
    assert (run.state, run.stored) == (RunState.FINISHED, 11)
    assert lab.value("SELECT count(*) FROM body_facts") == 3
    assert lab.value("SELECT count(facts_id) FROM visits") == 3


def test_what_bodies_say_is_judged_and_a_firewall_is_not(lab: Lab, web: Web) -> None:
    web.pages(home=page("/a", "/b", "/walled", "/away"), away=moved("/b"))
    web.routes |= {"/a": html(b"<script src=//cdn.example/x></script>"), "/b": html(b"no script")}
    web.routes["/walled"] = html(b"<title>Access Denied</title>Reference&#32;&#35;18", 403)
    run = lab.sweep(definition(web.start, sitemaps=False))
    with lab.engine.connect() as connection:
        sets = reviewed.header_sets(connection, run.id)
    codes = {
        one.sample_urls[0].rpartition("/")[2]: {finding.code for finding in one.judgement.findings}
        for one in sets
        if one.judgement.judged
    }
    assert {path for path, found in codes.items() if "sri.insecure" in found} == {"a"}
    assert [one.sample_urls for one in sets if not one.judgement.judged] == [(web.url("/walled"),)]
    assert sum(one.pages for one in sets) == run.stored == 5


def test_where_redirects_lead_is_kept_when_the_run_closes(lab: Lab, web: Web) -> None:
    web.pages(home=page("/1", "/out"), out=moved("https://other.example/x"), **{"5": page()})
    web.routes |= {f"/{number}": moved(f"/{number + 1}") for number in range(1, 5)}
    run = lab.sweep(definition(web.start, sitemaps=False))
    rows = lab.rows("SELECT kind, source, target, pages FROM run_redirects ORDER BY kind, target")
    assert [tuple(row) for row in rows] == [
        ("chain", web.origin, "", 1),
        ("hop", web.origin, "", 2),
        ("hop", web.origin, web.origin, 4),
        ("hop", web.origin, "https://other.example", 1),
    ]
    with lab.engine.connect() as connection:
        (found,) = reviewed.redirects_of(connection, run.id)
    assert (found.finding.code, found.urls) == (
        "redirect.long_chain",
        (web.url("/1"),),
    )  # loopback needs no TLS
