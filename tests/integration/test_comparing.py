"""Two runs read back for a comparison: from visits, and past retention from what is kept for good."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text

from cli import comparing as cli_comparing
from cli import report
from headersweep import urls
from headersweep.errors import UsageError
from headersweep.states import Outcome
from models import engine as engines
from review.comparing import Latency, Share, Turn
from scheduler import comparing, judging
from tests.integration.test_drift import BARE, SURE, Answers, History

pytestmark = pytest.mark.database

START = "https://example.com/"
HOUR = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def history(connection: Connection) -> History:
    return History(connection)


def kept(history: History, run_id: int, *elapsed: int) -> int:
    """The run with its header sets made, and how long its answers took."""
    for ordinal, ms in enumerate(elapsed):
        history.connection.execute(
            text("""UPDATE visits SET elapsed_ms = :ms WHERE run_id = :run_id AND page_id =
                    (SELECT page_id FROM visits WHERE run_id = :run_id ORDER BY page_id OFFSET :ordinal LIMIT 1)"""),
            {"ms": ms, "run_id": run_id, "ordinal": ordinal},
        )
    judging.make_sets(history.connection, run_id)
    return run_id


def nosniff(history: History, run_id: int) -> Share:
    side = comparing.side(history.connection, run_id)
    assert side is not None
    return next(one.pages for one in side.coverage if one.name == "nosniff")


def test_coverage_is_the_same_past_retention_and_latency_is_unknown(history: History) -> None:
    answers: Answers = {"/": (SURE, 200), "/a": (SURE, 200), "/b": (BARE, 200), "/c": Outcome.FAILED}
    run_id = kept(history, history.run(answers), 10, 20, 900)
    assert nosniff(history, run_id) == Share(2, 3)
    assert comparing.timing(history.connection, run_id)[0] == Latency(3, 20, 900, 900)
    history.forget_visits()
    assert nosniff(history, run_id) == Share(2, 3)
    assert comparing.timing(history.connection, run_id) == (None, None)


def test_what_failed_is_not_counted_as_slow(history: History) -> None:
    run_id = kept(history, history.run({"/": (BARE, 200), "/a": Outcome.FAILED}), 7, 60_000)
    assert comparing.timing(history.connection, run_id)[0] == Latency(1, 7, 7, 7)


def test_answers_from_a_cache_are_counted_where_a_cache_said_so(history: History) -> None:
    run_id = kept(history, history.run({"/": (BARE, 200), "/a": (BARE, 200), "/b": (BARE, 200)}), 7, 7, 7)
    assert comparing.timing(history.connection, run_id)[1] is None
    history.connection.execute(
        text("UPDATE visits SET age_s = CASE WHEN page_id = :page THEN 9 ELSE 0 END"),
        {"page": history.page("/")},
    )
    assert comparing.timing(history.connection, run_id)[1] == Share(1, 3)


def test_a_run_whose_sets_were_never_kept_is_counted_from_its_spans_and_never_taken_for_an_empty_one(
    history: History,
) -> None:
    run_id = history.run({"/": (BARE, 200)})
    history.forget_visits()
    side = comparing.side(history.connection, run_id)
    assert side is not None
    assert side.pages == 1
    history.connection.execute(text("DELETE FROM spans"))
    assert comparing.side(history.connection, run_id) is None


def test_a_start_page_is_known_from_its_span_unless_it_redirected(history: History) -> None:
    page = urls.parse(START)
    assert page is not None
    history.page("/")
    history.connection.execute(text("UPDATE pages SET url_key = :key"), {"key": page.key})
    first = history.run({"/": (BARE, 200)}, start_urls=[START])
    second = history.run({"/": (BARE, 301)}, start_urls=[START])
    history.forget_visits()
    (answer,) = comparing.start_answers(history.connection, first)
    assert (answer.url, answer.status) == (START, 200)
    assert comparing.start_answers(history.connection, second) == ()


def test_times_name_the_last_runs_that_were_over_by_then(history: History) -> None:
    first, second, third = (history.run({"/": (BARE, 200)}) for _ in range(3))
    for hour, run_id in ((1, first), (2, second), (3, third)):
        history.connection.execute(
            text("UPDATE runs SET finished_at = :at WHERE id = :id"),
            {"at": HOUR.replace(hour=hour), "id": run_id},
        )
    runs = cli_comparing.at_times(
        history.connection, "docs", HOUR.replace(hour=1), HOUR.replace(hour=2, minute=59)
    )
    assert [run.run_id for run in runs] == [first, second]


def test_times_between_which_nothing_ran_are_refused(history: History) -> None:
    run_id = history.run({"/": (BARE, 200)})
    with pytest.raises(UsageError, match="had come to its end by"):
        cli_comparing.at_times(history.connection, "docs", HOUR, HOUR.replace(hour=12))
    with pytest.raises(UsageError, match=f"run {run_id} of docs is the last one at both times"):
        cli_comparing.at_times(history.connection, "docs", HOUR.replace(hour=11), HOUR.replace(hour=12))


def test_a_cancelled_run_is_no_state_of_the_site(history: History) -> None:
    run_id = history.run({"/": (BARE, 200)})
    history.run({"/": (SURE, 200)}, state="cancelled")
    site_id = history.site_id
    assert comparing.last_by(history.connection, site_id, HOUR.replace(hour=23)) == run_id


@pytest.mark.parametrize("said", ["yesterday", "2026-13-01"])
def test_a_time_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="is no ISO 8601 time"):
        cli_comparing.moment("--before", said)


def test_the_command_compares_runs_past_retention_and_says_what_is_not_known_any_more(database: str) -> None:
    engine = engines.connect(database)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        with engine.begin() as connection:
            history = History(connection)
            old, new = (kept(history, history.run({"/": (headers, 200)}), 10) for headers in (BARE, SURE))
            lost = history.run({"/": (BARE, 200)})
            connection.execute(text("DELETE FROM visits"))
            runs = [report.find_run(connection, run_id) for run_id in (old, new, lost)]
        found = cli_comparing.comparison(engine, runs[0], runs[1])
        assert [one.cause.code for one in found.turned if one.turn is Turn.CLOSED] == [
            "x_content_type_options.missing"
        ]
        assert (found.before.latency, found.after.latency) == (None, None)
        with pytest.raises(UsageError, match=f"the header sets of run {lost} are not known"):
            cli_comparing.comparison(engine, runs[1], runs[2])
