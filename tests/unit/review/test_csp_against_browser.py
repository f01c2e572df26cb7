"""What is said of policies, against a slow browser that asks about one thing at a time."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from review.csp import effective, parse, subsume
from tests.unit.review import _csp_browser as browser

_HOSTS = ["a.test", "*.a.test", "b.a.test", "*.b.a.test", "*"]
_PLACES = [
    *_HOSTS,
    *(f"http://{host}" for host in _HOSTS),
    *(f"{host}:8443" for host in _HOSTS),
    *(f"https://{host}:*" for host in _HOSTS),
    "a.test:80",
    "http://a.test:80",
    *(f"a.test{path}" for path in ("/", "/x/", "/x/y", "/x/z/w")),
    *(f"http://*.a.test:*{path}" for path in ("/x/", "/x/y")),
    *("https:", "http:", "data:", "'self'", "'none'"),
]
_WORDS = [
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'unsafe-hashes'",
    "'strict-dynamic'",
    "'nonce-n'",
    "'sha256-a'",
    "'sha256-b'",
]
_SCRIPTS = ("script-src", "script-src-elem", "script-src-attr")


def _policies(names: list[str], tokens: list[str]) -> st.SearchStrategy[list[str]]:
    values = st.lists(st.sampled_from(tokens), max_size=3).map(" ".join)
    policy = st.dictionaries(st.sampled_from(names), values, min_size=1, max_size=3).map(
        lambda found: "; ".join(f"{name} {value}" for name, value in found.items())
    )
    return st.lists(policy, max_size=3)


_PICTURES = _policies(["img-src", "default-src"], _PLACES)
_CODE = _policies([*_SCRIPTS, "default-src"], [*_WORDS, "a.test", "*.a.test", "https:", "*"])
THINGS: dict[str, list[browser.Thing]] = {
    "img-src": [*browser.URLS],
    "script-src-elem": [*browser.URLS, *browser.INLINES],
    "script-src-attr": [*browser.INLINES],
    "script-src": [browser.EVAL],
}


def allowed(policies: list[str], directive: str) -> set[browser.Thing]:
    return {thing for thing in THINGS[directive] if browser.allows(policies, directive, thing)}


def word(new: set[browser.Thing], old: set[browser.Thing]) -> str:
    if new == old:
        return subsume.EQUAL
    if new < old:
        return subsume.STRICTER
    return subsume.LOOSER if new > old else subsume.INCOMPARABLE


@given(_PICTURES, _PICTURES)
@example(["img-src *.a.test *:8443"], ["img-src https://*.a.test:*"])
def test_lists_of_places_compare_as_the_urls_that_they_let_pass(old: list[str], new: list[str]) -> None:
    """Both ways: what is called looser has a URL to show for it."""
    told = dict(subsume.direction(old, new)[1]).get("img-src", subsume.EQUAL)
    assert told == word(allowed(new, "img-src"), allowed(old, "img-src"))


@given(_CODE, _CODE)
def test_code_that_new_policies_let_run_is_never_called_forbidden(old: list[str], new: list[str]) -> None:
    told = subsume.direction(old, new)[0]
    for directive in _SCRIPTS:
        before, after = allowed(old, directive), allowed(new, directive)
        assert told not in {subsume.EQUAL, subsume.STRICTER} or after <= before
        assert told not in {subsume.EQUAL, subsume.LOOSER} or before <= after


@given(_CODE)
def test_what_policies_allow_together_is_what_runs(policies: list[str]) -> None:
    parsed = parse.header(policies)
    for directive in ("script-src-elem", "script-src-attr"):
        told = effective.together(parsed, directive).has(effective.INLINE)
        assert told is browser.allows(policies, directive, browser.Inline())
    assert effective.together(parsed, "script-src").has(effective.EVAL) is browser.allows(
        policies, "script-src", browser.EVAL
    )
