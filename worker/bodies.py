"""Decoding a response body under caps: gzip, deflate and brotli, at most two of them, never more than asked for.

A body of 1.6 KiB can stand for a gigabyte. Every step here hands its decoder the number of bytes it may still produce.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli

MAX_WIRE_BYTES = 2 * 1024 * 1024
MAX_DECODED_BYTES = 8 * 1024 * 1024
MAX_CODINGS = 2
ACCEPT_ENCODING = "gzip, br"

_GZIP_WINDOW = 31
_PIECE_BYTES = 16 * 1024
_ZLIB_METHOD_MASK, _ZLIB_DEFLATE, _ZLIB_CHECK = 0x0F, 8, 31


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded body: what could be decoded, whether some of it is missing, and what was wrong, in words."""

    data: bytes
    truncated: bool = False
    problem: str = ""


Decoder = Callable[[bytes, int], Decoded]


def codings_of(values: list[bytes]) -> list[str]:
    """The content codings named by all Content-Encoding lines, outermost last; identity left out."""
    if not values:
        return []
    names = (name.strip().lower() for name in b",".join(values).decode("latin-1").split(","))
    return [name for name in names if name not in ("", "identity", "none")]


def decode(data: bytes, codings: list[str], limit: int = MAX_DECODED_BYTES) -> Decoded:
    """The body behind its codings, at most ``limit`` bytes in every step. Never raises on any bytes."""
    if not data:
        return Decoded(b"")
    if len(codings) > MAX_CODINGS:
        return Decoded(b"", truncated=True, problem=f"more than {MAX_CODINGS} content codings stacked")
    if any(name not in _DECODERS for name in codings):
        return Decoded(b"", truncated=True, problem="the body has a content coding that was not asked for")
    result = Decoded(data[:limit], truncated=len(data) > limit) if not codings else Decoded(data)
    for name in reversed(codings):
        step = _DECODERS[name](result.data, limit)
        result = Decoded(step.data, result.truncated or step.truncated, result.problem or step.problem)
    return result


def _gunzip(data: bytes, limit: int) -> Decoded:
    """All members of a gzip file one after the other, as browsers read them."""
    parts: list[bytes] = []
    while data and limit > 0:
        step, rest = _inflate(data, limit, _GZIP_WINDOW, "gzip")
        parts.append(step.data)
        limit -= len(step.data)
        if step.truncated:
            # Bytes behind a whole member that are no member themselves are padding, which browsers ignore.
            padding = len(parts) > 1 and not step.data
            return Decoded(b"".join(parts), not padding, "" if padding else step.problem)
        data = rest
    return Decoded(b"".join(parts), truncated=bool(data))


def _undeflate(data: bytes, limit: int) -> Decoded:
    """Deflate as the standard has it (inside zlib), or bare as many servers send it."""
    window = zlib.MAX_WBITS if _begins_like_zlib(data) else -zlib.MAX_WBITS
    return _inflate(data, limit, window, "deflate")[0]


def _begins_like_zlib(data: bytes) -> bool:
    return (
        len(data) > 1
        and data[0] & _ZLIB_METHOD_MASK == _ZLIB_DEFLATE
        and int.from_bytes(data[:2], "big") % _ZLIB_CHECK == 0
    )


def _inflate(data: bytes, limit: int, window: int, name: str) -> tuple[Decoded, bytes]:
    """One compressed stream up to the limit, and the bytes behind its end. An error keeps what came before it."""
    decoder = zlib.decompressobj(window)
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            part = decoder.decompress(data[start : start + _PIECE_BYTES], limit + 1 - size)
            parts.append(part)
            size += len(part)
            if decoder.eof:
                return _cut(parts, limit), decoder.unused_data + data[start + _PIECE_BYTES :]
            if size > limit:
                return _cut(parts, limit), b""
    except zlib.error:
        return Decoded(b"".join(parts), truncated=True, problem=f"the body is not valid {name}"), b""
    return Decoded(b"".join(parts), truncated=True, problem=f"the {name} body ends too early"), b""


def _cut(parts: list[bytes], limit: int) -> Decoded:
    whole = b"".join(parts)
    return Decoded(whole[:limit], truncated=len(whole) > limit)


def _unbrotli(data: bytes, limit: int) -> Decoded:
    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            while piece or not decoder.can_accept_more_data():
                parts.append(decoder.process(piece, output_buffer_limit=limit + 1 - size))
                size += len(parts[-1])
                piece = b""
                if decoder.is_finished() or size > limit:
                    return _cut(parts, limit)
    except brotli.error:
        return Decoded(b"".join(parts), truncated=True, problem="the body is not valid brotli")
    return Decoded(b"".join(parts), truncated=True, problem="the brotli body ends too early")


_DECODERS: dict[str, Decoder] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
}
