"""The statements of probes, nonces, comparisons and notes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from models import comparisons, hardening, nonces, notes, probes, selfcheck
from models.care.statement import Named, hot, whole

if TYPE_CHECKING:
    from models.care.samples import Samples

OWNER = {"owner": "me"}
ONE = "uq_probes_one_at_an_origin"
KEYED = "uq_probes_run_id_kind_key_step"


def _of_run(s: Samples) -> dict[str, Any]:
    return {"run_id": s.run}


def _settled(_: Samples) -> dict[str, Any]:
    answer = {"status": 200, "raw": b"", "error": None, "evidence": None, "elapsed_ms": 1}
    return {"id": 7, "fence": 1, "state": "answered", **OWNER, **answer}


def _planted(s: Samples) -> dict[str, Any]:
    many = {
        "origin_ids": [s.origin],
        "kinds": ["cors"],
        "keys": ["x"],
        "steps": [0],
        "gaps": [1.0],
        "requests": ["{}"],
    }
    return {"run_id": s.run, "site_id": s.site, "requested_by": "plans", **many}


def _note(s: Samples) -> dict[str, Any]:
    words = (
        "kind",
        "title",
        "owner",
        "command",
        "reason",
        "metric",
        "expected_result",
        "actual_result",
        "rollback",
        "stored_by",
        "body",
    )
    known = {"site_id": s.site, "run_before": s.previous, "run_after": s.run, "slug": "2026-01-01-plans"}
    return {
        **dict.fromkeys(words, "plans"),
        **known,
        "written": date(2026, 1, 1),
        "complete": True,
        "files": [],
        "content_hash": bytes(32),
    }


PROBES = (
    hot(
        "probes.claim",
        probes.claim,
        "ix_probes_waiting pk_origins pk_runs",
        lambda _: {**OWNER, "lease": 12.0, "limit": 20},
    ),
    hot("probes.due_count", probes.due_count, "ix_probes_waiting"),
    hot("probes.soonest", probes.soonest, "ix_probes_waiting"),
    # With so many kinds the few that wait are fewer than those of a run, as the planner sees it; either way is short.
    hot("probes.workable_count", probes.workable_count, "ix_probes_waiting", lambda s: {"run_ids": [s.run]}),
    hot(
        "probes.renew", probes.renew, ONE, lambda _: {"ids": [7, 8], "fences": [1, 1], "lease": 12.0, **OWNER}
    ),
    hot("probes.settle", probes.settle, f"{ONE} {KEYED}", _settled),
    hot(
        "probes.put_back",
        probes.put_back,
        ONE,
        lambda _: {"id": 7, "fence": 1, "delay": 1.0, "refund": 0, **OWNER},
    ),
    hot("probes.give_up", probes.give_up, "ix_probes_waiting"),
    hot("probes.leased_owners", probes.leased_owners, ONE),
    hot("probes.free", probes.free, ONE, lambda _: {"owners": ["gone"]}),
    hot("probes.of_run", probes.of_run, KEYED, _of_run),
    hot("probes.counts", probes.counts, KEYED, lambda s: {"run_ids": [s.run, s.run + 1]}),
    hot(
        "probes.candidates",
        probes.candidates,
        "pk_run_sets pk_pages pk_snapshots",
        lambda s: {"run_id": s.open_run, "limit": 500},
    ),
    hot("probes.forget", probes.forget, f"{KEYED} ix_baselines_run_id", lambda _: {"high": 100}),
    whole("probes.plant", probes.plant, _planted),
)

OTHERS = (
    hot("nonces.drop", nonces.drop, "pk_run_nonces", _of_run),
    hot("nonces.earlier", nonces.earlier, "pk_runs uq_runs_site_id_slot", lambda s: {"run_id": s.open_run}),
    hot("nonces.of_run", nonces.of_run, "pk_run_nonces", _of_run),
    whole("nonces.add", nonces.add, lambda s: {"run_id": s.run, "earlier": [s.previous]}),
    hot(
        "comparisons.last_by",
        comparisons.last_by,
        "uq_runs_site_id_slot",
        lambda s: {"site_id": s.site, "at": s.now},
    ),
    hot(
        "comparisons.start_from_spans",
        comparisons.start_from_spans,
        "uq_pages_site_id_url_key pk_spans pk_snapshots",
        lambda s: {"site_id": s.paged_site, "url_key": s.url_key, "run_id": s.open_run},
    ),
    whole("comparisons.latency", comparisons.latency, _of_run),
    hot("notes.of_slug", notes.of_slug, "uq_notes_slug", lambda _: {"slug": "2026-01-01-note-7"}),
    whole("notes.of_all", notes.of_all),
    whole("notes.put", notes.put, _note),
    whole("hardening.secret_urls", hardening.secret_urls, lambda s: {"run_id": s.run, "limit": 5}),
    whole("hardening.unverified", hardening.unverified, _of_run),
    hot("selfcheck.late_promises", selfcheck.late_promises, "ix_outbox_waiting"),
    whole("selfcheck.scheduled_sites", selfcheck.scheduled_sites),
    whole("selfcheck.definitions", selfcheck.definitions),
)

STATEMENTS: tuple[Named, ...] = (*PROBES, *OTHERS)
