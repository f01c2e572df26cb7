"""Facts of a body: what browsers obey and load, equal for the pages of one template."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import bodyfacts, bodyread, markup
from headersweep.bodyfacts import BodyFacts, Loaded

URL = "https://h.example/docs/page?q"
CSP = '<meta http-equiv=Content-Security-Policy content="{}">'


def facts(html: str | bytes, url: str = URL, charset: str | None = None) -> BodyFacts:
    return bodyread.read(html.encode() if isinstance(html, str) else html, url, charset)


@pytest.mark.parametrize(
    ("html", "policies"),
    [
        (f"<head>{CSP.format('default-src x')}</head>", ("default-src x",)),
        (CSP.format("default-src x"), ("default-src x",)),
        (f"<title>t</title>{CSP.format('a')}{CSP.format('b')}<body>", ("a", "b")),
        (f"<head></head>{CSP.format('default-src x')}<body>", ("default-src x",)),
        (f"<head></head><body>{CSP.format('default-src x')}", ()),
        (f"<p>text</p>{CSP.format('default-src x')}", ()),
        (f"<head><template>{CSP.format('a')}</template>{CSP.format('b')}</head>", ("b",)),
        (f"<head><noscript>{CSP.format('a')}</noscript>{CSP.format('b')}</head>", ("b",)),
        (f"<head><!-- {CSP.format('a')} --><script>'{CSP.format('b')}'</script></head>", ()),
        ("<head><meta http-equiv=content-security-policy>", ()),
        ("<head><meta http-equiv=content-security-policy content=''>", ()),
        ("<head><meta name=content-security-policy content=a>", ()),
        ("<head><meta http-equiv=content-security-policy-report-only content=a>", ()),
        (f"<head>{CSP.format('  img-src  &#10; x ')}", ("img-src x",)),
    ],
)
def test_policies_count_in_the_head_alone(html: str, policies: tuple[str, ...]) -> None:
    assert facts(html).meta_policies == policies


def test_a_nonce_is_new_on_every_page_and_does_not_count() -> None:
    first = facts(f"<head>{CSP.format(chr(39) + 'nonce-4AEemGb0xJpto' + chr(39))}")
    assert first == facts(f"<head>{CSP.format(chr(39) + 'nonce-9f3cEmG1xQptz' + chr(39))}")
    assert first.meta_policies == ("'nonce-<nonce>'",)


def test_a_policy_that_is_too_long_ends_with_a_whole_directive() -> None:
    policy = "; ".join(f"img-src h{number}.example" for number in range(1000))
    (kept,) = facts(f"<head>{CSP.format(policy)}").meta_policies
    assert policy.startswith(kept + ";")
    assert len(kept) > bodyread.MAX_POLICY - 100


def test_referrers_count_wherever_they_stand_in_order() -> None:
    html = "<head><meta name=Referrer content=origin></head><body><meta name=referrer content=never><meta name=referrer>"
    assert facts(html).meta_referrers == ("origin", "never")


LOADS = [
    ("<script src=//cdn.example/a.js?1></script>", [Loaded("script", "//cdn.example")]),
    ("<script src=https://cdn.example/a.js></script>", [Loaded("script", "https://cdn.example")]),
    ("<script src=http://cdn.example:8080/a></script>", [Loaded("script", "http://cdn.example:8080")]),
    ("<script src=https://CDN.example:443/a></script>", [Loaded("script", "https://cdn.example")]),
    ("<script src=a.js></script><script src='/b.js?x'></script>", [Loaded("script", "")]),
    ("<script src=https://h.example/a></script>", [Loaded("script", "")]),
    ("<script src=http://h.example/a></script>", [Loaded("script", "http://h.example")]),
    ("<base href=https://cdn.example/x/><script src=a></script>", [Loaded("script", "https://cdn.example")]),
    ("<script>inline()</script><script src=''></script>", []),
    ("<script src=data:,x></script>", []),
    (
        "<script src=https://c.example/a integrity=sha384-x crossorigin></script>",
        [Loaded("script", "https://c.example", has_integrity=True, has_crossorigin=True)],
    ),
    ("<script src=https://c.example/a integrity=' '></script>", [Loaded("script", "https://c.example")]),
    (
        "<link rel=stylesheet href=//c.example/a integrity=sha384-x>",
        [Loaded("stylesheet", "//c.example", has_integrity=True)],
    ),
    ("<link rel='alternate STYLESHEET' href=//c.example/a>", [Loaded("stylesheet", "//c.example")]),
    ("<link rel=preload as=font href=//c.example/a crossorigin>", [Loaded("preload", "//c.example", False, True)]),
    ("<link rel=modulepreload href=//c.example/a>", [Loaded("modulepreload", "//c.example")]),
    ("<script type=Module src=//c.example/a></script>", [Loaded("script", "//c.example", False, True)]),
    ("<link rel=preconnect href=//c.example/><link rel=icon href=//c.example/a>", []),
    ("<iframe src=https://c.example/a></iframe>", [Loaded("iframe", "https://c.example")]),
    ("<object data=//c.example/a></object><embed src=//d.example/a>", [Loaded("embed", "//d.example"), Loaded("object", "//c.example")]),
    ("<img src=a><img src=https://c.example/a><video src=//c.example/a></video>", []),
    ("<img src=' HTTP://c.example/a'>", [Loaded("img", "http://c.example")]),
    ("<video><source src=http://c.example/a></video>", [Loaded("media", "http://c.example")]),
    ("<noscript><img src=http://c.example/><script src=a></script></noscript><script src=//d.example></script>", [Loaded("script", "//d.example")]),
    ("<template><div><script src=a></script></div></template>", []),
    ("<a href=http://c.example/>", []),
]  # fmt: skip


@pytest.mark.parametrize(("html", "loads"), LOADS)
def test_what_a_browser_with_scripts_loads_is_noted_by_its_origin(html: str, loads: list[Loaded]) -> None:
    assert facts(f"<body>{html}").loads == tuple(loads)


def test_order_repetition_and_paths_do_not_tell_pages_of_a_template_apart() -> None:
    one = facts("<script src=//a.example/1></script><script src=//b.example/1></script>")
    other = facts("<script src=//b.example/2></script>" + "<script src=//a.example/3></script>" * 3)
    assert one == other
    assert bodyfacts.canonical_text(one) == bodyfacts.canonical_text(other)


def test_a_page_that_loads_too_much_has_the_facts_of_its_beginning() -> None:
    html = "".join(f"<script src=//c{number:04}.example/></script>" for number in range(2000))
    loads = facts(html).loads
    assert len(loads) == bodyread.MAX_LOADS
    assert loads[-1].source == f"//c{bodyread.MAX_LOADS - 1:04}.example"


CHALLENGES = [
    ("<title>Just a moment...</title><script>window._cf_chl_opt={}</script>", "cloudflare"),
    ("<TITLE>Attention Required! | Cloudflare</TITLE><div id=cf-error-details>", "cloudflare"),
    ("<TITLE>Access Denied</TITLE>You don't have permission<P>Reference&#32;&#35;18&#46;c6a5</P>", "akamai"),
    ("<iframe src='/_Incapsula_Resource?x'>Request unsuccessful. Incapsula incident ID: 1-2</iframe>", "incapsula"),
    ("<title>DDoS-Guard</title><script src=https://check.ddos-guard.net/check.js></script>", "ddos-guard"),
    ("<title>Request Rejected</title>The requested URL was rejected. Your support ID is: 1", "f5"),
    ("<title>Just a moment...</title><h1>What this page of Cloudflare means</h1>", ""),
    ("<title>Access Denied</title>You need to log in first.", ""),
    ("<title>Shop</title><script src='/_Incapsula_Resource?SWJIYLWA=1'></script>", ""),
    ("<title>Shop</title><script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script>", ""),
    ("<title>Request unsuccessful</title>" + "<p>About the Incapsula incident ID and _Incapsula_Resource" * 200, ""),
    ("<title", ""),
    ("<title>Just a moment...", ""),
]  # fmt: skip


@pytest.mark.parametrize(("html", "firewall"), CHALLENGES)
def test_the_page_of_a_firewall_is_known_and_one_about_it_is_not(html: str, firewall: str) -> None:
    assert facts(html).challenge == firewall


def test_the_canonical_text_has_no_choices_and_is_read_back() -> None:
    html = f"<head>{CSP.format('img-src ä')}<script src=//c.example/a integrity=x></script>"
    found = facts(html, charset="utf-8")
    text = bodyfacts.canonical_text(found)
    assert text == (
        '{"challenge":"","loads":[["script","//c.example",true,false]],"meta_policies":["img-src \\u00e4"],'
        '"meta_referrers":[],"version":"facts/1"}'
    )
    assert bodyfacts.from_json(json.loads(text)) == found
    assert len(bodyfacts.content_hash(text)) == 32


def test_what_no_database_takes_is_replaced() -> None:
    html = "<head><meta name=referrer content='a&#0;b\x00c&#xD800;d'>"
    text = bodyfacts.canonical_text(facts(html))
    assert "\\u0000" not in text
    assert "\\ud800" not in text


@pytest.mark.parametrize(
    "unit",
    [
        "<script src=//a/>", "<noscript>", "<template><script src=x>", "<meta http-equiv=content-security-policy content=x>",
        "<img src=http:>", "<title>", "<title", "<link rel=stylesheet href=//x>", "</noscript>", "<iframe src=x>",
    ],
)  # fmt: skip
def test_hostile_repetition_is_linear(unit: str) -> None:
    started = time.process_time()
    found = facts("<head>" + unit * 50_000)
    assert time.process_time() - started < 1.5
    assert len(bodyfacts.canonical_text(found)) < 100_000


def test_a_reader_remembers_templates_and_tells_their_origins_apart() -> None:
    reader = bodyread.FactsReader()
    html = b"<script src=https://a.example/x></script>"
    for url, source in (("https://a.example/1", ""), ("https://b.example/1", "https://a.example")) * 2:
        walked = markup.walk(html, None)
        assert reader.of(walked, html, url).facts.loads == (Loaded("script", source),)


PIECES = st.lists(
    st.sampled_from(
        ["<head>", "<meta ", "http-equiv=content-security-policy ", "name=referrer ", "content='", "<script src=", "'",
         "//", "http:", "x", ">", "&#0;", "&#xD800;", "<noscript>", "</noscript>", "\0", "<title>", "<base href="]
    )
    | st.text(max_size=3)
).map("".join)  # fmt: skip


@settings(deadline=None)
@given(st.binary() | PIECES.map(lambda text: text.encode(errors="replace")), st.none() | st.text(max_size=8))
def test_reading_never_raises_and_its_text_is_stable(body: bytes, charset: str | None) -> None:
    found = facts(body, charset=charset)
    text = bodyfacts.canonical_text(found)
    assert bodyfacts.from_json(json.loads(text)) == found
    assert "\\u0000" not in text
