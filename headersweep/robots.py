"""robots.txt as RFC 9309 wants it: what an answer means, how long it holds, and what it allows.

protego matches the rules (longest match, wildcards, linear); around it stands what it leaves to its caller.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

from protego import Protego

AGENT = "headersweep"
MAX_BYTES = 512 * 1024
MAX_REDIRECTS = 5
CRAWL_DELAY_MAX_SECONDS = 30.0

GOOD_FOR = timedelta(hours=24)
SERVED_WHILE_UNREACHABLE = timedelta(days=30)
RETRY_FIRST = timedelta(seconds=60)
RETRY_MAX = timedelta(hours=1)
_MAX_DOUBLINGS = 6

_AGENT_LINE = re.compile(r"\s*user(?:-|\s+)?agent(?:\s*:|\s)(.*)", re.IGNORECASE)
_PRODUCT_TOKEN = re.compile(r"[A-Za-z_-]+")
_SOMEBODY_ELSE = "User-agent: !"
"""A name that no agent has. All foreign groups get it: protego's work grows with agents times rules."""


class RobotsVerdict(StrEnum):
    """What the answer to a request for robots.txt means."""

    PARSE = "parse"
    ALLOW_ALL = "allow_all"
    UNREACHABLE = "unreachable"


def decide(status: int | None) -> RobotsVerdict:
    """The verdict on a status, after redirects; ``None`` means that no answer came.

    2xx: its rules. 3xx: more redirects than we follow, no file, all allowed. 4xx: no file, all allowed. 429, 5xx, no
    answer, and statuses that do not exist: unreachable, nothing allowed until it answers.
    """
    hundreds = 0 if status is None else status // 100
    if hundreds == 2:  # noqa: PLR2004 - the class of statuses is its name
        return RobotsVerdict.PARSE
    if hundreds in {3, 4} and status != 429:  # noqa: PLR2004 - Too Many Requests
        return RobotsVerdict.ALLOW_ALL
    return RobotsVerdict.UNREACHABLE


class RobotsRules:
    """What one answer for robots.txt allows."""

    def __init__(self, verdict: RobotsVerdict, text: str = "") -> None:
        self.verdict = verdict
        self.text = text
        self._parsed: dict[str, Protego] = {}

    @classmethod
    def parse(cls, status: int | None, body: bytes = b"") -> RobotsRules:
        """The rules in an answer; never raises on any bytes. ``text`` and the status are enough to parse it again."""
        verdict = decide(status)
        return cls(verdict, readable(body) if verdict is RobotsVerdict.PARSE else "")

    def allows(self, url: str, agent: str = AGENT) -> bool:
        """Whether this agent, given by its product token, may fetch a page; robots.txt itself it always may."""
        if self.verdict is RobotsVerdict.PARSE:
            return self._rules(agent).can_fetch(url, agent)
        return self.verdict is RobotsVerdict.ALLOW_ALL

    def crawl_delay(self, agent: str = AGENT) -> float | None:
        """The seconds between two requests that the file asks of this agent: at most 30, whatever it says."""
        delay = self._rules(agent).crawl_delay(agent)
        return None if delay is None else min(delay, CRAWL_DELAY_MAX_SECONDS)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps that the file names, as written, each once."""
        return tuple(dict.fromkeys(self._rules(AGENT).sitemaps))

    def _rules(self, agent: str) -> Protego:
        if agent not in self._parsed:
            self._parsed[agent] = Protego.parse(_for_agent(self.text, agent))
        return self._parsed[agent]


def readable(body: bytes) -> str:
    """The file as text: its first 512 KiB, without the line that was cut.

    Without a byte-order mark too (behind one, protego overlooks the first group and allows everything), and without
    NUL, which Postgres cannot keep.
    """
    if len(body) > MAX_BYTES:
        body = body[:MAX_BYTES]
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    return body.decode("utf-8", "replace").lstrip("\ufeff").replace("\x00", "\ufffd")


def _for_agent(text: str, agent: str) -> str:
    """The file as one agent reads it: its groups by their plain token, the ``*`` groups, everybody else as one."""
    return "\n".join(_line_for_agent(line, agent.lower()) for line in text.splitlines())


def _line_for_agent(line: str, agent: str) -> str:
    match = _AGENT_LINE.match(line)
    if match is None:
        return line
    name = match[1].partition("#")[0].strip()
    if name == "*" or name.startswith("* "):
        return "User-agent: *"
    # RFC 9309 compares product tokens: "headersweep/1.0" is us, "header" is not.
    token = _PRODUCT_TOKEN.match(name)
    return f"User-agent: {agent}" if token and token[0].lower() == agent else _SOMEBODY_ELSE


def expires(verdict: RobotsVerdict, fetched_at: datetime, failures: int = 1) -> datetime:
    """When to ask again.

    A good answer holds for 24 h. An unreachable file is retried after a minute, doubling with every further failure
    (``failures`` in a row, from 1) up to an hour.
    """
    if verdict is not RobotsVerdict.UNREACHABLE:
        return fetched_at + GOOD_FOR
    return fetched_at + min(RETRY_FIRST * (1 << min(max(failures - 1, 0), _MAX_DOUBLINGS)), RETRY_MAX)


def serves_while_unreachable(good_fetched_at: datetime, now: datetime) -> bool:
    """Whether a good copy may still be obeyed while the file cannot be fetched: for 30 days."""
    return now - good_fetched_at <= SERVED_WHILE_UNREACHABLE


def in_force(
    latest: RobotsRules, good: RobotsRules | None, good_fetched_at: datetime | None, now: datetime
) -> RobotsRules:
    """The rules to obey now: the latest answer, or while that is "unreachable" the last good one, for 30 days."""
    if latest.verdict is not RobotsVerdict.UNREACHABLE or good is None or good_fetched_at is None:
        return latest
    return good if serves_while_unreachable(good_fetched_at, now) else latest
