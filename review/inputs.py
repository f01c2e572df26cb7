"""What people have at hand of an answer, read into values to be judged: header blocks, curl's output, HAR, JSON lines.

Pure: bytes in, answers out. The only error is `UnreadableError`, whatever the bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from headersweep import headers, responses
from review.grades.scan import Hop

Pair = tuple[str, str]

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? +([1-9]\d{2})(?: [^\n]*)?\r?(?:\n|\Z)", re.IGNORECASE)
_HEAD_END = re.compile(rb"\n\r?(?:\n|\Z)")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NO_VALUE = re.compile(r"[\0\r\n]")
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_STATUSES = range(100, 1000)
_VERBOSE = re.compile(rb"^< HTTP/", re.MULTILINE)


class UnreadableError(ValueError):
    """The input is nothing that can be judged; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to be judged. ``chain``: the redirects before it. ``url`` is empty where nobody said it."""

    pairs: tuple[Pair, ...]
    status: int = 200
    url: str = ""
    malformed: tuple[str, ...] = ()
    chain: tuple[Hop, ...] = ()
    body: bytes | None = None
    id: Any = None

    @property
    def charset(self) -> str | None:
        """The character set that the Content-Type names."""
        values = [value for name, value in self.pairs if name.lower() == "content-type"]
        found = _CHARSET.search(values[-1]) if values else None
        return found[1] if found else None


def block(data: bytes, url: str = "", status: int | None = None) -> Answer:
    """The answer in a header block or in curl's output: the last one, the redirects before it as its chain."""
    heads, body = _split(_without_marks(data))
    chain: list[Hop] = []
    for code, raw in heads[:-1]:
        if code in responses.REDIRECTS:
            parsed = headers.parse_block(raw)
            chain.append(Hop(url, code, parsed.pairs))
            url = _target(url, parsed.pairs)
    code, raw = heads[-1]
    parsed = headers.parse_block(raw)
    if code is None and not parsed.pairs:
        raise UnreadableError("there is no header line in it; what `curl -sI URL` prints can be judged")
    found = status or code or 200
    return Answer(parsed.pairs, found, url, parsed.malformed, tuple(chain), body or None)


def _without_marks(data: bytes) -> bytes:
    """The answer's lines alone where these are ``curl -v`` lines."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if not _VERBOSE.search(data):
        return data
    return b"\n".join(line[2:] for line in data.split(b"\n") if line.startswith(b"<"))


def _split(data: bytes) -> tuple[list[tuple[int | None, bytes]], bytes]:
    heads: list[tuple[int | None, bytes]] = []
    while True:
        line = _STATUS_LINE.match(data)
        if heads and not line:
            return heads, data
        start = line.end() if line else 0
        # The blank line may follow the status line at once.
        end = _HEAD_END.search(data, max(start - 1, 0))
        heads.append((int(line[1]) if line else None, data[start : end.start() + 1 if end else len(data)]))
        data = data[end.end() :] if end else b""


def _target(url: str, pairs: tuple[Pair, ...]) -> str:
    """Where a redirect leads; what is no URL leads nowhere."""
    places = [value for name, value in pairs if name.lower() == "location"]
    try:
        return urllib.parse.urljoin(url, places[0]) if places else url
    except ValueError:
        return ""


def har(data: bytes) -> list[Answer]:
    """The answers of a HAR file in its order; those that never came are left out."""
    log = _json(data)
    entries = (
        log.get("log", {}).get("entries")
        if isinstance(log, dict) and isinstance(log.get("log"), dict)
        else None
    )
    if not isinstance(entries, list):
        raise UnreadableError("this is no HAR file: it has no log.entries")
    return [_har_answer(number, entry) for number, entry in enumerate(entries, 1) if _came(entry)]


def looks_like_har(data: bytes) -> bool:
    """Whether these bytes are JSON with a log at its top, and so no header block."""
    return re.match(rb"(?:\xef\xbb\xbf)?\s*\{\s*\"log\"\s*:", data) is not None


def _came(entry: Any) -> bool:
    answer = entry.get("response") if isinstance(entry, dict) else None
    # Browsers write status 0 for what they blocked themselves or never got.
    return not isinstance(answer, dict) or answer.get("status") != 0


def _har_answer(number: int, entry: Any) -> Answer:
    try:
        answer, url = entry["response"], entry["request"]["url"]
        # HTTP/2 in a HAR: pseudo headers have a colon, and repeated lines are one with line breaks.
        sent = [
            [item["name"], value]
            for item in answer["headers"]
            if not item["name"].startswith(":")
            for value in item["value"].split("\n")
        ]
        return _answer(sent, answer["status"], url, _har_body(answer.get("content")))
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(
            f"entry {number} of the HAR file lacks request.url, response.status or headers"
        ) from error
    except UnreadableError as error:
        raise UnreadableError(f"entry {number} of the HAR file: {error}") from error


def _har_body(content: Any) -> bytes | None:
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str):
        return None
    if content.get("encoding") != "base64":
        return _bytes(text)
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return None


def json_line(data: bytes) -> Answer:
    """The answer in one JSON line: ``{"id", "url", "status", "headers": [[name, value], ...], "body"?}``."""
    found = _json(data)
    if not isinstance(found, dict):
        raise UnreadableError("not a JSON object")
    body = found.get("body")
    if body is not None and not isinstance(body, str):
        raise UnreadableError("body is no text")
    answer = _answer(
        found.get("headers"),
        200 if found.get("status") is None else found["status"],
        "" if found.get("url") is None else found["url"],
        None if body is None else _bytes(body),
    )
    return Answer(answer.pairs, answer.status, answer.url, answer.malformed, (), answer.body, found.get("id"))


def id_of(data: bytes) -> Any:
    """The id of a line that could not be judged; None where not even that can be read."""
    try:
        found = _json(data)
    except UnreadableError:
        return None
    return found.get("id") if isinstance(found, dict) else None


def _answer(sent: Any, status: Any, url: Any, body: bytes | None) -> Answer:
    if not isinstance(status, int) or isinstance(status, bool) or status not in _STATUSES:
        raise UnreadableError("status is no number from 100 to 999")
    if not isinstance(url, str):
        raise UnreadableError("url is no text")
    pairs = tuple(_pairs(sent))
    good = tuple(pair for pair in pairs if _is_header(*pair))
    malformed = tuple(f"{name}: {value}" for name, value in pairs if not _is_header(name, value))
    return Answer(good, status, url, malformed, (), body)


def _pairs(sent: Any) -> Iterator[Pair]:
    if not isinstance(sent, list):
        raise UnreadableError("headers is no list of [name, value]")
    for item in sent:
        if not isinstance(item, list) or len(item) != 2 or not all(isinstance(side, str) for side in item):  # noqa: PLR2004 - a pair
            raise UnreadableError("headers is no list of [name, value]")
        yield _as_received(item[0]), _as_received(item[1]).strip(" \t")


def _is_header(name: str, value: str) -> bool:
    return _TOKEN.fullmatch(name) is not None and not _NO_VALUE.search(value)


def _as_received(text: str) -> str:
    """Text as the bytes that came over the wire, one character each."""
    return text if text.isascii() or max(text) <= "\xff" else _bytes(text).decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("not valid JSON") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
