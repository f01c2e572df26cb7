"""Reports as files: parsed again, with everything in them, and nothing that a hostile server put there to work."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import pathlib
import re
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from lxml import etree, html
from markdown_it import MarkdownIt

from headersweep.bodyfacts import BodyFacts
from review import judge, report, table
from review import received as reading
from review.finding import Severity
from review.report import Cause, HeaderSet, Report
from review.reports import html as html_report
from review.reports import junit, markdown, sarif, texts

RENDERERS = (html_report, junit, markdown, sarif)
SCHEMA = pathlib.Path(__file__).parents[2] / "data" / "sarif-schema-2.1.0.json"
HTML = ("Content-Type", "text/html")
NASTY = (
    "</style><script>alert(1)</script>`|\x1b[2J\u202e\x00\ud800[x](javascript:alert(1))\"' onload=x ]]>&amp;"
)


def a_set(number: int, pages: int, *pairs: tuple[str, str], status: int = 200, **fields: Any) -> HeaderSet:
    judgement = judge.judge(reading.received(pairs, status=status))
    fields.setdefault("sample_urls", (f"https://site.example:8443/{number}?a=1&b=<2>",))
    return HeaderSet(f"sha256:{number:064x}", status, "https", pages, pairs, judgement, **fields)


def a_cause(severity: Severity = Severity.HIGH, **fields: Any) -> Cause:
    rule = dataclasses.replace(next(iter(table.RULES.values())), severity=severity)
    values: dict[str, Any] = {
        "rule": rule, "severity": severity, "subject": "", "detail": "", "evidence": "", "pages": 3,
        "snapshots": 1, "classes": (), "sample_urls": ("https://site.example/a",),
    }  # fmt: skip
    return Cause(**values | fields)


def a_report(*sets: HeaderSet, **fields: Any) -> Report:
    values: dict[str, Any] = {
        "run_id": 7, "site": "docs", "slot": datetime(2026, 11, 22, 10, tzinfo=UTC), "state": "finished",
        "digest": "sha256:00", "pages": 1000, "accounting": {"discovered": 1000, "stored": 990, "failed": 10, "trapped": 0},
        "sets": sets, "causes": report.causes(sets),
        "grade": {"scheme": "mdn", "algorithm": 6, "score": 70, "grade": "B"},
    }  # fmt: skip
    return Report(**values | fields)


ORDINARY = a_report(
    a_set(1, 900, HTML, ("Server", "nginx")),
    a_set(2, 90, HTML, ("X-Content-Type-Options", "nosniff")),
    a_set(3, 10, HTML, status=404),
)


def hostile() -> Report:
    """Everything that comes from a server or a site file is an attack."""
    pairs = ((NASTY, NASTY), HTML, ("X-Content-Type-Options", NASTY), ("Set-Cookie", "sid=hunter2"))
    nasty_set = a_set(
        1, 5, *pairs, malformed=(NASTY,), sample_urls=(f"https://x/{NASTY}", "javascript:alert(1)")
    )
    waived = a_cause(Severity.MEDIUM, subject=NASTY, detail=NASTY, waived_by=NASTY)
    told = a_cause(Severity.INFO, subject=NASTY, evidence=NASTY)
    names = {"site": NASTY, "owner": NASTY, "rollback_note": NASTY}
    return a_report(nasty_set, causes=(*report.causes((nasty_set,)), waived, told), **names)


def name_of(renderer: ModuleType) -> str:
    return renderer.__name__.rpartition(".")[2]


@pytest.mark.parametrize("renderer", RENDERERS, ids=name_of)
def test_the_same_report_is_the_same_text(renderer: Any) -> None:
    assert renderer.render(ORDINARY) == renderer.render(dataclasses.replace(ORDINARY))


def read(renderer: ModuleType, shown: str) -> str:
    """What a reader of the format makes of a report."""
    if renderer is html_report:
        tree: Any = html.document_fromstring(shown)
        return "\n".join([tree.text_content(), *tree.xpath("//a/@href")])
    if renderer is junit:
        tree = etree.fromstring(shown.encode())
        return "\n".join(["".join(tree.itertext()), *map(str, tree.xpath("//@*"))])
    if renderer is sarif:
        return shown.encode().decode("unicode_escape")
    return re.sub(r"\\([^\w\s])", r"\1", shown)


@pytest.mark.parametrize("renderer", RENDERERS, ids=name_of)
def test_every_cause_is_there_with_its_texts_and_a_page(renderer: Any) -> None:
    shown = read(renderer, renderer.render(ORDINARY))
    assert len(ORDINARY.causes) > 0
    assert "https://site.example:8443/1?a=1&b=<2>" in shown
    for cause in ORDINARY.causes:
        value, rest = texts.fix(cause.rule)
        for text in (cause.code, value or rest.partition("`")[0], cause.rule.link, cause.rule.title):
            assert text in shown


@pytest.mark.parametrize("renderer", RENDERERS, ids=name_of)
def test_a_report_without_anything_in_it_is_still_whole(renderer: Any) -> None:
    empty = a_report(pages=0, accounting={}, grade=None, digest="")
    assert renderer.render(empty).strip()


@pytest.mark.parametrize("renderer", RENDERERS, ids=name_of)
def test_what_is_hostile_cannot_be_seen_to_work_and_can_be_written_as_utf_8(renderer: Any) -> None:
    shown = renderer.render(hostile())
    shown.encode("utf-8")
    assert not set("\x00\x1b\u202e") & set(shown)
    assert "hunter2" not in shown


# --- HTML ---


def page(of: Report) -> Any:
    return html.document_fromstring(html_report.render(of).encode())


def test_the_page_names_the_grade_the_counts_and_every_set() -> None:
    text = page(ORDINARY).text_content()
    for word in (
        "B (70 points, MDN Observatory, algorithm 6)",
        "990 stored",
        "10 failed",
        "90 %",
        "1 %",
        "Server: nginx",
    ):
        assert word in text
    assert "trapped" not in text


def test_the_worst_stands_first() -> None:
    causes = tuple(a_cause(severity) for severity in reversed(Severity))
    found = page(a_report(causes=causes)).xpath("//section[starts-with(@class, 'cause')]/@class")
    assert found == ["cause high", "cause medium", "cause low", "cause info"]


def test_the_bars_are_as_long_as_their_shares() -> None:
    assert page(ORDINARY).xpath("//rect[@class='part']/@width") == ["900", "90", "10"]


def test_every_set_of_the_table_leads_to_its_lines() -> None:
    tree = page(ORDINARY)
    anchors = [href.removeprefix("#") for href in tree.xpath("//table//a[starts-with(@href, '#set')]/@href")]
    assert len(anchors) == 3
    assert all(tree.xpath(f"//section[@id='{anchor}']//pre") for anchor in anchors)


@pytest.mark.parametrize("of", [ORDINARY, hostile()], ids=["ordinary", "hostile"])
def test_the_page_runs_and_loads_nothing(of: Report) -> None:
    tree = page(of)
    assert not tree.xpath(
        "//script|//link|//img|//iframe|//object|//embed|//form|//base|//*[@src]|//*[@style]"
    )
    assert not [
        name for element in tree.iter(etree.Element) for name in element.attrib if name.startswith("on")
    ]
    assert {urlsplit(href).scheme for href in tree.xpath("//a/@href")} <= {"https", "http", ""}
    assert len(tree.xpath("//style")) == 1


def test_the_policy_in_the_page_allows_its_style_and_nothing_else() -> None:
    shown = html_report.render(ORDINARY)
    (sheet,) = re.findall(r"<style>(.*?)</style>", shown, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    (policy,) = page(ORDINARY).xpath("//meta[@http-equiv]/@content")
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert shown.index("http-equiv") < shown.index("<style>")
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_the_page_passes_the_review_that_it_reports() -> None:
    tree = page(ORDINARY)
    facts = BodyFacts(
        meta_policies=tuple(tree.xpath("//meta[@http-equiv]/@content")),
        meta_referrers=tuple(tree.xpath("//meta[@name='referrer']/@content")),
    )
    answer = reading.received(html_report.HEADERS, host="reports.example", facts=facts)
    faults = [item for item in judge.judge(answer).findings if item.severity is not Severity.INFO]
    assert faults == []


def test_it_is_made_for_paper_and_for_the_dark() -> None:
    shown = html_report.render(ORDINARY)
    assert "@media print" in shown
    assert "prefers-color-scheme:dark" in shown


def test_of_very_many_sets_the_most_common_are_shown_and_the_others_counted() -> None:
    text = page(a_report(*(a_set(number, 2, HTML) for number in range(1, 251)))).text_content()
    assert "250 sets on 500 pages" in text
    assert "And 50 more sets on 100 pages." in text


def test_causes_of_a_kind_are_explained_once_and_each_has_its_evidence() -> None:
    causes = tuple(a_cause(subject=f"c{number}", evidence=f"Set-Cookie: c{number}=1") for number in range(20))
    tree = page(a_report(causes=causes))
    assert len(tree.xpath("//section[starts-with(@class, 'cause')]")) == 1
    assert "and 19 more" in tree.xpath("//table[1]")[0].text_content()
    assert tree.text_content().count(causes[0].rule.why) == 1
    assert all(tree.text_content().count(cause.evidence) >= 1 for cause in causes)
    assert len(tree.xpath("//details[not(@open)]//tbody/tr")) == 19


def test_a_kind_with_two_severities_is_explained_at_its_worst() -> None:
    tree = page(a_report(causes=(a_cause(Severity.HIGH), a_cause(Severity.LOW, subject="b"))))
    assert tree.text_content().count(a_cause().rule.why) == 1
    assert tree.xpath("//section[2]//a/@href")[0] == "#cause-1"


@pytest.mark.parametrize("of", [ORDINARY, hostile()], ids=["ordinary", "hostile"])
def test_every_link_within_the_page_leads_somewhere_and_no_name_is_there_twice(of: Report) -> None:
    tree = page(of)
    names = tree.xpath("//@id")
    assert len(names) == len(set(names))
    inner = {href[1:] for href in tree.xpath("//a/@href") if href.startswith("#")}
    assert inner
    assert inner | set(tree.xpath("//@aria-labelledby")) <= set(names)


def test_advice_is_no_value_to_copy() -> None:
    rule = dataclasses.replace(a_cause().rule, fix="Leave it out. PHP: `expose_php = Off`.\nEverywhere.")
    tree = page(a_report(causes=(a_cause(rule=rule),)))
    assert not tree.xpath("//pre")
    assert tree.xpath("//p[contains(., 'Everywhere.')]/code/text()") == ["expose_php = Off"]


def test_headings_leave_no_level_out() -> None:
    levels = [int(heading.tag[1]) for heading in page(ORDINARY).iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


# --- SARIF ---


def log(of: Report) -> Any:
    return json.loads(sarif.render(of))


@pytest.mark.parametrize("of", [ORDINARY, hostile(), a_report()], ids=["ordinary", "hostile", "empty"])
def test_the_log_is_valid_by_the_schema(of: Report) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    checker = jsonschema.FormatChecker()
    jsonschema.Draft7Validator(schema, format_checker=checker).validate(log(of))


def test_a_code_host_finds_what_it_needs() -> None:
    (run,) = log(ORDINARY)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(ORDINARY.causes)
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["helpUri"].startswith("https://")
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert "security" in rule["properties"]["tags"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]


@pytest.mark.parametrize(
    ("severity", "level", "score"),
    [(Severity.HIGH, "error", 7.0), (Severity.MEDIUM, "warning", 4.0), (Severity.LOW, "note", 0.1)],
)
def test_severities_have_their_level_and_a_score_that_means_the_same(
    severity: Severity, level: str, score: float
) -> None:
    (run,) = log(a_report(causes=(a_cause(severity),)))["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert run["results"][0]["level"] == rule["defaultConfiguration"]["level"] == level
    assert score <= float(rule["properties"]["security-severity"]) < max(score * 2, 4.0)


def test_a_fact_has_no_score() -> None:
    (run,) = log(a_report(causes=(a_cause(Severity.INFO),)))["runs"]
    assert "security-severity" not in run["tool"]["driver"]["rules"][0]["properties"]


def test_the_same_cause_is_known_again_on_other_pages_and_another_is_not() -> None:
    def fingerprint(**fields: Any) -> str:
        (run,) = log(a_report(causes=(a_cause(**fields),)))["runs"]
        return str(run["results"][0]["partialFingerprints"])

    assert fingerprint(pages=1, sample_urls=("https://site.example/z",)) == fingerprint(pages=2)
    assert fingerprint(subject="sid") != fingerprint(subject="other")


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://site.example/a/b?secret=1", "site.example/a/b"),
        ("https://site.example/", "site.example"),
        ("http://localhost:8080/a", "localhost%3A8080/a"),
        ("https://[::1]:8/a", "%5B%3A%3A1%5D%3A8/a"),
        ("https://site.example//a:b/", "site.example/a%3Ab"),
        ("https://site.example/é b", "site.example/%C3%A9%20b"),
        ("https://[broken/", "https%3A%2F%2F%5Bbroken%2F"),
    ],
)
def test_a_location_is_a_relative_reference_without_a_scheme(url: str, uri: str) -> None:
    assert sarif.artifact(url) == uri
    assert urlsplit(uri).scheme == ""


def test_what_is_waived_is_suppressed() -> None:
    (run,) = log(a_report(causes=(a_cause(waived_by="until May"),)))["runs"]
    (suppression,) = run["results"][0]["suppressions"]
    assert suppression["justification"] == "until May"


def test_no_value_makes_a_link() -> None:
    (run,) = log(a_report(causes=(a_cause(evidence="X: [here](https://evil.example)"),)))["runs"]
    assert r"\[here\](https" in run["results"][0]["message"]["text"]


# --- JUnit ---


def suites(of: Report) -> Any:
    return etree.fromstring(junit.render(of).encode())


def test_each_severity_is_a_suite_and_its_counts_add_up() -> None:
    causes = (a_cause(Severity.HIGH), a_cause(Severity.LOW), a_cause(Severity.LOW, subject="b", waived_by="me"),
              a_cause(Severity.INFO))  # fmt: skip
    tree = suites(a_report(causes=causes))
    assert [suite.get("name") for suite in tree] == ["docs: high", "docs: low", "docs: info"]
    assert tree.get("tests") == str(len(tree.findall(".//testcase"))) == "4"
    assert tree.get("failures") == str(len(tree.findall(".//failure"))) == "2"
    for suite in tree:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("*/failure"))
        assert int(suite.get("skipped")) == len(suite.findall("*/skipped"))


def test_without_findings_one_test_passes() -> None:
    tree = suites(a_report())
    assert (tree.get("tests"), tree.get("failures")) == ("1", "0")
    assert len(tree.findall(".//testcase")) == 1


def test_hostile_values_leave_the_xml_well_formed() -> None:
    tree = suites(hostile())
    assert "alert(1)" in etree.tostring(tree, method="text", encoding="unicode")
    assert not tree.findall(".//script")


# --- Markdown ---


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for of in (ORDINARY, hostile()):
        width = None
        for line in markdown.render(of).splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
            assert width is None or cells is None or cells == width, line
            width = cells


def test_markup_of_others_is_none_of_ours() -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(markdown.render(hostile()))
    tree: Any = html.document_fromstring(rendered)
    assert not tree.xpath("//script|//style|//img|//*[@onload]")
    links = set(tree.xpath("//a/@href"))
    assert links <= {rule.link for rule in table.RULES.values()}
    assert len(tree.xpath("//table")) == 3


@pytest.mark.parametrize("text", ["a`b", "``", "`", "a``b`c", " | "])
def test_code_is_fenced_by_more_than_it_contains(text: str) -> None:
    shown = markdown.code(text)
    fence = re.match("`+", shown)
    assert fence is not None
    assert fence[0] not in text


def test_what_stands_between_backticks_is_code_and_only_that() -> None:
    rule = dataclasses.replace(
        a_cause().rule, browser="It reads `a|b <c>` first & *all*.", fix="X: y\nThen `z`."
    )
    of = a_report(causes=(a_cause(rule=rule),))
    assert "It reads <code>a|b &lt;c&gt;</code> first &amp; *all*." in html_report.render(of)
    assert "<pre>\nX: y</pre>\n<p>Then <code>z</code>.</p>" in html_report.render(of)
    assert r"It reads `a\|b <c>` first \& \*all\*." in markdown.render(of)
    assert "```\nX: y\n```\n\nThen `z`." in markdown.render(of)


# --- What they share ---


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (1, 1000, "under 1 %"), (1, 2, "50 %"), (3, 3, "100 %")],
)
def test_a_share_is_never_nothing_where_there_is_something(part: int, whole: int, said: str) -> None:
    assert texts.share(part, whole) == said


def test_a_very_long_line_is_cut_and_says_so() -> None:
    (line,) = texts.lines(a_set(1, 1, ("X", "y" * 50_000)))
    assert len(line) < 2_100
    assert "50,003 characters" in line
