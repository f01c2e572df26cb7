"""What cache rules find: every code with cases on both sides of its boundary, at the level of headers and of observations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from headersweep.cachematch import Claim
from headersweep.cacherules import Bypass, CacheKind, CacheRule, Condition, Expected, Match, Shared
from headersweep.definition import SiteDefinition
from headersweep.policies import Policy
from review import judge, report
from review import received as reading
from review.cacherules import observed, page, policy, probing, rules
from review.cacherules.collecting import Causes, Seen
from review.cacherules.observed import State
from review.cacherules.probing import Answer, Try
from review.finding import Severity
from review.policy import applying, scopes
from review.received import Received

PREVIEW = Bypass(Condition.QUERY, "preview", "drafts")
COOKIE = Bypass(Condition.COOKIE, "logged_in_*", "names", example="/a")
TRACKING = Bypass(Condition.COOKIE, "_ga", "changes nothing", Shared.CACHED, "/a")
PAGES = CacheRule(
    "pages",
    "web",
    "load",
    "rule 14",
    Expected(Shared.CACHED, 60, 3600, ("accept-encoding",)),
    ("/a",),
    ("/a?preview=1",),
    bypass=(PREVIEW, COOKIE),
)
CART = CacheRule(
    "cart",
    "shop",
    "personal",
    "purge",
    Expected(Shared.NOT_CACHED),
    ("/a",),
    ("/cart",),
    Match(path="/cart*"),
)
SITE = SiteDefinition("shop", ("https://shop.example/",), cache=(CART, PAGES))
KIND = CacheKind.RFC9111
DAY = date(2026, 11, 22)


def answer(*lines: str, status: int = 200) -> Received:
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return reading.received(pairs, status=status)


def codes(claim: Claim, *lines: str, status: int = 200, kind: CacheKind = KIND) -> set[str]:
    return {
        each.code.removeprefix("cache_rule.")
        for each in policy.findings(claim, answer(*lines, status=status), kind)
    }


PRIVATE: tuple[tuple[str, set[str]], ...] = (
    ("Cache-Control: max-age=60", {"private_cacheable"}),
    ("Cache-Control: s-maxage=60, max-age=0", {"private_cacheable"}),
    ("CDN-Cache-Control: max-age=60", {"private_cacheable"}),
    ("X: y", {"private_heuristic"}),
    ("Cache-Control: public", {"private_heuristic"}),
    ("Cache-Control: private", set()),
    ("Cache-Control: no-store", set()),
    ("Cache-Control: no-cache", set()),
    ("Cache-Control: max-age=0", set()),
)
CACHED: tuple[tuple[str, set[str]], ...] = (
    ("Cache-Control: max-age=60", set()),
    ("Cache-Control: max-age=59", {"lifetime_too_short"}),
    ("Cache-Control: max-age=3600", set()),
    ("Cache-Control: max-age=3601", {"lifetime_too_long"}),
    ("Cache-Control: max-age=60, s-maxage=3601", {"lifetime_too_long"}),
    ("Cache-Control: private", {"not_cacheable"}),
    ("Cache-Control: no-cache", {"not_cacheable"}),
    ("X: y", {"lifetime_unstated"}),
)


@pytest.mark.parametrize(("line", "expected"), PRIVATE)
def test_a_page_that_is_not_to_be_kept(line: str, expected: set[str]) -> None:
    assert codes(Claim(CART), line) == expected
    assert codes(Claim(PAGES, PREVIEW), line) == expected


@pytest.mark.parametrize(("line", "expected"), CACHED)
def test_a_page_that_is_to_be_kept(line: str, expected: set[str]) -> None:
    assert codes(Claim(PAGES), line) == expected


@pytest.mark.parametrize(
    ("vary", "expected"),
    [("Accept-Encoding", set()), ("Accept-Encoding, Cookie", {"vary"}), ("*", {"not_cacheable"})],
)
def test_vary_beyond_what_is_allowed(vary: str, expected: set[str]) -> None:
    assert codes(Claim(PAGES), "Cache-Control: max-age=60", f"Vary: {vary}") == expected


@pytest.mark.parametrize(
    ("kind", "allowed"), [(kind, allowed) for kind in CacheKind for allowed in (False, True)]
)
def test_a_cookie_on_a_page_that_is_to_be_kept(kind: CacheKind, allowed: bool) -> None:
    claim = Claim(replace(PAGES, expect=replace(PAGES.expect, set_cookie=allowed)))
    found = codes(claim, "Cache-Control: max-age=60", "Set-Cookie: a=1", kind=kind)
    refuses = kind in {CacheKind.NGINX, CacheKind.VARNISH}
    assert found == ({"not_cacheable"} if refuses else set()) if allowed else {"set_cookie"}


def test_what_no_cache_by_the_standard_keeps_may_still_be_kept_by_the_one_that_is_named() -> None:
    assert codes(Claim(CART), "X-Accel-Expires: 60", "Cache-Control: private", kind=KIND) == set()
    assert codes(Claim(CART), "Surrogate-Control: max-age=60", "Cache-Control: private, max-age=60") == set()
    varnish = codes(
        Claim(CART), "Surrogate-Control: x", "Cache-Control: private, max-age=60", kind=CacheKind.VARNISH
    )
    assert varnish == {"private_cacheable"}


def test_nobody_wants_errors_and_redirects_kept_but_none_may_be_kept_that_is_private() -> None:
    for status in (302, 404, 500):
        assert codes(Claim(PAGES), "Cache-Control: no-store", status=status) == set()
    (finding,) = policy.findings(Claim(CART), answer("Cache-Control: max-age=60", status=404), KIND)
    assert (finding.code, finding.severity) == ("cache_rule.private_cacheable", Severity.MEDIUM)


def test_a_rule_that_is_switched_off_finds_nothing() -> None:
    claim = Claim(replace(CART, enabled=False))
    assert codes(claim, "Cache-Control: max-age=60") == set()
    assert list(observed.findings(claim, answer("Age: 5"), 5)) == []


def test_a_finding_names_the_rule_its_owner_and_its_reason() -> None:
    (finding,) = policy.findings(Claim(PAGES, PREVIEW), answer("Cache-Control: max-age=60"), KIND)
    assert finding.subject == "pages (query preview)"
    assert "(web: drafts)" in finding.detail
    assert finding.evidence == "Cache-Control: max-age=60"


# --- observed ----------------------------------------------------------------------------------------------------

STATES = (
    ("Cache-Status: ExampleCache; hit", State.HIT),
    ("Cache-Status: a; hit, b; fwd=uri-miss; stored", State.MISS),
    ("Cache-Status: a; fwd=miss, b; hit; ttl=-5", State.STALE),
    ("Cache-Status: a; fwd=stale; fwd-status=304", State.REVALIDATED),
    ("Cache-Status: a; fwd=stale; fwd-status=200", State.EXPIRED),
    ("Cache-Status: a; fwd=bypass", State.BYPASS),
    ("Cache-Status: a; fwd=method", State.BYPASS),
    ("Cache-Status: a; fwd=other", State.UNKNOWN),
    ("Cache-Status: (((", State.UNKNOWN),
    ("CF-Cache-Status: DYNAMIC", State.DYNAMIC),
    ("CF-Cache-Status: HIT", State.HIT),
    ("CF-Cache-Status: UPDATING", State.STALE),
    ("CF-Cache-Status: NONE", State.BYPASS),
    ("X-Cache: Hit from cloudfront", State.HIT),
    ("X-Cache: RefreshHit from cloudfront", State.REVALIDATED),
    ("X-Cache: Miss from cloudfront", State.MISS),
    ("X-Cache: Error from cloudfront", State.UNKNOWN),
    ("X-Cache: TCP_MEM_HIT from a1.deploy.akamai.test (AkamaiGHost/1) (-)", State.HIT),
    ("X-Cache: MISS, HIT", State.HIT),
    ("X-Cache: HIT, MISS", State.MISS),
    ("X-Cache-Status: EXPIRED", State.EXPIRED),
    ("X-Cache-Status: REVALIDATED", State.REVALIDATED),
    ("X-Cache-Status: STALE", State.STALE),
    ("X-Cache-Status: BYPASS", State.BYPASS),
    ("X-Varnish: 32770", State.MISS),
    ("X-Varnish: 5 32770", State.HIT),
    ("X-Varnish: rubbish", State.UNKNOWN),
    ("Age: 0", State.UNKNOWN),
    ("Age: 1", State.HIT),
    ("Age: old", State.UNKNOWN),
    ("Server: x", State.UNKNOWN),
)


@pytest.mark.parametrize(("line", "state"), STATES)
def test_the_words_of_all_vendors_mean_one_of_eight_things(line: str, state: State) -> None:
    seen = observed.observe(answer(line))
    assert seen.state is state
    assert seen.evidence == (line if state is not State.UNKNOWN or "fwd=other" in line else "")


def test_a_word_counts_before_the_age() -> None:
    assert observed.observe(answer("Age: 5", "X-Cache-Status: MISS")).state is State.MISS


SEEN: tuple[tuple[CacheRule, str, int | None, dict[str, Severity]], ...] = (
    (CART, "X-Cache: HIT", None, {"private_hit": Severity.MEDIUM}),
    (CART, "X: y", 5, {"private_hit": Severity.HIGH}),
    (CART, "X-Cache: MISS", None, {}),
    (CART, "X: y", 0, {}),
    (CART, "CF-Cache-Status: DYNAMIC", None, {}),
    (PAGES, "X-Cache: HIT", None, {}),
    (PAGES, "CF-Cache-Status: DYNAMIC", None, {"never_hit": Severity.LOW}),
    (PAGES, "X-Cache: MISS", None, {}),
    (PAGES, "Set-Cookie: a=1", 5, {"set_cookie_on_hit": Severity.HIGH}),
    (PAGES, "Set-Cookie: a=1", None, {}),
    (PAGES, "X: y", 3600, {}),
    (PAGES, "X: y", 3601, {"too_old": Severity.LOW}),
)


@pytest.mark.parametrize(("rule", "line", "age", "expected"), SEEN)
def test_what_caches_did_against_the_rule(
    rule: CacheRule, line: str, age: int | None, expected: dict[str, Severity]
) -> None:
    found = observed.findings(Claim(rule), answer(line), age)
    assert {each.code.removeprefix("cache_rule."): each.severity for each in found} == expected


# --- probes ------------------------------------------------------------------------------------------------------


def probe_answers(*words: str, digests: str = "", lines: tuple[str, ...] = ()) -> list[Answer]:
    return [
        Answer(answer(f"X-Cache: {word}", *lines), digests[place : place + 1])
        for place, word in enumerate(words)
    ]


def trial(kind: Try, site: SiteDefinition = SITE) -> probing.Trial:
    return next(each for each in probing.plan(site, "7") if each.kind is kind)


TRIED: tuple[tuple[Try, tuple[str, ...], set[str]], ...] = (
    (Try.CACHED, ("MISS", "HIT", "HIT"), set()),
    (Try.CACHED, ("MISS", "MISS", "MISS"), {"never_hit"}),
    (Try.CACHED, ("MISS", "PASS", "PASS"), {"never_hit"}),
    (Try.CACHED, ("MISS", "?", "?"), set()),
    (Try.NOT_CACHED, ("MISS", "MISS"), set()),
    (Try.NOT_CACHED, ("MISS", "HIT"), {"private_hit"}),
    (Try.READING, ("MISS", "HIT", "PASS"), set()),
    (Try.READING, ("MISS", "HIT", "HIT"), {"bypass_hit"}),
    (Try.STORING, ("PASS", "MISS"), set()),
    (Try.STORING, ("PASS", "HIT"), {"bypass_stored"}),
)


@pytest.mark.parametrize(("kind", "words", "expected"), TRIED)
def test_what_answers_to_probes_mean(kind: Try, words: tuple[str, ...], expected: set[str]) -> None:
    found = probing.judge(trial(kind), probe_answers(*words), KIND)
    assert {each.code.removeprefix("cache_rule.") for each in found} == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("MISS", "HIT", "HIT", "HIT"), set()), (("MISS", "HIT", "PASS", "PASS"), {"never_hit"})],
)
def test_a_condition_that_should_change_nothing(words: tuple[str, ...], expected: set[str]) -> None:
    site = replace(SITE, cache=(replace(PAGES, bypass=(TRACKING,)),))
    found = probing.judge(trial(Try.STILL_CACHED, site), probe_answers(*words), KIND)
    assert {each.code.removeprefix("cache_rule.") for each in found} == expected


@pytest.mark.parametrize(
    ("digests", "lines", "expected"),
    [
        ("aab", ("Cache-Control: max-age=60",), {"differs_by_cookie"}),
        ("aaa", ("Cache-Control: max-age=60",), set()),
        ("abc", ("Cache-Control: max-age=60",), set()),
        ("aab", ("Cache-Control: max-age=60", "Vary: Cookie"), set()),
        ("aab", ("Cache-Control: private",), set()),
    ],
)
def test_a_page_that_differs_by_cookie_and_may_be_kept_for_all(
    digests: str, lines: tuple[str, ...], expected: set[str]
) -> None:
    found = probing.judge(
        trial(Try.DIFFERING), probe_answers("MISS", "MISS", "MISS", digests=digests, lines=lines), KIND
    )
    assert {each.code.removeprefix("cache_rule.") for each in found} == expected


def test_an_answer_that_is_missing_proves_nothing() -> None:
    assert probing.judge(trial(Try.NOT_CACHED), [None, *probe_answers("HIT")], KIND) == []
    assert probing.judge(trial(Try.NOT_CACHED), probe_answers("HIT"), KIND) == []


def test_probes_send_dummies_alone_and_no_credentials() -> None:
    authorized = Bypass(Condition.HEADER, "Authorization", "names", example="/a")
    site = replace(SITE, cache=(replace(PAGES, bypass=(COOKIE, authorized)), CART))
    sent = {pair for each in probing.plan(site, "7") for step in each.steps for pair in step.headers}
    assert sent == {
        ("Cookie", f"logged_in_headersweep={probing.DUMMY}"),
        ("Cookie", f"{probing.PARAMETER}={probing.DUMMY}"),
    }


def test_a_plan_is_the_same_every_time_and_its_keys_are_its_own() -> None:
    first = list(probing.plan(SITE, "7"))
    assert first == list(probing.plan(SITE, "7"))
    assert len({each.key for each in first}) == len(first)
    assert {each.kind for each in first} == set(Try) - {Try.STILL_CACHED}


def test_a_rule_that_takes_no_other_parameters_gets_none() -> None:
    site = replace(SITE, cache=(replace(PAGES, match=Match(query=("preview",))),))
    steps = [step.url for each in probing.plan(site, "7") for step in each.steps]
    assert steps
    assert all(probing.PARAMETER not in url for url in steps)


# --- in reports, by cause, for people ----------------------------------------------------------------------------


def test_a_run_s_report_has_what_its_policy_s_cache_rules_miss_and_says_nothing_twice() -> None:
    known = scopes.zones(SITE.policy)

    def header_set(url: str, *lines: str) -> report.HeaderSet:
        got = answer(*lines)
        zones = scopes.zones_of(scopes.path_of(url), known, url)
        return report.HeaderSet(
            "h", 200, "https", 1, got.pairs, judge.judge(got), zones=zones, sample_urls=(url,)
        )

    sets = [
        header_set("https://shop.example/cart", "Cache-Control: max-age=60"),
        header_set("https://shop.example/a?preview=1", "Cache-Control: max-age=60"),
        header_set("https://shop.example/b", "Cache-Control: max-age=60", "Set-Cookie: sessionid=x"),
        header_set("https://shop.example/c", "Cache-Control: max-age=60"),
    ]
    found = applying.apply(SITE.policy, sets, DAY)
    ours = sorted((each.code, each.subject) for each in found if each.code.startswith("cache_rule."))
    assert ours == [
        ("cache_rule.private_cacheable", "cart"),
        ("cache_rule.private_cacheable", "pages (query preview)"),
    ]
    assert any(each.code == "cache.personal_shared" for each in found)
    bare = applying.apply(Policy(), sets, DAY)
    assert not [each for each in bare if each.code.startswith("cache_rule.")]


def test_causes_are_counted_dangerous_ones_first_with_few_samples_and_their_runs() -> None:
    causes = Causes()
    wasteful = rules.NOT_CACHEABLE.found("", "pages")
    dangerous = rules.PRIVATE_HEURISTIC.found("", "cart")
    for number in range(5):
        seen = Seen(f"https://h/{number}", number, 1, 200, first_run=9 - number)
        causes.add("policy", [wasteful], seen)
    causes.add("policy", [dangerous], Seen("https://h/x", 9, 1, 200, 2, 4), is_present=False)
    first, second = causes.ordered()
    assert (first.code, first.pages, first.past, first.first_run, first.last_run) == (
        dangerous.code,
        0,
        1,
        2,
        4,
    )
    assert (second.pages, second.first_run, [each.page_id for each in second.samples]) == (5, 5, [0, 1, 2])


def test_the_page_for_people_has_all_that_the_rules_say() -> None:
    text = page.markdown(SITE)
    for part in (
        "purge",
        "rule 14",
        "drafts",
        "shop.example/cart",
        "preview",
        "at most 1h",
        "without Set",
        "web",
    ):
        assert part in text.replace("\\", "")


def test_every_code_is_produced_by_a_case_of_this_file() -> None:
    shown = {code for _, found in (*PRIVATE, *CACHED) for code in found}
    shown |= {code for *_, found in SEEN for code in found} | {code for *_, found in TRIED for code in found}
    shown |= {"vary", "set_cookie", "differs_by_cookie"}
    assert shown | {"unused"} == {code.removeprefix("cache_rule.") for code in rules.RULES}
