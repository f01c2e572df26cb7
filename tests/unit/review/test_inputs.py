"""Inputs of `check`: whatever people paste is read, or refused with a reason."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import inputs
from review.inputs import Answer, UnreadableError

BLOCK = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nX-A: 1\r\n\r\n"
PAIRS = (("Server", "nginx"), ("X-A", "1"))
REDIRECT = b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://site.example/\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        BLOCK,
        BLOCK.replace(b"\r\n", b"\n"),
        BLOCK.rstrip(),
        b"\r\n\n" + BLOCK,
        b"\xef\xbb\xbf" + BLOCK,
        b"HTTP/2 200 \r\nServer: nginx\r\nX-A: 1\r\n\r\n",
        b"HTTP/2 200\nServer: nginx\nX-A: 1",
        b"Server: nginx\nX-A: 1\n",
        b"Server: nginx\nX-A: 1",
        b"HTTP/1.1 100 Continue\r\n\r\n" + BLOCK,
        b"HTTP/1.1 200 Connection established\r\n\r\n" + BLOCK,
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest\r\n\r\n" + BLOCK,
        b"* Connected\n> GET / HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 200 OK\n< Server: nginx\n< X-A: 1\n<\n{ [5 bytes data]\n",
    ],
)
def test_a_block_is_read_with_and_without_a_status_line(data: bytes) -> None:
    assert inputs.block(data) == Answer(PAIRS)


def test_what_follows_the_block_is_the_body() -> None:
    assert (
        inputs.block(BLOCK + b"<html>\r\n\r\nHTTP/1.1 200 OK\r\n").body
        == b"<html>\r\n\r\nHTTP/1.1 200 OK\r\n"
    )
    assert inputs.block(b"HTTP/1.0 404 Not Found\n\nA: b") == Answer((), 404, body=b"A: b")


def test_the_last_block_is_judged_and_redirects_are_its_chain() -> None:
    answer = inputs.block(REDIRECT + BLOCK, "http://site.example/a")
    assert (answer.url, answer.status, answer.pairs) == ("https://site.example/", 200, PAIRS)
    assert [(hop.url, hop.status) for hop in answer.chain] == [("http://site.example/a", 301)]


def test_relative_redirects_are_resolved() -> None:
    data = b"HTTP/1.1 302 Found\nLocation: ../b\n\nHTTP/1.1 302 Found\n\n" + BLOCK
    answer = inputs.block(data, "https://site.example/x/a")
    assert [hop.url for hop in answer.chain] == ["https://site.example/x/a", "https://site.example/b"]
    assert answer.url == "https://site.example/b"


def test_a_location_that_is_no_url_leads_nowhere() -> None:
    data = b"HTTP/1.1 302 Found\nLocation: http://[a\n\n" + BLOCK
    assert inputs.block(data, "https://site.example/").url == ""


def test_a_status_line_with_a_number_below_100_is_none() -> None:
    answer = inputs.block(b"HTTP/1.1 032 Odd\r\nServer: x\r\n\r\n")
    assert (answer.status, answer.pairs) == (200, (("Server", "x"),))
    assert answer.malformed == ("HTTP/1.1 032 Odd",)


def test_a_given_status_wins() -> None:
    assert inputs.block(BLOCK, status=404).status == 404
    assert inputs.block(b"A: b", status=302).status == 302


def test_malformed_lines_are_kept_beside_the_others() -> None:
    answer = inputs.block(b"HTTP/1.1 200 OK\nno header\nA : b\nServer: nginx\n")
    assert (answer.pairs, answer.malformed) == ((("Server", "nginx"),), ("no header", "A : b"))


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello", b"\x00\xff\x80", b"<html></html>"])
def test_what_has_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError, match="no header line"):
        inputs.block(data)


def har(*entries: Any) -> bytes:
    return json.dumps({"log": {"entries": entries}}).encode()


def an_entry(status: int = 200, **content: Any) -> dict[str, Any]:
    sent = [{"name": ":status", "value": "200"}, {"name": "Set-Cookie", "value": "a=1\nb=2"}]
    return {
        "request": {"url": "https://site.example/"},
        "response": {"status": status, "headers": sent, "content": content},
    }


def test_a_har_is_read_entry_by_entry() -> None:
    first, second = inputs.har(har(an_entry(text="<p>"), an_entry(0), an_entry(404)))
    assert first.pairs == (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert (first.url, first.status, first.body) == ("https://site.example/", 200, b"<p>")
    assert (second.status, second.body) == (404, None)


def test_a_har_body_may_be_in_base64() -> None:
    (answer,) = inputs.har(har(an_entry(text=base64.b64encode(b"\xff").decode(), encoding="base64")))
    assert answer.body == b"\xff"
    (answer,) = inputs.har(har(an_entry(text="x", encoding="base64")))
    assert answer.body is None


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"log": []}',
        b'{"log": {"entries": {}}}',
        har({}),
        har(None),
        har(an_entry(1_000)),
        har({"request": {"url": 1}, "response": {"status": 200, "headers": []}}),
        har({"request": {"url": ""}, "response": {"status": 200, "headers": [{"name": 1, "value": ""}]}}),
    ],
)
def test_what_is_no_har_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"HAR|JSON"):
        inputs.har(data)


@pytest.mark.parametrize(
    ("data", "har_like"),
    [
        (b'{"log": {}}', True),
        (b' \n{ "log" :', True),
        (b"Log: 1", False),
        (b'{"id": 1}', False),
        (b"", False),
    ],
)
def test_a_har_is_recognised_by_its_beginning(data: bytes, har_like: bool) -> None:
    assert inputs.looks_like_har(data) is har_like


def line(**fields: Any) -> bytes:
    return json.dumps({"headers": [], **fields}).encode()


def test_a_json_line_is_read() -> None:
    full = line(id=7, url="https://site.example/", status=404, headers=[["Server", " nginx "]], body="é")
    assert inputs.json_line(full) == Answer(
        (("Server", "nginx"),), 404, "https://site.example/", body="é".encode(), id=7
    )
    assert inputs.json_line(line()) == Answer(())
    assert inputs.json_line(line(url=None, status=None, body=None)) == Answer(())


def test_names_and_values_that_cannot_be_headers_are_malformed_lines() -> None:
    answer = inputs.json_line(
        line(headers=[["a b", "c"], ["A", "b\r\nc"], ["", ""], ["B", "\x00"], ["C", "d"]])
    )
    assert answer.pairs == (("C", "d"),)
    assert answer.malformed == ("a b: c", "A: b\r\nc", ": ", "B: \x00")


def test_characters_beyond_bytes_are_the_bytes_of_utf_8() -> None:
    answer = inputs.json_line(line(headers=[["A", "é"], ["B", "€"], ["C", "\ud800"]]))
    assert answer.pairs == (("A", "é"), ("B", "\xe2\x82\xac"), ("C", "\xed\xa0\x80"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"\xff",
        b"[]",
        b"1",
        b"{}",
        b"[" * 100_000,
        b'{"headers": [], "id": NaN}',
        line(headers={"a": "b"}),
        line(headers=["ab"]),
        line(headers=[["a"]]),
        line(headers=[["a", 1]]),
        line(status="200"),
        line(status=True),
        line(status=99),
        line(status=1000),
        line(url=1),
        line(body=["x"]),
    ],
)
def test_a_line_that_cannot_be_judged_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        inputs.json_line(data)


def test_the_id_of_a_refused_line_is_found_where_it_can_be_read() -> None:
    assert inputs.id_of(b'{"id": "a", "headers": 1}') == "a"
    assert inputs.id_of(b'{"id": "a"') is None
    assert inputs.id_of(b'["id"]') is None


@pytest.mark.parametrize(
    ("value", "charset"),
    [("text/html; charset=UTF-8", "UTF-8"), ('text/html;charset="x"', "x"), ("text/html", None), ("", None)],
)
def test_the_character_set_comes_from_the_content_type(value: str, charset: str | None) -> None:
    assert Answer((("Content-Type", value),)).charset == charset


ALPHABET = st.sampled_from(
    [b"HTTP/1.1 301 x\n", b"Location: http://[\n", b"\r\n", b"\n", b"A: b\n", b"< ", b"{", b'"log":']
)
SOUP = st.lists(ALPHABET | st.binary(max_size=20), max_size=12).map(b"".join)


@given(SOUP, st.text(max_size=20))
def test_any_bytes_are_read_or_refused(data: bytes, url: str) -> None:
    for read in (lambda: inputs.block(data, url), lambda: inputs.har(data), lambda: inputs.json_line(data)):
        try:
            read()
        except UnreadableError as error:
            assert str(error)  # noqa: PT017 - either way is right
