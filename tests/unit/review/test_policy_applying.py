"""Policies applied to header sets: what is expected, what is excused until when, and what is new."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep.policies import Expectation, Policy, Profile, Switch, ValueTest, Waiver
from review import judge, redirects, report
from review import received as reading
from review.finding import Severity
from review.policy import applying, baseline, scopes, trying, values
from review.policy.baseline import Baseline
from review.policy.trying import Effect
from review.report import Cause, HeaderSet

HTML = ("Content-Type", "text/html")
JSON = ("Content-Type", "application/json")
NOSNIFF = ("X-Content-Type-Options", "nosniff")
MISSING = "x_content_type_options.missing"
TODAY = date(2026, 11, 23)

WAIVER = Waiver(MISSING, "web team", "until the new proxy", TODAY, "ask the web team")
FRAMED = Expectation(
    "framed",
    "web team",
    "the intranet shows it",
    "x-frame-options",
    ValueTest.EQUALS,
    "SAMEORIGIN",
    "/docs/*",
)


def a_set(  # one header set of a made-up run
    number: int,
    pages: int,
    *pairs: tuple[str, str],
    paths: Iterable[str] = ("/",),
    zones: tuple[str, ...] | None = None,
    status: int = 200,
) -> HeaderSet:
    judgement = judge.judge(reading.received(pairs, status=status))
    urls = tuple(f"https://site.example{path}" for path in paths)
    return HeaderSet(
        f"sha256:{number}", status, "https", pages, pairs, judgement, sample_urls=urls, zones=zones
    )


def found(policy: Policy, *sets: HeaderSet, code: str, today: date = TODAY) -> list[Cause]:
    return [cause for cause in applying.apply(policy, sets, today) if cause.code == code]


# --- profiles ---------------------------------------------------------------------------------------------------


def test_recommended_adds_nothing_to_the_findings_of_the_review() -> None:
    sets = [a_set(1, 5, HTML), a_set(2, 7, JSON)]
    assert applying.apply(Policy(), sets, TODAY) == report.causes(sets)


def test_what_a_profile_misses_is_a_cause_with_pages_and_the_line_that_was_received() -> None:
    policy = Policy(Profile.ASVS_5_L2)
    sets = [a_set(1, 5, HTML, ("X-Content-Type-Options", "x")), a_set(2, 7, HTML, NOSNIFF)]
    (cause,) = found(policy, *sets, code="policy.nosniff")
    assert (cause.subject, cause.pages) == ("asvs-5.0-l2/3.4.4", 5)
    assert cause.evidence == "X-Content-Type-Options: x"
    assert cause.detail == "OWASP ASVS 5.0.0, level 2, chapters 3.3 and 3.4: 3.4.4"


def test_a_page_of_a_firewall_is_not_asked_for_anything() -> None:
    blocked = a_set(1, 5, HTML, status=429)
    assert applying.apply(Policy(Profile.ASVS_5_L3, (FRAMED,)), [blocked], TODAY) == ()


# --- expectations -----------------------------------------------------------------------------------------------


def test_an_expectation_holds_for_the_pages_of_its_path() -> None:
    inside = a_set(1, 5, HTML, paths=["/docs/a"], zones=("/docs/*",))
    outside = a_set(2, 7, HTML, paths=["/"], zones=())
    (cause,) = found(Policy(expectations=(FRAMED,)), inside, outside, code="policy.expectation")
    assert (cause.subject, cause.pages, cause.severity) == ("framed", 5, Severity.MEDIUM)
    assert cause.detail == ("expected: x-frame-options equals 'SAMEORIGIN' (web team: the intranet shows it)")


def test_an_expectation_that_is_met_is_no_finding() -> None:
    inside = a_set(1, 5, HTML, ("X-Frame-Options", "SAMEORIGIN"), zones=("/docs/*",))
    assert found(Policy(expectations=(FRAMED,)), inside, code="policy.expectation") == []


def test_an_expectation_holds_for_its_response_classes() -> None:
    expected = dataclasses.replace(FRAMED, path="*", classes=("document",), severity="high")
    (cause,) = found(
        Policy(expectations=(expected,)), a_set(1, 5, HTML), a_set(2, 7, JSON), code="policy.expectation"
    )
    assert (cause.pages, cause.severity) == (5, Severity.HIGH)


def test_an_expectation_for_a_path_is_judged_by_samples_where_pages_were_not_told_apart_and_says_so() -> None:
    mixed = a_set(1, 500, HTML, paths=["/", "/docs/a"])
    (cause,) = found(Policy(expectations=(FRAMED,)), mixed, code="policy.expectation")
    assert cause.pages == 500
    assert "by its sample URLs alone" in cause.detail
    assert found(Policy(expectations=(FRAMED,)), a_set(1, 5, HTML), code="policy.expectation") == []


@pytest.mark.parametrize(
    ("test", "value", "lines", "is_met"),
    [
        (ValueTest.EQUALS, "a", ["a"], True),
        (ValueTest.EQUALS, "a", ["A"], False),
        (ValueTest.EQUALS, "a", ["a", "a"], False),
        (ValueTest.EQUALS, "a, b", ["a", "b"], True),
        (ValueTest.EQUALS, "a", [], False),
        (ValueTest.CONTAINS, "b", ["abc"], True),
        (ValueTest.CONTAINS, "b", ["ac"], False),
        (ValueTest.MATCHES, "max-age=*; preload", ["max-age=1; preload"], True),
        (ValueTest.MATCHES, "max-age=*; preload", ["max-age=1"], False),
        (ValueTest.ABSENT, "", [], True),
        (ValueTest.ABSENT, "", [""], False),
        (ValueTest.PRESENT, "", [""], True),
        (ValueTest.PRESENT, "", [], False),
    ],
)
def test_a_value_is_compared_as_expected(test: ValueTest, value: str, lines: list[str], is_met: bool) -> None:
    expectation = Expectation("x", "me", "why", "x-frame-options", test, value)
    received = reading.received([("X-Frame-Options", line) for line in lines])
    assert values.is_met(expectation, received) is is_met


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_star_stands_for_any_run_of_characters(pattern: str, value: str) -> None:
    reachable = {0}
    for character in pattern:
        if character == "*":
            reachable = set(range(min(reachable, default=len(value) + 1), len(value) + 1))
        else:
            reachable = {at + 1 for at in reachable if value[at : at + 1] == character}
    assert values.fits(pattern, value) is (len(value) in reachable)


# --- waivers ----------------------------------------------------------------------------------------------------


def test_a_waived_cause_is_there_with_who_excuses_it_and_until_when() -> None:
    (cause,) = found(Policy(waivers=(WAIVER,)), a_set(1, 5, HTML), code=MISSING)
    assert cause.waived_by == f"{MISSING} (web team, until 2026-11-23)"


@pytest.mark.parametrize(
    ("today", "is_waived"),
    [(date(2026, 11, 22), True), (date(2026, 11, 23), True), (date(2026, 11, 24), False)],
    ids=["before", "on", "after"],
)
def test_a_waiver_holds_until_the_end_of_its_last_day(today: date, is_waived: bool) -> None:
    policy = Policy(waivers=(WAIVER,))
    (cause,) = found(policy, a_set(1, 5, HTML), code=MISSING, today=today)
    assert bool(cause.waived_by) is is_waived
    expired = found(policy, a_set(1, 5, HTML), code="waiver.expired", today=today)
    assert [each.subject for each in expired] == ([] if is_waived else [MISSING])
    assert found(policy, a_set(1, 5, HTML), code="waiver.unused", today=today) == []


def test_an_expired_waiver_says_who_promised_what_and_how_to_undo_it() -> None:
    (cause,) = found(
        Policy(waivers=(WAIVER,)), a_set(1, 5, HTML), code="waiver.expired", today=date(2027, 1, 1)
    )
    said = "its last day was 2026-11-23 (web team: until the new proxy); ask the web team"
    assert (cause.detail, cause.pages) == (said, 0)


def test_a_waiver_that_excuses_nothing_is_told() -> None:
    policy = Policy(waivers=(WAIVER,))
    (cause,) = found(policy, a_set(1, 5, HTML, NOSNIFF), code="waiver.unused")
    assert (cause.subject, cause.severity) == (MISSING, Severity.INFO)
    assert applying.apply(policy, [], TODAY) == ()


def test_a_waiver_of_a_concern_excuses_all_of_it_and_nothing_else() -> None:
    concern = dataclasses.replace(WAIVER, code="x_content_type_options.*")
    policy = Policy(Profile.ASVS_5_L2, waivers=(concern,))
    causes = applying.apply(policy, [a_set(1, 5, HTML)], TODAY)
    assert {cause.code for cause in causes if cause.waived_by} == {MISSING}
    assert "policy.nosniff" in {cause.code for cause in causes if not cause.waived_by}


def test_a_waiver_with_a_subject_is_for_that_alone() -> None:
    policy = Policy(Profile.ASVS_5_L2, waivers=(dataclasses.replace(WAIVER, code="policy.nosniff"),))
    (cause,) = found(policy, a_set(1, 5, HTML), code="policy.nosniff")
    assert cause.waived_by
    other = dataclasses.replace(policy.waivers[0], subject="asvs-5.0-l3/3.4.4")
    (cause,) = found(dataclasses.replace(policy, waivers=(other,)), a_set(1, 5, HTML), code="policy.nosniff")
    assert not cause.waived_by
    same = dataclasses.replace(policy.waivers[0], subject="asvs-5.0-l2/3.4.4")
    (cause,) = found(dataclasses.replace(policy, waivers=(same,)), a_set(1, 5, HTML), code="policy.nosniff")
    assert cause.waived_by


def test_a_waiver_for_a_path_splits_a_cause_between_the_pages() -> None:
    legacy = dataclasses.replace(WAIVER, path="/legacy/*")
    inside = a_set(1, 5, HTML, paths=["/legacy/a"], zones=("/legacy/*",))
    outside = a_set(1, 7, HTML, paths=["/"], zones=())
    causes = found(Policy(waivers=(legacy,)), inside, outside, code=MISSING)
    assert {cause.pages: bool(cause.waived_by) for cause in causes} == {7: False, 5: True}


def test_a_waiver_for_a_path_needs_all_samples_where_pages_were_not_told_apart() -> None:
    policy = Policy(waivers=(dataclasses.replace(WAIVER, path="/legacy/*"),))
    (inside,) = found(policy, a_set(1, 5, HTML, paths=["/legacy/a", "/legacy/b"]), code=MISSING)
    assert "by its sample URLs alone" in inside.waived_by
    (mixed,) = found(policy, a_set(1, 5, HTML, paths=["/legacy/a", "/"]), code=MISSING)
    assert mixed.waived_by == ""


def test_a_cause_that_no_header_set_shows_is_waived_as_well() -> None:
    every = report.causes([a_set(1, 5, HTML, paths=["/legacy/a"])])
    (cause,) = [each for each in every if each.code == MISSING]
    legacy = dataclasses.replace(WAIVER, path="/legacy/*")
    for policy, is_waived in (
        (Policy(waivers=(WAIVER,)), True),
        (Policy(waivers=(legacy,)), True),
        (Policy(), False),
    ):
        (found_cause,) = applying.apply(policy, [], TODAY, others=[cause])
        assert bool(found_cause.waived_by) is is_waived
    elsewhere = dataclasses.replace(WAIVER, path="/docs/*")
    codes = {each.code for each in applying.apply(Policy(waivers=(elsewhere,)), [], TODAY, others=[cause])}
    assert codes == {MISSING, "waiver.unused"}


PATHS = st.sampled_from(["*", "/docs/*", "/legacy/*", "*.pdf", "/a"])
WAIVERS = st.builds(
    Waiver,
    code=st.sampled_from([MISSING, "policy.*", "policy.nosniff", "x_content_type_options.*"]),
    owner=st.just("o"),
    reason=st.just("r"),
    expires=st.sampled_from([date(2026, 11, 22), TODAY]),
    rollback_note=st.just("n"),
    subject=st.sampled_from(["", "asvs-5.0-l2/3.4.4", "nothing"]),
    path=PATHS,
)
EXPECTATIONS = st.builds(
    Expectation,
    name=st.text("ab", min_size=1, max_size=2),
    owner=st.just("o"),
    why=st.just("w"),
    header=st.sampled_from(["x-content-type-options", "content-type", "x-none"]),
    test=st.sampled_from(ValueTest),
    value=st.text("a*", min_size=1, max_size=3),
    path=PATHS,
    classes=st.sampled_from([(), ("document",), ("api",)]),
)
SETS = st.lists(
    st.builds(
        a_set,
        st.integers(1, 3),
        st.integers(1, 1000),
        st.sampled_from([HTML, JSON, ("Content-Type", "\x00\xff")]),
        paths=st.lists(st.sampled_from(["/", "/docs/a", "/legacy/b", "/c.pdf"]), min_size=1, max_size=3),
        zones=st.sampled_from([None, (), ("/docs/*",), ("/legacy/*", "*.pdf")]),
        status=st.sampled_from([200, 301, 404, 429]),
    ),
    max_size=5,
)


@given(SETS, st.lists(WAIVERS, max_size=4), st.lists(EXPECTATIONS, max_size=3), st.sampled_from(Profile))
def test_waivers_hide_no_page_of_any_cause(
    sets: list[HeaderSet], waivers: list[Waiver], expectations: list[Expectation], profile: Profile
) -> None:
    policy = Policy(profile, tuple(expectations), tuple(waivers))
    with_waivers = applying.apply(policy, sets, TODAY)
    without = applying.apply(dataclasses.replace(policy, waivers=()), sets, TODAY)
    assert _pages(with_waivers) == _pages(without)
    assert not any(cause.waived_by for cause in without)
    active = {waiver.label for waiver in waivers if not waiver.is_expired(TODAY)}
    for cause in with_waivers:
        assert not cause.waived_by or any(cause.waived_by.startswith(label) for label in active)


def _pages(causes: Iterable[Cause]) -> dict[tuple[str, str], int]:
    pages: dict[tuple[str, str], int] = {}
    for cause in causes:
        if not cause.code.startswith("waiver."):
            pages[cause.code, cause.subject] = pages.get((cause.code, cause.subject), 0) + cause.pages
    return pages


# --- trying another policy --------------------------------------------------------------------------------------


def test_trying_a_policy_says_what_comes_goes_and_counts_differently() -> None:
    sets = [a_set(1, 5, HTML, ("X-Content-Type-Options", "x")), a_set(2, 7, HTML, paths=["/legacy/a"])]
    before = Policy(expectations=(dataclasses.replace(FRAMED, path="*"),))
    after = Policy(Profile.API, waivers=(dataclasses.replace(WAIVER, path="/legacy/*"),))
    changes = trying.compare(applying.apply(before, sets, TODAY), applying.apply(after, sets, TODAY))
    effects = {(change.code, change.effect) for change in changes}
    assert effects >= {
        ("policy.expectation", Effect.GOES),
        (MISSING, Effect.CHANGES),
        ("x_content_type_options.ignored", Effect.STAYS),
    }
    others = {(code, effect) for code, effect in effects if code not in {"policy.expectation", MISSING}}
    assert {effect for _, effect in others} == {Effect.STAYS}
    (waived,) = [change.after for change in changes if change.code == MISSING]
    assert waived is not None
    assert (waived.pages, waived.waived_pages, waived.is_waived) == (7, 7, True)


def test_trying_the_same_policy_changes_nothing() -> None:
    causes = applying.apply(Policy(Profile.OWASP_2026_07), [a_set(1, 5, HTML)], TODAY)
    assert {change.effect for change in trying.compare(causes, causes)} == {Effect.STAYS}


# --- zones ------------------------------------------------------------------------------------------------------


def test_zones_are_the_path_scopes_of_all_rules_each_once() -> None:
    legacy = dataclasses.replace(WAIVER, path="/legacy/*")
    zones = scopes.zones(Policy(expectations=(FRAMED, FRAMED), waivers=(WAIVER, legacy)))
    assert [name for name, _ in zones] == ["/docs/*", "/legacy/*"]
    assert scopes.zones_of("/docs/a", zones) == ("/docs/*",)
    assert scopes.zones_of("/docs", zones) == ()


def test_the_path_of_a_page_has_no_query() -> None:
    assert scopes.path_of("https://site.example/docs/?a=/b") == "/docs/"


# --- baselines --------------------------------------------------------------------------------------------------


def approved(*sets: HeaderSet) -> Baseline:
    causes = applying.apply(Policy(), sets, TODAY)
    return Baseline(7, "web team", "as agreed", TODAY, "revert", baseline.known(causes))


def test_what_the_baseline_does_not_have_is_new() -> None:
    old, new = a_set(1, 5, HTML), a_set(2, 1, HTML, ("X-Content-Type-Options", "x"))
    causes = applying.apply(Policy(), [old, new], TODAY, approved(old))
    fresh = {cause.code: cause.is_new for cause in causes if cause.code.startswith("x_content")}
    assert fresh == {MISSING: False, "x_content_type_options.ignored": True}


def test_where_nobody_knows_any_more_what_was_approved_nothing_is_new() -> None:
    forgotten = dataclasses.replace(approved(), causes=None)
    causes = applying.apply(Policy(), [a_set(1, 5, HTML)], TODAY, forgotten)
    assert not any(cause.is_new for cause in causes)


def test_without_a_baseline_nothing_is_new() -> None:
    assert not any(cause.is_new for cause in applying.apply(Policy(), [a_set(1, 5, HTML)], TODAY))


@pytest.mark.parametrize(
    ("today", "expired"), [(date(2026, 11, 23), []), (date(2026, 11, 24), ["run 7"])], ids=["on", "after"]
)
def test_a_baseline_whose_last_day_is_over_is_a_finding_and_still_tells_what_is_new(
    today: date, expired: list[str]
) -> None:
    one = a_set(1, 5, HTML)
    causes = applying.apply(Policy(), [one], today, approved(one))
    assert [cause.subject for cause in causes if cause.code == "baseline.expired"] == expired
    assert not any(cause.is_new for cause in causes)


# --- switches ---------------------------------------------------------------------------------------------------

OFF = Switch(MISSING, "web team", "the proxy adds it", enabled=False)


def test_what_is_off_is_not_found_and_named_with_what_it_hides() -> None:
    sets = [a_set(1, 5, HTML), a_set(2, 7, HTML)]
    off = applying.apply(Policy(switches=(OFF,)), sets, TODAY)
    on = applying.apply(Policy(), sets, TODAY)
    (named,) = [cause for cause in off if cause.code == "switch.off"]
    assert [cause for cause in off if cause is not named] == [cause for cause in on if cause.code != MISSING]
    assert (named.subject, named.pages, named.severity) == (MISSING, 0, Severity.INFO)
    assert named.detail == "web team: the proxy adds it; it hides 1 cause, the worst low, on up to 12 pages"


def test_a_switch_that_hides_nothing_says_so() -> None:
    (named,) = found(Policy(switches=(OFF,)), a_set(1, 5, HTML, NOSNIFF), code="switch.off")
    assert named.detail.endswith("it hides nothing now")


def test_a_switch_that_is_on_changes_nothing() -> None:
    sets = [a_set(1, 5, HTML)]
    on = Policy(switches=(dataclasses.replace(OFF, enabled=True),))
    assert applying.apply(on, sets, TODAY) == applying.apply(Policy(), sets, TODAY)


def test_demands_of_a_profile_and_causes_of_whole_runs_can_be_off_too() -> None:
    policy = Policy(
        Profile.ASVS_5_L2, switches=(Switch("policy.*", "o", "r"), Switch("redirect.*", "o", "r"))
    )
    hop = report.of_run(
        redirects.judge([redirects.Hop("http://site.example", "", 3, "http://site.example/")])
    )
    assert hop
    causes = applying.apply(policy, [a_set(1, 5, HTML)], TODAY, others=hop)
    assert not [cause for cause in causes if cause.code.startswith(("policy.", "redirect."))]
    hidden = {cause.subject: cause.detail for cause in causes if cause.code == "switch.off"}
    assert set(hidden) == {"policy.*", "redirect.*"}
    assert f"it hides {len(hop)} cause" in hidden["redirect.*"]


def test_a_waiver_of_what_is_off_is_unused() -> None:
    policy = Policy(waivers=(WAIVER,), switches=(OFF,))
    assert found(policy, a_set(1, 5, HTML), code="waiver.unused")


def test_what_is_off_stays_a_fact_under_a_baseline() -> None:
    approved = Baseline(1, "o", "r", TODAY, "n", frozenset())
    causes = applying.apply(Policy(switches=(OFF,)), [a_set(1, 5, HTML)], TODAY, approved)
    assert [cause.is_new for cause in causes if cause.code == "switch.off"] == [False]
