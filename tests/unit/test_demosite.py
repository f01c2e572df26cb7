from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from demosite import pages
from demosite.serving import Answer, encoded

HOST = "127.0.0.1:8808"
ORIGIN = f"http://{HOST}"


def ask(path: str) -> Answer:
    return pages.respond(path, HOST)


def links(answers: Iterable[Answer]) -> set[str]:
    return {link for answer in answers for link in re.findall(r'href="(/[^"]*)"', answer.body.decode())}


def crawl() -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    waiting = {"/", pages.UNLINKED}
    while waiting:
        path = waiting.pop()
        found[path] = ask(path)
        waiting |= links([found[path]]) - set(found)
        location = dict(found[path].headers).get("Location")
        waiting |= {location} - set(found) if location else set()
    return found


def test_there_are_enough_pages_to_show_the_cardinality_guard() -> None:
    assert len(crawl()) >= 80


def test_there_are_good_pages_a_redirect_a_broken_and_a_missing_one() -> None:
    statuses = {path: answer.status for path, answer in crawl().items()}
    assert statuses["/manual"] == 301
    assert statuses[pages.BROKEN] == 500
    assert statuses[pages.MISSING] == 404
    assert list(statuses.values()).count(200) >= 75


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/", "X-Request-Id"),
        ("/", "X-Served-By-Pod"),
        ("/blog/1", "Content-Security-Policy"),
        ("/shop/1", "Set-Cookie"),
    ],
)
def test_a_value_that_should_change_on_every_response_does(path: str, header: str) -> None:
    values = {dict(ask(path).headers)[header] for _ in range(60)}
    assert len(values) == 60


def test_without_the_changing_values_a_section_has_one_set_of_headers() -> None:
    changing = {"X-Request-Id", "X-Served-By-Pod", "Set-Cookie"}
    for section in pages.SECTIONS:
        sets = {
            tuple(
                (name, re.sub("nonce-[^']+", "", value))
                for name, value in ask(path).headers
                if name not in changing
            )
            for path in section.paths()
        }
        assert len(sets) == 1


def test_one_page_stands_in_the_sitemap_alone_and_one_folder_is_disallowed() -> None:
    assert f"<loc>{ORIGIN}{pages.UNLINKED}</loc>".encode() in ask("/sitemap.xml").body
    everything = crawl()
    del everything[pages.UNLINKED]
    assert pages.UNLINKED not in links(everything.values())
    assert f"Disallow: {pages.DISALLOWED}\nSitemap: {ORIGIN}/sitemap.xml".encode() in ask("/robots.txt").body
    assert pages.DISALLOWED in links([ask("/")])


def test_an_answer_is_whole_on_the_wire() -> None:
    wire = encoded(Answer(200, [("X-A", "1")], b"body"))
    head, _, body = wire.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n")
    assert b"Content-Length: 4" in head
    assert body == b"body"
    assert encoded(Answer(200, [], b"body"), with_body=False).endswith(b"Content-Length: 4\r\n\r\n")
