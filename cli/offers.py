"""After a change: the command that writes a note on it, with what is known filled in, or the note itself at once.

One line on stderr and never a question, so that it is in nobody's way in cron.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from headersweep import sitediff
from headersweep.errors import HeadersweepError
from headersweep.notes import NoteKind
from headersweep.sitediff import ChangeKind, SiteChange

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from headersweep.policies import Waiver
    from headersweep.sitefiles import SiteFile
    from review.policy.baseline import Baseline

Flags = dict[str, Any]
"""Flags of ``headersweep note new``, without those that nothing is known for."""

MOST_NAMED = 3

note_flag = click.option(
    "--note", "with_note", is_flag=True, help="Write a note on it at once, in place of telling how to."
)


def make(engine: Engine, flags: Flags, *, at_once: bool) -> None:
    """Tell the command that writes a note on a change that was made, or write the note."""
    from cli import context, notes

    if not at_once:
        context.notice(f"A note on it: {notes.offer(_typed(flags))}")
        return
    try:
        context.notice(_written(engine, flags))
    except HeadersweepError as error:
        raise HeadersweepError(f"the change was made, but no note was written: {error}") from error


def _typed(flags: Flags) -> list[tuple[str, str]]:
    """Each flag as it is typed, those that may be given again one by one."""
    return [
        (name, str(item))
        for name, value in flags.items()
        for item in (value if isinstance(value, tuple) else (value,))
        if item
    ]


def _written(engine: Engine, flags: Flags) -> str:
    from cli import notes, notewriting

    made = notewriting.made(notewriting.with_defaults(flags), engine)
    found, is_new = notes.write(notes.folder(None), made)
    stored = notewriting.announce(found, is_new=is_new, engine=engine)
    return notewriting.said(found, is_new=is_new, stored=stored)


# --- sites -------------------------------------------------------------------------------------------------------


def of_sites(
    connection: Connection, files: Sequence[SiteFile], changes: Sequence[SiteChange], command: str
) -> Flags | None:
    """The note on applied site files; None where nothing changed. A single new waiver tells why by itself."""
    changed = [change for change in changes if change.kind is not ChangeKind.UNCHANGED]
    if not changed:
        return None
    by_name = {file.definition.name: file for file in files}
    paths = tuple(by_name[change.name].path for change in changed if change.name in by_name)
    flags: Flags = {"kind": str(NoteKind.SITES), "title": _title(changed), "command": command, "file": paths}
    if len(changed) == 1 and changed[0].kind is not ChangeKind.DISABLED:
        flags |= _of_site(connection, changed[0].name)
    waivers = _new_waivers(changed, by_name)
    if waivers:
        flags |= {"kind": str(NoteKind.WAIVER)}
    return flags | _of_waiver(*waivers[0]) if len(waivers) == 1 else flags


def _title(changed: Sequence[SiteChange]) -> str:
    named = [f"{change.name} {change.kind}" for change in changed[:MOST_NAMED]]
    more = [f"{len(changed) - MOST_NAMED} more"] if len(changed) > MOST_NAMED else []
    return f"sites apply: {', '.join(named + more)}"


def _of_site(connection: Connection, name: str) -> Flags:
    """The site, and its last run before the change, where there is one."""
    from models import baselines, sites

    row = connection.execute(sites.get_site(name)).one()
    run_id = connection.scalar(baselines.newest_judged(), {"site_id": row.id})
    return {"site": name, "before": run_id}


def _new_waivers(changed: Sequence[SiteChange], files: Mapping[str, SiteFile]) -> list[tuple[str, Waiver]]:
    return [
        (change.name, waiver)
        for change in changed
        if change.name in files
        for waiver in files[change.name].definition.policy.waivers
        if change.kind is ChangeKind.ADDED or _is_new(change, waiver)
    ]


def _is_new(change: SiteChange, waiver: Waiver) -> bool:
    return any(
        difference.key == sitediff.waiver_key(waiver) and difference.old is None
        for difference in change.differences
    )


def _of_waiver(site: str, waiver: Waiver) -> Flags:
    return {
        "title": f"{site}: waiver for {waiver.label}",
        "site": site,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expected": f"{waiver.label} is excused on {site} until {waiver.expires} and fails nothing",
        "rollback": waiver.rollback_note,
    }


# --- baselines ---------------------------------------------------------------------------------------------------


def of_baseline(site: str, before: int | None, approved: Baseline) -> Flags:
    """The note on an approved run, compared with the one that was approved before."""
    return {
        "kind": str(NoteKind.BASELINE),
        "title": f"{site}: run {approved.run_id} is the baseline",
        "site": site,
        "before": None if before == approved.run_id else before,
        "after": approved.run_id,
        "owner": approved.owner,
        "reason": approved.reason,
        "command": f"headersweep baseline approve {approved.run_id}",
        "expected": f"what later runs find beyond run {approved.run_id} is new, until {approved.expires}",
        "rollback": approved.rollback_note,
    }


# --- the schema --------------------------------------------------------------------------------------------------


def of_upgrade(old: str, new: str) -> Flags:
    """The note on a database that was brought to another revision."""
    from models import migrate

    steps = migrate.between(old, new)
    notes_of_steps = ", ".join(f"docs/migrations/{step.revision}.md" for step in reversed(steps))
    return {
        "kind": str(NoteKind.MIGRATION),
        "title": f"database from revision {old} to {new}",
        "command": "headersweep db upgrade",
        "file": tuple(step.path for step in steps),
        "reason": " ".join(step.summary for step in steps),
        "metric": (f"revision: {old} -> {new}",),
        "expected": f"`headersweep db current` prints revision {new}",
        "actual": f"`headersweep db upgrade` printed revision {new}",
        "rollback": f"Follow **Rollback** in {notes_of_steps}, in this order; the target is revision {old}.",
    }
