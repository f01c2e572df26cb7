"""What ``doctor`` looks at: each check says ok, warn or fail, and what to do."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headersweep import __version__
from headersweep import settings as settings_module
from headersweep.errors import HeadersweepError
from headersweep.settings import FILE_SUFFIX, PREFIX, Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

PACKAGES = ("celery", "redis", "httpx", "sqlalchemy", "alembic", "psycopg", "structlog", "lxml", "click")
MIN_POSTGRES = 15
MAX_SKEW_SECONDS = 5.0
BROKER_TIMEOUT_SECONDS = 3.0
SAFE_POLICY = "noeviction"
LITTLE_BYTES = 500_000_000
"""Less free space than this is soon none: Postgres writes ahead what it is about to change."""

OLD_BEAT_SECONDS = 60.0


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    found: str
    todo: str = ""


def ok(name: str, found: str) -> Check:
    """Nothing to do."""
    return Check(name, Level.OK, found)


def warn(name: str, found: str, todo: str) -> Check:
    """It works, but somebody should know."""
    return Check(name, Level.WARN, found, todo)


def fail(name: str, found: str, todo: str) -> Check:
    """It does not work until somebody does something."""
    return Check(name, Level.FAIL, found, todo)


def examine(environ: Mapping[str, str]) -> Iterator[Check]:
    """Every check, in an order that lets the first failure explain the later ones."""
    yield from versions()
    try:
        settings = settings_module.from_mapping(environ)
    except HeadersweepError as error:
        yield fail("settings", str(error), "correct the variable; docs/settings.md explains each")
        return
    yield from settings_in_use(settings, environ)
    yield home(settings)
    yield site_files(settings)
    yield from servers(settings)


def versions() -> Iterator[Check]:
    """This program, Python, and the packages that matter."""
    yield ok("headersweep", f"{__version__} on Python {platform.python_version()}, {platform.system()}")
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            yield fail(
                "packages", f"{package} is not installed", "install headersweep again, with its lock file"
            )
    yield ok("packages", ", ".join(found))


def settings_in_use(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every setting with where it comes from; secrets are masked."""
    for item in dataclasses.fields(Settings):
        value, variable = getattr(settings, item.name), f"{PREFIX}{item.name.upper()}"
        if variable + FILE_SUFFIX in environ:
            origin = f"from the file {environ[variable + FILE_SUFFIX]}"
        elif variable in environ:
            origin = "from the environment"
        else:
            origin = "default"
        shown = "(set, not shown)" if item.metadata["secret"] and value else repr(value)
        yield ok(f"setting {item.name}", f"{shown}, {origin}")


def home(settings: Settings) -> Check:
    """Whether the home folder can be written."""
    folder = Path(settings.home).absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            free = shutil.disk_usage(nearest).free
    except OSError as error:
        level = fail if settings_module.embedded(settings) else warn
        return level("home", f"{nearest}: {error.strerror}", "set HEADERSWEEP_HOME to a folder of this user")
    if settings_module.embedded(settings) and free < LITTLE_BYTES:
        found = f"only {free // 1_000_000} MB are free in {nearest}"
        return warn("home", found, "free some space; docs/runbook.md says what may go")
    return ok("home", f"{folder} can be written")


def site_files(settings: Settings) -> Check:
    """Whether the site files can be read without a mistake."""
    from headersweep import sitefiles
    from review import table

    folder = Path(settings.sites)
    if not any(folder.glob("*.toml")):
        return ok("site files", f"none in {folder}; only URLs can be swept")
    try:
        loaded = sitefiles.load(folder, table.RULES)
    except HeadersweepError as error:
        return fail(
            "site files", str(error), "correct them; `headersweep sites plan` shows what would change"
        )
    return ok("site files", f"{len(loaded)} in {folder}")


def servers(settings: Settings) -> Iterator[Check]:
    """Postgres and the broker, started here when they are embedded."""
    from cli import context

    embedded = settings_module.embedded(settings)
    try:
        with context.servers(settings) as filled:
            yield ok("servers", "embedded, started for this check" if embedded else "configured")
            yield from _postgres(filled, embedded=embedded)
            yield broker(filled)
    except HeadersweepError as error:
        yield fail("servers", str(error), "see the message; docs/runbook.md has a section on each")


def _postgres(filled: Settings, *, embedded: bool) -> Iterator[Check]:
    from cli import context

    try:
        with context.engine(filled) as engine:
            yield version(engine)
            context.prepare_schema(filled, embedded=embedded)
            yield ok("schema", f"revision {revision(engine)}")
            yield from _life(engine, embedded=embedded)
            from cli import health_database

            yield from health_database.examine(engine)
    except HeadersweepError as error:
        yield fail(
            "postgres", str(error), "start it, or run `headersweep db upgrade` where the revision is wrong"
        )


def version(engine: Engine) -> Check:
    """Whether this Postgres is new enough."""
    from models import reports

    with engine.connect() as connection:
        found = str(connection.execute(reports.server_version()).scalar_one())
    major = int(found.split(".", maxsplit=1)[0])
    if major < MIN_POSTGRES:
        return fail("postgres", f"version {found}", f"use Postgres {MIN_POSTGRES} or newer")
    return ok("postgres", f"version {found}")


def revision(engine: Engine) -> str | None:
    """The revision of the schema; None where no migration ever ran."""
    from models import reports

    with engine.connect() as connection:
        if not connection.execute(reports.revision_table()).scalar_one():
            return None
        return connection.execute(reports.revision()).scalar_one_or_none()


def _life(engine: Engine, *, embedded: bool) -> Iterator[Check]:
    from models import control, reports

    with engine.connect() as connection:
        now = connection.execute(reports.clock()).scalar_one()
        switch = connection.execute(control.switch_state()).one_or_none()
        beats = connection.execute(control.list_heartbeats()).all()
    yield skew(now)
    yield paused(switch)
    for kind in ("worker", "beat"):
        yield heartbeat(kind, [row.age_seconds for row in beats if row.kind == kind], embedded=embedded)


def skew(database_now: datetime) -> Check:
    """Whether this machine and the database agree about the time; leases use the database's clock only."""
    apart = abs((datetime.now(UTC) - database_now).total_seconds())
    if apart > MAX_SKEW_SECONDS:
        return warn("clock", f"{apart:.0f} s apart from the database's", "let both machines keep time by NTP")
    return ok("clock", "agrees with the database's")


def paused(switch: Any) -> Check:
    """Whether the kill switch is turned."""
    if switch is None or not switch.paused:
        return ok("kill switch", "not paused")
    since = switch.changed_at.isoformat(timespec="seconds")
    return warn(
        "kill switch", f"paused by {switch.changed_by} since {since}: {switch.reason}", "headersweep unpause"
    )


def heartbeat(kind: str, ages: list[float], *, embedded: bool) -> Check:
    """When a worker or the beat was last seen."""
    name = f"{kind} heartbeat"
    fresh = [age for age in ages if age <= OLD_BEAT_SECONDS]
    if fresh:
        return ok(name, f"{len(fresh)} seen within a minute, the latest {min(fresh):.0f} s ago")
    last = f"the last one {min(ages):.0f} s ago" if ages else "none was ever seen"
    if embedded or kind == "beat":
        return ok(name, f"{last}; `sweep` works without one, `headersweep up` runs one")
    return warn(
        name, last, "start workers: celery -A worker worker, or `headersweep up`; `sweep` starts its own"
    )


def broker(filled: Settings) -> Check:
    """Whether the broker answers, and never throws messages away to save memory."""
    import redis

    from cli import embedded

    client = redis.Redis.from_url(
        embedded.client_url(filled.broker_url),
        socket_timeout=BROKER_TIMEOUT_SECONDS,
        socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
    )
    try:
        client.ping()
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "unknown")
    except redis.exceptions.ResponseError as error:
        return warn("broker", f"answers, but not about its policy: {error}", f"see that it is {SAFE_POLICY}")
    except redis.exceptions.RedisError as error:
        return fail("broker", f"does not answer: {error}", "start Redis, or correct HEADERSWEEP_BROKER_URL")
    finally:
        client.close()
    if policy != SAFE_POLICY:
        return warn("broker", f"maxmemory-policy is {policy}", f"set it to {SAFE_POLICY}: doorbells get lost")
    return ok("broker", f"answers, maxmemory-policy {policy}")
