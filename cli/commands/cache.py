"""``headersweep cache``: hold the cache rules of a site against what is stored, and print them for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cli.context import Database
    from headersweep.definition import SiteDefinition
    from scheduler.cachehistory import Wanted

site_file = click.option(
    "--site-file",
    metavar="PATH",
    help="The site file with the rules, instead of the one in the folder of site files.",
)
run_option = click.option(
    "--run", "run_id", type=click.IntRange(min=1), help="The run to judge, instead of the site's newest."
)
fail_on = click.option(
    "--fail-on",
    type=click.Choice(["none", "dangerous", *options.SEVERITIES]),
    default="none",
    show_default=True,
    help="Exit with 3 when there is a dangerous finding, or one at least that severe.",
)


@click.group(short_help="Verify a site's cache rules, and print them for people.")
def cache() -> None:
    """Hold the [[cache]] rules of a site's file against what is stored, and print them as a page for people."""


@cache.command()
@click.argument("site")
@site_file
@run_option
@click.option(
    "--since",
    type=click.IntRange(min=1),
    metavar="RUN",
    help="Also judge what was answered in earlier runs, from this one on.",
)
@click.option(
    "--probe",
    is_flag=True,
    help="Ask for the examples of the rules now, two or three times and with each bypass condition, and wait for the answers.",
)
@fail_on
@options.as_format
@options.to_file
def verify(  # noqa: PLR0913, PLR0917 - one parameter a flag
    site: str,
    site_file: str | None,
    run_id: int | None,
    since: int | None,
    probe: bool,
    fail_on: str,
    shape: str,
    output: str | None,
) -> None:
    """Judge what SITE answered by its cache rules: what headers permit, and what caches said that they did.

    Nothing is fetched without --probe. The rules are those of the site's file as it is now, over everything that is stored.
    """
    from cli import context
    from cli import output as output_module
    from cli.render import cacherules as render
    from headersweep.errors import ExitCode
    from scheduler import cacheverify

    output_module.check(output)
    definition = _definition(site, site_file)
    with context.database() as database:
        with database.engine.connect() as connection:
            wanted = _wanted(connection, definition, run_id, since)
        if probe:
            _probe(database, wanted)
        with database.engine.connect() as connection:
            found = cacheverify.verify(connection, wanted)
    shown = render.verified_json(wanted, found) if shape == "json" else render.verified_text(wanted, found)
    output_module.emit(shown, output)
    if _fails(found.causes, fail_on):
        click.get_current_context().exit(ExitCode.FINDINGS)


def _probe(database: Database, wanted: Wanted) -> None:
    """Have the rules' examples asked for, and wait until they were."""
    from cli import enlist, waiting
    from headersweep.errors import UsageError
    from scheduler import cacheverify

    with database.engine.begin() as connection:
        planted = cacheverify.ask_again(connection, wanted, enlist.operator())
    if not planted:
        raise UsageError(f"the rules of {wanted.definition.name} have no example that can be asked for")
    named = waiting.contact(database, [(wanted.definition, False)])
    waiting.until_final(database, [wanted.until], workers=None, contact=named)


@cache.command()
@click.argument("site")
@click.argument("url")
@site_file
@options.as_format
def history(site: str, url: str, site_file: str | None, shape: str) -> None:
    """Say from which run to which run shared caches might keep URL of SITE, and what its rule says to that."""
    from cli import context, output
    from cli.render import cacherules as render
    from headersweep import cachematch, urls
    from headersweep.cacherules import Match
    from headersweep.errors import UsageError
    from scheduler import cachehistory

    definition = _definition(site, site_file)
    resolved = cachematch.resolve(url, Match(), definition.start_urls[0])
    page = urls.parse(resolved or "")
    if page is None:
        raise UsageError(f"{url!r} is no URL, nor a path of {site}")
    with context.database() as database, database.engine.connect() as connection:
        wanted = _wanted(connection, definition, None, None)
        periods = cachehistory.page_history(connection, wanted, page.url, page.key)
    if periods is None:
        raise UsageError(f"{site} has no page {page.url}; `headersweep export` lists the pages of a run")
    told = render.History(site, page.url, definition, periods)
    output.emit(render.history_json(told) if shape == "json" else render.history_text(told))


@cache.command()
@click.argument("site")
@site_file
@options.to_file
def docs(site: str, site_file: str | None, output: str | None) -> None:
    """Print the cache rules of SITE as a page for people, in Markdown."""
    from cli import output as output_module
    from review.cacherules import page

    output_module.check(output)
    output_module.emit(page.markdown(_definition(site, site_file)), output)


def _definition(site: str, path: str | None) -> SiteDefinition:
    """The site with its rules, as its file says now; read before anything is started, so that mistakes show at once."""
    from cli import targets
    from headersweep.errors import UsageError

    definition = targets.of_site(site, path)
    if not definition.cache:
        raise UsageError(f"the file of {site} has no [[cache]] rules; docs/cache-rules.md shows some")
    return definition


def _wanted(
    connection: Connection, definition: SiteDefinition, run_id: int | None, since: int | None
) -> Wanted:
    """Which runs are to be judged; a UsageError says what is wrong with those that were asked for."""
    from cli import known
    from headersweep.errors import UsageError
    from scheduler.cachehistory import Wanted

    run = known.judged_run(connection, definition.name, run_id)
    if since is not None and since > run.run_id:
        raise UsageError(f"--since {since} is later than run {run.run_id}, the last to be judged")
    return Wanted(definition, run.site_id, since or run.run_id, run.run_id)


def _fails(causes: Any, wanted: str) -> bool:
    from review.finding import Severity

    if wanted == "none":
        return False
    counting = [each for each in causes if not each.waived_by]
    if wanted == "dangerous":
        return any(each.dangerous for each in counting)
    return any(each.severity.rank >= Severity(wanted).rank for each in counting)
