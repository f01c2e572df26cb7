"""How the MDN HTTP Observatory judges subresource integrity: script elements alone, by registrable domain."""

from __future__ import annotations

import functools

from review.grades.mdn_cookies import is_address, suffixes
from review.grades.scan import WHITESPACE, Scan, Script, host_of

_ALL_SECURE = "sri-implemented-and-all-scripts-loaded-securely"
_EXTERNAL_SECURE = "sri-implemented-and-external-scripts-loaded-securely"
_WORSE = (
    _ALL_SECURE,
    _EXTERNAL_SECURE,
    "sri-implemented-but-external-scripts-not-loaded-securely",
    "sri-not-implemented-but-external-scripts-loaded-securely",
    "sri-not-implemented-and-external-scripts-not-loaded-securely",
)


def verdict(scan: Scan) -> str:
    """The result of the test."""
    if not scan.reads_body:
        return "sri-not-implemented-response-not-html"
    found = scripts(scan)
    if not found:
        return "sri-not-implemented-but-no-scripts-loaded"
    result, foreign = _worst(found, scan)
    if result:
        return result
    return _EXTERNAL_SECURE if foreign else "sri-not-implemented-but-all-scripts-loaded-from-secure-origin"


def scripts(scan: Scan) -> tuple[Script, ...]:
    """The page's scripts: as given, or as the facts about its body have them."""
    if scan.scripts is not None:
        return scan.scripts
    loads = scan.facts.loads if scan.facts else ()
    return tuple(
        Script(f"{load.source}/", has_integrity=load.has_integrity) for load in loads if load.kind == "script"
    )


def _worst(found: tuple[Script, ...], scan: Scan) -> tuple[str, bool]:
    result, foreign = "", False
    for script in found:
        src = _with_lower_scheme(script.src)
        if not src:
            continue
        if _is_own(src, host_of(scan.start)):
            if script.has_integrity and not result and _is_secure(src, https=scan.https):
                result = _ALL_SECURE
        else:
            foreign = True
            fault = _fault(src, has_integrity=script.has_integrity)
            if fault and (not result or _WORSE.index(fault) > _WORSE.index(result)):
                result = fault
    return result, foreign


def _with_lower_scheme(src: str) -> str:
    scheme, colon, rest = src.strip(WHITESPACE).partition(":")
    return f"{scheme.lower()}{colon}{rest}" if colon and scheme.isalpha() else scheme + colon + rest


def _fault(src: str, *, has_integrity: bool) -> str:
    secure = src.startswith("https://")
    if has_integrity:
        return "" if secure else _WORSE[2]
    return _WORSE[3] if secure else _WORSE[4]


def _is_own(src: str, host: str) -> bool:
    """Whether a script comes from the site: a relative URL, or one of its registrable domain."""
    if _is_protocol_relative(src):
        return False
    if not src.startswith(("http://", "https://")):
        return True
    return registrable(host_of(src)) == registrable(host)


def _is_protocol_relative(src: str) -> bool:
    return src.startswith("//") and src[2:3] not in {"", "/"}


def _is_secure(src: str, *, https: bool) -> bool:
    return src.startswith("https://") or (https and not src.startswith("http://"))


@functools.lru_cache(maxsize=1024)
def registrable(host: str) -> str | None:
    """The registrable domain by the ICANN part of the list; None for addresses and bare suffixes."""
    if not host or is_address(host):
        return None
    found = suffixes().privatesuffix(host)
    return None if found is None else str(found)
