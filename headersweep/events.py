"""The catalogue of log events: what each means, what it always carries, and which alert uses it.

An event's name is ``noun.past_verb``, a literal in the code. Names and fields are a contract with whoever watches
the logs: adding is free, renaming is a breaking change. docs/events.md is generated from this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Its level is ``error`` only when a person must act."""

    name: str
    level: Level
    meaning: str
    always: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the code, its name in the output, and what it holds."""

    name: str
    output: str
    meaning: str


CONTEXT_FIELDS = ("run_id", "site_name", "task_id", "worker_name")
"""Fields that are bound around a unit of work, so that any event may carry them."""

_FIELDS = (
    # Stable names of OpenTelemetry, where they exist.
    Field("url_full", "url.full", "The page's URL, without fragment and credentials."),
    Field("status_code", "http.response.status_code", "HTTP status of the answer."),
    Field("error_type", "error.type", "Class of an error, or the failure reason of a page."),
    Field("error_detail", "error.message", "The error in words; secrets are cut out."),
    Field("server_address", "server.address", "Address or socket a server listens on."),
    Field("server_port", "server.port", "Port a server listens on."),
    Field("service_version", "service.version", "Version of headersweep."),
    Field("process_id", "process.pid", "Process that the event is about."),
    Field("exit_code", "process.exit.code", "How that process ended; below zero: the signal."),
    Field("event_id", "event.id", "The same for every repetition of one event: count these, not lines."),
    # Ours.
    Field("run_id", "run.id", "The run."),
    Field("site_name", "site.name", "The site."),
    Field("slot", "run.slot", "The instant the run was due for."),
    Field("until", "until", "The instant at which it goes on."),
    Field("state", "run.state", "State of the run after the event."),
    Field("digest", "run.digest", "Digest of the run: equal digests, equal results."),
    Field("generation", "run.generation", "How often the run was closed and opened again, from 1."),
    Field("requested_by", "run.requested_by", "Who or what asked for it."),
    Field("reason", "reason", "Why, in words or as one of the reasons in docs/states.md."),
    Field("origin", "origin.url", "Scheme, host and port."),
    Field("shard_id", "shard.id", "The shard."),
    Field("attempts", "shard.attempts", "How often the shard was claimed without progress."),
    Field("fence", "shard.fence", "Fencing number of the lease."),
    Field("page_id", "page.id", "The page."),
    Field("task_id", "task.id", "The Celery task."),
    Field("worker_name", "worker.name", "The worker process."),
    Field("component", "service.component", "Part of the program: up, worker, beat, sweep."),
    Field("snapshot_hash", "snapshot.hash", "Content hash of the snapshot, in hex."),
    Field("header_name", "header.name", "Name of a header; never its value."),
    Field("values", "header.values", "How many distinct values of it were seen."),
    Field("responses", "header.responses", "In how many responses it was seen."),
    Field("pages", "pages", "Pages that were visited."),
    Field("failed", "failed", "Pages that could not be fetched."),
    Field("snapshots", "snapshots", "Distinct sets of headers."),
    Field("new_snapshots", "new_snapshots", "Sets of headers never seen before."),
    Field("changed_pages", "changed_pages", "Pages whose set differs from the run before."),
    Field("rules_version", "rules_version", "Version of the rules that judged."),
    Field("high", "findings.high", "Causes of that severity."),
    Field("medium", "findings.medium", "Causes of that severity."),
    Field("low", "findings.low", "Causes of that severity."),
    Field("info", "findings.info", "Causes of that severity."),
    Field("sets", "sets", "Header sets that the event is about."),
    Field("shards", "shards", "Shards that were held."),
    Field("discovered", "discovered", "Pages that were found, whatever became of them."),
    Field("missing", "missing", "Pages without an outcome."),
    Field("sites", "sites", "Sites that were changed."),
    Field("added", "added", "Sites that are new."),
    Field("changed", "changed", "Sites whose definition changed."),
    Field("disabled", "disabled", "Sites whose file is gone, or says so."),
    Field("unchanged", "unchanged", "Sites that stayed as they were."),
    Field("due_shards", "due_shards", "Shards that wait for a worker."),
    Field("planned", "planned", "Runs that were planned."),
    Field("finished", "finished", "Runs that were closed."),
    Field("rescued", "rescued", "Shards whose lease had run out."),
    Field("server_name", "server.name", "The embedded server: postgres or broker."),
    Field("revision", "db.revision", "Revision of the database."),
    Field("partition", "db.partition", "A partition; its number is the lowest run id in it."),
    Field("retention_days", "retention_days", "How long visits are kept."),
    Field("delay_seconds", "delay_seconds", "How long nothing is asked of the origin."),
    Field("duration_ms", "duration_ms", "How long it took."),
    Field("probes", "probes", "Probes that the event is about."),
    Field("probe_kind", "probe.kind", "What a probe is for: a key of the table [probes] in site files."),
    Field("answered", "probes.answered", "Probes that got an answer, whatever its status."),
    Field("unanswered", "probes.unanswered", "Probes that got none."),
    Field("message", "message", "A library's own words; secrets are cut out."),
    Field("logger", "logger", "The library's logger."),
)

FIELDS: dict[str, Field] = {row.name: row for row in _FIELDS}

_EVENTS = (
    # The program.
    Event(
        "service.started",
        "info",
        "A long-running part of the program is ready.",
        always=("component", "service_version", "process_id"),
    ),
    Event(
        "service.stopped",
        "info",
        "A long-running part of the program ended on request.",
        always=("component", "process_id"),
        optional=("duration_ms", "reason"),
    ),
    Event(
        "worker.replaced",
        "warning",
        "A worker process died or stopped answering; a new one took its place. Its shards come back by their leases.",
        always=("reason",),
        optional=("process_id", "exit_code"),
        alert="More than 3 in 10 minutes: the machine lacks memory, or a page kills the worker.",
    ),
    Event(
        "server.started",
        "info",
        "An embedded server is ready.",
        always=("server_name",),
        optional=("server_address", "server_port", "process_id", "duration_ms"),
    ),
    Event(
        "server.stopped",
        "info",
        "An embedded server was stopped.",
        always=("server_name",),
        optional=("process_id", "duration_ms"),
    ),
    Event(
        "server.recovered",
        "warning",
        "An embedded server had been killed; it started again with everything that was committed.",
        always=("server_name",),
        optional=("process_id", "reason", "duration_ms"),
        alert="Again and again: somebody or the kernel kills it.",
    ),
    Event(
        "migration.finished",
        "info",
        "The database is at the revision that this program needs.",
        always=("revision",),
        optional=("duration_ms",),
    ),
    Event(
        "library.logged",
        "info",
        "A library logged something; the line keeps the library's own level.",
        always=("message", "logger"),
        alert="At level error: read the message; nothing of a run is lost by it.",
    ),
    Event(
        "partition.dropped",
        "info",
        "The visits or the frontier of runs that ended before the retention time were dropped. Spans and snapshots stay.",
        always=("partition", "retention_days"),
        optional=("duration_ms",),
    ),
    Event(
        "partition.postponed",
        "info",
        "A partition past retention is in use; it is tried again in a minute.",
        always=("partition",),
        alert="For a day: a forgotten transaction (an export through a pager, a back-up) holds the table.",
    ),
    # The clock.
    Event(
        "beat.ticked",
        "info",
        "A worker took the beat's message and planned what was due. It is the sign of life of beat, broker and worker.",
        always=("planned", "duration_ms"),
        optional=("finished", "rescued", "due_shards"),
        alert="None for 5 minutes: no sweep is being planned.",
    ),
    Event(
        "tick.failed",
        "warning",
        "A tick could not do its work; the next one tries again.",
        always=("error_type",),
        optional=("error_detail", "duration_ms"),
        alert="3 in a row: the database is out of reach or at the wrong revision.",
    ),
    Event(
        "doorbell.unanswered",
        "warning",
        "The broker did not take a message. Nothing is lost: the next tick rings again.",
        always=("error_type",),
        optional=("error_detail",),
        alert="For 5 minutes: look after Redis; sweeps wait.",
    ),
    Event(
        "ping.unanswered",
        "warning",
        "The dead-man's switch could not be told of a finished run. The run is not harmed.",
        always=("run_id", "error_type"),
        optional=("status_code",),
        alert="None needed: the switch itself raises the alarm when it hears nothing.",
    ),
    Event(
        "sweeps.paused",
        "warning",
        "The kill switch was pressed: nothing is fetched until it is released.",
        always=("requested_by",),
        optional=("reason",),
        alert="Paused for longer than anybody meant to.",
    ),
    Event(
        "sweeps.resumed",
        "info",
        "The kill switch was released.",
        always=("requested_by",),
        optional=("reason",),
    ),
    Event(
        "sites.applied",
        "info",
        "The site files were taken over, all or none.",
        always=("sites",),
        optional=("requested_by", "duration_ms", "added", "changed", "disabled", "unchanged"),
    ),
    Event(
        "site.enabled",
        "info",
        "A site is swept again by its schedule.",
        always=("site_name", "requested_by"),
    ),
    Event(
        "site.disabled",
        "info",
        "A site is swept no more until it is enabled; what was kept stays.",
        always=("site_name", "requested_by"),
    ),
    Event(
        "baseline.approved",
        "info",
        "Somebody approved what a run of a site showed; what later runs find beyond it is new.",
        always=("site_name", "run_id", "requested_by"),
    ),
    Event(
        "baseline.dropped",
        "info",
        "A site has no approved state any longer.",
        always=("site_name", "run_id", "requested_by"),
    ),
    Event(
        "site.postponed",
        "error",
        "What is kept about a site cannot be read, so it is not planned; it is looked at again in an hour.",
        always=("site_name", "error_detail"),
        alert="Any: run `headersweep sites apply`, or look whether an older program runs beside a newer one.",
    ),
    # A run.
    Event(
        "run.created",
        "info",
        "A run exists for this site and slot; asking again for the same slot makes no other.",
        always=("run_id", "site_name", "slot", "requested_by"),
        optional=("reason",),
    ),
    Event(
        "run.skipped",
        "warning",
        "A slot came while an earlier run of the site was still at work, so it got no run (reason `overlap`; "
        "`queue_full` where slots wait for each other and too many do).",
        always=("site_name", "slot", "reason", "run_id"),
        alert="Again and again: the schedule is tighter than a sweep lasts.",
    ),
    Event(
        "slots.missed",
        "warning",
        "Slots of a site, from the named one on, were missed and are not caught up, as its `catch_up` says.",
        always=("site_name", "slot", "reason"),
        alert="Everything was down or paused for longer than the sites' policies make up for.",
    ),
    Event(
        "run.released",
        "info",
        "A run that waited for earlier runs of its site may be worked on now, or when its splay and window say.",
        always=("run_id",),
    ),
    Event(
        "run.rested",
        "info",
        "The site's window closed over a run that has not ended; it goes on when the window opens again.",
        always=("run_id", "site_name", "until"),
    ),
    Event(
        "run.started",
        "info",
        "The first shard of the run was claimed.",
        always=("run_id",),
        optional=("site_name", "slot"),
    ),
    Event(
        "run.finished",
        "info",
        "The run reached a final state. Emitted once per event id, by the transaction that closed the run, "
        "and again under the same id if the program died before the line was out.",
        always=(
            "event_id",
            "run_id",
            "site_name",
            "slot",
            "state",
            "pages",
            "failed",
            "snapshots",
            "new_snapshots",
            "changed_pages",
            "digest",
            "duration_ms",
        ),
        optional=("generation", "discovered"),
        alert="None for a site within twice its schedule; or run.state is failed.",
    ),
    Event(
        "run.resumed",
        "info",
        "An operator let an unfinished run go on, or opened a cancelled one again; once for each operator and reason.",
        always=("run_id", "requested_by"),
        optional=("site_name", "generation", "reason"),
    ),
    Event(
        "run.reopened",
        "info",
        "A closed run was opened again for its failed pages.",
        always=("run_id", "pages", "requested_by"),
        optional=("site_name", "generation", "reason"),
    ),
    Event(
        "run.cancelled",
        "info",
        "An operator ended the run; what was fetched stays.",
        always=("run_id", "requested_by"),
        optional=("site_name", "reason"),
    ),
    Event(
        "run.recounted",
        "warning",
        "Pages of the run had no outcome when it should have been closed; its shards are looked at once more.",
        always=("run_id", "missing"),
        optional=("site_name",),
        alert="Any: it should not happen. The run heals itself; tell the maintainers.",
    ),
    Event(
        "run.stuck",
        "error",
        "A run cannot go on, or cannot be closed, because of a defect. It is tried again now and then; others go on.",
        always=("run_id", "error_type"),
        alert="Any: tell the maintainers, with the traceback of this line.",
    ),
    Event(
        "run.judged",
        "info",
        "A closed run was judged: how many causes it shows, each by the worst severity that it has on any page. Once "
        "when the run is closed; again where a command found header sets that these rules had not judged yet. Not "
        "promised by the outbox: a process that dies in between leaves the judging to whoever asks for the run next.",
        always=("run_id", "rules_version", "high", "medium", "low", "info"),
        alert="high above 0, where nobody reads reports.",
    ),
    Event(
        "run.unjudged",
        "error",
        "A defect kept header sets of a closed run (0: all of them) from being judged. The run stays closed, the other sets "
        "are judged; it is tried again when somebody asks for the run.",
        always=("run_id", "error_type", "sets"),
        alert="Any: tell the maintainers, with the traceback of this line.",
    ),
    # Probes.
    Event(
        "probes.planted",
        "info",
        "Requests beyond the pages of a run wait to be made, because its site or somebody asks for them.",
        always=("run_id", "probes"),
    ),
    Event(
        "probes.unplanted",
        "error",
        "A defect kept the probes of one kind from being chosen. The run is closed without them.",
        always=("run_id", "probe_kind", "error_type"),
        alert="Any: tell the maintainers, with the traceback of this line.",
    ),
    Event(
        "probe.answered",
        "debug",
        "A probe was answered, whatever the status.",
        always=("run_id", "probe_kind", "url_full", "status_code", "duration_ms"),
    ),
    Event(
        "probe.failed",
        "info",
        "A probe was not answered, or nobody may make it any more. That is data about the site, not an error of ours.",
        always=("run_id", "probe_kind", "reason"),
        optional=("url_full",),
    ),
    Event(
        "probe.rescued",
        "info",
        "A probe whose holder is gone was taken back; it is made again unless it was its third time.",
        always=("run_id", "probe_kind"),
    ),
    Event(
        "probe.lost",
        "warning",
        "What came of a probe could not be kept; it is made again when its lease ends.",
        always=("run_id", "probe_kind", "error_type"),
        alert="Many at once: the database is slow or away.",
    ),
    Event(
        "probe.crashed",
        "error",
        "A defect of ours ended a probe. It counts as failed; the others go on.",
        always=("run_id", "probe_kind", "error_type"),
        alert="Any: tell the maintainers, with the traceback of this line.",
    ),
    Event(
        "probes.abandoned",
        "warning",
        "The probes of a process were given up; their leases run out and others go on.",
        always=("error_type",),
        alert="More than 3 in 10 minutes.",
    ),
    Event(
        "probes.finished",
        "info",
        "No probe of the run waits any more. Two that end at once may both say so.",
        always=("run_id", "answered", "unanswered"),
    ),
    # Shards and slices.
    Event(
        "shard.claimed",
        "debug",
        "A slice holds the shard's lease.",
        always=("shard_id",),
        optional=("run_id", "origin", "attempts", "fence"),
    ),
    Event(
        "shard.released",
        "debug",
        "A slice gave the shard's lease back.",
        always=("shard_id",),
        optional=("run_id", "origin", "pages", "fence"),
    ),
    Event(
        "shard.lost",
        "warning",
        "The lease ran out or was taken over; what was not committed is fetched again by the next holder.",
        always=("shard_id",),
        optional=("run_id", "origin", "pages", "fence", "reason"),
        alert="Many at once: the database is slow, or machines are overloaded.",
    ),
    Event(
        "shard.crashed",
        "error",
        "A defect of ours ended the work on a shard. It counts as a lost lease; after three, the page at fault is quarantined.",
        always=("shard_id", "run_id", "error_type"),
        alert="Any: tell the maintainers, with the traceback of this line.",
    ),
    Event(
        "shard.rescued",
        "info",
        "A shard whose holder is gone was found; the doorbell rings for it.",
        always=("shard_id",),
        optional=("run_id", "origin", "attempts"),
    ),
    Event(
        "slice.started",
        "debug",
        "A crawl.slice task began.",
        always=("shards",),
    ),
    Event(
        "slice.finished",
        "info",
        "A crawl.slice task ended and gave back its shards.",
        always=("pages", "shards", "duration_ms"),
        optional=("failed", "snapshots"),
    ),
    Event(
        "slice.abandoned",
        "warning",
        "A crawl.slice task gave up; its leases run out and others go on.",
        always=("error_type",),
        optional=("error_detail", "shards", "pages", "duration_ms"),
        alert="More than 3 in 10 minutes.",
    ),
    # Pages.
    Event(
        "page.fetched",
        "debug",
        "A page answered, whatever the status.",
        always=("url_full", "status_code"),
        optional=("run_id", "duration_ms", "snapshot_hash"),
    ),
    Event(
        "page.failed",
        "debug",
        "A page could not be fetched. That is data about the site, not an error of ours.",
        always=("url_full", "reason"),
        optional=("run_id", "error_detail", "duration_ms", "attempts"),
    ),
    Event(
        "sitemap.quarantined",
        "warning",
        "A sitemap took down the worker three times; its pages are not taken from it in this run.",
        always=("run_id", "url_full"),
        alert="Any.",
    ),
    Event(
        "page.quarantined",
        "error",
        "A page took down the worker three times; it is left out until somebody has looked at it.",
        always=("page_id", "run_id"),
        optional=("url_full", "shard_id", "attempts"),
        alert="Any.",
    ),
    Event(
        "snapshot.created",
        "debug",
        "A set of headers was seen for the first time.",
        always=("snapshot_hash",),
        optional=("run_id", "url_full"),
    ),
    Event(
        "header.masked",
        "info",
        "A header differs on nearly every response of the site; its value no longer counts.",
        always=("run_id", "header_name", "values", "responses"),
        optional=("site_name",),
    ),
    # Origins.
    Event(
        "origin.backed_off",
        "info",
        "The origin asked for less (429, 503) or kept failing; nothing is asked of it for a while.",
        always=("origin", "delay_seconds"),
        optional=("run_id", "status_code", "reason"),
    ),
    Event(
        "origin.failed",
        "info",
        "The origin is down for this run; its remaining pages fail without being asked for.",
        always=("origin", "reason"),
        optional=("run_id", "pages", "error_detail"),
    ),
)

CATALOGUE: dict[str, Event] = {row.name: row for row in _EVENTS}


def checked(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Stored fields as keywords of the event ``name``; ValueError if they are not what the catalogue promises."""
    event = CATALOGUE[name]
    missing = set(event.always) - set(fields)
    unknown = set(fields) - set(event.always) - set(event.optional) - set(CONTEXT_FIELDS)
    if missing or unknown:
        raise ValueError(f"{name}: missing {sorted(missing)}, not in the catalogue {sorted(unknown)}")
    return dict(fields)


def as_markdown() -> str:
    """The text of docs/events.md."""
    context = ", ".join(f"`{FIELDS[name].output}`" for name in CONTEXT_FIELDS)
    return "\n".join(
        (
            "# Log events",
            "",
            "Generated from `headersweep/events.py`; a test compares the two.",
            "",
            "Every line carries `timestamp` (UTC), `level` and `event`. `error` means that a person must act: a site",
            "that is down is data. Header and cookie values never stand in a log line. Within a unit of work every",
            f"line also carries what is known of {context}.",
            "",
            *(line for event in CATALOGUE.values() for line in _event_lines(event)),
            "## Fields",
            "",
            "| field | what it holds |",
            "| --- | --- |",
            *(f"| `{row.output}` | {row.meaning} |" for row in FIELDS.values()),
            "",
        )
    )


def _event_lines(event: Event) -> list[str]:
    return [
        f"## `{event.name}`",
        "",
        f"Level {event.level}. {event.meaning}",
        "",
        f"- always: {_outputs(event.always)}",
        *([f"- sometimes: {_outputs(event.optional)}"] if event.optional else []),
        *([f"- alert: {event.alert}"] if event.alert else []),
        "",
    ]


def _outputs(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{FIELDS[name].output}`" for name in names) or "nothing more"
