"""Cache rules in site files: each mistake on its line, contradictions found without a server, and what is right arrives whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import cachekeys, cachematch, sitefiles, sitekeys
from headersweep.cachematch import Matcher, glob_covers
from headersweep.cacherules import ANY, Bypass, CacheKind, CacheRule, Condition, Expected, Match, Shared
from headersweep.definition import SiteDefinition
from headersweep.errors import Mistake, SiteFileError
from headersweep.scope import Glob
from headersweep.sitediff import ChangeKind, KnownSite, compare
from tests.unit.test_sitefiles import MINIMAL, NEXT_LINE

DOCS = Path(__file__).parents[2] / "docs"
START = "https://docs.example/"
CART = """[[cache]]
name = "cart"
owner = "shop"
why = "personal"
rollback_note = "purge"
match.path = "/cart*"
expect.shared = "not_cached"
should_cache = ["/a"]
should_not_cache = ["/cart"]
"""
PAGES = """[[cache]]
name = "pages"
owner = "web"
why = "load"
rollback_note = "rule 14"
expect.shared = "cached"
expect.min_lifetime = "1m"
expect.max_lifetime = "1h"
expect.vary = ["Accept-Encoding"]
should_cache = ["/a"]
should_not_cache = ["/cart", "/a?preview=1"]
[[cache.bypass]]
query = "preview"
why = "drafts"
[[cache.bypass]]
cookie = "logged_in_*"
why = "names"
example = "/a"
"""


def definition(text: str) -> SiteDefinition:
    return sitefiles.parse("docs.toml", MINIMAL + text).definition


def mistakes(text: str) -> list[Mistake]:
    with pytest.raises(SiteFileError) as caught:
        sitefiles.parse("docs.toml", MINIMAL + text)
    return caught.value.mistakes


def line_of(text: str, part: str) -> int:
    return NEXT_LINE + text[: text.index(part)].count("\n")


def test_rules_arrive_whole_and_survive_the_database() -> None:
    found = definition('cache_kind = "nginx"\n' + CART + PAGES)
    assert found.cache_kind is CacheKind.NGINX
    assert [rule.name for rule in found.cache] == ["cart", "pages"]
    assert found.cache[1] == CacheRule(
        "pages",
        "web",
        "load",
        "rule 14",
        Expected(Shared.CACHED, 60, 3600, ("accept-encoding",)),
        ("/a",),
        ("/cart", "/a?preview=1"),
        bypass=(
            Bypass(Condition.QUERY, "preview", "drafts"),
            Bypass(Condition.COOKIE, "logged_in_*", "names", example="/a"),
        ),
    )
    assert SiteDefinition.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_a_site_without_rules_is_kept_as_the_first_version_keeps_it() -> None:
    assert not {"cache", "cache_kind"} & definition("").as_json().keys()


def test_the_examples_of_the_documentation_are_right() -> None:
    assert sitefiles.parse("x.toml", sitekeys.example() + cachekeys.example()).definition.cache


def test_the_documentation_has_the_table_and_the_example_of_this_version() -> None:
    text = (DOCS / "site-files.md").read_text()
    assert cachekeys.key_table() in text
    assert cachekeys.example() in text


def test_the_rules_in_the_documentation_are_right() -> None:
    text = (DOCS / "cache-rules.md").read_text()
    (block,) = [part for part in text.split("```toml\n")[1:] if "start_urls" in part]
    assert len(sitefiles.parse("x.toml", block.split("```")[0]).definition.cache) > 1


WRONG = [
    ('owner = "shop"', 'ownr = "shop"', "did you mean owner?"),
    ('match.path = "/cart*"', 'path = "/cart*"', "write match.path = ..."),
    ('match.path = "/cart*"', 'match.path = "cart"', "a path begins with / or *"),
    ('match.path = "/cart*"', 'match.path = "/cart?a"', "match.query names its parameters"),
    ('match.path = "/cart*"', 'match = "/cart*"', "cache.match is a table"),
    ('match.path = "/cart*"', 'match.pth = "/cart*"', "did you mean path?"),
    ('match.path = "/cart*"', 'match.host = "Docs.Example"', "no host in small letters"),
    ('match.path = "/cart*"', 'match.methods = ["POST"]', "caches keep answers to GET and HEAD alone"),
    ('expect.shared = "not_cached"', 'expect.shared = "never"', "allowed are cached and not_cached"),
    ('expect.shared = "not_cached"', 'expect.shared = "not_cached"\nexpect.max_lifetime = "1h"', "nothing is kept"),
    ('expect.min_lifetime = "1m"', 'expect.min_lifetime = "2h"', "above max_lifetime (2h, 1h)"),
    ('expect.min_lifetime = "1m"', 'expect.min_lifetime = "60"', "it is no duration"),
    ('should_not_cache = ["/cart"]', "should_not_cache = []", "should_not_cache is empty"),
    ('should_not_cache = ["/cart"]', 'should_not_cache = ["cart"]', "a URL, or a path that begins with /"),
    ('should_not_cache = ["/cart"]', 'should_not_cache = ["/other"]', "does not match its own rule"),
    ('should_not_cache = ["/cart"]', 'should_not_cache = ["http://a@b/cart"]', "no URL that can be fetched"),
    ('should_cache = ["/a"]', 'should_cache = ["/cart/x"]', "contradicts the rule 'cart', which holds it first"),
    ('should_not_cache = ["/cart", "/a?preview=1"]', 'should_not_cache = ["/cart"]', "has a parameter preview"),
    ('query = "preview"', 'query = "preview"\nheader = "X"', "there is both cookie and header".replace("cookie", "query")),
    ('query = "preview"', "", "there is none"),
    ('query = "preview"', 'query = "preview"\nexpect = "cached"', "so it changes nothing"),
    ('why = "names"\nexample = "/a"', 'why = "names"', "no example shows this bypass"),
    ('why = "names"\nexample = "/a"', 'why = "names"\nexample = "/cart"', None),
    ('cookie = "logged_in_*"', 'cookie = "a b"', "no name of a cookie or header"),
    ('name = "pages"', 'name = "cart"', "there are two rules called 'cart'"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG)
def test_each_mistake_is_said_on_its_line(right: str, wrong: str, said: str | None) -> None:
    text = (CART + PAGES).replace(right, wrong, 1)
    if said is None:
        assert definition(text)
        return
    found = mistakes(text)
    assert [mistake for mistake in found if said in mistake.message], [m.message for m in found]
    assert all(NEXT_LINE <= mistake.line <= NEXT_LINE + text.count("\n") for mistake in found)


def test_the_line_is_that_of_the_key() -> None:
    text = CART + PAGES.replace('"1m"', '"2h"')
    (mistake,) = mistakes(text)
    assert mistake.line == line_of(text, "expect.min_lifetime")


def test_all_mistakes_of_all_rules_come_at_once() -> None:
    text = CART.replace('owner = "shop"\n', "") + PAGES.replace('why = "load"\n', "").replace('"1h"', '"x"')
    assert len(mistakes(text)) == 3


def test_a_rule_that_another_hides_is_a_mistake() -> None:
    found = mistakes(PAGES.replace(', "/a?preview=1"', "").split("[[cache.bypass]]")[0] + CART)
    assert any("the rule 'pages' above holds every page of this one" in each.message for each in found)


def test_an_example_of_two_rules_with_opposite_expectations_names_both() -> None:
    text = CART + PAGES.replace('should_cache = ["/a"]', 'should_cache = ["/a", "/cart/help"]')
    (mistake,) = mistakes(text)
    assert (
        mistake.message
        == "'/cart/help' contradicts the rule 'cart', which holds it first and expects not_cached"
    )


def test_an_example_that_no_rule_matches_is_a_mistake() -> None:
    text = (CART + PAGES).replace(
        '[[cache]]\nname = "pages"', '[[cache]]\nmatch.path = "/a*"\nname = "pages"'
    )
    text = text.replace('should_cache = ["/a"]', 'should_cache = ["/b"]', 1)
    (mistake,) = mistakes(text)
    assert "matches no rule" in mistake.message


def test_switching_a_rule_off_is_no_mistake_and_hands_its_pages_to_nobody() -> None:
    found = definition(CART.replace('name = "cart"', 'name = "cart"\nenabled = false') + PAGES)
    claim = Matcher(found.cache).claim(f"{START}cart")
    assert claim is not None
    assert (claim.rule.name, claim.rule.enabled) == ("cart", False)


def test_a_changed_rule_is_one_difference_of_its_site() -> None:
    old, new = definition(CART + PAGES), definition(CART + PAGES.replace('why = "load"', 'why = "less load"'))
    known = KnownSite(old.name, "file", True, json.loads(json.dumps(old.as_json())))
    (change,) = compare([new], [known])
    assert (change.kind, [each.key for each in change.differences]) == (ChangeKind.CHANGED, ["cache pages"])


# --- matching ----------------------------------------------------------------------------------------------------


def rule(match: Match, name: str = "r", **values: object) -> CacheRule:
    return CacheRule(name, "o", "w", "b", Expected(Shared.CACHED), ("/",), ("/x",), match, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("match", "url", "holds"),
    [
        (Match(path="/a/*"), "https://h.example/a/b", True),
        (Match(path="/a/*"), "https://h.example/a", False),
        (Match(host="*.example"), "https://h.example/", True),
        (Match(host="h.example"), "https://h.example:8443/", True),
        (Match(host="[::1]"), "http://[::1]:80/", True),
        (Match(host="h.example"), "https://xh.example/", False),
        (Match(query=()), "https://h.example/", True),
        (Match(query=()), "https://h.example/?a=1", False),
        (Match(query=("a", "utm_*")), "https://h.example/?a=1&utm_x=2", True),
        (Match(query=("a",)), "https://h.example/?a=1&b=2", False),
        (Match(methods=("HEAD",)), "https://h.example/", False),
    ],
)
def test_a_match_holds_by_host_path_method_and_query(match: Match, url: str, holds: bool) -> None:
    assert (Matcher([rule(match)]).claim(url) is not None) is holds


def test_the_first_rule_that_matches_holds_the_page_and_its_bypass_changes_what_is_expected() -> None:
    narrow = rule(Match(path="/a*"), "narrow", bypass=(Bypass(Condition.QUERY, "pre*", "w"),))
    matcher = Matcher([narrow, rule(Match(), "wide")])
    names = [
        (url, claim.rule.name, claim.shared)
        for url in ("/a", "/a?preview", "/b")
        if (claim := matcher.claim(f"https://h{url}"))
    ]
    assert names == [
        ("/a", "narrow", Shared.CACHED),
        ("/a?preview", "narrow", Shared.NOT_CACHED),
        ("/b", "wide", Shared.CACHED),
    ]


@pytest.mark.parametrize(
    ("example", "host", "start", "url"),
    [
        ("/a", ANY, "http://127.0.0.1:8808/", "http://127.0.0.1:8808/a"),
        ("/a", "shop.example", "https://docs.example/", "https://shop.example/a"),
        ("/a", "*.example", "https://docs.example/", "https://docs.example/a"),
        ("https://x.example/a#b", "shop.example", "https://docs.example/", "https://x.example/a"),
        ("/a?u=http://b", "shop.example", "https://docs.example/", "https://shop.example/a?u=http://b"),
    ],
)
def test_an_example_is_read_on_the_host_of_its_rule(example: str, host: str, start: str, url: str) -> None:
    assert cachematch.resolve(example, Match(host=host), start) == url


PATTERNS = st.text("ab*/", min_size=1, max_size=6)


@given(wide=PATTERNS, narrow=PATTERNS, filling=st.lists(st.text("ab/", max_size=3), min_size=6, max_size=6))
def test_a_pattern_that_covers_another_holds_everything_that_it_holds(
    wide: str, narrow: str, filling: list[str]
) -> None:
    pieces = narrow.split("*")
    text = pieces[0] + "".join(f"{fill}{piece}" for fill, piece in zip(filling, pieces[1:], strict=False))
    assert Glob(narrow).matches(text)
    if glob_covers(wide, narrow):
        assert Glob(wide).matches(text)


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("*", "/a", True),
        ("/a*", "/a/*", True),
        ("/a/*", "/a*", False),
        ("/*b*", "/ab", True),
        ("/a", "/*", False),
    ],
)
def test_covering_is_decided_exactly(wide: str, narrow: str, covers: bool) -> None:
    assert glob_covers(wide, narrow) is covers
