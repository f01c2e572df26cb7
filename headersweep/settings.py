"""How to run: one frozen class, built from a mapping that the caller passes in. docs/settings.md lists them all."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headersweep.errors import ConfigurationError

PREFIX = "HEADERSWEEP_"
FILE_SUFFIX = "_FILE"


def _setting(default: Any, help_text: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"help": help_text, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """Every setting of the program. The environment variable is the name in capitals behind ``HEADERSWEEP_``.

    Secrets may stand in a file instead: ``HEADERSWEEP_DATABASE_URL_FILE=/run/secrets/database_url``.
    """

    database_url: str = _setting(
        "", "Postgres, as postgresql://user:password@host/name. Empty: the embedded one.", secret=True
    )
    broker_url: str = _setting(
        "", "Redis, as redis://:password@host:6379/0. Empty: the embedded one.", secret=True
    )
    home: str = _setting(".headersweep", "Folder of the embedded servers, their logs and the workers' logs.")
    log: str = _setting(
        "auto", "Log format: auto (console on a terminal, else json), json, console, logfmt or ecs."
    )
    log_level: str = _setting("info", "Least level that is logged: debug, info, warning or error.")
    sites: str = _setting("sites", "Folder of the site files.")
    notes: str = _setting("notes", "Folder of the notes on changes.")
    contact: str = _setting(
        "", "URL or mail address put into the user agent; needed for sweeps of public sites."
    )
    preload_list: str = _setting(
        "", "File with Chromium's HSTS preload list (transport_security_state_static.json). Empty: not known."
    )
    workers: int = _setting(
        0, "Worker processes that `up` and `sweep` start. 0: one for each core, at most 4."
    )
    lease_seconds: float = _setting(12.0, "How long a shard's lease lasts; it is renewed at a quarter of it.")
    slice_seconds: float = _setting(
        30.0, "How long one crawl.slice task works before it hands back its shards."
    )
    shards_per_slice: int = _setting(100, "How many shards one slice holds at the most.")
    commit_seconds: float = _setting(
        1.0, "How long fetched pages wait at the most before they are committed."
    )
    commit_pages: int = _setting(
        600,
        "How many fetched pages a worker has uncommitted at the most, beside those in flight; it commits at half of that.",
    )
    tick_seconds: float = _setting(5.0, "How often beat, waiting commands and workers look for due work.")
    retention_days: int = _setting(90, "How long visits are kept; spans and snapshots stay. 0: for good.")
    supervisor_pid: int = _setting(
        0, "Set by our supervisor for its workers: they stop when that process is gone."
    )
    ping_url: str = _setting(
        "", "Dead-man's switch that is told of finished runs; never able to fail one.", secret=True
    )
    scratch_url: str = _setting(
        "",
        "Where `db rehearse` and `db synthesize` make their scratch databases, as a URL of any database there. Empty: beside the real one.",
        secret=True,
    )
    backup_stamp: str = _setting(
        "", "File that the back-up job touches when it succeeded; `checklist --self` looks at its age."
    )


def secrets() -> list[dataclasses.Field[Any]]:
    """The settings that are secret."""
    return [item for item in dataclasses.fields(Settings) if item.metadata["secret"]]


def from_mapping(environ: Mapping[str, str]) -> Settings:
    """The settings that an environment asks for; unknown or misspelt variables of ours refuse to start."""
    known = {item.name: item for item in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known and variable.endswith(FILE_SUFFIX):
            name = variable.removeprefix(PREFIX).removesuffix(FILE_SUFFIX).lower()
            text = _secret_file(variable, text, known.get(name))  # noqa: PLW2901
        if name not in known:
            allowed = ", ".join(PREFIX + item.upper() for item in known)
            raise ConfigurationError(f"unknown setting {variable}; the settings are: {allowed}")
        values[name] = _converted(variable, text, type(known[name].default))
    return _checked(Settings(**values))


def _secret_file(variable: str, path: str, known: dataclasses.Field[Any] | None) -> str:
    if known is None or not known.metadata["secret"]:
        raise ConfigurationError(
            f"{variable}: only secrets may stand in a file; set {variable.removesuffix(FILE_SUFFIX)}"
        )
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{variable}: cannot read {path}: {error.strerror}") from error


def _converted(variable: str, text: str, kind: type) -> Any:
    try:
        value = kind(text)
    except ValueError as error:
        raise ConfigurationError(f"{variable}={text!r} is not a number") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(f"{variable}={text!r} is not a number")
    return value


LOG_FORMATS = ("auto", "json", "console", "logfmt", "ecs")
LOG_LEVELS = ("debug", "info", "warning", "error")


def _checked(settings: Settings) -> Settings:
    if bool(settings.database_url) != bool(settings.broker_url):
        raise ConfigurationError(
            "set both HEADERSWEEP_DATABASE_URL and HEADERSWEEP_BROKER_URL, or neither (then both are embedded)"
        )
    for name, allowed in (("log", LOG_FORMATS), ("log_level", LOG_LEVELS)):
        if getattr(settings, name) not in allowed:
            raise ConfigurationError(
                f"{PREFIX}{name.upper()}={getattr(settings, name)!r}: use one of {', '.join(allowed)}"
            )
    if settings.ping_url and not re.fullmatch(r"https?://[^\s/?#]+([/?][!-~]*)?", settings.ping_url):
        raise ConfigurationError(f"{PREFIX}PING_URL is no http(s) URL; it is secret, so it is not shown here")
    for item in dataclasses.fields(Settings):
        value = getattr(settings, item.name)
        low = 0 if item.name in {"workers", "retention_days", "supervisor_pid"} else None
        if isinstance(value, int | float) and (value < 0 if low == 0 else value <= 0):
            raise ConfigurationError(f"{PREFIX}{item.name.upper()}={value} is too small")
    return settings


def embedded(settings: Settings) -> bool:
    """Whether the program runs its own Postgres and broker."""
    return not settings.database_url
