"""Witnesses of the model: each takes one safeguard away, and the model must notice within its usual examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from headersweep.states import FINAL_STATES
from models import frontier, shards, visits
from tests.integration import _model
from tests.integration._lab import Lab
from worker.commit import Committed, Committer, ShardBatch


def without(statement: Callable[[], TextClause], words: str, instead: str = "") -> Callable[[], TextClause]:
    """A statement with something taken out of it."""
    whole = statement()
    assert words in whole.text, "the witness knows the statement that it breaks"
    values = {name: bound.value for name, bound in whole._bindparams.items() if not bound.required}
    return lambda: text(whole.text.replace(words, instead)).bindparams(**values)


def noticed(lab: Lab, *, by: str | type[Exception], committer: type[Committer] = Committer) -> None:
    """The model fails, for the reason that is meant."""
    expected, match = (AssertionError, by) if isinstance(by, str) else (by, None)
    with pytest.raises(expected, match=match):
        run_state_machine_as_test(_model.sweep(lab, committer), settings=_model.MODEL_SETTINGS)


class Unfenced(Committer):
    """Writes whatever it has where somebody, whoever that is, holds the lease."""

    def _locked(
        self, connection: Connection, batches: list[ShardBatch], answer: Committed, learnt: Any
    ) -> list[ShardBatch]:
        super()._locked(connection, batches, answer, learnt)
        leased = connection.execute(text("SELECT id FROM shards WHERE lease_owner IS NOT NULL")).scalars()
        going = {run_id for run_id, row in learnt.runs.items() if row.state not in FINAL_STATES}
        shard_ids = set(leased)
        live = [batch for batch in batches if batch.held.id in shard_ids and batch.held.run_id in going]
        answer.lost -= {batch.held.id for batch in live}
        return live


def test_a_commit_that_does_not_compare_the_fencing_number_is_noticed(lab: Lab) -> None:
    noticed(lab, by="a commit says which leases are lost", committer=Unfenced)


def test_frontier_rows_numbered_without_a_look_at_the_top_are_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "add_rows", without(frontier.add_rows, "s.top + row_number", "row_number"))
    noticed(lab, by=IntegrityError)


def test_visits_without_their_conflict_clause_are_noticed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "add", without(visits.add, "ON CONFLICT (run_id, page_id) DO NOTHING"))
    noticed(lab, by=IntegrityError)


def test_a_run_that_is_closed_without_another_look_is_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "open_count", without(shards.open_count, "state = 'open'", "false"))
    noticed(lab, by="work that goes on is left alone|has no lease|has no shard left")


def test_a_claim_that_does_not_ask_for_the_lease_is_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())"
    monkeypatch.setattr(shards, "claim", without(shards.claim, asked))
    noticed(lab, by="a shard has one live lease")


def test_a_cancelled_run_whose_workers_keep_their_lease_is_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = "fence = fence + 1, lease_owner = NULL, lease_until = NULL"
    monkeypatch.setattr(shards, "fence_off", without(shards.fence_off, everything, "fence = fence"))
    noticed(lab, by="a closed run has no lease")


def test_a_low_water_mark_that_runs_ahead_is_noticed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = "greatest(s.done_upto, least(a.done_upto, s.top))"
    monkeypatch.setattr(shards, "advance", without(shards.advance, mark, "s.top"))
    noticed(lab, by="every row up to done_upto has a visit")


def test_a_repeated_commit_whose_visits_count_twice_is_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = "DO UPDATE SET run_id = excluded.run_id"
    monkeypatch.setattr(visits, "add", without(visits.add, "DO NOTHING", kept))
    noticed(lab, by="the counter of visits counts them")


def test_a_shard_that_is_done_and_grows_without_being_opened_again_is_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "grow", without(shards.grow, "state = 'open',"))
    noticed(lab, by=IntegrityError)
