"""What a person wants swept: names and URLs in, site definitions and slots out. Nothing here touches a server."""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from headersweep.definition import DEFAULT_MAX_RATE, DEFAULT_RATE, UNLIMITED_RATE, SiteDefinition
from headersweep.errors import ConfigurationError, UsageError
from headersweep.policies import Switch

OWN_MACHINE_CONCURRENCY = 16
"""Connections to our own machine: politeness is for other people's servers."""

MAX_NAME = 200
HASH_DIGITS = 8
_NAME_BREAKERS = re.compile(r"[\s/\\@?#]")


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line changes about a site for one run; None leaves it as it is."""

    max_pages: int | None = None
    max_depth: int | None = None
    rate: float | None = None
    concurrency: int | None = None
    allow_private: bool = False
    follow_links: bool = True
    anytime: bool = False


def is_url(target: str) -> bool:
    """Whether a target is a URL; anything that cannot be a site's name is refused with what is wrong about it."""
    if not target.strip():
        raise UsageError("an empty target: name a site, or an http(s) URL")
    if "://" in target or target.lower().startswith(("http:", "https:")):
        check_url(target)
        return True
    if _NAME_BREAKERS.search(target):
        raise UsageError(
            f"{target!r} has no scheme and is no site's name; for a URL write https://{_bare(target)}"
        )
    return False


def _bare(target: str) -> str:
    return "".join(target.split()).lstrip("/\\") or "your.site/"


def check_url(text: str) -> SplitResult:
    """The parts of an http(s) URL; a UsageError names what is wrong."""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise UsageError(f"{text!r} is no URL: it has spaces or control characters in it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{text!r} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"}:
        raise UsageError(f"{text!r}: only http and https can be swept, not {parts.scheme or 'nothing'}")
    if not parts.hostname:
        raise UsageError(f"{text!r} is no URL: it names no host, as in https://your.site/")
    if port == 0:
        raise UsageError(f"{text!r} is no URL: port 0 does not exist")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a URL with a user name or password in it is never swept; leave that part out")
    return parts


def adhoc(text: str, folder: str = "") -> SiteDefinition:
    """The site that is made for a URL: its host, politely, or at full speed when it is this very machine.

    What is switched for every site in ``folder``, that of the site files, holds for it as well.
    """
    from headersweep import urls

    page = urls.parse(text)
    if page is None:
        raise UsageError(f"{text!r} is no URL that can be fetched, as in https://your.site/")
    own_machine = is_loopback(page.host)
    return SiteDefinition(
        name=adhoc_name(page.url, page.key),
        start_urls=(page.url,),
        rate=UNLIMITED_RATE if own_machine else DEFAULT_RATE,
        max_rate=UNLIMITED_RATE if own_machine else DEFAULT_MAX_RATE,
        concurrency=OWN_MACHINE_CONCURRENCY if own_machine else 1,
        switch=_switched_everywhere(folder),
    )


def _switched_everywhere(folder: str) -> tuple[Switch, ...]:
    from headersweep import sitefiles

    if not folder or not (Path(folder) / sitefiles.EVERYWHERE).exists():
        return ()
    from review import table

    found: tuple[Switch, ...] = sitefiles.of_sites(sitefiles.everywhere(Path(folder), table.RULES).switches)
    return found


def adhoc_name(url: str, key: bytes) -> str:
    """Host, port and path of a URL as a name; where that loses something, a piece of the URL's key keeps it unique."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    slug = re.sub(r"[^a-z0-9._-]+", "-", path.lower()).strip("-")
    host = parts.netloc.replace("[", "").replace("]", "")
    name = f"{host}-{slug}" if slug else host
    exact = (host, slug) == (parts.netloc, path) and not parts.query and len(name) <= MAX_NAME
    return name if exact else f"{name[: MAX_NAME - HASH_DIGITS - 1]}-{key.hex()[:HASH_DIGITS]}"


def with_options(definition: SiteDefinition, options: Options) -> SiteDefinition:
    """The definition as the command line changes it, for this run only."""
    changes: dict[str, object] = {
        name: value
        for name, value in (
            ("max_pages", options.max_pages),
            ("max_depth", options.max_depth),
            ("concurrency", options.concurrency),
            ("rate", options.rate),
            ("max_rate", options.rate),
        )
        if value is not None
    }
    if options.allow_private:
        from headersweep import addresses

        changes["allow_addresses"] = (*definition.allow_addresses, *addresses.ALLOW_PRIVATE)
    if options.anytime:
        changes["window"] = None
    if not options.follow_links:
        changes["follow_links"] = changes["sitemaps"] = False
    return dataclasses.replace(definition, **changes)  # type: ignore[arg-type]


def from_file(path: str) -> SiteDefinition:
    """The site that a site file describes."""
    from headersweep import sitefiles
    from review import table

    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"cannot read the site file {path}: {reason}") from error
    file = sitefiles.parse(path, text, table.RULES)
    shared = sitefiles.everywhere(Path(path).parent, table.RULES)
    definition: SiteDefinition = sitefiles.with_switches(file, shared.switches).definition
    return definition


def of_site(site: str, path: str | None) -> SiteDefinition:
    """What the file of a site says now: the one at a path, or the one in the folder of site files that describes it."""
    from cli import context
    from headersweep import sitefiles
    from review import table

    if path is not None:
        definition = from_file(path)
        if definition.name != site:
            raise UsageError(f"--site-file {path} describes {definition.name!r}, not {site!r}")
        return definition
    folder = context.settings().sites
    for file in sitefiles.load(Path(folder), table.RULES):
        if file.definition.name == site:
            return file.definition
    raise UsageError(f"no file in {folder} describes {site!r}; --site-file names another")


def slot(text: str | None, now: datetime) -> datetime:
    """The slot that was asked for, in UTC; by default now, to the second."""
    if text is None:
        return now.replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--slot {text!r} is no ISO 8601 time, as in 2026-11-22T10:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def unknown_site(name: str, known: Sequence[str], folder: str = "sites") -> UsageError:
    """What to tell about a name that no site has."""
    if (Path(folder) / f"{name}.toml").is_file():
        return UsageError(
            f"no site is called {name!r} yet, but {folder}/{name}.toml is there: `headersweep sites apply`"
        )
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    elif known:
        hint = "`headersweep sites list` names them all"
    else:
        hint = "none was applied yet: `headersweep sites apply` reads the site files"
    url = f"; for a URL write https://{name}/" if "." in name or ":" in name else ""
    return UsageError(f"no site is called {name!r}; {hint}{url}")


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, by its name or literal address (names are not resolved)."""
    address = _address(host)
    return address.is_loopback if address else host.lower() in {"localhost", "localhost."}


def is_public(host: str) -> bool:
    """Whether a host may be somebody else's: anything but literal loopback and private addresses and localhost."""
    address = _address(host)
    return address.is_global if address else not is_loopback(host) and not host.endswith(".localhost")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def contact_for(definition: SiteDefinition, *, is_adhoc: bool) -> str | None:
    """Whom a server's operator may ask about our requests when no contact is set; None: nobody needs to be named.

    A site that somebody types as a URL is his own, so its own origin is the contact; a site from a file has an owner.
    """
    public = [url for url in definition.start_urls if is_public(urlsplit(url).hostname or "")]
    if not public:
        return None
    if "@" in definition.owner or definition.owner.startswith(("https://", "http://")):
        return definition.owner
    if is_adhoc:
        parts = urlsplit(public[0])
        return f"{parts.scheme}://{parts.netloc}/"
    raise ConfigurationError(
        f"the site {definition.name} is public, so its sweeps must name a contact: "
        "set HEADERSWEEP_CONTACT=mailto:you@your.site"
    )


def contact(found: Iterable[str | None]) -> str:
    """The one contact that workers started here put into their user agent."""
    return next((item for item in found if item), "")
