"""Files that deployments leave behind: which paths are asked, how each is known by its content, and what that means.

An answer counts only when the content is what such a file begins with: many sites answer 200 to every path. Nothing of the
content is kept, but for the kinds of things that were recognised in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from review import tokens
from review.finding import Finding, Found, Rule, Severity
from review.probes.answered import Answered, grouped

MAX_ORIGINS = 5
"""So many origins of one run are asked: those of the start pages."""

_CWE_538 = "https://cwe.mitre.org/data/definitions/538.html"

SECRETS = Rule(
    code="exposed.secrets",
    severity=Severity.HIGH,
    title="A file with secrets can be fetched by everybody",
    browser="It shows or saves the file like any other.",
    why="Scanners ask every site for these paths all day. Whoever has the file has the passwords and keys in it.",
    fix="Withdraw every secret in it first; then keep the file outside of what the server publishes.\nnginx: `location ~ /\\. { deny all; }`",
    link=_CWE_538,
)
SOURCE = Rule(
    code="exposed.source",
    severity=Severity.HIGH,
    title="The history or the source of the site can be fetched by everybody",
    browser="It shows or saves the file like any other.",
    why="From a version control folder the whole source can be put together, with every secret that ever stood in it.",
    fix="Publish a built folder, not a checkout.\nnginx: `location ~ /\\.(git|svn|hg) { deny all; }`",
    link=_CWE_538,
)
DATA = Rule(
    code="exposed.data",
    severity=Severity.HIGH,
    title="A dump or a back-up can be fetched by everybody",
    browser="It saves the file.",
    why="It holds the site's data, often with password hashes and personal data, from some day in the past.",
    fix="Keep back-ups outside of what the server publishes, and find out who fetched this one.",
    link=_CWE_538,
)
INSIGHT = Rule(
    code="exposed.insight",
    severity=Severity.MEDIUM,
    title="A page made for the site's operators is shown to everybody",
    browser="It shows the page.",
    why="It tells versions, paths, addresses, other visitors' requests or settings, which is where an attack begins.",
    fix="Allow it for the operators' addresses only, or leave it out.",
    link="https://cwe.mitre.org/data/definitions/497.html",
)
RULES = (SECRETS, SOURCE, DATA, INSIGHT)


@dataclass(frozen=True, slots=True)
class Sign:
    """A kind of file: which rule it breaks, at which paths it is looked for, and how its content is known."""

    name: str
    rule: Rule
    paths: tuple[str, ...]
    form: re.Pattern[bytes]


def _sign(name: str, rule: Rule, paths: tuple[str, ...], form: bytes, flags: int = re.MULTILINE) -> Sign:
    return Sign(name, rule, paths, re.compile(form, flags))


# Each form takes time that grows with the length of the text alone: a server chooses it.
SIGNS = (
    _sign("environment file", SECRETS, ("/.env", "/.env.local", "/.env.production"), rb"\A(?:\s++|#[^\n]*\n)*+(?:export +)?[A-Z][A-Z0-9_]{1,60} ?= ?[^\n<]{0,2000}$"),
    _sign("credentials of AWS", SECRETS, ("/.aws/credentials",), rb"^[ \t]*+aws_secret_access_key\s*="),
    _sign("private key", SECRETS, ("/id_rsa", "/server.key"), rb"\A\s*-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY-----"),
    _sign("password file", SECRETS, ("/.htpasswd",), rb"\A[^\s:<]{1,100}:(?:\$apr1\$|\$2[aby]\$|\{SHA\}|\$[156]\$)"),
    _sign("PHP settings", SECRETS, ("/wp-config.php.bak", "/wp-config.php~", "/wp-config.php.save", "/config.php.bak"), rb"\A\s*+<\?php[\s\S]{0,20000}(?:DB_PASSWORD|\$db|password)"),
    _sign("compose file", SECRETS, ("/docker-compose.yml",), rb"^services:\s*$"),
    _sign("git", SOURCE, ("/.git/HEAD",), rb"\A(?:ref: refs/[^\s<]{1,200}|[0-9a-f]{40})\s*\Z"),
    _sign("git settings", SOURCE, ("/.git/config",), rb"\A\s*\[core\]"),
    _sign("Mercurial", SOURCE, ("/.hg/requires",), rb"\A(?:[a-z0-9-]{2,40}\n){0,30}(?:revlogv1|store|dotencode|share-safe)\n"),
    _sign("Subversion", SOURCE, ("/.svn/wc.db",), rb"\ASQLite format 3\x00"),
    _sign("folder listing of macOS", SOURCE, ("/.DS_Store",), rb"\A\x00\x00\x00\x01Bud1"),
    _sign("database dump", DATA, ("/backup.sql", "/dump.sql", "/database.sql"), rb"^(?:CREATE TABLE|INSERT INTO|-- (?:MySQL|MariaDB|PostgreSQL) )"),
    _sign("archive", DATA, ("/backup.zip", "/backup.tar.gz"), rb"\A(?:PK\x03\x04|\x1f\x8b\x08)"),
    _sign("server status", INSIGHT, ("/server-status",), rb"<title>Apache Status</title>|Apache Server Status for"),
    _sign("phpinfo", INSIGHT, ("/phpinfo.php", "/info.php"), rb"<title>(?:PHP [^<]{0,40}- )?phpinfo\(\)"),
    _sign("settings of Spring", INSIGHT, ("/actuator/env",), rb'\A\s*\{[\s\S]{0,2000}"propertySources"'),
    _sign("profiler of Go", INSIGHT, ("/debug/pprof/",), rb"<title>/debug/pprof/</title>"),
)  # fmt: skip
"""Each is looked for at its own paths only: a page that quotes one of these at another path is no finding."""

PATHS = tuple(path for sign in SIGNS for path in sign.paths)
_AT = {path: sign for sign in SIGNS for path in sign.paths}
_LOOKED_AT = 32 * 1024


def read(_status: int, body: bytes) -> dict[str, Any]:
    """What is recognised at the beginning of a body: names of signs, and kinds of secrets. Never the content."""
    start = body[:_LOOKED_AT]
    text = start.decode("latin-1")
    return {
        "signs": [sign.name for sign in SIGNS if sign.form.search(start)],
        "secrets": sorted({found.label for found in tokens.find(text)}),
    }


def judge(answers: Iterable[Answered]) -> tuple[Found, ...]:
    """One finding for every file that is there, on the origin that it is on."""
    return grouped(found for answer in answers for found in _of(answer))


def _of(one: Answered) -> Iterator[tuple[Finding, str]]:
    path = one.context.get("path", "")
    sign = _AT.get(path)
    if sign is None or not 200 <= one.answer.status < 300 or sign.name not in one.evidence.get("signs", ()):  # noqa: PLR2004 - the class of successes
        return
    secrets = one.evidence.get("secrets") or []
    detail = f"{sign.name}{': ' if secrets else ''}{', '.join(secrets)}"
    yield sign.rule.found(f"GET {path}: {one.answer.status}", f"{one.origin}{path}", detail), one.url
