"""The statements of closing, judging, comparing and reporting runs."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from models import actions, baselines, drift, outbox, redirects, reports, reviews, spans
from models.care.statement import Named, hot, hot_with, whole, whole_with

if TYPE_CHECKING:
    from models.care.samples import Samples

JUDGED = "uq_judgements_snapshot_id_status_scheme_facts_id_rules_version"


def _of_run(s: Samples) -> dict[str, Any]:
    return {"run_id": s.run}


def _rules(s: Samples) -> dict[str, Any]:
    return {"run_id": s.run, "rules_version": s.rules_version}


def _span(s: Samples) -> dict[str, Any]:
    return {"site_id": s.site, "run_id": s.run, "previous": s.previous}


def _two_runs(s: Samples) -> dict[str, Any]:
    return {"old": s.previous, "new": s.run, "since": s.previous}


def _unjudged(s: Samples) -> dict[str, Any]:
    return {**_rules(s), "snapshot_id": 0, "status": 0, "scheme": "", "facts_id": 0, "limit": 100}


SPANS = (
    hot("spans.history", spans.history, "pk_spans", lambda s: {"page_ids": s.many, "until": s.open_run}),
    hot(
        "spans.between",
        spans.between,
        "uq_pages_site_id_url_key",
        lambda s: {"site_id": s.site, "since": s.previous, "until": s.open_run},
    ),
    whole("spans.open_new", spans.open_new, lambda s: {"site_id": s.site, "run_id": s.run}),
    whole("spans.close_changed", spans.close_changed, _span),
    whole("spans.close_vanished", spans.close_vanished, _span),
    whole(
        "spans.fold", spans.fold, lambda s: {"site_id": s.site, "olds": [s.snapshot], "news": [s.snapshot]}
    ),
)

OUTBOX = (
    hot("outbox.forget", outbox.forget, "pk_outbox", lambda _: {"limit": 1000, "days": 90}),
    hot("outbox.waiting", outbox.waiting, "ix_outbox_waiting", lambda _: {"limit": 100}),
    whole(
        "outbox.add", outbox.add, lambda _: {"event_id": "plans", "event": "run.finished", "payload": "{}"}
    ),
    whole("outbox.mark_emitted", outbox.mark_emitted, lambda _: {"ids": [1]}),
)

BASELINES = (
    hot("baselines.of_site", baselines.of_site, "uq_baselines_site_id", lambda s: {"site_id": s.site}),
    hot("baselines.drop", baselines.drop, "uq_baselines_site_id", lambda s: {"site_id": s.site}),
    hot(
        "baselines.newest_judged",
        baselines.newest_judged,
        "uq_runs_site_id_slot",
        lambda s: {"site_id": s.site},
    ),
    whole("baselines.of_all", baselines.of_all),
    whole(
        "baselines.approve",
        baselines.approve,
        lambda s: {
            "site_id": s.site,
            "run_id": s.run,
            "expires": date(2100, 1, 1),
            **dict.fromkeys(("owner", "reason", "rollback_note", "approved_by"), "plans"),
        },
    ),
)

ACTIONS = (
    hot("actions.of_run", actions.of_run, "uq_run_actions_once", _of_run),
    hot_with("actions.last_of", lambda s: actions.last_of([s.run, s.run + 1]), "uq_run_actions_once"),
    hot(
        "actions.was_done",
        actions.was_done,
        "uq_run_actions_once",
        lambda s: {"run_id": s.run, "generation": 1, "action": "resume"},
    ),
    hot("actions.open_rerun", actions.open_rerun, "uq_run_actions_once ix_runs_open", _of_run),
    whole(
        "actions.add",
        actions.add,
        lambda s: {
            "run_id": s.run,
            "made_run_id": None,
            "generation": 1,
            "action": "resume",
            "asked_by": "plans",
            "reason": "",
        },
    ),
)

REVIEWS = (
    hot("redirects.drop", redirects.drop, "pk_run_redirects", _of_run),
    hot("redirects.of_run", redirects.of_run, "pk_run_redirects pk_pages", _of_run),
    whole("redirects.add", redirects.add, _of_run),
    hot("reviews.drop_sets", reviews.drop_sets, "pk_run_sets", _of_run),
    hot("reviews.sets_add_up", reviews.sets_add_up, "pk_run_sets pk_runs", _of_run),
    hot("reviews.count_sets", reviews.count_sets, "pk_run_sets", _of_run),
    hot(
        "reviews.sets_of_run",
        reviews.sets_of_run,
        "pk_run_sets pk_snapshots pk_runs pk_site_snapshots",
        _of_run,
    ),
    hot("reviews.sample_urls", reviews.sample_urls, "pk_pages", lambda s: {"page_ids": s.many}),
    hot("reviews.unjudged", reviews.unjudged, f"pk_run_sets pk_snapshots {JUDGED}", _unjudged),
    hot("reviews.judgements_of_run", reviews.judgements_of_run, f"pk_run_sets {JUDGED}", _rules),
    hot("reviews.judgements_before", reviews.judgements_before, f"pk_run_sets {JUDGED}", _rules),
    hot(
        "reviews.answers_from",
        reviews.answers_from,
        "uq_pages_site_id_url_key visits_r{part}_pkey pk_pages pk_snapshots",
        lambda s: {"site_id": s.paged_site, "url_key": s.url_key, "run_id": s.open_run},
    ),
    hot(
        "reviews.findings_of",
        reviews.findings_of,
        "pk_findings",
        lambda s: {"judgement_ids": list(s.judgements)},
    ),
    whole("reviews.add_sets", reviews.add_sets, _of_run),
    whole(
        "reviews.add_judgements",
        reviews.add_judgements,
        lambda s: {
            "rules_version": s.rules_version,
            "snapshot_ids": [s.snapshot],
            "statuses": [200],
            "schemes": [s.scheme],
            "facts_ids": [0],
            "response_classes": ["document"],
            "judgeds": [True],
        },
    ),
    whole(
        "reviews.add_findings",
        reviews.add_findings,
        lambda s: {
            "judgement_ids": [s.judgements[0]],
            "ordinals": [1],
            "codes": ["csp.missing"],
            "severities": ["high"],
            "subjects": [""],
            "evidences": [""],
            "details": [""],
        },
    ),
)

DRIFT = (
    hot(
        "drift.from_spans",
        drift.from_spans,
        "uq_pages_site_id_url_key pk_spans",
        lambda s: {"site_id": s.site, **_two_runs(s)},
    ),
    hot(
        "drift.sets_from_spans",
        drift.sets_from_spans,
        "uq_pages_site_id_url_key pk_spans",
        lambda s: {"site_id": s.site, "run_id": s.run},
    ),
    hot(
        "drift.snapshots_by_id",
        drift.snapshots_by_id,
        "pk_snapshots",
        lambda s: {"ids": [s.snapshot + i for i in range(20)]},
    ),
    hot(
        "drift.since",
        drift.since,
        "uq_runs_site_id_slot",
        lambda s: {"site_id": s.site, "run_id": s.open_run, "limit": 5},
    ),
    hot(
        "drift.previous",
        drift.previous,
        "uq_runs_site_id_slot",
        lambda s: {"site_id": s.site, "run_id": s.open_run},
    ),
    whole("drift.from_visits", drift.from_visits, _two_runs),
    whole("drift.sets_from_visits", drift.sets_from_visits, lambda s: {"site_id": s.site, "run_id": s.run}),
)

REPORTS = (
    hot_with("reports.resting", lambda s: reports.resting([s.open_run]), "ix_runs_open pk_sites"),
    hot(
        "reports.held_up",
        reports.held_up,
        "uq_shards_run_id_origin_id_ordinal",
        lambda s: {"run_id": s.open_run, "limit": 6},
    ),
    hot_with(
        "reports.progress",
        lambda s: reports.progress([s.open_run]),
        "uq_shards_run_id_origin_id_ordinal pk_runs",
    ),
    hot_with("reports.runs_list", lambda _: reports.runs_list(None, 20), "pk_runs"),
    hot_with("reports.run_summary", lambda s: reports.run_summary(s.run), "pk_runs"),
    hot("reports.newest_unfinished", reports.newest_unfinished, "ix_runs_open"),
    hot_with("reports.closed_runs", lambda _: reports.closed_runs(1), "pk_runs"),
    hot_with("reports.snapshots_around", lambda s: reports.snapshots_around(s.run), "pk_site_snapshots"),
    hot_with("reports.masks_of_site", lambda s: reports.masks_of_site(s.site), "pk_site_masks"),
    hot_with("reports.sitemaps_of_run", lambda s: reports.sitemaps_of_run(s.run), "pk_sitemaps"),
    hot_with("reports.snapshot", lambda s: reports.snapshot(s.snapshot), "pk_snapshots"),
    whole_with("reports.answer_counts", lambda s: reports.answer_counts(s.run)),
    whole_with("reports.snapshots_of_run", lambda s: reports.snapshots_of_run(s.run)),
    whole_with("reports.sample_urls", lambda s: reports.sample_urls(s.run)),
    whole_with("reports.troubles_by_reason", lambda s: reports.troubles_by_reason(s.run)),
    whole_with("reports.export_rows", lambda s: reports.export_rows(s.run)),
)

STATEMENTS: tuple[Named, ...] = (*SPANS, *OUTBOX, *BASELINES, *ACTIONS, *REVIEWS, *DRIFT, *REPORTS)
