"""Targets that take a document: robots.txt, sitemaps, pages, and the site files that people write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from headersweep import bodyfacts, bodyread, links, markup, robots, sitefiles, sitemaps, urls
from headersweep.errors import Mistake, SiteFileError
from review import table

PAGE = "https://site.example/a/b?c=d"
CHARSETS = (None, "utf-8", "latin-1", "utf-16", "no such")
MAX_ENTRIES = 50_000


def robots_file(data: bytes) -> None:
    """Any bytes have rules, which are the same when they are read again from what is kept."""
    for status in (200, 404, 503):
        rules = robots.RobotsRules.parse(status, data)
        again = robots.RobotsRules.parse(status, rules.text.encode("utf-8", "surrogatepass"))
        assert rules.allows(PAGE) is again.allows(PAGE)
        assert rules.sitemaps == again.sitemaps
        assert "\0" not in rules.text
        delay = rules.crawl_delay()
        assert delay is None or 0 <= delay <= robots.CRAWL_DELAY_MAX_SECONDS


def sitemap(data: bytes) -> None:
    """A sitemap in one piece and in many names the same pages, in the same order."""
    whole, pieces = _entries(data, len(data) or 1), _entries(data, 11)
    assert whole == pieces
    assert len(whole) <= MAX_ENTRIES


def _entries(data: bytes, length: int) -> list[sitemaps.SitemapEntry]:
    found = []
    with suppress(sitemaps.SitemapError):
        for entry in sitemaps.read(
            (data[start : start + length] for start in range(0, len(data), length)), url=PAGE
        ):
            # As written, line breaks included; whoever makes a page of it drops these, as browsers do.
            parsed = urls.parse(entry.url)
            assert parsed is None or parsed.url.isprintable()
            found.append(entry)
    return found


def page(data: bytes) -> None:
    """Links are canonical and each there once; what is known of a body can be kept and read again."""
    charset = CHARSETS[(data[0] if data else 0) % len(CHARSETS)]
    found = links.extract(data, PAGE, charset)
    assert len(found) == len(set(found))
    for url in found:
        parsed = urls.parse(url)
        assert parsed is not None
        assert parsed.url == url
    facts = bodyread.read(data, PAGE, charset)
    assert facts == bodyread.read(data, PAGE, charset)
    assert "\0" not in bodyfacts.canonical_text(facts)
    bodyfacts.canonical_text(facts).encode()
    markup.walk(data, charset)


def address(data: bytes) -> None:
    """The canonical form of a URL is its own canonical form."""
    text = data.decode("utf-8", "surrogateescape")
    for base in (None, PAGE):
        parsed = urls.parse(text, base)
        if parsed is not None:
            again = urls.parse(parsed.url)
            assert again is not None
            assert again == parsed
            assert urls.key_text(parsed.url) == urls.key_text(again.url)


def site_file(data: bytes) -> None:
    """A site file is right, or refused with mistakes that each stand on one of its lines."""
    text = data.decode("utf-8", "replace")
    name, mistakes = _site(text)
    assert bool(name) is not bool(mistakes)
    for mistake in mistakes:
        assert 0 <= mistake.line <= text.count("\n") + 1
        assert mistake.message


def _site(text: str) -> tuple[str, Sequence[Mistake]]:
    try:
        return sitefiles.parse("site.toml", text, tuple(table.RULES)).definition.name, ()
    except SiteFileError as error:
        return "", error.mistakes
