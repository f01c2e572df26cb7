"""Decoding bodies: what browsers decode, under caps, whatever a server sends."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import bodies

TEXT = b"<p>hello</p>" * 1000
MEBIBYTE = 1024 * 1024
ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


def bare_deflate(data: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return encoder.compress(data) + encoder.flush()


def gzip_bomb(mebibytes: int) -> bytes:
    """A gzip stream of zeros that never ends properly, in milliseconds: a flushed block repeats itself."""
    encoder = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MEBIBYTE)
    first = encoder.compress(zeros) + encoder.flush(zlib.Z_FULL_FLUSH)
    block = encoder.compress(zeros) + encoder.flush(zlib.Z_FULL_FLUSH)
    return first + block * (mebibytes - 1)


@pytest.mark.parametrize("coding", ENCODERS)
def test_each_coding_is_decoded(coding: str) -> None:
    assert bodies.decode(ENCODERS[coding](TEXT), [coding]) == bodies.Decoded(TEXT)


def test_deflate_is_also_read_without_its_zlib_wrapper() -> None:
    assert bodies.decode(bare_deflate(TEXT), ["deflate"]) == bodies.Decoded(TEXT)


def test_two_codings_are_undone_from_the_outside() -> None:
    assert bodies.decode(brotli.compress(gzip.compress(TEXT)), ["gzip", "br"]) == bodies.Decoded(TEXT)


def test_a_body_without_coding_is_cut_at_the_limit() -> None:
    assert bodies.decode(TEXT, []) == bodies.Decoded(TEXT)
    assert bodies.decode(TEXT, [], 10) == bodies.Decoded(TEXT[:10], truncated=True)


def test_several_gzip_members_are_one_body() -> None:
    assert bodies.decode(gzip.compress(b"one ") + gzip.compress(b"two"), ["gzip"]) == bodies.Decoded(
        b"one two"
    )


def test_padding_behind_gzip_is_ignored() -> None:
    assert bodies.decode(gzip.compress(TEXT) + b"\0" * 100, ["gzip"]) == bodies.Decoded(TEXT)


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("limit", [0, 1, 100, 4096])
def test_no_coding_gives_more_than_the_limit(coding: str, limit: int) -> None:
    decoded = bodies.decode(ENCODERS[coding](TEXT), [coding], limit)
    assert decoded.truncated
    assert decoded.data == TEXT[:limit]


@pytest.mark.parametrize("coding", ENCODERS)
def test_exactly_the_limit_is_whole(coding: str) -> None:
    assert bodies.decode(ENCODERS[coding](TEXT), [coding], len(TEXT)) == bodies.Decoded(TEXT)


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_body_cut_short_gives_what_came(coding: str) -> None:
    noise = bytes((number * number * 31 + number // 7) % 256 for number in range(60_000))
    encoded = ENCODERS[coding](noise)
    decoded = bodies.decode(encoded[: len(encoded) * 3 // 4], [coding])
    assert decoded.truncated
    assert "ends too early" in decoded.problem
    assert decoded.data
    assert noise.startswith(decoded.data)


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_body_that_is_not_in_its_coding_is_empty_and_says_so(coding: str) -> None:
    decoded = bodies.decode(b"\xff\xff<html>plain text, no coding at all</html>", [coding])
    assert decoded.truncated
    assert "not valid" in decoded.problem
    assert decoded.data == b""


def test_more_than_two_codings_are_refused() -> None:
    decoded = bodies.decode(gzip.compress(gzip.compress(gzip.compress(TEXT))), ["gzip"] * 3)
    assert decoded == bodies.Decoded(b"", truncated=True, problem="more than 2 content codings stacked")


def test_a_coding_that_was_not_asked_for_is_refused() -> None:
    decoded = bodies.decode(b"(\xb5/\xfd", ["zstd"])
    assert decoded.data == b""
    assert decoded.problem == "the body has a content coding that was not asked for"


def test_an_empty_body_is_fine_in_every_coding() -> None:
    assert all(bodies.decode(b"", [coding]) == bodies.Decoded(b"") for coding in [*ENCODERS, "zstd"])


@pytest.mark.parametrize(
    ("data", "codings"),
    [
        (gzip.compress(gzip_bomb(1024)), ["gzip", "gzip"]),
        (gzip_bomb(1024), ["gzip"]),
        (gzip.compress(bytes(MEBIBYTE * 4)) * 256, ["gzip"]),
        (brotli.compress(bytes(64 * MEBIBYTE), quality=1), ["br"]),
    ],
    ids=["double gzip of 1 GiB", "gzip of 1 GiB", "256 gzip members of 4 MiB", "brotli of 64 MiB"],
)
def test_a_bomb_is_stopped_at_the_limit_with_little_memory(data: bytes, codings: list[str]) -> None:
    tracemalloc.start()
    try:
        decoded = bodies.decode(data, codings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert decoded.truncated
    assert decoded.data == bytes(bodies.MAX_DECODED_BYTES)
    assert peak < 40 * MEBIBYTE


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], []),
        ([b"gzip"], ["gzip"]),
        ([b"GZip , br"], ["gzip", "br"]),
        ([b"gzip", b"br"], ["gzip", "br"]),
        ([b"identity"], []),
        ([b"", b","], []),
        ([b"identity, gzip"], ["gzip"]),
        ([b"caf\xe9"], ["café"]),
    ],
)
def test_the_codings_are_read_from_all_lines(values: list[bytes], codings: list[str]) -> None:
    assert bodies.codings_of(values) == codings


@given(st.binary(max_size=300), st.lists(st.sampled_from([*ENCODERS, "zstd"]), max_size=3))
def test_no_bytes_make_decoding_fail(data: bytes, codings: list[str]) -> None:
    assert len(bodies.decode(data, codings, 1000).data) <= 1000
