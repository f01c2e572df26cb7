"""Reading responses out of bytes: plain ones, odd ones, broken ones, in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import wire
from worker.wire import ResponseReader

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"


def read(data: bytes, *, closed: bool = False, head_only: bool = False) -> ResponseReader:
    reader = ResponseReader(head_only=head_only)
    reader.feed(data)
    if closed:
        reader.eof()
    return reader


def body_of(reader: ResponseReader) -> bytes:
    return b"".join(reader.body)


def head_of(reader: ResponseReader) -> wire.Head:
    assert reader.head is not None
    return reader.head


def test_a_plain_response_gives_its_block_its_body_and_a_reusable_connection() -> None:
    reader = read(b"HTTP/1.1 200 Fine \r\nServer: x\r\nContent-Length:  5 \r\n\r\nhello")
    head = head_of(reader)
    assert (head.status, head.reason, head.version) == (200, b"Fine", b"1.1")
    assert head.raw == b"Server: x\r\nContent-Length:  5 \r\n"
    assert head.pairs == [(b"Server", b"x"), (b"Content-Length", b"5")]
    assert not head.malformed
    assert body_of(reader) == b"hello"
    assert reader.done
    assert reader.reusable


@pytest.mark.parametrize(
    ("block", "malformed"),
    [
        (b"A: 1\r\nno colon here\r\nContent-Length: 5\r\n", True),
        (b"A : 1\r\nContent-Length: 5\r\n", True),
        (b": empty name\r\nContent-Length: 5\r\n", True),
        (b"Bad Name: 1\r\nContent-Length: 5\r\n", True),
        (b"A: nul\0inside\r\nContent-Length: 5\r\n", True),
        (b" A: leading space\r\nContent-Length: 5\r\n", True),
        (b"A: bare\rreturn\r\nContent-Length: 5\r\n", True),
        (b"A: 1\r\n  folded\r\nContent-Length: 5\r\n", False),
        (b"A: 1\nContent-Length: 5\n", False),
        (b"A: 1\r\nContent-Length: 5\n", False),
        (b"A: caf\xe9 \xff\r\nContent-Length: 5\r\n", False),
        (b"A:\r\nContent-Length:5\r\n", False),
    ],
)
def test_odd_lines_leave_the_block_as_received_and_the_body_framed(block: bytes, malformed: bool) -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n" + block + b"\r\nhello")
    head = head_of(reader)
    assert head.raw == block
    assert head.malformed is malformed
    assert body_of(reader) == b"hello"
    assert reader.done


def test_a_folded_line_belongs_to_the_value_before_it() -> None:
    head = head_of(read(b"HTTP/1.1 200 OK\r\nA: 1;\r\n\t two\r\nB: 3\r\n\r\n"))
    assert head.pairs == [(b"A", b"1; two"), (b"B", b"3")]


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 999", 999, b""),
        (b"HTTP/1.1 999 ", 999, b""),
        (b"HTTP/1.0 200 OK", 200, b"OK"),
        (b"HTTP/2 200", 200, b""),
        (b"HTTP/1.1  404  Not  here", 404, b"Not  here"),
        (b"HTTP/1.1 200 caf\xe9", 200, b"caf\xe9"),
    ],
)
def test_odd_status_lines_are_read(line: bytes, status: int, reason: bytes) -> None:
    head = head_of(read(line + b"\r\nA: 1\r\n\r\n"))
    assert (head.status, head.reason, head.raw) == (status, reason, b"A: 1\r\n")


def test_a_response_may_have_no_headers_at_all() -> None:
    head = head_of(read(b"HTTP/1.1 200 OK\r\n\r\n"))
    assert (head.raw, head.pairs, head.malformed) == (b"", [], False)


def test_empty_lines_before_the_status_line_are_skipped() -> None:
    assert head_of(read(b"\r\n\r\n" + HELLO)).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html>",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(wire.WireError, match="status line"):
        read(data)


def test_interim_responses_are_skipped() -> None:
    reader = read(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + HELLO)
    assert head_of(reader).status == 200
    assert head_of(reader).raw == b"Content-Length: 5\r\n"
    assert reader.reusable


def test_endless_interim_responses_are_refused() -> None:
    with pytest.raises(wire.WireError, match="interim"):
        read(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20)


def test_switching_protocols_ends_the_use_of_the_connection() -> None:
    reader = read(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbinary")
    assert head_of(reader).status == 101
    assert reader.done
    assert not reader.reusable


@pytest.mark.parametrize("status", [204, 304])
def test_responses_without_a_body_end_with_their_headers(status: int) -> None:
    reader = read(b"HTTP/1.1 %d X\r\nContent-Length: 500\r\n\r\n" % status)
    assert reader.reusable
    assert body_of(reader) == b""


def test_the_answer_to_head_has_no_body() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", head_only=True).reusable


def test_a_chunked_body_is_put_together_and_its_trailers_are_kept_apart() -> None:
    reader = read(CHUNKED)
    assert body_of(reader) == b"hello world"
    assert reader.trailers == b"X-Sum: 1\r\n"
    assert head_of(reader).raw == b"Transfer-Encoding: chunked\r\n"
    assert reader.reusable


@pytest.mark.parametrize(
    "chunks", [b"zz\r\nhello\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"-5\r\n", b"\r\n", b"0x5\r\nhello\r\n"]
)
def test_a_broken_chunk_is_refused_after_the_headers_are_here(chunks: bytes) -> None:
    reader = ResponseReader()
    with pytest.raises(wire.WireError):
        reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert head_of(reader).status == 200


def test_endless_size_lines_and_trailers_are_refused() -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(wire.WireError, match="size line"):
        read(start + b"5;" + b"x" * 5000)
    with pytest.raises(wire.WireError, match="trailers"):
        read(start + b"0\r\n" + b"X: 1\r\n" * 10_000)


def test_chunked_wins_over_a_length_but_the_connection_is_not_used_again() -> None:
    reader = read(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    assert body_of(reader) == b"hello"
    assert reader.done
    assert not reader.reusable


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: 5, 5\r\n"]
)
def test_the_same_length_twice_is_one_length(lengths: bytes) -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n" + lengths + b"\r\nhello")
    assert reader.done
    assert head_of(reader).raw == lengths


@pytest.mark.parametrize("length", [b"-1", b"+5", b"5, 6", b"0x5", b"five", b"", b"9" * 400])
def test_a_length_that_is_no_number_leaves_the_body_to_the_close(length: bytes) -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nhello")
    assert reader.unframed
    assert not reader.done
    reader.eof()
    assert reader.done
    assert not reader.reusable
    assert body_of(reader) == b"hello"
    assert reader.problem == "Content-Length is not one plain number"


def test_without_a_length_the_body_ends_with_the_connection() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n\r\nhel", closed=False)
    reader.feed(b"lo")
    assert not reader.done
    reader.eof()
    assert reader.done
    assert body_of(reader) == b"hello"


@pytest.mark.parametrize("data", [HELLO[:-2], CHUNKED[:-20]])
def test_a_body_cut_short_is_never_done(data: bytes) -> None:
    reader = read(data, closed=True)
    assert not reader.done
    assert "before the end" in reader.problem
    assert head_of(reader).status == 200


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", True),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_the_connection_is_used_again_only_where_the_server_keeps_it(head: bytes, reusable: bool) -> None:
    assert read(head + b"Content-Length: 5\r\n\r\nhello").reusable is reusable


def test_bytes_behind_the_body_spoil_the_connection() -> None:
    assert not read(HELLO + b"x").reusable
    late = read(HELLO)
    late.feed(b"x")
    assert not late.reusable


def test_a_header_block_beyond_the_limit_is_refused_and_its_beginning_kept() -> None:
    reader = ResponseReader()
    with pytest.raises(wire.HeadTooLargeError):
        reader.feed(b"HTTP/1.1 200 OK\r\nServer: x\r\nA: " + b"a" * wire.MAX_HEAD_BYTES + b"\r\n\r\n")
    partial = reader.partial_head()
    assert partial is not None
    assert partial.status == 200
    assert partial.raw.startswith(b"Server: x\r\nA: aaa")
    assert len(partial.raw) <= wire.MAX_HEAD_BYTES


def test_a_block_just_under_the_limit_is_read() -> None:
    assert (
        head_of(read(b"HTTP/1.1 200 OK\r\nA: " + b"a" * (wire.MAX_HEAD_BYTES - 100) + b"\r\n\r\n")).status
        == 200
    )


def test_headers_cut_short_keep_what_came() -> None:
    partial = read(b"HTTP/1.1 200 OK\r\nServer: x\r\nCont", closed=True).partial_head()
    assert partial is not None
    assert partial.status == 200
    assert partial.raw == b"Server: x\r\nCont"
    assert partial.malformed


def test_nothing_useful_gives_no_partial_head() -> None:
    assert read(b"HTT").partial_head() is None
    assert ResponseReader().partial_head() is None


def test_an_unwanted_body_is_read_to_its_end_without_being_kept() -> None:
    reader = ResponseReader()
    reader.feed(CHUNKED[:60])
    reader.discard_body()
    reader.feed(CHUNKED[60:])
    assert reader.reusable
    assert body_of(reader) == b""


@pytest.mark.parametrize(
    "data", [HELLO, CHUNKED, b"HTTP/1.1 103 X\r\n\r\n" + CHUNKED, b"HTTP/1.1 200 OK\nA: 1\n\nhello"]
)
def test_byte_by_byte_gives_the_same_as_at_once(data: bytes) -> None:
    slow = ResponseReader()
    for position in range(len(data)):
        slow.feed(data[position : position + 1])
    at_once = read(data)
    assert slow.head == at_once.head
    assert body_of(slow) == body_of(at_once)
    assert (slow.done, slow.reusable, slow.trailers) == (at_once.done, at_once.reusable, at_once.trailers)


PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n",
        b"\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"3\r\nabc\r\n",
        b" x",
        b":",
        b"\0",
    ]
)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=12))
def test_no_bytes_make_the_reader_fail_in_another_way(pieces: list[bytes]) -> None:
    reader = ResponseReader()
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.eof()
    except wire.WireError:
        pass
    partial = reader.partial_head()
    assert partial is None or partial.status >= 0


@given(st.binary(max_size=200))
def test_no_header_block_is_refused(block: bytes) -> None:
    pairs, _ = wire.read_pairs(block)
    assert all(name and b":" not in name for name, _ in pairs)
