"""Error pages: a path that no site has is asked for, and the answer must not tell how the site is built.

Only the names of what was recognised are kept; a stack trace may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from review import tokens
from review.finding import Finding, Found, Rule, Severity
from review.probes.answered import Answered, grouped

MAX_ORIGINS = 5
_CWE_209 = "https://cwe.mitre.org/data/definitions/209.html"

LEAKS = Rule(
    code="error_page.leaks",
    severity=Severity.MEDIUM,
    title="An error page tells how the site is built",
    browser="It shows the page.",
    why="Stack traces, paths, settings and queries are the map that an attacker would have to draw first; some hold secrets.",
    fix="Switch debugging off (Django: `DEBUG = False`, Flask: no `debug=True`, PHP: `display_errors = Off`), and show a page of your own.",
    link=_CWE_209,
)
FOUND = Rule(
    code="error_page.not_an_error",
    severity=Severity.INFO,
    title="A path that does not exist is answered as if it did",
    browser="It shows the page, and keeps it as any other.",
    why="Whoever watches logs or crawls cannot tell mistakes from pages. An opinion: single-page applications do this on purpose.",
    fix="Answer 404 where there is no page.",
    link="https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.5",
    opinion=True,
)
RULES = (LEAKS, FOUND)

_SIGNS = {
    "Python traceback": rb"Traceback \(most recent call last\)",
    "Django debug page": rb"DEBUG = True</code>|>Django Version:<|Using the URLconf defined in",
    "Werkzeug debugger": rb"Werkzeug Debugger|__debugger__",
    "Java stack trace": rb"\bat (?:java|javax|org|com|sun|jakarta)\.[\w.$]{3,200}\([\w.]{1,100}:\d{1,6}\)",
    "Spring error page": rb"Whitelabel Error Page",
    "Node stack trace": rb"\n?\s{1,8}(?:at |&nbsp;)[\w.<>&;\[\] ]{0,100}\((?:/|node:|file://)[^)\n]{1,300}:\d{1,6}:\d{1,6}\)",
    "PHP error": rb"<b>(?:Fatal error|Warning|Notice|Parse error)</b>:  |PHP (?:Fatal error|Warning|Notice|Parse error):",
    "Laravel debug page": rb"Illuminate\\[A-Z]\w{1,60}\\|Whoops, looks like something went wrong",
    "Ruby debug page": rb"<h1>Routing Error</h1>|ActionController::RoutingError|Rails\.root:",
    "ASP.NET debug page": rb"Server Error in '[^'\n]{1,200}' Application|\[[\w.]{3,100}Exception[:\]]",
    "Go panic": rb"goroutine \d{1,9} \[running\]:",
    "SQL error": rb"SQLSTATE\[|You have an error in your SQL syntax|ORA-\d{5}:|PG::\w{3,60}Error|sqlite3\.OperationalError",
}
_FORMS = {name: re.compile(form) for name, form in _SIGNS.items()}
_LOOKED_AT = 48 * 1024


def read(_status: int, body: bytes) -> dict[str, Any]:
    """What is recognised in a body: names alone."""
    start = body[:_LOOKED_AT]
    return {
        "signs": [name for name, form in _FORMS.items() if form.search(start)],
        "secrets": sorted({found.label for found in tokens.find(start.decode("latin-1"))}),
    }


def judge(answers: Iterable[Answered]) -> tuple[Found, ...]:
    """One finding for every origin and kind of leak."""
    return grouped(found for answer in answers for found in _of(answer))


def _of(one: Answered) -> Iterator[tuple[Finding, str]]:
    shown = [*one.evidence.get("signs", ()), *one.evidence.get("secrets", ())]
    line = f"GET {one.url}: {one.answer.status}"
    if shown:
        yield LEAKS.found(line, one.origin, ", ".join(shown)), one.url
    if 200 <= one.answer.status < 300:  # noqa: PLR2004 - the class of successes
        yield FOUND.found(line, one.origin), one.url
