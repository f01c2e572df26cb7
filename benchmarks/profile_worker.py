"""Where a worker's CPU goes: slices of one run under cProfile, in this process.

    python -m benchmarks.profile_worker --site synthetic --pages 2000
    python -m benchmarks.profile_worker --database-url postgresql://... http://127.0.0.1:8000/

Without a database URL the embedded servers are started. The profiler makes every call of a Python function dearer:
read the order of the costs from it, and take their size from the benchmark.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import dataclasses
import os
import pstats
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from benchmarks import server, sites, sweeps
from cli import targets
from headersweep import logs
from headersweep.settings import Settings
from models import migrate
from models import sites as site_rows
from scheduler import planning
from worker.runtime import Runtime
from worker.slice import Slice

NO_BROKER = "redis://127.0.0.1:1/0"
"""Nobody is told of anything here, so nobody need be there."""


def main() -> None:
    """Plan a run of the site, crawl it under the profiler, and print the dearest functions."""
    arguments = _arguments()
    with contextlib.ExitStack() as stack:
        url = arguments.url or stack.enter_context(_served(arguments.site, arguments.pages))
        database_url = arguments.database_url or stack.enter_context(_embedded())
        settings = dataclasses.replace(
            Settings(), database_url=database_url, broker_url=NO_BROKER, log_level="error"
        )
        logs.configure(settings, stream=sys.stderr, is_terminal=sys.stderr.isatty())
        migrate.upgrade(database_url)
        runtime = Runtime(settings)
        _plan(runtime, url, arguments)
        _report(arguments, *_profiled(runtime, settings, arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.profile_worker", description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", help="a site that is served already; else one is served here")
    parser.add_argument("--site", choices=[*sites.INSTALLED, sites.SYNTHETIC], default=sites.default_name())
    parser.add_argument("--pages", type=int, help="pages of the synthetic site, or the run's page limit")
    parser.add_argument("--database-url", default=os.environ.get("HEADERSWEEP_DATABASE_URL", ""))
    parser.add_argument(
        "--thread", choices=["loop", "database", "none"], default="loop", help="what is profiled"
    )
    parser.add_argument(
        "--sort", default="tottime", help="an order that pstats knows: tottime, cumtime, ncalls"
    )
    parser.add_argument("--top", type=int, default=40, help="how many functions are printed")
    parser.add_argument("--dump", help="write the raw profile to this file")
    return parser.parse_args()


@contextlib.contextmanager
def _served(name: str, pages: int | None) -> Iterator[str]:
    with sites.opened(name, pages) as site, server.running(site) as running:
        yield running.url


@contextlib.contextmanager
def _embedded() -> Iterator[str]:
    with sweeps.home() as home:
        yield home.database_url


def _plan(runtime: Runtime, url: str, arguments: argparse.Namespace) -> None:
    options = targets.Options(
        max_pages=arguments.pages, rate=0, concurrency=sweeps.CONCURRENCY, allow_private=True
    )
    definition = targets.with_options(targets.adhoc(url), options)
    with runtime.engine.begin() as connection:
        site_id = connection.scalar(site_rows.upsert_adhoc_site(definition.as_json()))
        planning.ensure_run(
            connection,
            site_id=site_id,
            definition=definition,
            slot=datetime.now(UTC),
            requested_by="benchmark",
        )


def _profiled(
    runtime: Runtime, settings: Settings, arguments: argparse.Namespace
) -> tuple[cProfile.Profile, int, float, float]:
    """Work slices until nothing is left; the profile, the pages, and the seconds of the clock and of CPU."""
    profile = cProfile.Profile()
    if arguments.thread == "database":
        runtime.database_pool = ThreadPoolExecutor(1, initializer=profile.enable)
    if arguments.thread == "loop":
        runtime.call(_switch(profile, on=True))
    pages, more = 0, True
    began, cpu_began = time.monotonic(), time.process_time()
    while more:
        report = runtime.call(Slice(runtime, settings).run())
        pages, more = pages + report.pages, report.more
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    if arguments.thread == "loop":
        runtime.call(_switch(profile, on=False))
    runtime.database_pool.shutdown()
    return profile, pages, seconds, cpu_seconds


async def _switch(profile: cProfile.Profile, *, on: bool) -> None:
    """Profiles are a thread's own: this runs on the event loop's."""
    if on:
        profile.enable()
    else:
        profile.disable()


def _report(
    arguments: argparse.Namespace, profile: cProfile.Profile, pages: int, seconds: float, cpu: float
) -> None:
    print(
        f"{pages} pages in {seconds:.2f} s: {cpu / max(pages, 1) * 1000:.3f} ms CPU a page (profiler included)"
    )
    if arguments.thread != "none":
        stats = pstats.Stats(profile)
        stats.sort_stats(arguments.sort).print_stats(arguments.top)
        if arguments.dump:
            stats.dump_stats(arguments.dump)


if __name__ == "__main__":
    main()
