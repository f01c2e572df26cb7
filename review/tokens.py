"""Secrets and internal names in text, found in time that grows with its length alone; and their masking.

Each pattern begins with a fixed text that is looked for first, begins only where a word begins, and never gives back
what it has taken: so no text makes it slow.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

MASK = "<masked>"
SHOWN = 4
LONG_ENOUGH_TO_SHOW = 12
"""Of a shorter secret nothing is shown."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of secret: what it is called, what text holding it must contain, and its form."""

    label: str
    marker: str
    form: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a text, and where it stands."""

    label: str
    start: int
    end: int


_WORD = "[A-Za-z0-9_-]"


def _begins(prefix: str, rest: str) -> Pattern:
    """The form of what begins with a fixed text, where no word goes on; the fixed text first, since that is fast."""
    text = re.escape(prefix)
    return Pattern("", prefix, re.compile(f"{text}(?<!{_WORD}{text}){rest}"))


def _named(label: str, *patterns: Pattern) -> tuple[Pattern, ...]:
    return tuple(replace(pattern, label=label) for pattern in patterns)


_BASIC = "user name and password"
_AWS = "AWS access key"

PATTERNS: tuple[Pattern, ...] = (
    *_named("JSON Web Token", _begins("eyJ", rf"{_WORD}{{6,}}+\.eyJ{_WORD}{{6,}}+\.{_WORD}*+")),
    *_named(_AWS, *(_begins(prefix, "[A-Z2-7]{16}(?![A-Za-z0-9])") for prefix in ("AKIA", "ASIA"))),
    *_named("Google API key", _begins("AIza", rf"{_WORD}{{35}}(?!{_WORD})")),
    *_named("Google OAuth secret", _begins("GOCSPX-", rf"{_WORD}{{20,}}+")),
    *_named("GitHub token", _begins("gh", r"[oprsu]_[A-Za-z0-9]{36,}+"), _begins("github_pat_", r"\w{22,}+")),
    *_named("GitLab token", _begins("glpat-", rf"{_WORD}{{20,}}+")),
    *_named("Slack token", _begins("xox", r"[abeoprs]-[A-Za-z0-9-]{10,}+")),
    *_named(
        "Slack webhook", _begins("hooks.slack.com/services/", r"T[A-Z0-9]++/B[A-Z0-9]++/[A-Za-z0-9]{16,}+")
    ),
    *_named(
        "Stripe secret key", *(_begins(prefix, "[A-Za-z0-9]{16,}+") for prefix in ("sk_live_", "rk_live_"))
    ),
    *_named("SendGrid key", _begins("SG.", rf"{_WORD}{{22}}\.{_WORD}{{43}}")),
    *_named("npm token", _begins("npm_", "[A-Za-z0-9]{36}(?![A-Za-z0-9])")),
    *_named("PyPI token", _begins("pypi-AgEI", rf"{_WORD}{{50,}}+")),
    *_named("Anthropic key", _begins("sk-ant-", rf"{_WORD}{{20,}}+")),
    *_named("OpenAI key", _begins("sk-proj-", rf"{_WORD}{{20,}}+")),
    *_named("private key", _begins("-----BEGIN ", "(?:[A-Z]{2,10} ){0,2}PRIVATE KEY-----.*+")),
    *_named(
        "credentials in a URL", Pattern("", "://", re.compile(r"://([^\s/?#@:<>\"']++:[^\s/?#@<>\"']++)@"))
    ),
    *_named(
        "bearer token",
        *(_begins(name, r" *+([A-Za-z0-9._~+/-]{16,}+=*+)") for name in ("Bearer ", "bearer ")),
    ),
    *_named(_BASIC, *(_begins(name, r" *+([A-Za-z0-9+/]{8,}+=*+)") for name in ("Basic ", "basic "))),
)
"""What is looked for: the issuer's own prefix, or a form that nothing else has."""

_SIGNED_URL = "X-Amz-Signature="
"""A signed link to a file names the key by design; who has the link has no more than that file."""


_RARE_TO_COMMON = "zqxjkvbpygfwmucldrhsnioate"
"""Small letters; anything else in a marker is rarer."""


def _rarest(marker: str) -> str:
    return min(marker, key=_RARE_TO_COMMON.find)


# To look for one letter costs nearly nothing; for a word, a lot in a text of letters that the word has.
_GUARDED = tuple((_rarest(pattern.marker), pattern) for pattern in PATTERNS)


def may_hold(text: str) -> bool:
    """Whether a text has what any secret begins with; where it has not, no part of it holds a secret."""
    return any(rare in text and pattern.marker in text for rare, pattern in _GUARDED)


def find(text: str) -> Iterator[Found]:
    """The secrets in a text; several kinds may overlap."""
    yield from _found(text, _GUARDED)


def _found(text: str, guarded: Iterable[tuple[str, Pattern]]) -> Iterator[Found]:
    for rare, pattern in guarded:
        if rare in text and pattern.marker in text and not (pattern.label == _AWS and _SIGNED_URL in text):
            for match in pattern.form.finditer(text):
                if pattern.label != _BASIC or _is_pair(match[1]):
                    yield Found(pattern.label, *match.span(match.lastindex or 0))


BODY_BYTES = 64 * 1024
"""So much of a body is looked through."""
_QUOTED = frozenset({"JSON Web Token", "bearer token", _BASIC, "credentials in a URL"})
"""Pages about programming are full of these, and all of them are made up."""
_OF_ISSUERS = tuple(each for each in _GUARDED if each[1].label not in _QUOTED)


def kinds(body: bytes) -> tuple[str, ...]:
    """The kinds of secrets at the beginning of a body, sorted: those that only their issuers make."""
    text = body[:BODY_BYTES].decode("latin-1")
    found = _found(text, _OF_ISSUERS)
    return tuple(
        sorted({each.label for each in found if "EXAMPLE" not in text[each.start : each.end].upper()})
    )


def _is_pair(encoded: str) -> bool:
    """Whether base64 holds a name and a password: `Basic information` does not."""
    try:
        return b":" in base64.b64decode(encoded, validate=True)
    except ValueError:
        return False


def masked(text: str) -> str:
    """The text with every secret but its first letters masked, fit to be shown."""
    found = sorted(find(text), key=lambda each: each.start)
    pieces: list[str] = []
    done = 0
    for each in found:
        if each.start >= done:
            pieces += (text[done : each.start], hint(text[each.start : each.end]))
        done = max(done, each.end)
    pieces.append(text[done:])
    return "".join(pieces) if found else text


def hint(secret: str) -> str:
    """A secret to be recognised by its owner: the first letters, if it is long."""
    return f"{secret[:SHOWN] if len(secret) >= LONG_ENOUGH_TO_SHOW else ''}{MASK}"


_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_BLOCKS = {
    "10.": rf"{_OCTET}\.",
    "192.168.": "",
    "169.254.": "",
    "172.": r"(?:1[6-9]|2[0-9]|3[01])\.",
    "100.": r"(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.",
}
"""RFC 1918, link-local, and RFC 6598: how they begin, and what follows before the last two numbers."""


def _block(beginning: str, rest: str) -> re.Pattern[str]:
    """A slash right after a word makes it a version, as in Product/10.0.0.1."""
    text = re.escape(beginning)
    before = rf"(?<![A-Za-z0-9_.-]{text})(?<![^/\s]/{text})"
    return re.compile(rf"{text}{before}{rest}{_OCTET}\.{_OCTET}(?![A-Za-z0-9_-]|\.[0-9])")


_ADDRESSES = (
    *((beginning, _block(beginning, rest)) for beginning, rest in _BLOCKS.items()),
    # Unique local and link-local addresses (RFC 4193, 4291), in small letters.
    (
        "f",
        re.compile(
            r"f[c-e][0-9a-f]{2}:(?<=f[cd]..:|fe[89ab].:)(?<![0-9a-z:.].{5})[0-9a-f:]{1,34}(?![0-9a-z:])"
        ),
    ),
    # The machine itself comes last, since it tells the least.
    ("127.", _block("127.", rf"{_OCTET}\.")),
    ("[::1]", re.compile(r"\[::1\]")),
)

_INNER = "local|localdomain|internal|intranet|corp|lan|home\\.arpa|private|cluster\\.local|consul"
_NAMES = (
    re.compile(rf"\.(?<=[a-z0-9_-]\.)(?:{_INNER})(?![a-z0-9_-]|\.[a-z0-9])"),
    re.compile(r"ip-(?<![a-z0-9_.-]ip-)(?:10|172|192)(?:-[0-9]{1,3}){3}(?![0-9-])"),
    re.compile(r"//localhost(?![a-z0-9_.-])"),
)
"""Where a name that no public DNS has ends, or begins; in small letters."""
_LONGEST_HOST = 253
_OUTSIDE = re.compile(r"[^a-z0-9_.-]")


def internal_address(text: str) -> str | None:
    """An address in a text that means something inside of a network alone, in lower case; None without any."""
    text = text.lower()
    for beginning, form in _ADDRESSES:
        match = form.search(text) if beginning in text else None
        if match is not None:
            return match[0].strip("[]")
    return None


def internal_name(text: str) -> str | None:
    """The first name of an inner host in a text, in lower case; None without any."""
    text = text.lower()
    for form in _NAMES:
        match = form.search(text)
        if match is not None:
            before = text[max(0, match.start() - _LONGEST_HOST) : match.start()]
            word = _OUTSIDE.split(before)[-1] if match[0].startswith(".") else ""
            return f"{word}{match[0]}".lstrip("/")
    return None
