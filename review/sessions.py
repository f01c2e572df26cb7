"""Which cookies look as if they stood for a person: one table, by name alone, since values are never kept."""

from __future__ import annotations

import functools
import re
from enum import StrEnum

from review import cookies

SESSIONS = (
    ("phpsessid", "PHP"),
    ("jsessionid", "Java servlets"),
    ("jsessionidsso", "Tomcat, single sign-on"),
    ("asp.net_sessionid", "ASP.NET"),
    (".aspxauth", "ASP.NET forms authentication"),
    (".aspnetcore.session", "ASP.NET Core"),
    (".aspnetcore.cookies", "ASP.NET Core authentication"),
    (".aspnetcore.identity.application", "ASP.NET Core Identity"),
    ("connect.sid", "Express"),
    ("koa.sess", "Koa"),
    ("next-auth.session-token", "NextAuth"),
    ("authjs.session-token", "Auth.js"),
    ("sessionid", "Django"),
    ("session", "Flask"),
    ("laravel_session", "Laravel"),
    ("symfony", "Symfony"),
    ("ci_session", "CodeIgniter"),
    ("cakephp", "CakePHP"),
    ("rack.session", "Rack"),
    ("_session_id", "Rails"),
    ("play_session", "Play"),
    ("cftoken", "ColdFusion"),
    ("sid", "many"),
    ("jwt", "many"),
    ("access_token", "OAuth"),
    ("refresh_token", "OAuth"),
    ("id_token", "OpenID Connect"),
    ("remember_token", "Rails"),
)
"""Names, in lower case and without a prefix, that certainly stand for a session."""

SESSION_BEGINNINGS = (
    "aspsessionid",  # classic ASP adds letters
    "wordpress_logged_in_",  # WordPress adds a hash
    "wordpress_sec_",
    "remember_web_",  # Laravel adds a hash
    "sess_",
    "sess-",
    "ssess",  # Drupal adds a hash
)
SESSION_PARTS = ("sess", "auth", "token", "jwt", "login", "logged_in", "remember_me", "rememberme")
"""Parts of names that suggest a session; suggestions weigh less."""
SESSION_ENDINGS = ("_sid", "-sid", ".sid")

NO_SESSIONS = (
    "csrf",  # against forged requests: scripts have to read some of these
    "xsrf",
    "antiforgery",
    "requestverificationtoken",
    "author",  # no authority
    "ai_session",  # Application Insights, written by scripts
    "_hjsession",  # Hotjar
    "intercom-session",
    "optimizely",
    "amplitude",
    "awsalb",  # load balancers: which node, not which person
    "arraffinity",
    "_ga",
    "_gid",
    "_clsk",
    "sessionlang",
    "session_lang",
    "device_token",
    "tokenless",
)
"""Parts of names that are none, whatever else is in them."""
ANTI_FORGERY = ("csrf", "xsrf", "antiforgery", "requestverificationtoken")

_NO_SESSION, _SESSION_PART, _ANTI_FORGERY = (
    re.compile("|".join(map(re.escape, parts))) for parts in (NO_SESSIONS, SESSION_PARTS, ANTI_FORGERY)
)
_KNOWN = frozenset(name for name, _ in SESSIONS)
_TELLING = re.compile(
    "|".join(map(re.escape, sorted({*_KNOWN, *SESSION_BEGINNINGS, *SESSION_PARTS, *SESSION_ENDINGS})))
)
"""Without any of these, a name is no session's."""


class Likeness(StrEnum):
    """How much a cookie's name looks like a session's."""

    NONE = "none"
    SUGGESTED = "suggested"
    KNOWN = "known"


@functools.lru_cache(maxsize=1024)
def likeness(name: str) -> Likeness:
    """How much a cookie of that name looks like a session; its prefix does not matter."""
    bare = _bare(name)
    if not _TELLING.search(bare):
        return Likeness.NONE
    if bare in _KNOWN or bare.startswith(SESSION_BEGINNINGS):
        return Likeness.KNOWN
    if not bare.endswith(SESSION_ENDINGS) and not _SESSION_PART.search(bare):
        return Likeness.NONE
    return Likeness.NONE if _NO_SESSION.search(bare) else Likeness.SUGGESTED


def is_anti_forgery(name: str) -> bool:
    """Whether a cookie of that name protects against forged requests."""
    bare = _bare(name)
    return _ANTI_FORGERY.search(bare) is not None


def _bare(name: str) -> str:
    lower = name.lower()
    if not lower.startswith("__"):
        return lower
    return next((lower[len(prefix) :] for prefix in cookies.PREFIXES if lower.startswith(prefix)), lower)
