"""``headersweep policy``: what profiles demand, and what a changed policy would find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    from cli.report import Run


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
    from cli import context, known, output, report, targets
    from cli.render import policies as render
    from review.policy import applying, scopes, trying
    from scheduler import policies

    wanted = targets.of_site(site, site_file)
    with context.database() as database, database.engine.connect() as connection:
        run = known.judged_run(connection, site, run_id)
        carried = policies.policy_of(report.definition_of(connection, run.run_id))
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


def _refuse_dropped(run: Run, sets: Any) -> None:
    """A run without visits must not be mistaken for a site without findings."""
    from headersweep.errors import UsageError

    if run.pages and not sets:
        raise UsageError(
            f"the visits of run {run.run_id} were dropped by retention (HEADERSWEEP_RETENTION_DAYS); "
            "--run names a newer one"
        )
