"""Reading one HTTP/1.1 response out of bytes: strict first, then lenient, and never losing the header block.

Pure: bytes in, head and body out, no I/O and no clock. What a strict parser refuses is what a header reviewer came for,
so the lines are kept as received; only what frames the body is understood here, by RFC 9112 section 6.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

Pair = tuple[bytes, bytes]

MAX_HEAD_BYTES = 128 * 1024
MAX_INTERIM_RESPONSES = 16
MAX_CHUNK_LINE_BYTES = 4 * 1024
MAX_TRAILER_BYTES = 32 * 1024
STATUS_LINE_BYTES = 4 * 1024

NO_CONTENT = 204
NOT_MODIFIED = 304
CONTINUE = 100
SWITCHING_PROTOCOLS = 101
FIRST_FINAL_STATUS = 200

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d(?:\.\d)?)[ \t]+(\d{3})(?![0-9])[ \t]*([^\r\n]*)")
_STRICT_BLOCK = re.compile(rb"(?:" + _TOKEN + rb":[^\r\n\0]*\r\n)*+")
_STRICT_PAIR = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*)\r\n")
_LENIENT_LINE = re.compile(rb"(" + _TOKEN + rb")([ \t]*):[ \t]*(.*)", re.DOTALL)
_LENGTH = re.compile(rb"\d{1,18}")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class WireError(Exception):
    """The bytes are not an HTTP/1.1 response that can be read further."""


class HeadTooLargeError(WireError):
    """The header block does not end within 128 KiB."""


@dataclass(slots=True)
class Head:
    """The first part of a response: its status line and its header block, as received."""

    status: int
    version: bytes
    reason: bytes
    status_line: bytes
    raw: bytes
    pairs: list[Pair]
    malformed: bool
    index: dict[bytes, list[bytes]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.index = {}
        for name, value in self.pairs:
            self.index.setdefault(name.lower(), []).append(value)

    def values(self, name: bytes) -> list[bytes]:
        """All values of one header (name in lower case), in order."""
        return self.index.get(name, [])


class _Framing(Enum):
    """How the end of the body is found."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


class _Chunk(Enum):
    """What a chunked body waits for."""

    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILERS = auto()


@dataclass(slots=True)
class ResponseReader:
    """One response, fed piece by piece.

    ``head`` appears once the final (not 1xx) header block is whole; ``done`` once the body is. ``reusable`` then says
    whether the connection is at a clean boundary. ``problem`` says in words what was wrong with the framing or the body.
    """

    head_only: bool = False
    stop_at_continue: bool = False
    head: Head | None = None
    done: bool = False
    body: list[bytes] = field(default_factory=list)
    body_size: int = 0
    trailers: bytes = b""
    problem: str = ""
    received: bool = False
    unframed: bool = False
    length: int | None = None
    keep_body: bool = True
    _buffer: bytearray = field(default_factory=bytearray)
    _searched: int = 0
    _interim: int = 0
    _framing: _Framing = _Framing.NONE
    _remaining: int = 0
    _chunk: _Chunk = _Chunk.SIZE
    _persistent: bool = True

    def feed(self, data: bytes) -> None:
        """Take the next bytes; WireError when they cannot be a response."""
        self.received = True
        if self.head is None:
            self._buffer += data
            self._read_heads()
        else:
            self._read_body(data)

    def eof(self) -> None:
        """The peer closed: the natural end of some bodies, a cut in all others."""
        if self.head is None or self.done:
            return
        self._persistent = False
        if self._framing is not _Framing.CLOSE:
            self.problem = "the connection was closed before the end of the body"
            return
        self.done = True

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on the same connection."""
        return self.done and self._persistent and not self._buffer

    def discard_body(self) -> None:
        """Keep nothing of the body from here on; it is still read to its end."""
        self.keep_body = False
        self.body.clear()

    def partial_head(self) -> Head | None:
        """What came of a header block that never ended: its status and its lines so far, at most 128 KiB."""
        return self.head or _head(bytes(self._buffer[:MAX_HEAD_BYTES]), whole=False)

    def _read_heads(self) -> None:
        while self.head is None:
            self._drop_leading_empty_lines()
            found = _END_OF_HEAD.search(self._buffer, max(0, self._searched - 2))
            if found is None or found.start() >= MAX_HEAD_BYTES:
                self._wait_for_more_head()
                return
            head = _head(bytes(self._buffer[: found.start() + 1]))
            del self._buffer[: found.end()]
            self._searched = 0
            if head is None:
                raise WireError("the answer does not begin with an HTTP/1.1 status line")
            self._accept(head)

    def _drop_leading_empty_lines(self) -> None:
        if self._buffer.startswith((b"\r", b"\n")):
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]
            self._searched = 0

    def _wait_for_more_head(self) -> None:
        self._searched = len(self._buffer)
        if self._searched > MAX_HEAD_BYTES:
            raise HeadTooLargeError(f"the header block is longer than {MAX_HEAD_BYTES // 1024} KiB")
        if not _may_begin_a_response(self._buffer):
            raise WireError("the answer does not begin with an HTTP/1.1 status line")

    def _accept(self, head: Head) -> None:
        """Skip an interim response (1xx), or start the body of the final one.

        Whoever announced a body only to hear what is said of it wants no more than ``100 Continue``.
        """
        if head.status == CONTINUE and self.stop_at_continue:
            self.head, self.done, self._persistent = head, True, False
            return
        if head.status < FIRST_FINAL_STATUS and head.status != SWITCHING_PROTOCOLS:
            self._interim += 1
            if self._interim > MAX_INTERIM_RESPONSES:
                raise WireError(f"more than {MAX_INTERIM_RESPONSES} interim (1xx) responses")
            return
        self.head = head
        self._start_body(head)
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._read_body(rest)

    def _start_body(self, head: Head) -> None:
        self._persistent = _persistent(head.version, head.values(b"connection"))
        codings = _tokens(head.values(b"transfer-encoding"))
        lengths = _tokens(head.values(b"content-length"))
        if head.status == SWITCHING_PROTOCOLS:
            self._persistent = False
            self.done = True
        elif self.head_only or head.status in (NO_CONTENT, NOT_MODIFIED):
            self.done = True
        elif codings:
            self._frame_by_coding(codings, with_length=bool(lengths))
        else:
            self._frame_by_length(lengths)

    def _frame_by_coding(self, codings: list[bytes], *, with_length: bool) -> None:
        self._framing = _Framing.CHUNKED if codings[-1] == b"chunked" else _Framing.CLOSE
        if self._framing is _Framing.CLOSE or with_length or len(codings) > 1:
            self._persistent = False
        if codings != [b"chunked"]:
            self.problem = "transfer codings other than chunked were not decoded"

    def _frame_by_length(self, lengths: list[bytes]) -> None:
        distinct = set(lengths)
        if not distinct:
            self._framing = _Framing.CLOSE
        elif len(distinct) == 1 and _LENGTH.fullmatch(lengths[0]):
            self._framing = _Framing.LENGTH
            self.length = self._remaining = int(lengths[0])
        else:
            self._framing = _Framing.CLOSE
            self.unframed = True
            self.problem = "Content-Length is not one plain number"
        if self._framing is _Framing.CLOSE:
            self._persistent = False

    def _read_body(self, data: bytes) -> None:
        if self.done:
            self._buffer += data[:1]
        elif self._framing is _Framing.CHUNKED:
            self._buffer += data
            self._read_chunks()
        elif self._framing is _Framing.CLOSE:
            self._keep(data)
        else:
            self._read_length(data)

    def _read_length(self, data: bytes) -> None:
        if len(data) > self._remaining:
            self._buffer += data[self._remaining : self._remaining + 1]
            data = data[: self._remaining]
        self._remaining -= len(data)
        self._keep(data)
        self.done = not self._remaining

    def _keep(self, data: bytes) -> None:
        self.body_size += len(data)
        if self.keep_body and data:
            self.body.append(data)

    def _read_chunks(self) -> None:
        position = 0
        while not self.done:
            used = self._read_chunk_part(position)
            if not used:
                break
            position += used
        del self._buffer[:position]

    def _read_chunk_part(self, position: int) -> int:
        """Read the next part of a chunked body at the position; how many bytes it took, 0 when it is not whole yet."""
        if self._chunk is _Chunk.DATA:
            data = bytes(self._buffer[position : position + self._remaining])
            self._remaining -= len(data)
            self._keep(data)
            if not self._remaining:
                self._chunk = _Chunk.DATA_END
            return len(data)
        end = self._buffer.find(b"\n", position)
        if end < 0:
            self._check_chunk_line(len(self._buffer) - position)
            return 0
        self._check_chunk_line(end - position)
        self._read_chunk_line(bytes(self._buffer[position:end]).removesuffix(b"\r"))
        return end + 1 - position

    def _check_chunk_line(self, size: int) -> None:
        if size > MAX_CHUNK_LINE_BYTES:
            raise WireError("a chunk's size line is too long")

    def _read_chunk_line(self, line: bytes) -> None:
        if self._chunk is _Chunk.SIZE:
            self._read_chunk_size(line)
        elif self._chunk is _Chunk.DATA_END:
            if line:
                raise WireError("a chunk does not end where its size says")
            self._chunk = _Chunk.SIZE
        else:
            self._read_trailer(line)

    def _read_chunk_size(self, line: bytes) -> None:
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise WireError("a chunk's size is not a hexadecimal number")
        self._remaining = int(found[1], 16)
        self._chunk = _Chunk.DATA if self._remaining else _Chunk.TRAILERS

    def _read_trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self.trailers += line + b"\r\n"
        if len(self.trailers) > MAX_TRAILER_BYTES:
            raise WireError("the trailers are too long")


def _head(block: bytes, *, whole: bool = True) -> Head | None:
    """The head in a block that ends with the last header line's line break (or, if cut, anywhere)."""
    end = block.find(b"\n")
    line = block if end < 0 else block[:end]
    found = _STATUS_LINE.match(line)
    if found is None:
        return None
    raw = b"" if end < 0 else block[end + 1 :]
    pairs, malformed = read_pairs(raw)
    status_line = line.removesuffix(b"\r")[:STATUS_LINE_BYTES]
    return Head(int(found[2]), found[1], found[3].strip(), status_line, raw, pairs, malformed or not whole)


def read_pairs(raw: bytes) -> tuple[list[Pair], bool]:
    """The (name, value) pairs of a header block, and whether some line of it is no proper header line."""
    if _STRICT_BLOCK.fullmatch(raw):
        return [(name, value.rstrip(b" \t")) for name, value in _STRICT_PAIR.findall(raw)], False
    return _read_leniently(raw)


def _read_leniently(raw: bytes) -> tuple[list[Pair], bool]:
    pairs: list[Pair] = []
    malformed = b"\0" in raw
    for ended_line in raw.removesuffix(b"\n").split(b"\n"):
        line = ended_line.removesuffix(b"\r")
        folded = line[:1] in (b" ", b"\t")
        found = _LENIENT_LINE.fullmatch(line.strip(b" \t") if folded else line)
        if folded and pairs:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + b" " + line.strip(b" \t"))
            continue
        if found is None or folded or found[2] or b"\r" in line:
            malformed = True
        if found is not None:
            pairs.append((found[1], found[3].rstrip(b" \t")))
    return pairs, malformed


def _may_begin_a_response(buffer: bytearray) -> bool:
    """Whether these first bytes can still become a status line, so that talk of other protocols ends at once."""
    return b"HTTP/".startswith(bytes(buffer[:5]))


def _persistent(version: bytes, connection: list[bytes]) -> bool:
    options = _tokens(connection)
    if version == b"1.0":
        return b"keep-alive" in options and b"close" not in options
    return version == b"1.1" and b"close" not in options


def _tokens(values: list[bytes]) -> list[bytes]:
    """The members of a comma-separated list over all its header lines, in lower case."""
    if not values:
        return []
    return [token.strip(b" \t").lower() for token in b",".join(values).split(b",")]
