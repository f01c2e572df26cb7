"""Targets that take a header block: reading it, its canonical text, masking, and the reader of responses."""

from __future__ import annotations

from contextlib import suppress

from headersweep import headers, volatile
from review import inputs
from review.inputs import Answer
from worker import wire

SECRET = b"S3cretV4lueOfACookie"
TOKEN = b"AKIAIOSFODNN7EXAMPLE"


def block(data: bytes) -> None:
    """A block is read, its canonical text is a fixed point, and PostgreSQL can keep it."""
    parsed = headers.parse_block(data)
    text = headers.normalised(parsed)
    assert text.startswith(f"{headers.VERSION}\n")
    assert text.endswith("\n")
    assert "\0" not in text
    assert headers.normalised(headers.read_text(text)) == text
    assert len(headers.content_hash(text)) == 32
    masked = frozenset({"etag", "set-cookie", headers.MALFORMED})
    assert headers.refold(text, masked) == headers.normalised(parsed, masked)
    upper = [(name.upper(), value) for name, value in parsed.pairs]
    assert headers.canonical_text(upper, parsed.malformed) == text


def secrets(data: bytes) -> None:
    """A cookie's value behind any lines, and before any attributes, is in nothing that is kept."""
    raw = data + b"\r\nSet-Cookie: sid=" + SECRET + b"; " + data
    if SECRET in data:
        return
    once = headers.mask_cookies(raw)
    assert SECRET not in once
    assert headers.mask_cookies(once) == once
    for each in (raw, once):
        assert SECRET.decode() not in headers.normalised(headers.parse_block(each))


def response(data: bytes) -> None:
    """A response in one piece and in many is the same, or is refused by both."""
    whole, pieces = _read(data, len(data) or 1), _read(data, 7)
    assert whole == pieces


def _read(data: bytes, length: int) -> object:
    reader = wire.ResponseReader()
    try:
        for start in range(0, len(data), length):
            reader.feed(data[start : start + length])
            if reader.done:
                break
        reader.eof()
    except wire.WireError as error:
        return type(error)
    head = reader.head
    if head is None:
        return None
    assert head.raw in data
    for name, value in head.pairs:
        assert name in data or b"\n" in head.raw
        assert b"\n" not in value
    return head.status, head.raw, head.pairs, head.malformed, b"".join(reader.body)[: len(data)], reader.done


def values(data: bytes) -> None:
    """What any rule for volatile values makes of a value, it leaves alone the second time."""
    value = headers.parse_block(b"X: " + data.replace(b"\n", b" ")).pairs
    for rule in volatile.VOLATILE if value else ():
        name = rule.names[0].replace("*", "x-some-")
        pairs = [(name, value[0][1]), ("Date", "Sun, 22 Nov 2026 11:00:00 GMT")]
        text = headers.canonical_text(pairs)
        assert headers.normalised(headers.read_text(text)) == text, name
    volatile.first_nonce(data.decode("latin-1"))


def answers(data: bytes) -> None:
    """What people have at hand is read, or refused with a reason."""
    for read in (inputs.block, inputs.har, inputs.json_line):
        with suppress(inputs.UnreadableError):
            found = read(data)
            for answer in found if isinstance(found, list) else [found]:
                _is_whole(answer)
    inputs.id_of(data)
    inputs.looks_like_har(data)


def _is_whole(answer: Answer) -> None:
    assert 100 <= answer.status <= 999
    assert answer.charset is None or answer.charset
    for name, value in answer.pairs:
        assert name
        assert max(name + value) <= "\xff"
        assert not {"\0", "\r", "\n"} & set(value)
