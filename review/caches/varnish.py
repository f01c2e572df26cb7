"""What Varnish with its built-in VCL makes of an answer (bin/varnishd/cache/cache_rfc2616.c, builtin.vcl)."""

from __future__ import annotations

import re

from review import caching
from review.caches.permitted import Permitted, instant, strict_instant
from review.caching import Sharing
from review.received import Received

DEFAULT = 120
"""Seconds for which it keeps an answer that does not say for how long (its parameter ``default_ttl``)."""
KEPT = frozenset({200, 203, 204, 300, 301, 304, 404, 410, 414})
KEPT_IF_SAID = frozenset({302, 307})
SKEW = 10
"""Seconds by which a Date may be off before Expires is measured against it (``clock_skew``)."""
GRACE = 10
"""Seconds for which it gives out an answer beyond its lifetime, while it fetches a new one (``default_grace``)."""


def permitted(received: Received, now: int | None) -> Permitted:
    """Varnish 7.1 with its built-in VCL (bin/varnishd/cache/cache_rfc2616.c, builtin.vcl).

    It keeps what says nothing for two minutes, and nothing with Set-Cookie. Of Cache-Control it reads max-age,
    s-maxage and, anywhere in the text, no-cache, no-store and private.
    """
    refused = _refusal(received)
    if refused:
        return Permitted(Sharing.NEVER, why=refused)
    seconds, by = _lifetime(received, now)
    spent = _age(received)
    if seconds is None or seconds - spent <= 0:
        return Permitted(Sharing.NEVER, why=by)
    sharing = Sharing.FRESH if by else Sharing.GUESSING
    return Permitted(sharing, seconds, spent, by or "its own default", _grace(received))


def _refusal(received: Received) -> str:
    if received.has("set-cookie"):
        return "set-cookie"
    surrogate = received.combined("surrogate-control")
    if surrogate is not None:
        return "surrogate-control: no-store" if "no-store" in surrogate.lower() else _vary(received)
    found = re.search("no-cache|no-store|private", (received.combined(caching.HEADER) or "").lower())
    return f"{caching.HEADER}: {found[0]}" if found else _vary(received)


def _vary(received: Received) -> str:
    """The built-in VCL compares the whole value; a ``*`` beside names means nothing to it."""
    return "vary: *" if received.combined("vary") == "*" else ""


def _lifetime(received: Received, now: int | None) -> tuple[int | None, str]:
    """Seconds and what said them; the empty text where it is the default, no seconds where the status is not kept."""
    if received.status not in KEPT | KEPT_IF_SAID:
        return None, f"status {received.status}"
    for name in ("s-maxage", "max-age"):
        text = _directive(received, name)
        if text is not None:
            if text:
                return _seconds(text), f"{caching.HEADER}: {name}"
            break
    until = _until(received, now)
    if until is not None:
        return until, "expires"
    if received.status in KEPT_IF_SAID:
        return None, f"status {received.status}"
    return DEFAULT, ""


def _directive(received: Received, name: str) -> str | None:
    """What stands behind a directive's equals sign; empty without one, None without the directive."""
    text = received.combined(caching.HEADER) or ""
    found = re.search(rf"(?:^|[,\s;]){name}(?:=([^,]*))?(?=[,\s;]|$)", text, re.IGNORECASE)
    return None if found is None else found[1] or ""


def _seconds(text: str) -> int:
    found = re.fullmatch(r"\s*([0-9]{1,18})\s*(?:\..*)?", text)
    return min(int(found[1]), caching.LONGEST_LIFE) if found else 0


def _until(received: Received, now: int | None) -> int | None:
    """Seconds until Expires, by the cache's clock unless the Date is far from it; None where it is no date."""
    until, date = strict_instant(received.combined("expires") or ""), instant(received, "date")
    if until is None:
        return {"<expires:future>": 1, "<expires:past>": 0}.get(received.combined("expires") or "")
    clock = date if now is None else now
    if date is not None and clock is not None and abs(date - clock) >= SKEW:
        clock = date
    return max(until - clock, 0) if clock is not None else None


def _grace(received: Received) -> int:
    """Seconds of stale-while-revalidate, else ten (``default_grace``)."""
    said = _directive(received, "stale-while-revalidate")
    return _seconds(said) if said else GRACE


def _age(received: Received) -> int:
    found = re.match(r"\s*([0-9]{1,10})\s*(?:[,.]|$)", received.combined("age") or "")
    return int(found[1]) if found else 0
