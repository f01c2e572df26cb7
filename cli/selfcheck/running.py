"""Items about how the deployment runs: logs, retention, clocks, heartbeats, the kill switch, promises that wait."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.selfcheck.place import Check, Place
from headersweep.checklist import Area, Item, Looked, fail, ok, unknown
from models import control, reports, selfcheck

MAX_SKEW_SECONDS = 5.0
OLD_BEAT_SECONDS = 60.0
LONG_PAUSE_HOURS = 24.0
READABLE = ("auto", "json", "logfmt", "ecs")


def log_format(place: Place) -> Looked:
    """Whether a log pipeline can read what is written."""
    wanted = place.settings.log
    said = f"HEADERSWEEP_LOG={wanted}"
    return ok(said) if wanted in READABLE else fail(f"{said}: made for eyes, not for a pipeline")


def log_level(place: Place) -> Looked:
    """Whether the events that monitoring counts are written, and no more than these."""
    said = f"HEADERSWEEP_LOG_LEVEL={place.settings.log_level}"
    if place.settings.log_level == "debug":
        return fail(f"{said}: a line for every page")
    if place.settings.log_level != "info":
        return fail(
            f"{said}: run.finished and beat.ticked are not written, so nobody sees that sweeps stopped"
        )
    return ok(said)


def retention(place: Place) -> Looked:
    """Whether visits are dropped some day."""
    days = place.settings.retention_days
    return (
        ok(f"visits are kept for {days} days")
        if days
        else fail("HEADERSWEEP_RETENTION_DAYS=0: visits are kept for good")
    )


def dead_mans_switch(place: Place) -> Looked:
    """Whether somebody outside notices when everything stops."""
    if place.settings.ping_url:
        return ok("HEADERSWEEP_PING_URL is told of every finished run")
    return unknown(
        "HEADERSWEEP_PING_URL is not set; an alert on missing beat.ticked and run.finished does as well"
    )


def clock(place: Place) -> Looked:
    """Whether this machine and the database agree about the time."""
    apart = abs((datetime.now(UTC) - place.row(reports.clock())[0]).total_seconds())
    said = f"{apart:.1f} s apart from the database's clock"
    return ok(said) if apart <= MAX_SKEW_SECONDS else fail(said)


def beat(place: Place) -> Looked:
    """Whether somebody plans what is due."""
    scheduled = place.row(selfcheck.scheduled_sites()).sites
    if not scheduled:
        return ok("no site has a schedule")
    return _alive(place, ("beat", "worker"), f"{scheduled} sites have a schedule")


def _alive(place: Place, kinds: tuple[str, ...], why: str) -> Looked:
    """Both plan: the beat by its tasks, every worker by its own timer."""
    ages = [float(row.age_seconds) for row in place.rows(control.list_heartbeats()) if row.kind in kinds]
    if not ages:
        return fail(f"{why}; neither a beat nor a worker was ever seen")
    said = f"{why}; the last sign of life was {min(ages):.0f} s ago"
    return ok(said) if min(ages) <= OLD_BEAT_SECONDS else fail(said)


def pause(place: Place) -> Looked:
    """Whether the kill switch was forgotten."""
    rows = place.rows(control.switch_state())
    if not rows or not rows[0].paused:
        return ok("not paused")
    since: datetime = rows[0].changed_at
    hours = (datetime.now(UTC) - since).total_seconds() / 3600
    said = f"paused by {rows[0].changed_by} for {hours:.1f} hours: {rows[0].reason or 'nobody said why'}"
    return ok(said) if hours <= LONG_PAUSE_HOURS else fail(said)


def promises(place: Place) -> Looked:
    """Whether promised log events wait for somebody to write them."""
    waiting = place.row(selfcheck.late_promises()).waiting
    if waiting:
        return fail(f"{waiting} promised events wait for longer than ten minutes: nobody ticks")
    return ok("no promised event waits")


CHECKS = (
    Check(
        Item(
            "self.log_format", Area.LOGGING, "Logs can be read by a pipeline",
            "HEADERSWEEP_LOG", f"one of {', '.join(READABLE)}", "set it back", "unset HEADERSWEEP_LOG, or json",
        ),
        log_format,
    ),
    Check(
        Item(
            "self.log_level", Area.LOGGING, "The events that monitoring counts are logged",
            "HEADERSWEEP_LOG_LEVEL", "info", "set it back", "unset HEADERSWEEP_LOG_LEVEL",
        ),
        log_level,
    ),
    Check(
        Item(
            "self.retention", Area.LOGGING, "Visits are dropped after a time",
            "HEADERSWEEP_RETENTION_DAYS", "more than 0", "set it back to 0; what was dropped does not come back",
            "unset HEADERSWEEP_RETENTION_DAYS (90 days), or as long as you need them",
        ),
        retention,
    ),
    Check(
        Item(
            "self.dead_mans_switch", Area.LOGGING, "Silence raises an alarm",
            "HEADERSWEEP_PING_URL", "a switch outside of this deployment, or an alert on silence that somebody declares",
            "unset HEADERSWEEP_PING_URL_FILE", "HEADERSWEEP_PING_URL_FILE with the URL of a check; docs/production.md",
        ),
        dead_mans_switch,
    ),
    Check(
        Item(
            "self.clock", Area.LOGGING, "The machines agree about the time",
            "this machine's clock beside the database's", f"at most {MAX_SKEW_SECONDS:.0f} s apart",
            "nothing to undo", "let both keep time by NTP",
        ),
        clock,
    ),
    Check(
        Item(
            "self.planning", Area.LOGGING, "Somebody plans the sites that have a schedule",
            "heartbeats of beats and workers", f"one within {OLD_BEAT_SECONDS:.0f} s",
            "stop it again", "start the beat or a worker, `headersweep up`, or let cron sweep and drop the schedules",
        ),
        beat,
    ),
    Check(
        Item(
            "self.pause", Area.LOGGING, "Nobody forgot the kill switch",
            "the switch, and since when it is turned", f"not paused for more than {LONG_PAUSE_HOURS:.0f} hours",
            "headersweep pause", "headersweep unpause",
        ),
        pause,
    ),
    Check(
        Item(
            "self.promises", Area.LOGGING, "Every promised event was written",
            "the outbox", "nothing older than ten minutes", "nothing to undo", "start a worker or a beat: each of their ticks writes them",
        ),
        promises,
    ),
)  # fmt: skip
