from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import links, markup, urls

BASE = "https://h/docs/page?q"


def found(html: str | bytes, base: str = BASE, charset: str | None = None) -> list[str]:
    return links.extract(html.encode() if isinstance(html, str) else html, base, charset)


FOLLOWED = [
    ('<a href="b">', ["https://h/docs/b"]),
    ('<A HREF="/b#x">', ["https://h/b"]),
    ("<a href=' \n//other/b\t '>", ["https://other/b"]),
    ("<a href='http://other/?a=1&amp;b=2'>", ["http://other/?a=1&b=2"]),
    ("<a href='?page=2'>", ["https://h/docs/page?page=2"]),
    ("<a href='a\nb'>", ["https://h/docs/ab"]),
    ("<a rel=nofollow href=b>", ["https://h/docs/b"]),
    ("<area href=b>", ["https://h/docs/b"]),
    ("<iframe src=b></iframe>", ["https://h/docs/b"]),
    ("<frameset><frame src=b></frameset>", ["https://h/docs/b"]),
    ("<link rel=canonical href=b>", ["https://h/docs/b"]),
    ("<link rel='NEXT nofollow' href=b>", ["https://h/docs/b"]),
    ("<link rel=prev href=b>", ["https://h/docs/b"]),
    ("<link rel=alternate hreflang=de href=b>", ["https://h/docs/b"]),
    ("<link rel=alternate type='text/html; charset=x' href=b>", ["https://h/docs/b"]),
    ("<meta http-equiv=Refresh content='5; URL=b'>", ["https://h/docs/b"]),
    ("<meta http-equiv=refresh content='0;url=\"b c\" x'>", ["https://h/docs/b%20c"]),
    ("<meta http-equiv=refresh content='0,b'>", ["https://h/docs/b"]),
    ("<a href=b><a href=c><a href=b#x><a href=./b>", ["https://h/docs/b", "https://h/docs/c"]),
    ("<p><a href=b <a href=c></p></div></html><a href=d>", ["https://h/docs/b", "https://h/docs/d"]),
    ("<!-- <a href=b> --><script>'<a href=c>'</script><a href=d>", ["https://h/docs/d"]),
    ("text only, no tags at all", []),
]

IGNORED = [
    "",
    "   ",
    "<!-- -->",
    "\x00",
    "<a>",
    "<a href=''>",
    "<a href='  '>",
    "<a href='#top'>",
    "<a href=page?q>",
    "<a href='?q#x'>",
    "<a href='mailto:a@b'>",
    "<a href='javascript:go()'>",
    "<a href='data:text/html,x'>",
    "<a href='https://user:pass@h/'>",
    "<a href='https://'>",
    "<img src=b><script src=b></script><link rel=stylesheet href=b>",
    "<link href=b>",
    "<link rel='alternate stylesheet' href=b>",
    "<link rel=alternate type=application/rss+xml href=b>",
    "<meta http-equiv=refresh content=5>",
    "<meta name=refresh content='0;url=b'>",
    "<base href=b>",
]


@pytest.mark.parametrize(("html", "expected"), FOLLOWED)
def test_what_a_visitor_could_go_to_is_a_link(html: str, expected: list[str]) -> None:
    assert found(html) == expected


@pytest.mark.parametrize("html", IGNORED)
def test_what_leads_nowhere_else_is_no_link(html: str) -> None:
    assert found(html) == []


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<base href=/x/><a href=b>", "https://h/x/b"),
        ("<base href=https://other/y><a href=b>", "https://other/b"),
        ("<a href=b><base href=/x/>", "https://h/x/b"),
        ("<base target=_top><base href=/x/><base href=/y/><a href=b>", "https://h/x/b"),
        ("<base href='data:,'><a href=b>", "https://h/docs/b"),
        ("<base href='https://'><a href=b>", "https://h/docs/b"),
    ],
)
def test_the_first_base_counts(html: str, expected: str) -> None:
    assert found(html) == [expected]


@pytest.mark.parametrize(
    ("html", "charset"),
    [
        ("<a href=/ä>".encode(), "utf-8"),
        ("<a href=/ä>".encode(), None),
        ("<a href=/ä>".encode("latin-1"), "iso-8859-1"),
        ("<a href=/ä>".encode("latin-1"), None),
        ("<meta charset=windows-1251><a href=/ä>".encode("latin-1"), "latin1"),
        ("<a href=/ä>".encode(), "no-such-charset"),
        ("<a href=/ä>".encode(), "bad\x00charset"),
        (b"\xef\xbb\xbf" + "<a href=/ä>".encode(), "utf-8"),
        (b"\xff\xfe" + "<a href=/ä>".encode("utf-16-le"), "utf-8"),
    ],
)
def test_links_are_read_in_the_charset_of_the_page(html: bytes, charset: str | None) -> None:
    assert found(html, charset=charset) == ["https://h/%C3%A4"]


def test_a_base_that_is_no_page_gives_no_links() -> None:
    assert found("<a href=https://h/>", base="nonsense") == []


REPEATED = [
    "<div>",
    "<a href=x>",
    "<table>",
    "<b><p>",
    "<select>",
    "<a ",
    "<!--",
    "<svg><a>",
    "</html>",
    "<script>",
    "<a href='",
    "&#x",
]


@pytest.mark.parametrize("unit", REPEATED)
def test_hostile_repetition_is_linear_and_keeps_the_links_before_it(unit: str) -> None:
    started = time.process_time()
    assert found("<a href=first></a>" + unit * 50_000 + "<a href=deep>")[0] == "https://h/docs/first"
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    "html",
    [
        "<p " + " ".join(f"x{index}" for index in range(100_000)) + ">",
        "<p " + " ".join(f"x{index}='>'" for index in range(100_000)) + ">",
        "<div>" * 250 + "</p>" * 100_000,
    ],
)
def test_hostile_tags_are_linear_and_keep_the_links_behind_them(html: str) -> None:
    started = time.process_time()
    assert found(html + "<a href=b>") == ["https://h/docs/b"]
    assert time.process_time() - started < 1.5


def test_closing_tags_in_deep_nesting_are_not_read() -> None:
    started = time.process_time()
    assert found("<a href=b></a>" + "<div>" * 50_000 + "</p>" * 50_000 + "<a href=c>") == ["https://h/docs/b"]
    assert time.process_time() - started < 1.5


def test_links_down_to_the_depth_limit_are_found() -> None:
    room = markup.MAX_DEPTH - len(("html", "body", "a"))
    padding = " " * markup.BITE_BYTES
    assert found("<div>" * room + f"<a href=b>{padding}<a href=c>") == [
        "https://h/docs/b",
        "https://h/docs/c",
    ]
    assert found("<div>" * (room + 1) + f"<a href=b>{padding}<a href=c>") == ["https://h/docs/b"]


def test_a_page_of_many_bites_is_read_whole() -> None:
    hrefs = [f"p{index}" for index in range(5000)]
    html = "".join(f"<p>Some ä text<a class='x' href='{href}'>more</a>" for href in hrefs)
    assert found(html) == [f"https://h/docs/{href}" for href in hrefs]


def test_a_reader_remembers_only_what_holds_for_the_whole_folder() -> None:
    reader = links.LinkReader()
    html = b"<a href='?x'><a href='https:?y'><a href='\t?z'><a href=b><a href=/c><a href=//o/d>"
    for page in (
        "https://h/docs/one",
        "https://h/docs/two",
        "https://h/docs/sub/",
        "http://h/docs/one",
        "https://k/",
    ):
        assert [link.url for link in reader.pages(html, page, None)] == found(html, base=page)


def test_a_full_reader_starts_again() -> None:
    reader = links.LinkReader(max_cached=3)
    for page in range(20):
        html = "".join(f"<a href=p{page + link}>" for link in range(5)).encode()
        expected = [f"https://h/p{page + link}" for link in range(5)]
        assert [link.url for link in reader.pages(html, "https://h/", None)] == expected
        assert sum(map(len, reader._resolved.values())) <= 3


HTML = st.lists(
    st.sampled_from(
        ["<a href=", "<base href=", "'", '"', ">", "/", "?", "#", "x", "https:", "//", " ", "&amp;", "<meta "]
    )
    | st.text(max_size=3)
).map("".join)


@settings(deadline=None)
@given(st.binary() | HTML.map(lambda text: text.encode(errors="replace")), st.none() | st.text(max_size=8))
def test_reading_never_raises(body: bytes, charset: str | None) -> None:
    for page in links.LinkReader().pages(body, BASE, charset):
        assert urls.parse(page.url) == page


@settings(deadline=None)
@given(st.lists(HTML), st.sampled_from(["https://h/a/b", "https://h/a/c?d", "http://h/", "https://h/a/"]))
def test_a_warm_reader_finds_what_a_new_one_finds(bodies: list[str], base: str) -> None:
    reader = links.LinkReader(max_cached=4)
    for body in [text.encode(errors="replace") for text in bodies] * 2:
        for page in (base, "https://h/a/x", "http://h/a/"):
            assert [link.url for link in reader.pages(body, page, None)] == links.extract(body, page, None)
