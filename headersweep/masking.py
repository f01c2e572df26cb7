"""Secrets cut out of a raw header block: cookie values and tokens. Everything else stays byte for byte."""

from __future__ import annotations

import re

from headersweep import cookies

MASK = "<masked>"

SECRET_NAMES = (
    "authorization",
    "proxy-authorization",
    "authentication-info",
    "proxy-authentication-info",
    "cookie",
    "x-auth-token",
    "x-access-token",
    "x-refresh-token",
    "x-api-key",
    "api-key",
    "x-amz-security-token",
    "x-csrf-token",
    "x-xsrf-token",
    "csrf-token",
    "x-session-token",
    "x-session-id",
)
"""Headers whose whole value is a secret."""

_HINT = re.compile(rb"cookie|auth|token|key|session", re.IGNORECASE)
_LOGICAL_LINE = re.compile(r"[^\n]+(?:\n[ \t][^\n]*)*\n?|\n")
_BARE_RETURN = re.compile(r"((?<!\r)\r++(?!\n))")
_NAME_END = r"(?:[\x00-\x20]*[:=][\x00-\x20]*|[\x00-\x20]+)"
# Also what only looks like the header: a space before the colon, an underscore, no colon at all.
_SET_COOKIE = re.compile(r"[\x00-\x20]*set[-_\x00-\x20]*cookie2?" + _NAME_END, re.IGNORECASE)
_SECRET = re.compile(
    r"[\x00-\x20]*(?:" + "|".join(map(re.escape, SECRET_NAMES)) + ")" + _NAME_END, re.IGNORECASE
)
_SPACE = " \t\r\n"


def mask(raw: bytes) -> bytes:
    """The block with every secret value replaced by ``<masked>``; masking again changes nothing."""
    if not _HINT.search(raw):
        return raw
    lines = _LOGICAL_LINE.findall(raw.decode("latin-1"))
    return "".join(map(_line, lines)).encode("latin-1")


def _line(line: str) -> str:
    body = line.rstrip("\r\n")
    pieces = _BARE_RETURN.split(body)
    secret = False
    for number in range(0, len(pieces), 2):  # the bare returns stand between the pieces
        pieces[number], secret = _piece(pieces[number], after_secret=secret)
    return "".join(pieces) + line[len(body) :]


def _piece(text: str, *, after_secret: bool) -> tuple[str, bool]:
    """The masked text, and whether it is, or goes on with, a secret header."""
    match = _SET_COOKIE.match(text)
    if match:
        return match[0] + cookie(text[match.end() :]), True
    match = _SECRET.match(text)
    if match:
        return match[0] + _value(text[match.end() :]), True
    if after_secret and text[:1] in {" ", "\t"}:
        return _value(text), True
    return text, False


def cookie(text: str) -> str:
    """One cookie's line without the header's name, masked."""
    pair, semicolon, rest = text.partition(";")
    name, equals, value = pair.partition("=")
    first = f"{name}={_value(value)}" if equals else _value(pair)
    return f"{first};{cookie_attributes(rest)}" if semicolon else first


def cookie_attributes(text: str) -> str:
    """What stands behind the first semicolon of a cookie's line, masked."""
    return ";".join([part and _attribute(part) for part in text.split(";")])


def _attribute(text: str) -> str:
    name, equals, value = text.partition("=")
    key = name.strip(_SPACE)
    if key.lower() in cookies.ATTRIBUTES:
        folded = cookies.FOLDED_COOKIE.sub(lambda match: match[1] + _value(match[2]), value)
        return f"{name}{equals}{folded}"
    if equals:
        return f"{name}={_value(value)}"
    return text if cookies.FLAG.fullmatch(key) else _value(text)


def _value(text: str) -> str:
    value = text.strip(_SPACE)
    if not value:
        return text
    if value == text and "\0" not in text:
        return MASK
    start = text.index(value)
    # A NUL makes the line malformed, which is evidence; so it stays visible.
    nul = "\0" if "\0" in value else ""
    return f"{text[:start]}{MASK}{nul}{text[start + len(value) :]}"
