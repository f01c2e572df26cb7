"""Set-Cookie as browsers read it (RFC 6265bis, sections 5.6 and 5.7); values are never kept.

The values of stored snapshots are masked, so nothing here depends on them but the limit on their length.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from headersweep import cookies, masking, urls
from review import cookie_dates
from review.received import Received

HEADER = "set-cookie"
MOST = 180
"""Browsers keep about that many cookies of one site; of an answer with more lines only the first are looked at."""

LONGEST_PAIR = 4096
LONGEST_ATTRIBUTE = 1024
MOST_ATTRIBUTES = 1000
"""What stands further back is rubbish, and is not read."""
LONGEST_SHOWN = 2000
LONGEST_LIFE_SECONDS = 400 * 86_400
"""Browsers shorten whatever is longer."""
OLDEST_LIVE_YEAR = 978_307_200
"""2001-01-01: an Expires before it lies in the past, whatever the clock says."""

PREFIXES = ("__host-http-", "__secure-", "__host-", "__http-")
"""Names that promise attributes; browsers compare them without case, the longest first."""

_SPACE = " \t"
_NO_DATE = "<expires:invalid>"
"""An Expires that is no date, as stored snapshots have it."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_MAX_AGE = re.compile(r"-?[0-9]+")
_LONGEST_NUMBER = 18
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_LONGEST_MISTYPED = 40
_NO_LETTER = re.compile(r"[^a-z]+")
_MEANT = ("secure", "httponly", "samesite", "maxage", "partitioned")
_SAME_SITE = frozenset({"strict", "lax", "none"})


class Cookie(NamedTuple):
    """One Set-Cookie line as a browser understands it."""

    name: str
    secure: bool = False
    http_only: bool = False
    same_site: str = "default"
    """``strict``, ``lax``, ``none``; ``default`` where none of them was said."""
    unknown_same_site: str = ""
    """What was said instead of one of the three."""
    path: str | None = None
    """None: the directory of the URL that set it."""
    domain: str | None = None
    """None: this host alone; else this domain and everything below it."""
    partitioned: bool = False
    persistent: bool = False
    mistyped: str = ""
    """An attribute that no browser knows, and that was meant to be one."""
    lifetime: int | None = None
    """Seconds, zero or less for a cookie that is being removed; None where it cannot be told or ends with the session."""
    rejected_because: str | None = None
    evidence: str = ""
    """The line without the value."""

    @property
    def accepted(self) -> bool:
        """Whether a browser keeps it."""
        return self.rejected_because is None

    @property
    def removed(self) -> bool:
        """Whether the line only takes the cookie away."""
        return self.lifetime is not None and self.lifetime <= 0

    @property
    def prefix(self) -> str:
        """The prefix that its name begins with, in lower case; empty without one."""
        if not self.name.startswith("__"):
            return ""
        lower = self.name.lower()
        return next((prefix for prefix in PREFIXES if lower.startswith(prefix)), "")

    def as_json(self) -> dict[str, Any]:
        """What ``check --format json`` prints of it; never the value."""
        return {
            "name": self.name,
            "secure": self.secure,
            "http_only": self.http_only,
            "same_site": self.same_site,
            "path": self.path,
            "domain": self.domain,
            "partitioned": self.partitioned,
            "persistent": self.persistent,
            "accepted": self.accepted,
            "rejected_because": self.rejected_because,
        }


_BARE = Cookie("")


def read(received: Received) -> tuple[Cookie, ...]:
    """The cookies of an answer in order, rejected ones too."""
    return received.once(cookie, lambda: _read(received))


def _read(received: Received) -> tuple[Cookie, ...]:
    dates = received.values("date")
    date = dates[0] if dates else ""
    lines = received.values(HEADER)[:MOST]
    secure, host = received.secure, received.host
    return tuple([_cookie(line, secure, host, date) for line in lines])


def cookie(line: str, *, secure: bool = True, host: str = "", date: str = "") -> Cookie:
    """The cookie of one line, received over https or not, from that host if it is known."""
    return _cookie(line, secure, host, date)


@functools.lru_cache(maxsize=512)
def _cookie(line: str, secure: bool, host: str, date: str) -> Cookie:
    pair, semicolon, rest = line.partition(";")
    name, value = _name_and_value(pair)
    template = _template(rest, date) if semicolon else _BARE
    evidence = shown(line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN])
    made = Cookie(name, *template[1:-1], evidence)
    rejected = (
        _unreadable(line, name, value)
        or made.rejected_because
        or (_foreign(made.domain, host) if made.domain else None)
        or (_forbidden(made, secure=secure or _is_local(host)) if semicolon or made.prefix else None)
        or (None if name else _nameless_prefix(value))
    )
    return made if rejected is None else made._replace(rejected_because=rejected)


def shown(line: str) -> str:
    """A line to be shown: the value masked."""
    # Most lines have nothing that the mask of a whole block looks out for.
    if line.isascii() and line.isprintable() and not line.startswith(" "):
        pair, semicolon, rest = line.partition(";")
        return f"Set-Cookie: {masking.cookie(pair)}{semicolon}{_shown_attributes(rest) if rest else ''}"
    return masking.mask(f"Set-Cookie: {line}".encode("latin-1", "replace")).decode("latin-1")


_shown_attributes = functools.lru_cache(maxsize=256)(masking.cookie_attributes)


def _name_and_value(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals:
        return "", pair.strip(_SPACE)
    return name.strip(_SPACE), value.strip(_SPACE)


def _attributes(text: str) -> dict[str, str]:
    """The attributes by name, the last of each; too long ones are as if they were not there (5.6)."""
    found: dict[str, str] = {}
    for part in itertools.islice(filter(None, text.split(";")), MOST_ATTRIBUTES):
        name, _, value = part.partition("=")
        value = value.strip(_SPACE)
        if len(value) <= LONGEST_ATTRIBUTE:
            _note(found, name.strip(_SPACE).lower(), value)
    return found


def _note(found: dict[str, str], name: str, value: str) -> None:
    """A Max-Age that makes no sense does not replace an earlier one (5.6.2).

    An Expires that makes none does in Chromium and Firefox, whatever 5.6.1 says: it is as if there were none.
    """
    if name == "max-age" and not _MAX_AGE.fullmatch(value):
        return
    is_date = name != "expires" or value.startswith("<expires") or cookie_dates.instant(value) is not None
    found[name] = value if is_date else _NO_DATE


@functools.lru_cache(maxsize=256)
def _template(text: str, date: str) -> Cookie:
    """A cookie of these attributes, without its name: many cookies have the same."""
    attributes = _attributes(text)
    said = attributes.get("samesite", "").lower()
    path = attributes.get("path", "")
    return Cookie(
        name="",
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=said if said in _SAME_SITE else "default",
        unknown_same_site="" if said in _SAME_SITE else attributes.get("samesite", ""),
        path=path if path.startswith("/") else None,
        domain=attributes.get("domain", "").lower().removeprefix(".") or None,
        partitioned="partitioned" in attributes,
        mistyped=next(filter(_is_mistyped, itertools.islice(attributes, MOST)), ""),
        persistent="max-age" in attributes or attributes.get("expires", _NO_DATE) != _NO_DATE,
        lifetime=_lifetime(attributes, date),
        # An empty Domain is as if there were none; a dot alone is not.
        rejected_because="its Domain is a dot" if attributes.get("domain") == "." else None,
    )


def _is_mistyped(name: str) -> bool:
    """Whether it is a known attribute but for a hyphen, quotes, or a lost semicolon: `http-only`, `secure httponly`."""
    if name in cookies.ATTRIBUTES or len(name) > _LONGEST_MISTYPED:
        return False
    return _NO_LETTER.sub("", name).startswith(_MEANT)


def _lifetime(attributes: dict[str, str], date: str) -> int | None:
    """Max-Age counts before Expires (5.7, step 3); an Expires needs the answer's Date to be a length of time."""
    if "max-age" in attributes:
        return _seconds(attributes["max-age"])
    expires = attributes.get("expires", "")
    if not expires:
        return None
    until, now = cookie_dates.instant(expires), cookie_dates.instant(date)
    if until is None:
        return 0 if expires == "<expires:past>" else None
    if now is None:
        return 0 if until < OLDEST_LIVE_YEAR else None
    return min(until - now, LONGEST_LIFE_SECONDS)


def _seconds(text: str) -> int:
    if text.startswith("-"):
        return 0
    return LONGEST_LIFE_SECONDS if len(text) > _LONGEST_NUMBER else min(int(text), LONGEST_LIFE_SECONDS)


def _unreadable(line: str, name: str, value: str) -> str | None:
    if not line.isprintable() and _CONTROL.search(line):
        return "it has a control character"
    if not name and not value:
        return "it has neither a name nor a value"
    if len(name) + len(value) > LONGEST_PAIR:
        return f"name and value are longer than {LONGEST_PAIR} bytes"
    return None


def _foreign(domain: str, host: str) -> str | None:
    """Why its Domain makes a browser refuse it (5.7, steps 5 to 10); of an unknown host the best is assumed."""
    host = host.lower()
    if domain == host:
        return None
    if not domain.isascii():
        return "its Domain is not ASCII"
    if not _HOST_NAME.fullmatch(domain) or (host and not host.endswith(f".{domain}")):
        return "its Domain is not the host's"
    return "its Domain is a public suffix" if _is_public_suffix(domain) else None


def _is_public_suffix(domain: str) -> bool:
    """Whether a name below it would be a site of its own; an address or ``localhost`` is the host itself at best."""
    if domain.rpartition(".")[2].isdecimal() or domain == "localhost":
        return False
    return urls.registrable_domain(f"x.{domain}") == f"x.{domain}"


def _is_local(host: str) -> bool:
    """Chromium and Firefox take Secure cookies from the machine itself over http as well."""
    return host.lower() in _LOCAL or host.lower().endswith(".localhost")


def _forbidden(made: Cookie, *, secure: bool) -> str | None:
    """What its own attributes forbid (5.7, steps 11 to 21)."""
    if made.secure and not secure:
        return "it is Secure and came over http"
    broken = broken_promise(made)
    if broken or made.secure:
        return broken
    if made.same_site == "none":
        return "SameSite=None needs Secure"
    return "Partitioned needs Secure" if made.partitioned else None


def broken_promise(made: Cookie) -> str | None:
    """Which attribute the prefix of its name promises and its line does not give (5.4)."""
    if not made.prefix:
        return None
    return next(
        (f"its name begins with {made.name[: len(made.prefix)]} and {what}" for what in _lacks(made)), None
    )


def _lacks(made: Cookie) -> Iterator[str]:
    if made.prefix and not made.secure:
        yield "Secure is missing"
    if "http-" in made.prefix and not made.http_only:
        yield "HttpOnly is missing"
    if made.prefix.startswith("__host-") and made.domain is not None:
        yield "it has a Domain"
    if made.prefix.startswith("__host-") and made.path != "/":
        yield "Path=/ is missing"


def _nameless_prefix(value: str) -> str | None:
    """A cookie without a name is sent as its value, and so could pass for one with a prefix (5.7)."""
    if value.lower().startswith(PREFIXES):
        return "it has no name, and its value looks like a name with a prefix"
    if "=" in value:
        return "it has no name, and its value looks like a name and a value"
    return None
