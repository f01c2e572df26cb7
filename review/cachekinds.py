"""What each kind of shared cache makes of an answer: one by the standard, and nginx and Varnish where they differ.

Each is a small function from an answer to what the cache may do with it. Sources stand with the functions; what nginx 1.22
and Varnish 7.1 really did with each case of ``benchmarks.caches`` is kept in tests/data/caches, and tests hold this to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from headersweep import cookies
from headersweep.cacherules import CacheKind
from review import caching, lists
from review.caching import CacheControl, Sharing
from review.received import Received

HEURISTIC_SHARE = 10
"""Caches guess a tenth of the time since the last change (RFC 9111, 4.2.2)."""
VARNISH_DEFAULT = 120
"""Seconds for which Varnish keeps an answer that does not say for how long (its parameter ``default_ttl``)."""
VARNISH_KEPT = frozenset({200, 203, 204, 300, 301, 304, 404, 410, 414})
VARNISH_KEPT_IF_SAID = frozenset({302, 307})
VARNISH_SKEW = 10
"""Seconds by which a Date may be off before Varnish measures Expires against it (``clock_skew``)."""
VARNISH_GRACE = 10
NGINX_LONGEST_VARY = 128


@dataclass(frozen=True, slots=True)
class Permitted:
    """What a shared cache may do with an answer, for how long, and what decided."""

    sharing: Sharing
    lifetime: int | None = None
    """Seconds from when the origin made it; None where nothing says so."""
    age: int = 0
    """Seconds of it that were over when it came, as far as the cache counts them."""
    why: str = ""
    stale_for: int = 0
    """Seconds for which the cache gives it out beyond its lifetime, while it asks for a new one."""

    def reusable(self, after: float) -> bool | None:
        """Whether it may be given to another visitor that many seconds later without asking; None: nobody can say."""
        if self.sharing.rank < Sharing.GUESSING.rank:
            return False
        return None if self.lifetime is None else self.age + after < self.lifetime + self.stale_for


def permitted(received: Received, kind: CacheKind, now: int | None = None) -> Permitted:
    """What that kind of cache, configured to cache at all and for nothing else, makes of the answer to a plain GET.

    ``now`` is the cache's clock; without it, that of the answer's Date.
    """
    return _KINDS[kind](received, now)


@dataclass(frozen=True, slots=True)
class Asked:
    """What in a request makes a difference to caches: its query, and its headers by lower-case name."""

    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str | None:
        """The value of a header; None without it."""
        return next((value for each, value in self.headers if each == name), None)


@dataclass(frozen=True, slots=True)
class Later:
    """A second request for the same path: the first one, itself, and how many seconds lie between."""

    first: Asked
    second: Asked
    after: float


def serves(received: Received, kind: CacheKind, later: Later, now: int | None = None) -> bool | None:
    """Whether the cache answers a request from what it stored for an earlier one; None where it would have to guess."""
    if later.first.query != later.second.query or not _PASSES[kind](received, later):
        return False
    varied = _VARIED[kind](received)
    if any(later.first.value(name) != later.second.value(name) for name in varied):
        return False
    return permitted(received, kind, now).reusable(later.after)


# --- by the standard ---------------------------------------------------------------------------------------------


def _rfc9111(received: Received, _now: int | None) -> Permitted:
    """RFC 9111, sections 3 and 4."""
    return _by_directives(received, caching.read(received))


def _cdn(received: Received, now: int | None) -> Permitted:
    """RFC 9213, 2.2: the targeted field in place of Cache-Control and Expires, where it can be read."""
    targeted = caching.targeting(received)
    return (
        _rfc9111(received, now) if targeted is None else _by_directives(received, targeted, caching.TARGETED)
    )


def _by_directives(received: Received, control: CacheControl | None, name: str = caching.HEADER) -> Permitted:
    rules = control or CacheControl({})
    sharing = caching.allowed(received, control)
    seconds = caching.lifetime(received, rules)
    if sharing is Sharing.NEVER:
        return Permitted(sharing, why=_why_never(received, rules, name))
    if sharing is Sharing.ASKING:
        return Permitted(sharing, 0, why=f"{name} or expires: to be asked for before each use")
    if sharing is Sharing.GUESSING:
        return Permitted(sharing, guessed(received), age(received), "nothing says for how long")
    return Permitted(sharing, seconds, age(received), _why_fresh(rules, name))


def _why_never(received: Received, rules: CacheControl, name: str) -> str:
    for directive in ("no-store", "private"):
        if rules.has(directive):
            return f"{name}: {directive}"
    if caching.varies_by_all(received):
        return "vary: *"
    return f"status {received.status}"


def _why_fresh(rules: CacheControl, name: str) -> str:
    said = next((each for each in ("s-maxage", "max-age") if rules.seconds(each) is not None), "")
    return f"{name}: {said}" if said else "expires"


def age(received: Received) -> int:
    """The seconds that the answer has spent in caches, by its first readable Age (RFC 9111, 5.1)."""
    first = lists.members(received.combined("age"))[:1]
    return min(int(first[0]), caching.LONGEST_LIFE) if first and re.fullmatch(r"[0-9]{1,18}", first[0]) else 0


def guessed(received: Received) -> int | None:
    """For how long caches usually guess that an answer is fresh; None where there is nothing to guess by."""
    date, modified = (_instant(received, name) for name in ("date", "last-modified"))
    if date is None or modified is None or modified > date:
        return None
    return (date - modified) // HEURISTIC_SHARE


def _instant(received: Received, name: str) -> int | None:
    values = received.values(name)
    return cookies.instant(values[0]) if values else None


_MONTHS = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")


def _strict_instant(text: str) -> int | None:
    """A date as nginx and Varnish read it: only with a month in the case that the standard has."""
    return cookies.instant(text) if _MONTHS.search(text) else None


# --- nginx -------------------------------------------------------------------------------------------------------


def _nginx(received: Received, now: int | None) -> Permitted:
    """Nginx 1.22 with proxy_cache and no proxy_cache_valid (src/http/ngx_http_upstream.c, ``process_*``).

    It reads headers as they come, and what once forbade storing stays forbidden. It guesses nothing, counts no Age,
    and keeps any status whose headers say for how long.
    """
    reading = _NginxReading(_instant(received, "date") if now is None else now)
    for name, value in received.pairs:
        reader = _NGINX_READERS.get(name.lower())
        if reader is not None:
            reader(reading, value)
    if reading.forbidden_by:
        return Permitted(Sharing.NEVER, why=reading.forbidden_by)
    if reading.seconds is None:
        return Permitted(Sharing.NEVER, why="nothing says for how long")
    return Permitted(Sharing.FRESH, reading.seconds, why=reading.by)


@dataclass
class _NginxReading:
    now: int | None
    seconds: int | None = None
    by: str = ""
    forbidden_by: str = ""
    by_accel: bool = False

    def keep(self, seconds: int, by: str) -> None:
        self.seconds, self.by = seconds, by

    def forbid(self, by: str) -> None:
        self.forbidden_by = self.forbidden_by or by


def _nginx_control(reading: _NginxReading, value: str) -> None:
    if reading.by_accel and reading.seconds is not None:
        return
    text = value.lower()
    for word in ("no-cache", "no-store", "private"):
        if word in text:
            reading.forbid(f"cache-control: {word}")
            return
    for word in ("s-maxage=", "max-age="):
        if word in text:
            digits = re.split(r"[,; ]", text.partition(word)[2], maxsplit=1)[0]
            if not digits.isascii() or not digits.isdecimal() or int(digits) == 0:
                reading.forbid(f"cache-control: {word}{digits}")
            else:
                reading.keep(min(int(digits), caching.LONGEST_LIFE), f"cache-control: {word.rstrip('=')}")
            return


def _nginx_expires(reading: _NginxReading, value: str) -> None:
    if reading.seconds is not None:
        return
    until = _strict_instant(value)
    if value.startswith("<expires:future>"):
        reading.keep(1, "expires")
    elif until is None or reading.now is None or until < reading.now:
        reading.forbid("expires: passed")
    else:
        reading.keep(until - reading.now, "expires")


def _nginx_accel(reading: _NginxReading, value: str) -> None:
    reading.by_accel = True
    if value == "0":
        reading.forbid("x-accel-expires: 0")
    elif value.isascii() and value.isdecimal():
        reading.keep(int(value), "x-accel-expires")


def _nginx_cookie(reading: _NginxReading, _value: str) -> None:
    reading.forbid("set-cookie")


def _nginx_vary(reading: _NginxReading, value: str) -> None:
    if value == "*" or len(value) > NGINX_LONGEST_VARY:
        reading.forbid("vary: *" if value == "*" else "vary: too long")


_NGINX_READERS: dict[str, Callable[[_NginxReading, str], None]] = {
    "cache-control": _nginx_control,
    "expires": _nginx_expires,
    "x-accel-expires": _nginx_accel,
    "set-cookie": _nginx_cookie,
    "vary": _nginx_vary,
}


# --- Varnish -----------------------------------------------------------------------------------------------------


def _varnish(received: Received, now: int | None) -> Permitted:
    """Varnish 7.1 with its built-in VCL (bin/varnishd/cache/cache_rfc2616.c, builtin.vcl).

    It keeps what says nothing for two minutes, and nothing with Set-Cookie. Of Cache-Control it reads max-age,
    s-maxage and, anywhere in the text, no-cache, no-store and private.
    """
    refused = _varnish_refusal(received)
    if refused:
        return Permitted(Sharing.NEVER, why=refused)
    seconds, by = _varnish_lifetime(received, now)
    spent = _varnish_age(received)
    if seconds is None or seconds - spent <= 0:
        return Permitted(Sharing.NEVER, why=by)
    sharing = Sharing.FRESH if by else Sharing.GUESSING
    return Permitted(sharing, seconds, spent, by or "its own default", _varnish_grace(received))


def _varnish_refusal(received: Received) -> str:
    if received.has("set-cookie"):
        return "set-cookie"
    surrogate = received.combined("surrogate-control")
    if surrogate is not None:
        return "surrogate-control: no-store" if "no-store" in surrogate.lower() else _varnish_vary(received)
    found = re.search("no-cache|no-store|private", (received.combined(caching.HEADER) or "").lower())
    return f"{caching.HEADER}: {found[0]}" if found else _varnish_vary(received)


def _varnish_vary(received: Received) -> str:
    """The built-in VCL compares the whole value; a ``*`` beside names means nothing to it."""
    return "vary: *" if received.combined("vary") == "*" else ""


def _varnish_lifetime(received: Received, now: int | None) -> tuple[int | None, str]:
    """Seconds and what said them; the empty text where it is the default, no seconds where the status is not kept."""
    if received.status not in VARNISH_KEPT | VARNISH_KEPT_IF_SAID:
        return None, f"status {received.status}"
    for name in ("s-maxage", "max-age"):
        text = _varnish_directive(received, name)
        if text is not None:
            if text:
                return _varnish_seconds(text), f"{caching.HEADER}: {name}"
            break
    until = _varnish_until(received, now)
    if until is not None:
        return until, "expires"
    if received.status in VARNISH_KEPT_IF_SAID:
        return None, f"status {received.status}"
    return VARNISH_DEFAULT, ""


def _varnish_directive(received: Received, name: str) -> str | None:
    """What stands behind a directive's equals sign; empty without one, None without the directive."""
    text = received.combined(caching.HEADER) or ""
    found = re.search(rf"(?:^|[,\s;]){name}(?:=([^,]*))?(?=[,\s;]|$)", text, re.IGNORECASE)
    return None if found is None else found[1] or ""


def _varnish_seconds(text: str) -> int:
    found = re.fullmatch(r"\s*([0-9]{1,18})\s*(?:\..*)?", text)
    return min(int(found[1]), caching.LONGEST_LIFE) if found else 0


def _varnish_until(received: Received, now: int | None) -> int | None:
    """Seconds until Expires, by the cache's clock unless the Date is far from it; None where it is no date."""
    until, date = _strict_instant(received.combined("expires") or ""), _instant(received, "date")
    if until is None:
        return {"<expires:future>": 1, "<expires:past>": 0}.get(received.combined("expires") or "")
    clock = date if now is None else now
    if date is not None and clock is not None and abs(date - clock) >= VARNISH_SKEW:
        clock = date
    return max(until - clock, 0) if clock is not None else None


def _varnish_grace(received: Received) -> int:
    """Seconds of stale-while-revalidate, else ten (``default_grace``)."""
    said = _varnish_directive(received, "stale-while-revalidate")
    return _varnish_seconds(said) if said else VARNISH_GRACE


def _varnish_age(received: Received) -> int:
    found = re.match(r"\s*([0-9]{1,10})\s*(?:[,.]|$)", received.combined("age") or "")
    return int(found[1]) if found else 0


# --- one request after another -----------------------------------------------------------------------------------


def _rfc_passes(received: Received, later: Later) -> bool:
    """RFC 9111, 3.5: what was made for a request with Authorization is for others only where the answer says so."""
    authorized = later.first.value("authorization") is not None
    return not authorized or caching.storable_by_shared_cache(received, authorized=True)


def _nginx_passes(_received: Received, _later: Later) -> bool:
    """It looks at neither Cookie nor Authorization unless its configuration says so."""
    return True


def _varnish_passes(_received: Received, later: Later) -> bool:
    """The built-in VCL neither reads from the cache nor stores for requests with Cookie or Authorization."""
    names = ("cookie", "authorization")
    return all(asked.value(name) is None for asked in (later.first, later.second) for name in names)


def _varied(received: Received) -> frozenset[str]:
    return lists.tokens(received, "vary")


_PASSES: dict[CacheKind, Callable[[Received, Later], bool]] = {
    CacheKind.RFC9111: _rfc_passes,
    CacheKind.CDN: _rfc_passes,
    CacheKind.NGINX: _nginx_passes,
    CacheKind.VARNISH: _varnish_passes,
}
_VARIED: dict[CacheKind, Callable[[Received], frozenset[str]]] = dict.fromkeys(CacheKind, _varied)
_KINDS: dict[CacheKind, Callable[[Received, int | None], Permitted]] = {
    CacheKind.RFC9111: _rfc9111,
    CacheKind.CDN: _cdn,
    CacheKind.NGINX: _nginx,
    CacheKind.VARNISH: _varnish,
}
