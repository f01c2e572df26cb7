"""Every command as an operator uses it, on real servers and a site with known truth."""

from __future__ import annotations

import collections
import csv
import io
import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from review import judge
from review.finding import Finding
from review.received import received
from tests.processes import _program
from tests.processes._program import Home, Program
from tests.site_plan import CALM, Shares
from tests.site_server import SiteServer

EXPORT_KEYS = [
    "url",
    "outcome",
    "status",
    "content_hash",
    "headers",
    "malformed",
    "fetched_at",
    "elapsed_ms",
    "error",
]
CSV_COLUMNS = ["url", "outcome", "status", "content_hash", "fetched_at", "elapsed_ms", "error"]
AT_NEW_YEAR = "0 0 1 1 *"

STEADY = Shares(slow=0, busy=0, limited=0, broken=0)
"""No answer that makes a sweep with a limited rate slow down."""


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=81, origins=2, chain=4, delay=0.05, shares=STEADY) as server:
        yield server


@pytest.fixture(scope="module")
def home(shared_home: Home, site: SiteServer) -> Home:
    """A home whose site file was applied, and whose first run is finished."""
    shared_home.environ["HEADERSWEEP_WORKERS"] = "1"
    _program.site_file(shared_home.sites, site, schedule=AT_NEW_YEAR)
    applied = shared_home.run("sites", "apply")
    assert applied.code == 0, applied.err
    ended = shared_home.run("sweep", "zoo", "--slot", "2026-03-01", "--format", "json")
    assert ended.code == 0, ended.err
    assert ended.only_run["run"] == 1
    return shared_home


@pytest.fixture
def sweeping(home: Home, site: SiteServer) -> Iterator[Program]:
    """A sweep at work, slowly enough to be disturbed."""
    site.forget()
    program = home.start("sweep", "zoo", "--rate", "6", "--format", "json")
    _program.until(lambda: hits(site) > 10, what="the sweep's start")
    yield program
    if program.process.poll() is None:
        program.stop()
        program.wait()


def hits(site: SiteServer) -> int:
    return sum(site.hits().values())


def digest_of(home: Home, run: int = 1) -> str:
    return str(home.run("show", str(run), "--format", "json").json()["digest"])


# -- looking -----------------------------------------------------------------------------------------------------


def test_the_sweep_found_the_truth(home: Home, site: SiteServer) -> None:
    exported = home.run("export", "1", "--format", "jsonl")
    assert exported.code == 0, exported.err
    visits = [json.loads(line) for line in exported.out.splitlines()]
    assert [list(visit) for visit in visits] == [EXPORT_KEYS] * len(visits)
    urls = [visit["url"].encode() for visit in visits]
    assert urls == sorted(urls)
    found = {visit["url"]: (visit["outcome"], visit["status"]) for visit in visits}
    assert found == {url: (truth.outcome.label, truth.status) for url, truth in site.truth().items()}
    for visit in visits:
        assert (visit["content_hash"] is None) == (visit["status"] is None)
        assert ("Date" in dict(visit["headers"])) == (visit["status"] is not None)


def test_csv_says_the_same_without_the_headers(home: Home) -> None:
    rows = list(csv.DictReader(io.StringIO(home.run("export", "1", "--format", "csv").out)))
    assert list(rows[0]) == CSV_COLUMNS
    lines = home.run("export", "1", "--format", "jsonl").out.splitlines()
    visits = [json.loads(line) for line in lines]
    assert [(row["url"], row["outcome"], row["content_hash"]) for row in rows] == [
        (visit["url"], visit["outcome"], visit["content_hash"] or "") for visit in visits
    ]


def test_an_export_to_a_file_is_the_same(home: Home) -> None:
    target = home.folder / "visits.jsonl"
    ended = home.run("export", "1", "--format", "jsonl", "--output", str(target))
    assert (ended.code, ended.out) == (0, "")
    assert target.read_text() == home.run("export", "1", "--format", "jsonl").out


@pytest.mark.parametrize(
    ("shape", "begins", "ends"),
    [
        ("html", "<!doctype html>\n", "</html>"),
        ("md", "# Response headers of zoo\n", "|"),
        ("sarif", '{\n  "$schema"', "}"),
        ("junit", "<?xml", "</testsuites>"),
    ],
)
def test_the_review_is_a_report_that_is_the_same_every_time(
    home: Home, shape: str, begins: str, ends: str
) -> None:
    target = home.folder / f"report.{shape}"
    ended = home.run("export", "1", "--format", shape, "--output", str(target))
    assert (ended.code, ended.out) == (0, ""), ended.err
    shown = target.read_text()
    assert shown.startswith(begins)
    assert shown.rstrip("\n").endswith(ends)
    assert shown == home.run("export", "1", "--format", shape).out


def test_a_run_does_not_differ_from_itself(home: Home) -> None:
    ended = home.run("diff", "1", "1", "--format", "json", "--fail-on", "drift")
    assert ended.code == 0, ended.err
    found = ended.json()
    assert (found["changed_pages"], found["changes"], found["pages"]) == (0, [], [])
    assert "nothing changed" in home.run("diff", "1", "1").out


def test_the_first_run_of_a_site_has_none_to_be_compared_with(home: Home) -> None:
    ended = home.run("diff", "1")
    assert ended.code == 2
    assert "name two runs" in ended.err


def test_show_accounts_for_every_page(home: Home, site: SiteServer) -> None:
    shown = home.run("show", "1", "--format", "json").json()
    assert shown["schema_version"] == 1
    counts = dict(shown["accounting"])
    assert counts.pop("discovered") == sum(counts.values()) == len(site.truth())
    stored = counts.pop("stored")
    assert sum(each["pages"] for each in shown["header_sets"]) == stored
    assert sum(each["pages"] for each in shown["not_stored"]) == sum(counts.values())
    text = home.run("show", "1").out
    assert shown["digest"] in text
    assert "\x1b" not in text


def test_the_findings_are_those_of_each_page_judged_by_itself(home: Home) -> None:
    """Judged is a set, once; here each line of the export is, and both say the same."""
    shown = home.run("show", "1", "--format", "json").json()
    pages: collections.Counter[tuple[str, str]] = collections.Counter()
    for line in home.run("export", "1", "--format", "jsonl").out.splitlines():
        visit = json.loads(line)
        if visit["status"] is not None:
            pages.update({(finding.code, finding.subject) for finding in judged(visit)})
    assert {(each["code"], each["subject"]): each["pages"] for each in shown["findings"]} == pages
    sniffed = next(each for each in shown["findings"] if each["code"] == "x_content_type_options.missing")
    assert sniffed["fix"].startswith("X-Content-Type-Options: nosniff")
    assert 0 < len(sniffed["sample_urls"]) <= 3
    assert "x_content_type_options.missing" in home.run("show", "1").out


def judged(visit: dict[str, Any]) -> tuple[Finding, ...]:
    answer = received(
        visit["headers"],
        status=visit["status"],
        scheme=visit["url"].split(":")[0],
        malformed=visit["malformed"],
    )
    return judge.judge(answer).findings


@pytest.mark.parametrize(("fail_on", "code"), [("none", 0), ("low", 3), ("info", 3)])
def test_findings_end_a_sweep_with_3_where_that_is_asked_for(home: Home, fail_on: str, code: int) -> None:
    ended = home.run("sweep", "zoo", "--slot", "2026-03-01", "--fail-on", fail_on)
    assert ended.code == code, ended.err
    assert "Findings   " in ended.out


def test_rejudging_asks_the_site_nothing_and_changes_nothing_under_the_same_rules(
    home: Home, site: SiteServer
) -> None:
    site.forget()
    before = home.run("show", "1", "--format", "json").json()["findings"]
    (only,) = home.run("rejudge", "1", "--format", "json").json()["runs"]
    assert (only["run"], only["judged"], only["compared_with"], only["changes"]) == (1, 0, None, [])
    assert home.run("rejudge", "--all").code == home.run("rejudge").code == 0
    assert home.run("rejudge", "1", "--all").code == home.run("rejudge", "999999").code == 2
    assert home.run("show", "1", "--format", "json").json()["findings"] == before
    assert hits(site) == 0


def test_runs_are_listed_newest_first(home: Home) -> None:
    listed = home.run("runs", "--format", "json").json()["runs"]
    numbers = [each["run"] for each in listed]
    assert numbers == sorted(numbers, reverse=True)
    assert listed[-1]["state"] == "finished"
    assert "zoo" in home.run("runs").out


def test_doctor_is_content(home: Home) -> None:
    ended = home.run("doctor", "--format", "json")
    assert ended.code == 0, ended.out
    assert {check["level"] for check in ended.json()["checks"]} <= {"ok", "warn"}


def test_doctor_exits_with_6_when_something_is_wrong(home: Home) -> None:
    broken = home.sites / "broken.toml"
    broken.write_text('name = "broken"\n')
    try:
        ended = home.run("doctor")
    finally:
        broken.unlink()
    assert ended.code == 6
    assert "broken.toml" in ended.out
    misspelt = home.run("doctor", HEADERSWEEP_HOEM="x")
    assert misspelt.code == 6
    assert "HEADERSWEEP_HOEM" in misspelt.out + misspelt.err


def test_the_catalogue_of_events(home: Home) -> None:
    names = {each["event"] for each in home.run("events", "--format", "json").json()["events"]}
    assert {"run.finished", "beat.ticked", "shard.rescued"} <= names


def test_help_names_every_command(home: Home) -> None:
    ended = home.run("--help")
    assert ended.code == 0
    for name in ("sweep", "resume", "export", "sites", "pause", "up", "doctor"):
        assert f"  {name} " in ended.out
    assert home.run("--version").out.startswith("headersweep, version ")


# -- sites -------------------------------------------------------------------------------------------------------


def test_site_files_are_planned_then_applied(home: Home, site: SiteServer) -> None:
    path = _program.site_file(home.sites, site, "second", enabled=False)
    try:
        planned = home.run("sites", "plan")
        assert planned.code == 0
        assert "+ second" in planned.out
        assert "second" not in home.run("sites", "list").out
        applied = home.run("sites", "apply", "--format", "json").json()
        assert applied["applied"]
        assert applied["counts"]["added"] == 1
        shown = home.run("sites", "show", "second", "--format", "json").json()["site"]
        assert (shown["enabled"], shown["source"]) == (False, "file")
        refused = home.run("sweep", "second")
        assert refused.code == 2
        assert "headersweep sites enable second" in refused.err
        assert home.run("sites", "enable", "second").code == 0
        assert "yes" in home.run("sites", "list").out
        assert home.run("sites", "disable", "zoo").code == 0
        assert "~ zoo" in home.run("sites", "plan").out
    finally:
        path.unlink()
    gone = home.run("sites", "apply")
    assert "- second" in gone.out
    after = {each["site"]: each["enabled"] for each in _list(home)}
    assert after == {"zoo": True, "second": False}


def _list(home: Home) -> list[dict[str, object]]:
    return list(home.run("sites", "list", "--format", "json").json()["sites"])


# -- running again -----------------------------------------------------------------------------------------------


def test_a_rerun_of_an_unchanged_site_finds_nothing_new(home: Home) -> None:
    ended = home.run("rerun", "1", "--format", "json", "--fail-on", "drift")
    assert ended.code == 0, ended.err
    run = ended.only_run
    assert run["run"] != 1
    assert run["digest"] == digest_of(home)
    assert (run["new_snapshots"], run["changed_pages"]) == (0, 0)


def test_failed_pages_are_done_again_once_the_site_is_back(home: Home) -> None:
    with SiteServer(pages=21, origins=1, chain=2, shares=CALM) as gone:
        ports = gone.ports
        path = str(_program.site_file(home.folder, gone, "phoenix"))
    ended = home.run("sweep", "--site-file", path, "--slot", "2026-03-01", "--format", "json")
    assert ended.code == 4, ended.err
    number = ended.only_run["run"]
    assert ended.only_run["state"] == "failed"
    with SiteServer(pages=21, origins=1, chain=2, shares=CALM, ports=ports) as back:
        again = home.run("rerun", str(number), "--failed", "--format", "json")
        assert again.code == 0, again.err
        assert (again.only_run["run"], again.only_run["state"]) == (number, "finished")
        assert again.only_run["accounting"]["discovered"] == len(back.truth())
        anew = home.run("sweep", "--site-file", path, "--slot", "2026-03-02", "--format", "json")
    assert anew.only_run["digest"] == again.only_run["digest"]
    with home.database() as connection:
        events = connection.execute("SELECT event_id FROM outbox ORDER BY id").fetchall()
    assert [event for (event,) in events if event.startswith(f"run.finished:{number}:")] == [
        f"run.finished:{number}:1",
        f"run.finished:{number}:2",
    ]


# -- disturbing --------------------------------------------------------------------------------------------------


def test_pause_stops_all_fetching_and_unpause_goes_on(
    home: Home, site: SiteServer, sweeping: Program
) -> None:
    paused = home.run("pause", "--reason", "the tests ask for it")
    try:
        assert paused.code == 0, paused.err
        time.sleep(2.0)
        standing = hits(site)
        time.sleep(2.0)
        assert hits(site) == standing
        assert standing < len(site.truth())
        assert sweeping.process.poll() is None
        assert "the tests ask for it" in sweeping.said()
        number = str(home.run("runs", "--limit", "1", "--format", "json").only_run["run"])
        (why,) = home.run("show", number, "--format", "json").json()["waiting"]
        assert why["kind"] == "paused"
        assert "the tests ask for it" in home.run("show", number).out
        assert home.run("doctor").code == 0
    finally:
        assert home.run("unpause").code == 0
    ended = sweeping.wait()
    assert ended.code == 0, ended.err
    assert ended.only_run["digest"] == digest_of(home)


def test_a_cancelled_run_stops_and_can_be_opened_again(
    home: Home, site: SiteServer, sweeping: Program
) -> None:
    number = home.run("runs", "--limit", "1", "--format", "json").only_run["run"]
    cancelled = home.run("cancel", str(number), "--reason", "wrong site")
    assert cancelled.code == 0, cancelled.err
    assert cancelled.out == f"run {number}: cancelled\n"
    ended = sweeping.wait()
    assert ended.code == 4
    assert ended.only_run["state"] == "cancelled"
    counts = dict(ended.only_run["accounting"])
    assert counts.pop("discovered") == sum(counts.values())
    assert counts["unvisited"] > 0
    assert hits(site) < len(site.truth())
    again = home.run("cancel", str(number))
    assert again.code == 0
    resumed = home.run("resume", str(number), "--reason", "right after all", "--format", "json")
    assert resumed.code == 0, resumed.err
    assert resumed.only_run["digest"] == digest_of(home)
    assert '"event": "run.resumed"' in resumed.err
    actions = home.run("show", str(number), "--format", "json").json()["actions"]
    assert [(each["action"], each["reason"]) for each in actions] == [
        ("cancel", "wrong site"),
        ("resume", "right after all"),
    ]
    assert "right after all" in home.run("runs", "--limit", "1").out


def test_a_rerun_given_twice_at_once_makes_one_run(home: Home) -> None:
    both = [home.start("rerun", "1", "--reason", "twice", "--format", "json") for _ in range(2)]
    ended = [program.wait() for program in both]
    assert [each.code for each in ended] == [0, 0], ended[0].err + ended[1].err
    (run,) = {each.only_run["run"] for each in ended}
    shown = home.run("show", str(run), "--format", "json").json()
    assert (shown["reason"], shown["digest"]) == ("rerun of run 1: twice", digest_of(home))
    assert [each["made_run"] for each in home.run("show", "1", "--format", "json").json()["actions"]][
        -1
    ] == run


def test_failed_pages_put_back_twice_at_once_are_done_once(home: Home) -> None:
    with SiteServer(pages=21, origins=1, chain=2, shares=CALM) as gone:
        ports = gone.ports
        path = str(_program.site_file(home.folder, gone, "griffin"))
    number = home.run("sweep", "--site-file", path, "--format", "json").only_run["run"]
    with SiteServer(pages=21, origins=1, chain=2, shares=CALM, ports=ports, delay=0.1):
        both = [home.start("rerun", str(number), "--failed", "--format", "json") for _ in range(2)]
        ended = [program.wait() for program in both]
    assert [each.code for each in ended] == [0, 0], ended[0].err + ended[1].err
    assert [each.only_run["generation"] for each in ended] == [2, 2]
    assert ended[0].only_run["digest"] == ended[1].only_run["digest"]


# -- up ----------------------------------------------------------------------------------------------------------


def make_due(home: Home) -> None:
    """Let the slot of this minute be due, and free: a slot has one run, whoever asked for it.

    A sweep without --slot takes the second in which it was typed. One in sixty of the sweeps above therefore has the
    slot of a full minute, and the schedule, rightly, makes no second run of it.
    """
    with home.database() as connection:
        connection.execute(
            "UPDATE runs SET slot = slot - id * interval '1 day' WHERE slot >= date_trunc('minute', now())"
        )
        connection.execute(
            """UPDATE sites SET definition = jsonb_set(definition, '{schedule}', '"* * * * *"'),
                                next_slot_at = date_trunc('minute', now()) WHERE name = 'zoo'"""
        )


def finished_by_schedule(home: Home) -> int:
    query = "SELECT count(*) FROM runs WHERE requested_by = 'schedule' AND state = 'finished'"
    with home.database() as connection:
        return int(connection.execute(query).fetchone()[0])  # type: ignore[index]


def test_up_sweeps_what_is_due_and_replaces_what_dies(home: Home) -> None:
    up = home.start("up", HEADERSWEEP_TICK_SECONDS="1")
    _program.until(lambda: up.workers() and up.beats(), what="a worker and a beat")
    make_due(home)
    _program.until(lambda: finished_by_schedule(home) >= 1, what="the run that was due")
    (worker,), (beat,) = up.workers(), up.beats()
    _program.kill([worker, beat])
    _program.until(lambda: up.workers() not in ([], [worker]), what="another worker")
    _program.until(lambda: up.beats() not in ([], [beat]), what="another beat")
    make_due(home)
    _program.until(lambda: finished_by_schedule(home) >= 2, what="the next run that was due")
    successors = [*up.workers(), *up.beats()]
    up.stop(signal.SIGTERM)
    ended = up.wait()
    assert ended.code == 0, ended.err
    _program.all_gone([worker, beat, *successors], 1.0)
    assert set(home.processes()) <= {*home.postgres(), *home.broker()}


def test_db_plans_explains_every_statement_and_compares_with_a_record(home: Home) -> None:
    record = home.folder / "plans.json"
    assert home.run("db", "upgrade").code == 0
    with home.database() as connection:
        # A statement that reads enough to become worse: growth by a few buffers is never called so.
        connection.execute(
            "INSERT INTO heartbeats (name, kind) SELECT 'beat ' || i, 'beat' FROM generate_series(1, 20000) i"
        )
    first = home.run("db", "plans", "--format", "json", "--record", str(record))
    assert first.code == 0, first.err
    found = {plan["name"]: plan for plan in json.loads(first.out)["plans"]}
    assert found["runs.newest"]["executed"]
    assert not found["visits.add"]["executed"]
    again = home.run("db", "plans", "--compare", str(record))
    assert again.code == 0, again.out
    assert "0 worse" in again.out
    worse = json.loads(record.read_text(encoding="utf-8"))
    for plan in worse["plans"]:
        if plan["name"] == "control.list_heartbeats":
            plan |= {"buffers": 1}
    record.write_text(json.dumps(worse), encoding="utf-8")
    changed = home.run("db", "plans", "--compare", str(record))
    assert changed.code == 3
    assert "WORSE: control.list_heartbeats: 1 -> " in changed.out


def test_db_indexes_says_what_to_do(home: Home) -> None:
    ended = home.run("db", "indexes", "--format", "json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["schema_version"] == 1
    assert found["indexes"] > 40
    assert {verdict["kind"] for verdict in found["verdicts"]} >= {"missing"}
    assert all(verdict["todo"] for verdict in found["verdicts"])


def test_db_rehearse_tries_the_newest_migration_on_a_copy_and_writes_its_note(home: Home) -> None:
    note = home.folder / "note.md"
    ended = home.run(
        "db",
        "rehearse",
        "--note",
        str(note),
        "--max-writer-stall",
        "60000",
        "--max-reader-stall",
        "60000",
        "--format",
        "json",
    )
    assert ended.code == 0, ended.out + ended.err
    (result,) = json.loads(ended.out)["rehearsals"]
    assert [step["step"] for step in result["steps"]] == ["up", "down", "up again"]
    assert result["unclean"] == []
    assert result["copy"]["bytes"] > 5_000_000
    assert f"revision file {result['file_hash']}" in note.read_text(encoding="utf-8")
    assert home.run("db", "rehearse", "nonsense").code == 2


def test_db_synthesize_fills_a_database_of_its_own(home: Home) -> None:
    ended = home.run("db", "synthesize", "--visits", "500", "--name", "tried")
    assert ended.code == 0, ended.err
    assert "_synthetic_tried" in ended.out
    twice = home.run("db", "synthesize", "--visits", "500", "--name", "tried")
    assert (twice.code, "is there already" in twice.err) == (2, True)
    assert "dropped" in home.run("db", "synthesize", "--name", "tried", "--drop").out
    assert home.run("db", "synthesize", "--name", "Not-a-word").code == 2
