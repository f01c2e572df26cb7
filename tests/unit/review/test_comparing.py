"""A site before and after: weighted by pages, with owners, in every shape, and nothing that a server sent at work."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import html
from markdown_it import MarkdownIt

from cli.render import comparing as render
from headersweep.bodyfacts import BodyFacts
from headersweep.policies import Expectation, Policy, ValueTest, Waiver
from headersweep.responses import ResponseClass
from review import comparing, judge, table
from review import received as reading
from review.caching import Sharing
from review.comparing import Comparison, Latency, Share, Side, Turn
from review.finding import Severity
from review.policy import applying
from review.report import Cause, HeaderSet
from review.reports import compared, compared_html, compared_markdown

SLOT = datetime(2026, 11, 22, 10, tzinfo=UTC)
HTML = ("Content-Type", "text/html")
NASTY = "</title><script>alert(1)</script>`|\x1b[2J\u202e[x](javascript:alert(1))"
CODE = "x_content_type_options.missing"
WAIVER = Waiver(CODE, "shop team", "until the move", date(2999, 1, 1), "ask")
FRAMED = Expectation("framed", "web team", "intranet", "x-frame-options", ValueTest.PRESENT)


def a_set(pages: int, *pairs: tuple[str, str], status: int = 200, scheme: str = "https") -> HeaderSet:
    judgement = judge.judge(reading.received(pairs, status=status, scheme=scheme))
    return HeaderSet("sha256:00", status, scheme, pages, pairs, judgement)


def a_side(*sets: HeaderSet, policy: Policy | None = None, **fields: Any) -> Side:
    wanted = policy or Policy()
    covered, caching = comparing.coverage(sets)
    values: dict[str, Any] = {
        "run_id": 6, "slot": SLOT, "state": "finished", "finished_at": SLOT, "not_judged": 0, "owner": "site team",
        "pages": sum(one.pages for one in sets), "coverage": covered, "caching": caching, "policy": wanted,
        "causes": applying.apply(wanted, sets, date(2026, 11, 23)), "latency": Latency(10, 20, 80, 900),
        "grade": {"scheme": "mdn", "algorithm": 6, "score": 60, "grade": "C+"},
    }  # fmt: skip
    return Side(**values | fields)


def a_comparison(before: Side, after: Side, site: str = "docs") -> Comparison:
    return Comparison(site, before, dataclasses.replace(after, run_id=7), judge.RULES_VERSION)


SNIFF = ("X-Content-Type-Options", "nosniff")
BAD, GOOD = a_side(a_set(30, HTML), a_set(10, HTML, SNIFF)), a_side(a_set(5, HTML), a_set(35, HTML, SNIFF))
ORDINARY = a_comparison(BAD, GOOD)


def covered(side: Side, name: str) -> comparing.Coverage:
    return next(one for one in side.coverage if one.name == name)


def test_a_protection_is_weighted_by_pages_and_told_by_response_class() -> None:
    side = a_side(a_set(30, HTML), a_set(10, HTML, SNIFF), a_set(5, HTML, SNIFF, status=404))
    found = covered(side, "nosniff")
    assert found.pages == Share(15, 45)
    assert found.by_class == {ResponseClass.DOCUMENT: Share(10, 40), ResponseClass.ERROR: Share(5, 5)}


def test_pages_where_a_firewall_answered_count_for_nothing() -> None:
    blocked = a_set(50, HTML, ("CF-Mitigated", "challenge"), status=403)
    side = a_side(blocked, a_set(1, HTML, SNIFF))
    assert covered(side, "nosniff").pages == Share(1, 1)
    assert side.caching.storable.whole == 1


def test_without_pages_a_share_is_unknown() -> None:
    assert covered(a_side(), "csp").pages.ratio is None
    assert compared.share(Share()) == "no page counts"


def test_what_caches_may_do_is_counted_by_pages_with_the_median_of_their_times() -> None:
    side = a_side(
        a_set(10, HTML, ("Cache-Control", "max-age=60")),
        a_set(11, HTML, ("Cache-Control", "max-age=3600")),
        a_set(2, HTML, ("Cache-Control", "max-age=86400")),
        a_set(7, HTML, ("Cache-Control", "no-store")),
    )
    assert side.caching.by_sharing == {Sharing.FRESH: 23, Sharing.NEVER: 7}
    assert side.caching.storable == Share(23, 30)
    assert side.caching.seconds == (60, 3600, 86400)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 5, "0 % (0 of 5 pages)"),
        (1, 1_000_000, "under 1 % (1 of 1,000,000 pages)"),
        (999_999, 1_000_000, "over 99 % (999,999 of 1,000,000 pages)"),
        (1, 1, "100 % (1 of 1 page)"),
    ],
)
def test_all_is_never_said_of_less(part: int, whole: int, said: str) -> None:
    assert compared.share(Share(part, whole)) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1 s"), (60, "1 min"), (90, "90 s"), (3600, "1 h"), (5400, "90 min"), (172_800, "2 d")]
)  # fmt: skip
def test_times_are_told_in_units_that_people_read(seconds: int, said: str) -> None:
    assert compared.span(seconds) == said


# --- findings ---


def turns(before: Side, after: Side) -> dict[tuple[str, str], tuple[Turn, str]]:
    return {
        (one.cause.code, one.cause.subject): (one.turn, one.owner) for one in comparing.turned(before, after)
    }


def test_a_finding_that_came_was_opened_and_one_that_went_was_closed() -> None:
    bad, good = a_side(a_set(1, HTML)), a_side(a_set(1, HTML, SNIFF))
    assert turns(good, bad)[CODE, ""] == (Turn.OPENED, "site team")
    assert turns(bad, good)[CODE, ""] == (Turn.CLOSED, "site team")
    assert turns(bad, bad)[CODE, ""] == (Turn.STAYED, "site team")


def test_a_finding_that_is_excused_now_belongs_to_the_owner_of_the_waiver() -> None:
    one = a_set(1, HTML)
    assert turns(a_side(one), a_side(one, policy=Policy(waivers=(WAIVER,))))[CODE, ""] == (
        Turn.WAIVED,
        "shop team",
    )


def test_a_finding_whose_waiver_is_gone_is_opened_for_the_owner_of_the_site() -> None:
    one = a_set(1, HTML)
    assert turns(a_side(one, policy=Policy(waivers=(WAIVER,))), a_side(one))[CODE, ""] == (
        Turn.OPENED,
        "site team",
    )


def test_what_is_wrong_with_a_waiver_belongs_to_its_owner() -> None:
    side = a_side(a_set(1, HTML, SNIFF), policy=Policy(waivers=(WAIVER,)))
    assert turns(a_side(), side)["waiver.unused", CODE] == (Turn.OPENED, "shop team")


def test_an_expectation_belongs_to_its_owner() -> None:
    side = a_side(a_set(1, HTML), policy=Policy(expectations=(FRAMED,)))
    assert turns(a_side(), side)["policy.expectation", "framed"] == (Turn.OPENED, "web team")


def test_an_expectation_that_is_excused_now_belongs_to_the_owner_of_the_waiver() -> None:
    waiver = dataclasses.replace(WAIVER, code="policy.expectation")
    sides = [
        a_side(a_set(1, HTML), policy=Policy(expectations=(FRAMED,), waivers=waivers))
        for waivers in ((), (waiver,))
    ]
    assert turns(*sides)["policy.expectation", "framed"] == (Turn.WAIVED, "shop team")


def test_a_finding_that_matters_more_than_before_is_worse() -> None:
    page, error = a_side(a_set(1, HTML)), a_side(a_set(1, HTML, status=404))
    assert turns(error, page)["csp.missing", ""][0] is Turn.WORSE
    assert turns(page, error)["csp.missing", ""][0] is Turn.STAYED


def test_owners_are_counted_by_what_became_of_their_findings() -> None:
    found = comparing.by_owner(comparing.turned(a_side(a_set(1, HTML)), a_side(a_set(1, HTML, SNIFF))))
    assert found["site team"][Turn.CLOSED] == 1
    assert found["site team"][Turn.OPENED] == 0


# --- shapes ---


def test_only_what_moved_is_told_to_a_note() -> None:
    said = compared.moved(ORDINARY)
    assert "the content type is not guessed (nosniff): 25 % (10 of 40 pages) -> 88 % (35 of 40 pages)" in said
    assert not any(line.startswith("served over https") for line in said)
    assert compared.moved(a_comparison(BAD, BAD)) == []


def test_the_text_says_before_after_and_how_far() -> None:
    lines = render.render(ORDINARY, "text", 200).splitlines()
    (line,) = [line for line in lines if "nosniff" in line and "findings" not in line and "%" in line]
    assert line.split("  ")[-1].strip() == "+62 points"


def test_what_is_not_known_is_said_and_not_shown_as_nothing() -> None:
    side = dataclasses.replace(GOOD, latency=None, grade=None)
    shown = render.render(a_comparison(BAD, side), "text", 200)
    rows = {line.strip().partition("  ")[0]: line.split() for line in shown.splitlines()}
    assert rows["half of the answers took up to"][-3:] == ["20", "ms", "unknown"]
    assert rows["grade"][-1] == "unknown"
    assert "How long the answers of run 7 took is not known any more, or never was." in shown
    assert json.loads(render.as_json(a_comparison(BAD, side)))["after"]["latency_ms"] is None


def test_the_json_has_numbers() -> None:
    found = json.loads(render.as_json(ORDINARY))
    assert found["schema_version"] == 1
    assert found["after"]["coverage"]["nosniff"]["share"] == 0.875
    assert found["after"]["coverage"]["nosniff"]["by_class"]["document"] == {
        "pages": 35,
        "of": 40,
        "share": 0.875,
    }
    assert found["before"]["latency_ms"] == {"answers": 10, "p50": 20, "p90": 80, "p99": 900}
    assert found["before"]["grade"]["algorithm"] == 6


def test_a_change_of_the_policy_is_said() -> None:
    found = a_comparison(BAD, a_side(a_set(1, HTML), policy=Policy(waivers=(WAIVER,))))
    assert any("each run was judged by its own" in said for said in compared.remarks(found))
    assert not any("each run was judged by its own" in said for said in compared.remarks(ORDINARY))


def nasty() -> Comparison:
    rule = next(iter(table.RULES.values()))
    cause = Cause(rule, Severity.HIGH, NASTY, NASTY, NASTY, 3, 1, (), (f"https://a.example/{NASTY}",))
    return a_comparison(GOOD, dataclasses.replace(GOOD, causes=(cause,), owner=NASTY), NASTY)


@pytest.mark.parametrize("shape", ["text", "md", "html"])
def test_nothing_foreign_works(shape: str) -> None:
    shown = render.render(nasty(), shape, 400)
    assert not set("\x1b\u202e") & set(shown)
    as_html = shown if shape == "html" else MarkdownIt("commonmark").enable("table").render(shown)
    if shape != "text":
        tree = html.fromstring(as_html)
        assert tree.xpath("//script | //img | //*[@onload] | //a[starts-with(@href, 'javascript')]") == []


def page(found: Comparison) -> Any:
    return html.document_fromstring(compared_html.render(found))


def test_the_page_passes_the_review_that_it_reports() -> None:
    tree = page(ORDINARY)
    facts = BodyFacts(
        meta_policies=tuple(tree.xpath("//meta[@http-equiv]/@content")),
        meta_referrers=tuple(tree.xpath("//meta[@name='referrer']/@content")),
    )
    answer = reading.received(compared_html.HEADERS, host="reports.example", facts=facts)
    assert [one for one in judge.judge(answer).findings if one.severity is not Severity.INFO] == []


def test_the_page_loads_nothing_and_draws_its_charts_itself() -> None:
    tree = page(ORDINARY)
    assert tree.xpath("//@src | //link | //script | //*[@style]") == []
    charts = tree.xpath("//*[local-name()='svg']/@aria-label")
    assert "25 % of the pages" in charts
    assert "900 ms" in charts


def test_the_same_comparison_gives_the_same_bytes() -> None:
    assert compared_html.render(ORDINARY) == compared_html.render(ORDINARY)
    assert compared_markdown.render(ORDINARY) == compared_markdown.render(ORDINARY)
