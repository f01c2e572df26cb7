"""From targets to runs: finds or makes their sites, and has the runs of one slot planned in one transaction."""

from __future__ import annotations

import dataclasses
import getpass
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli import targets
from headersweep import settings as settings_module
from headersweep.definition import SiteDefinition
from headersweep.errors import ConfigurationError, UsageError
from headersweep.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cli.targets import Options


@dataclass(frozen=True)
class Wanted:
    """One target: a site's name to look up, or a definition made from a URL or read from a file."""

    name: str
    definition: SiteDefinition | None = None
    is_url: bool = False


@dataclass(frozen=True)
class Chosen:
    """A site that exists, and the definition that this run shall carry."""

    site_id: int
    definition: SiteDefinition
    is_adhoc: bool


@dataclass(frozen=True)
class Enlisted:
    """A run of the slot."""

    run_id: int
    site: str
    created: bool


def wanted(given: Sequence[str], site_file: str | None, folder: str = "") -> list[Wanted]:
    """What the command line asks for, checked as far as that goes without a server; ``folder`` is that of the site files."""
    if site_file is not None:
        definition = targets.from_file(site_file)
        others = [name for name in given if name != definition.name]
        if others:
            raise UsageError(f"--site-file {site_file} describes {definition.name!r}, not {others[0]!r}")
        return [Wanted(definition.name, definition)]
    if not given:
        raise UsageError(
            "name a site or an http(s) URL to sweep, as in: headersweep sweep https://your.site/"
        )
    return list(dict.fromkeys(_wanted(target, folder) for target in given))


def _wanted(target: str, folder: str) -> Wanted:
    if not targets.is_url(target):
        return Wanted(target)
    definition = targets.adhoc(target, folder)
    return Wanted(definition.name, definition, is_url=True)


def refuse_unknown(targets_wanted: Sequence[Wanted], settings: Settings) -> None:
    """Refuse names before any server is started, where no server was ever started that could know them."""
    if not settings_module.embedded(settings):
        return
    from cli import embedded

    if embedded.status(Path(settings.home)) is None:
        for item in targets_wanted:
            if item.definition is None:
                raise targets.unknown_site(item.name, [], settings.sites)


def choose(
    connection: Connection, targets_wanted: Sequence[Wanted], options: Options, folder: str
) -> list[Chosen]:
    """The sites of the targets, each once; sites for URLs are made here."""
    found = [_choose(connection, item, options, folder) for item in targets_wanted]
    return list({item.site_id: item for item in found}.values())


def _choose(connection: Connection, item: Wanted, options: Options, folder: str) -> Chosen:
    from models import sites

    row = connection.execute(sites.get_site(item.name)).one_or_none()
    if item.definition is None:
        if row is None:
            known = [site.name for site in connection.execute(sites.list_sites())]
            raise targets.unknown_site(item.name, known, folder)
        if not row.enabled:
            raise UsageError(
                f"the site {item.name} is disabled; `headersweep sites enable {item.name}` changes that"
            )
        definition = targets.with_options(SiteDefinition.from_json(row.definition), options)
        return Chosen(row.id, definition, row.source == "adhoc")
    definition = targets.with_options(item.definition, options)
    if row is not None and row.source == "file" and not item.is_url:
        return Chosen(row.id, definition, is_adhoc=False)
    return _adhoc_site(connection, definition, is_url=item.is_url)


def _adhoc_site(connection: Connection, definition: SiteDefinition, *, is_url: bool) -> Chosen:
    """The site for a URL; where a site file owns that name, the URL gets a name that says what it is."""
    from models import sites

    for name in (definition.name, f"url:{definition.name}"[: targets.MAX_NAME]):
        named = dataclasses.replace(definition, name=name)
        site_id = connection.scalar(sites.upsert_adhoc_site(named.as_json()))
        if site_id is not None:
            return Chosen(site_id, named, is_url)
    raise ConfigurationError(f"a site file owns the names {definition.name} and url:{definition.name}")


def plan(engine: Engine, chosen: Sequence[Chosen], slot: datetime, reason: str) -> list[Enlisted]:
    """The runs of the slot, created and seeded unless they exist."""
    from scheduler import planning

    by, enlisted = operator(), []
    with engine.begin() as connection:
        # Always in the same order: two commands at once wait for each other instead of deadlocking.
        for item in sorted(chosen, key=lambda item: item.site_id):
            ensured = planning.ensure_run(
                connection,
                site_id=item.site_id,
                definition=item.definition,
                slot=slot,
                requested_by=by,
                reason=reason,
            )
            enlisted.append((item.site_id, Enlisted(ensured.run_id, item.definition.name, ensured.created)))
    for _, run in enlisted:
        if run.created:
            planning.log_created(
                run_id=run.run_id, site_name=run.site, slot=slot, requested_by=by, reason=reason
            )
    by_site = dict(enlisted)
    return [by_site[item.site_id] for item in chosen]


def operator() -> str:
    """Who typed the command, as kept in the record; an account without a name is known by its number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
