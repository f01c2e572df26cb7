from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import sitemaps
from headersweep.sitemaps import EntryKind, SitemapEntry, SitemapError

URL = "https://h/sitemap.xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def read(*chunks: bytes | str) -> list[SitemapEntry]:
    raw = [chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks]
    return list(sitemaps.read(raw, url=URL))


def found(*chunks: bytes | str) -> tuple[list[str], str]:
    """The URLs before the end or the error, and the error."""
    raw = [chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks]
    seen = []
    try:
        for entry in sitemaps.read(raw, url=URL):
            seen.append(entry.url)  # noqa: PERF401 - what came before an error counts
    except SitemapError as error:
        return seen, str(error)
    return seen, ""


def urlset(*urls: str) -> str:
    inside = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{NAMESPACE}">{inside}</urlset>\n'


AB = ["https://h/a", "https://h/b"]


def test_a_urlset_names_pages() -> None:
    xml = f"""<urlset xmlns="{NAMESPACE}"><url><loc>
        https://h/a?x=1&amp;y=2 </loc><lastmod>2026-05-12T10:00:00+02:00</lastmod><priority>1</priority></url>
        <url><lastmod>soon</lastmod><loc><![CDATA[https://h/b]]></loc></url></urlset>"""
    assert read(xml) == [
        SitemapEntry(EntryKind.PAGE, "https://h/a?x=1&y=2", datetime(2026, 5, 12, 8, tzinfo=UTC)),
        SitemapEntry(EntryKind.PAGE, "https://h/b", None),
    ]


def test_an_index_names_sitemaps() -> None:
    xml = (
        "<sitemapindex><sitemap><loc>https://h/a.xml</loc><lastmod>2026-05</lastmod></sitemap></sitemapindex>"
    )
    assert read(xml) == [SitemapEntry(EntryKind.SITEMAP, "https://h/a.xml", datetime(2026, 5, 1, tzinfo=UTC))]


SPELLINGS = [
    urlset(*AB),
    "\n  \r\n" + urlset(*AB),
    "\ufeff" + urlset(*AB),
    "\ufeff\n" + urlset(*AB),
    urlset(*AB).encode("utf-16"),
    urlset(*AB).replace("UTF-8", "ISO-8859-1"),
    urlset(*AB).replace(f' xmlns="{NAMESPACE}"', ""),
    urlset(*AB).replace(NAMESPACE, "https://www.google.com/schemas/sitemap/0.84"),
    urlset(*AB)
    .replace("<", "<s:")
    .replace("<s:/", "</s:")
    .replace("<s:?", "<?")
    .replace("xmlns=", "xmlns:s="),
    urlset(*AB).replace(
        "<url>", "<!-- x --><url><x><loc>no</loc></x><image:image><image:loc>no</image:loc></image:image>"
    ),
    "https://h/a\nhttps://h/b\n",
    "https://h/a\r\n\r\n  https://h/b",
    "\ufeffhttps://h/a\nhttps://h/b",
    "# two pages\nhttps://h/a\nftp://h/no\nhttps://h/b",
]


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("size", [1, 2, 7, 10_000_000])
def test_every_spelling_is_read_however_it_arrives(text: str | bytes, pack: type, size: int) -> None:
    raw = pack(text.encode() if isinstance(text, str) else text)
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    assert found(*chunks) == (AB, "")


def test_gzip_files_may_have_several_members_and_padding() -> None:
    whole = urlset(*AB).encode()
    packed = gzip.compress(whole[:80], mtime=0) + gzip.compress(whole[80:]) + b"\x00" * 100
    for size in (1, 3, 10_000):
        assert found(*[packed[at : at + size] for at in range(0, len(packed), size)]) == (AB, "")


BROKEN = [
    ("", [], ""),
    ("  \n", [], ""),
    ("<urlset/>", [], ""),
    ("<urlset></urlset>", [], ""),
    (urlset("https://h/a")[:-10], ["https://h/a"], "malformed XML: Premature end"),
    (urlset("https://h/a", "https://h/b")[:-20], ["https://h/a"], "malformed XML"),
    (urlset("https://h/a", "https://h/b?x=1&y=2"), ["https://h/a"], "malformed XML"),
    (urlset("https://h/a") + "<junk/>", ["https://h/a"], "malformed XML"),
    (urlset("https://h/a", "https://h/\x01"), ["https://h/a"], "malformed XML"),
    (urlset("https://h/a").encode() + b"\xff", ["https://h/a"], "malformed XML"),
    ("<!doctype html>", [], "malformed XML"),
    ("<!DOCTYPE html><html><url><loc>https://h/a</loc></url></html>", [], "document type"),
    ("<html><url><loc>https://h/a</loc></url></html>", [], "<html> is no sitemap"),
    ("<rss><channel><item><link>https://h/a</link></item></channel></rss>", [], "<rss> is no sitemap"),
    ("Not found", [], "neither XML nor"),
    ("\x00\x01\x02\x03", [], "neither XML nor"),
    ("<", [], "malformed XML"),
    ("<urlset>" + "<a>" * 40, [], "nested too deep"),
    (gzip.compress(b"x" * 1000, mtime=0)[:-9], [], "gzip data ends too early"),
    (b"\x1f\x8bnonsense", [], "gzip data is broken"),
    (b"\x1f\x8b", [], "gzip data ends too early"),
]


@pytest.mark.parametrize(("text", "before", "message"), BROKEN)
def test_what_came_before_a_mistake_counts(text: str | bytes, before: list[str], message: str) -> None:
    seen, error = found(text)
    assert seen == before
    assert message in error
    assert bool(error) == bool(message)
    assert URL in error or not error


def test_what_came_before_broken_gzip_data_does_not_depend_on_how_the_network_cut_the_file() -> None:
    packed = bytearray(gzip.compress(urlset(*AB).encode() + b"\n" * 500, mtime=0))
    packed[-6] ^= 1  # the checksum is wrong
    whole = found(bytes(packed))
    assert whole == (AB, f"sitemap {URL}: the gzip data is broken")
    for size in (1, 7, 64):
        assert found(*[bytes(packed[at : at + size]) for at in range(0, len(packed), size)]) == whole


LAUGHS = (
    '<!DOCTYPE urlset [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + urlset("https://h/&b;").partition("\n")[2]
)
OUTSIDE = (
    '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    + urlset("https://h/&x;").partition("\n")[2]
)


@pytest.mark.parametrize("xml", [LAUGHS, OUTSIDE])
def test_entities_are_refused(xml: str) -> None:
    seen, error = found(xml)
    assert seen == []
    assert "document type" in error


def test_an_undeclared_entity_is_malformed() -> None:
    assert "malformed" in found(urlset("https://h/&x;"))[1]


def test_fifty_thousand_entries_pass_and_one_more_is_an_error() -> None:
    lines = b"https://h/\n" * sitemaps.MAX_ENTRIES
    assert found(lines)[1] == ""
    seen, error = found(lines, b"https://h/more\n")
    assert len(seen) == sitemaps.MAX_ENTRIES
    assert "more than 50,000 entries" in error


def test_an_entry_without_a_url_or_with_an_endless_one_is_left_out() -> None:
    longest = "https://h/".ljust(sitemaps.MAX_TEXT, "x")
    assert found(urlset("", longest, longest + "x", "https://h/b")) == ([longest, "https://h/b"], "")
    assert found(f"{longest}\n{longest}x\nhttps://h/b") == ([longest, "https://h/b"], "")


def zeros(total: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    yield packer.compress(b"https://h/a\n")
    for _ in range(total // 1_000_000):
        yield packer.compress(b" " * 1_000_000)
    yield packer.flush()


def test_a_bomb_ends_at_fifty_megabytes_in_little_memory() -> None:
    bomb = b"".join(zeros(sitemaps.MAX_DECODED_BYTES + 2_000_000))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        seen, error = found(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert seen == ["https://h/a"]
    assert "more than 50 MB" in error


@pytest.mark.parametrize(
    "xml",
    [
        "<urlset>" + "<x/>" * 200_000,
        "<urlset " + " ".join(f"x{index}='1'" for index in range(100_000)) + ">",
        "<urlset " + " ".join(f"xmlns:x{index}='u'" for index in range(20_000)) + ">",
        "<urlset><url><loc>" + "x" * 5_000_000,
        "<urlset a='" + "x" * 5_000_000,
        "<urlset><" + "x" * 5_000_000,
        "<urlset><!--" + "x-" * 2_000_000,
        "<urlset>" + "<url>" * 200_000,
        "https://h/" + "x" * 5_000_000,
    ],
)
def test_hostile_files_are_linear(xml: str) -> None:
    raw = xml.encode()
    started = time.process_time()
    found(*[raw[at : at + 16_384] for at in range(0, len(raw), 16_384)])
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-05", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-12", datetime(2026, 5, 12, tzinfo=UTC)),
        (" 2026-05-12T10:00Z ", datetime(2026, 5, 12, 10, tzinfo=UTC)),
        ("2026-05-12T10:00:00.5+02:00", datetime(2026, 5, 12, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-13", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_lastmod_is_a_time_in_utc_or_nothing(text: str, when: datetime | None) -> None:
    assert sitemaps.parse_lastmod(text) == when


PARTS = st.lists(
    st.sampled_from(
        [
            b"<urlset>",
            b"<url>",
            b"<loc>",
            b"https://h/",
            b"</loc>",
            b"</url>",
            b"\n",
            b"<!DOCTYPE a [",
            b"&x;",
        ]
    )
    | st.binary(max_size=4)
)


@settings(deadline=None)
@given(PARTS, st.sampled_from([bytes, gzip.compress]), st.integers(1, 50))
def test_any_bytes_give_entries_or_a_sitemap_error(parts: list[bytes], pack: type, size: int) -> None:
    raw = pack(b"".join(parts))
    for url in found(*[raw[at : at + size] for at in range(0, len(raw), size)])[0]:
        assert url == url.strip()


@settings(deadline=None)
@given(st.binary())
def test_any_packed_bytes_give_entries_or_a_sitemap_error(raw: bytes) -> None:
    found(raw)
    found(b"\x1f\x8b" + raw)
    found(gzip.compress(b"<urlset>", mtime=0)[:10] + raw)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_lastmod_is_a_time_or_nothing(text: str) -> None:
    sitemaps.parse_lastmod(text)
