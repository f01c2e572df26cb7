"""The statements of planning and crawling: sites, runs, shards, origins, frontier, visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import control, facts, frontier, origins, partitions, runs, shards, sites, snapshots, visits
from models.care.statement import Named, hot, hot_with, whole, whole_with

if TYPE_CHECKING:
    from models.care.samples import Samples

LEASE = {"owner": "me", "lease": 12.0}
DEFINITION = {"name": "headersweep-plans", "enabled": False}


def _lease(s: Samples) -> dict[str, Any]:
    return {"ids": [s.shard], "fences": [1], **LEASE}


def _advance(s: Samples) -> dict[str, Any]:
    return {
        "ids": [s.shard],
        "done_uptos": [5],
        "visits": [5],
        "known_uptos": [None],
        "clear_losts": [True],
        "settleds": [True],
        "lease": 12.0,
    }


def _close(s: Samples) -> dict[str, Any]:
    counts = dict.fromkeys(("discovered", *runs.ACCOUNTS, "unvisited"), 0)
    rest = dict.fromkeys(("snapshots", "new_snapshots", "changed_pages"), 0)
    return {"id": s.open_run, "state": "finished", "digest": bytes(32), **counts, **rest}


def _visits(s: Samples) -> dict[str, Any]:
    each: dict[str, Any] = {
        "run_ids": s.open_run,
        "page_ids": None,
        "snapshot_ids": s.snapshot,
        "target_page_ids": None,
        "fetched_ats": s.now,
        "elapsed_mss": 1,
        "age_ss": None,
        "date_offset_ss": None,
        "statuses": 200,
        "outcomes": 1,
        "malformeds": False,
        "unverified_tlss": False,
        "nonce_digests": None,
        "errors": None,
        "facts_ids": None,
    }
    return {name: [value] * len(s.pages) for name, value in each.items()} | {"page_ids": s.many}


SHARDS = (
    hot(
        "shards.claim",
        shards.claim,
        "ix_shards_open",
        lambda _: {**LEASE, "limit": 100, "solo": False, "solo_after": 2},
    ),
    hot("shards.due_count", shards.due_count, "ix_shards_open"),
    hot("shards.soonest", shards.soonest, "ix_shards_open"),
    hot("shards.lock", shards.lock, "pk_shards", lambda s: {"ids": [s.shard]}),
    hot("shards.renew", shards.renew, "pk_shards", _lease),
    hot("shards.grow", shards.grow, "pk_shards", lambda s: {"ids": [s.shard], "counts": [5], "decided": [0]}),
    hot("shards.advance", shards.advance, "pk_shards", _advance),
    hot(
        "shards.release",
        shards.release,
        "pk_shards ix_retries_shard_id_not_before ix_sitemaps_open",
        lambda s: {"ids": [s.shard], "fences": [1], "prepared": [True], "done_uptos": [10], "owner": "me"},
    ),
    hot("shards.lapse", shards.lapse, "pk_shards", lambda s: {"id": s.shard, "fence": 1, "owner": "me"}),
    hot(
        "shards.uncount",
        shards.uncount,
        "frontier_r{part}_pkey pk_shards",
        lambda s: {"run_id": s.open_run, "page_ids": s.many},
    ),
    hot("shards.leased_owners", shards.leased_owners, "ix_shards_open"),
    hot("shards.expire", shards.expire, "ix_shards_open", lambda _: {"owners": ["gone"]}),
    hot(
        "shards.of_run", shards.of_run, "uq_shards_run_id_origin_id_ordinal", lambda s: {"run_id": s.open_run}
    ),
    hot("shards.open_count", shards.open_count, "ix_shards_open", lambda s: {"run_id": s.open_run}),
    whole(
        "shards.insert",
        shards.insert,
        lambda s: {"run_id": s.open_run, "origin_ids": [s.origin], "ordinals": [0], "known_uptos": [None]},
    ),
    whole(
        "shards.insert_first",
        shards.insert_first,
        lambda s: {"run_ids": [s.open_run], "origin_ids": [s.origin], "ordinals": [0], "known_uptos": [None]},
    ),
    whole(
        "shards.mark_suspect",
        shards.mark_suspect,
        lambda s: {"id": s.shard, "page_id": s.pages[0], "fence": 1, **LEASE},
    ),
    whole("shards.clear_quarantined", shards.clear_quarantined, lambda s: {"ids": [s.shard]}),
    whole("shards.reopen", shards.reopen, lambda s: {"run_id": s.run}),
    whole("shards.fence_off", shards.fence_off, lambda s: {"run_id": s.run}),
)

RUNS = (
    hot("runs.lock", runs.lock, "pk_runs", lambda s: {"ids": [s.open_run]}),
    hot("runs.load", runs.load, "pk_runs", lambda s: {"ids": [s.open_run]}),
    hot("runs.start", runs.start, "ix_runs_open", lambda s: {"ids": [s.open_run]}),
    hot("runs.count_planned", runs.count_planned, "pk_runs", lambda s: {"ids": [s.open_run], "counts": [3]}),
    hot("runs.released", runs.released, "ix_runs_queued", lambda _: {"limit": 1000}),
    hot("runs.overtaken", runs.overtaken, "ix_runs_queued"),
    hot(
        "runs.out_of_window", runs.out_of_window, "ix_runs_windowed", lambda s: {"now": s.now, "limit": 1000}
    ),
    hot(
        "runs.set_opening",
        runs.set_opening,
        "pk_runs",
        lambda s: {"ids": [s.open_run], "not_befores": [s.now], "not_afters": [None]},
    ),
    hot_with("runs.open_runs_of", lambda s: runs.open_runs_of([s.site, s.site + 1]), "ix_runs_open"),
    hot_with(
        "runs.create_runs",
        lambda s: runs.create_runs(
            [runs.NewRun(s.site, s.now, s.now, None)], requested_by="schedule", reason=""
        ),
        "pk_sites",
    ),
    hot("runs.finishable", runs.finishable, "ix_runs_open ix_shards_open", lambda _: {"limit": 100}),
    hot("runs.lock_one", runs.lock_one, "pk_runs", lambda s: {"id": s.open_run}),
    hot("runs.newest", runs.newest, "pk_runs"),
    hot_with("runs.run_of_slot", lambda s: runs.run_of_slot(s.site, s.now), "uq_runs_site_id_slot"),
    whole_with(
        "runs.create_run",
        lambda s: runs.create_run(
            site_id=s.site, slot=s.now, definition=DEFINITION, requested_by="plans", reason=""
        ),
    ),
    whole("runs.previous", runs.previous, lambda s: {"site_id": s.site, "id": s.run}),
    whole("runs.close", runs.close, _close),
    whole("runs.reopen", runs.reopen, lambda s: {"id": s.run}),
)

ORIGINS = (
    hot(
        "origins.find",
        origins.find,
        "uq_origins_scheme_host_port",
        lambda s: {"schemes": [s.scheme], "hosts": [s.host], "ports": [s.port]},
    ),
    hot("origins.load", origins.load, "pk_origins", lambda s: {"ids": [s.origin]}),
    hot(
        "origins.reserve",
        origins.reserve,
        "pk_origins",
        lambda s: {"ids": [s.origin], "counts": [1], "gaps": [1.0]},
    ),
    hot("origins.resting", origins.resting, "pk_origins", lambda s: {"ids": [s.origin]}),
    hot(
        "origins.give_back",
        origins.give_back,
        "pk_origins",
        lambda s: {"ids": [s.origin], "endss": [s.now], "seconds": [1.0]},
    ),
    hot(
        "origins.feedback",
        origins.feedback,
        "pk_origins",
        lambda s: {"ids": [s.origin], "rates": [1.0], "levels": [0], "blocks": [0.0]},
    ),
    whole(
        "origins.insert",
        origins.insert,
        lambda s: {"schemes": [s.scheme], "hosts": [s.host], "ports": [s.port]},
    ),
    whole(
        "origins.keep_robots",
        origins.keep_robots,
        lambda s: {"id": s.origin, "status": 200, "body": "", "good": True, "holds": 60.0},
    ),
)

FRONTIER = (
    hot(
        "frontier.page_ids",
        frontier.page_ids,
        "uq_pages_site_id_url_key",
        lambda s: {"site_ids": [s.paged_site], "url_keys": [s.url_key]},
    ),
    hot(
        "frontier.add_rows",
        frontier.add_rows,
        "frontier_r{part}_pkey pk_shards",
        lambda s: {
            "run_ids": [s.open_run] * len(s.pages),
            "page_ids": s.many,
            "shard_ids": [s.shard] * len(s.pages),
            "depths": [1] * len(s.pages),
        },
    ),
    hot(
        "frontier.mark_sitemap",
        frontier.mark_sitemap,
        "pk_sitemaps",
        lambda s: {"run_id": s.open_run, "url_key": s.url_key, "error": "x"},
    ),
    hot(
        "frontier.unmark_sitemaps",
        frontier.unmark_sitemaps,
        "ix_sitemaps_open",
        lambda s: {"shard_ids": [s.shard]},
    ),
    hot(
        "frontier.next_rows",
        frontier.next_rows,
        "frontier_r{part}_shard_id_seq_run_id_key visits_r{part}_pkey pk_retries pk_pages",
        lambda s: {"run_id": s.open_run, "shard_id": s.shard, "after": s.seq, "limit": 100},
    ),
    hot(
        "frontier.due_retries",
        frontier.due_retries,
        "ix_retries_shard_id_not_before pk_pages",
        lambda s: {"shard_id": s.quiet_shard, "limit": 100},
    ),
    hot(
        "frontier.drop_retries",
        frontier.drop_retries,
        "pk_retries",
        lambda s: {"run_ids": [s.run] * len(s.pages), "page_ids": s.many},
    ),
    hot(
        "frontier.known_pages",
        frontier.known_pages,
        "uq_spans_open pk_pages",
        lambda s: {"site_id": s.paged_site, "after": 0, "limit": 100},
    ),
    hot(
        "frontier.open_sitemaps",
        frontier.open_sitemaps,
        "ix_sitemaps_open",
        lambda s: {"shard_id": s.quiet_shard},
    ),
    hot(
        "frontier.forget_sitemaps",
        frontier.forget_sitemaps,
        "pk_sitemaps",
        lambda s: {"low": s.low, "high": s.low + partitions.RUNS_PER_PARTITION},
    ),
    whole(
        "frontier.add_pages",
        frontier.add_pages,
        lambda s: {"site_ids": [s.paged_site], "url_keys": [s.url_key], "urls": ["http://x/"], "depths": [1]},
    ),
    whole(
        "frontier.add_retries",
        frontier.add_retries,
        lambda s: {
            "run_ids": [s.open_run],
            "page_ids": [s.pages[0]],
            "shard_ids": [s.shard],
            "delays": [60.0],
            "attempts": [1],
            "errors": ["timeout"],
        },
    ),
    whole(
        "frontier.add_sitemaps",
        frontier.add_sitemaps,
        lambda s: {
            "run_id": s.open_run,
            "shard_id": s.shard,
            "depth": 0,
            "url_keys": [s.url_key],
            "urls": ["http://x/"],
            "cap": 50,
        },
    ),
    whole(
        "frontier.close_sitemap",
        frontier.close_sitemap,
        lambda s: {"run_id": s.run, "url_key": s.url_key, "entries": 1, "error": None},
    ),
    whole("frontier.count_of_run", frontier.count_of_run, lambda s: {"run_id": s.run}),
)

VISITS = (
    hot(
        "visits.drop_failed",
        visits.drop_failed,
        "visits_r{part}_pkey",
        lambda s: {"run_id": s.open_run, "outcomes": [6]},
    ),
    whole("visits.add", visits.add, _visits),
    whole("visits.any_kept", visits.any_kept, lambda s: {"run_id": s.run}),
    whole("visits.outcomes_of_run", visits.outcomes_of_run, lambda s: {"run_id": s.run}),
    whole("visits.snapshots_of_run", visits.snapshots_of_run, lambda s: {"run_id": s.run}),
    whole(
        "visits.fold", visits.fold, lambda s: {"run_id": s.run, "olds": [s.snapshot], "news": [s.snapshot]}
    ),
    whole("visits.digest_rows", visits.digest_rows, lambda s: {"run_id": s.run}),
    whole(
        "visits.start_pages_fetched",
        visits.start_pages_fetched,
        lambda s: {"run_id": s.run, "site_id": s.paged_site, "url_keys": [s.url_key]},
    ),
    hot("visits.ages_of_run", visits.ages_of_run, "pk_pages", lambda s: {"run_id": s.run}),
    hot("runs.slots", runs.slots, "pk_runs", lambda s: {"ids": [s.run, s.open_run]}),
    hot(
        "snapshots.blocks", snapshots.blocks, "pk_snapshots", lambda s: {"ids": [s.snapshot, s.snapshot + 1]}
    ),
    hot("facts.ids", facts.ids, "uq_body_facts_facts_hash", lambda s: {"hashes": [s.facts_hash]}),
    hot("facts.load", facts.load, "pk_body_facts", lambda _: {"ids": [1, 2]}),
    whole(
        "facts.add",
        facts.add,
        lambda s: {"hashes": [s.facts_hash], "canonicals": ['{"version": "facts/1"}']},
    ),
    hot("snapshots.ids", snapshots.ids, "uq_snapshots_content_hash", lambda s: {"hashes": [s.content_hash]}),
    whole(
        "snapshots.add",
        snapshots.add,
        lambda s: {"hashes": [s.content_hash], "canonicals": ["headers/1"], "raws": [b"x"]},
    ),
)

SITES = (
    hot_with("sites.set_next_slots", lambda s: sites.set_next_slots({s.site: s.now}), "pk_sites"),
    hot_with("sites.due_sites", lambda s: sites.due_sites(s.now, 100), "ix_sites_due"),
    hot("sites.masks", sites.masks, "pk_site_masks", lambda s: {"site_ids": [s.site]}),
    hot(
        "sites.snapshots_of_site", sites.snapshots_of_site, "pk_site_snapshots", lambda s: {"site_id": s.site}
    ),
    hot_with("sites.get_site", lambda s: sites.get_site(s.site_name), "uq_sites_name"),
    hot_with("sites.set_enabled", lambda s: sites.set_enabled(s.site, s.now, enabled=True), "pk_sites"),
    whole("sites.list_sites", sites.list_sites),
    whole("sites.lock_sites", sites.lock_sites),
    whole_with("sites.disable_sites", lambda s: sites.disable_sites([s.site])),
    whole_with("sites.upsert_file_sites", lambda s: sites.upsert_file_sites([DEFINITION], [s.now])),
    whole_with("sites.upsert_adhoc_site", lambda _: sites.upsert_adhoc_site(DEFINITION)),
    whole(
        "sites.add_masks",
        sites.add_masks,
        lambda s: {
            "site_ids": [s.site],
            "names": ["x-pod"],
            "run_ids": [s.run],
            "distincts": [51],
            "responses": [60],
        },
    ),
    whole(
        "sites.keep_snapshots",
        sites.keep_snapshots,
        lambda s: {"site_id": s.site, "run_id": s.run, "snapshot_ids": [s.snapshot]},
    ),
)

CONTROL = (
    hot_with(
        "control.anything_due",
        lambda _: control.anything_due("tick", 60.0),
        "ix_runs_open ix_sites_due ix_outbox_waiting ix_probes_waiting",
    ),
    whole("control.is_paused", control.is_paused),
    whole("control.switch_state", control.switch_state),
    whole("control.list_heartbeats", control.list_heartbeats),
    whole_with("control.pause", lambda _: control.pause(changed_by="plans", reason="")),
    whole_with("control.unpause", lambda _: control.unpause(changed_by="plans", reason="")),
    whole_with(
        "control.record_heartbeat",
        lambda s: control.record_heartbeat(name=s.heartbeat, kind="worker", detail={}),
    ),
    whole_with("control.forget_heartbeat", lambda s: control.forget_heartbeat(s.heartbeat)),
    whole_with("control.forget_heartbeats", lambda _: control.forget_heartbeats(86_400.0)),
    whole_with("control.take_turn", lambda _: control.take_turn("plans", 60.0)),
    whole_with("control.shorten_turn", lambda _: control.shorten_turn("plans", 60.0)),
    hot_with("partitions.droppable", lambda _: partitions.droppable(90), "pk_runs"),
    hot_with("partitions.lock_runs", lambda s: partitions.lock_runs(s.low), "pk_runs"),
)

STATEMENTS: tuple[Named, ...] = (*SHARDS, *RUNS, *ORIGINS, *FRONTIER, *VISITS, *SITES, *CONTROL)
