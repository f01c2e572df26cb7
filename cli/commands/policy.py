"""``headersweep policy``: what profiles demand, and what a changed policy would find."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cli.report import Run
    from headersweep.definition import SiteDefinition


@click.group(short_help="What profiles demand, and what a changed policy would find.")
def policy() -> None:
    """Look at the built-in profiles, and try a site's policy on what is stored before it is applied."""


@policy.command(name="list")
@options.as_format
def list_profiles(shape: str) -> None:
    """List the built-in profiles."""
    from cli import output
    from cli.render import policies as render

    output.emit(render.profiles_json() if shape == "json" else render.profiles_text())


@policy.command()
@click.argument("profile")
@options.as_format
def show(profile: str, shape: str) -> None:
    """Show what PROFILE demands of which answers, where that stands, and what it leaves out."""
    from cli import output
    from cli.render import policies as render
    from headersweep.errors import UsageError
    from headersweep.policies import Profile
    from review.policy import profiles

    if profile not in list(Profile):
        raise UsageError(f"there is no profile {profile!r}; there are {', '.join(Profile)}")
    found = profiles.PROFILES[Profile(profile)]
    output.emit(render.profile_json(found) if shape == "json" else render.profile_text(found))


@policy.command(name="try")
@click.argument("site")
@click.option(
    "--site-file",
    metavar="PATH",
    help="The site file to try, instead of the one in the folder of site files.",
)
@click.option(
    "--run", "run_id", type=click.IntRange(min=1), help="The run to judge, instead of the site's newest."
)
@options.as_format
def try_policy(site: str, site_file: str | None, run_id: int | None, shape: str) -> None:
    """Judge a stored run of SITE by the policy in its site file, and show which findings would come and go.

    Nothing is fetched and nothing is changed. The comparison is with the policy that the run carried.
    """
    from cli import context, output
    from cli.render import policies as render
    from review.policy import applying, scopes, trying
    from scheduler import policies

    wanted = _wanted(site, site_file)
    with context.database() as database, database.engine.connect() as connection:
        run, carried = _run(connection, site, run_id)
        today = policies.today(connection)
        sets = policies.header_sets(connection, run.run_id, scopes.zones(carried, wanted.policy))
        others = policies.others(connection, run.run_id)
    _refuse_dropped(run, sets)
    before, after = (applying.apply(one, sets, today, None, others) for one in (carried, wanted.policy))
    changes = trying.compare(before, after)
    tried = render.Tried(
        run, sum(one.pages for one in sets), len(sets), carried.profile, wanted.policy.profile, changes
    )
    output.emit(render.tried_json(tried) if shape == "json" else render.tried_text(tried))


def _wanted(site: str, site_file: str | None) -> SiteDefinition:
    """What the site's file says now; read before anything is started, so that mistakes show at once."""
    from cli import context, targets
    from headersweep import sitefiles
    from headersweep.errors import UsageError
    from review import table

    if site_file is not None:
        definition = targets.from_file(site_file)
        if definition.name != site:
            raise UsageError(f"--site-file {site_file} describes {definition.name!r}, not {site!r}")
        return definition
    folder = context.settings().sites
    for file in sitefiles.load(Path(folder), table.RULES):
        if file.definition.name == site:
            return file.definition
    raise UsageError(f"no file in {folder} describes {site!r}; --site-file names another")


def _run(connection: Connection, site: str, run_id: int | None) -> tuple[Run, Any]:
    """The run to judge, and the policy that it carried."""
    from cli import known, report
    from headersweep.errors import UsageError
    from models import baselines, reports
    from scheduler import policies

    if run_id is None:
        row = known.site(connection, site)
        newest = connection.execute(baselines.newest_judged(), {"site_id": row.id}).scalar_one_or_none()
        if newest is None:
            raise UsageError(f"no run of {site} was finished yet; `headersweep sweep {site}` makes one")
        run_id = int(newest)
    run = report.find_run(connection, run_id)
    if run.site != site:
        raise UsageError(f"run {run_id} is one of {run.site}, not of {site}")
    if not run.is_final:
        raise UsageError(f"run {run_id} is not over yet ({run.state})")
    definition = connection.execute(reports.run_summary(run_id)).one().definition
    return run, policies.policy_of(definition)


def _refuse_dropped(run: Run, sets: Any) -> None:
    """A run without visits must not be mistaken for a site without findings."""
    from headersweep.errors import UsageError

    if run.pages and not sets:
        raise UsageError(
            f"the visits of run {run.run_id} were dropped by retention (HEADERSWEEP_RETENTION_DAYS); "
            "--run names a newer one"
        )
