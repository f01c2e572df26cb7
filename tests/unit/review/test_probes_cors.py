"""Foreign origins: which pages are asked with which ones, and what of the answers is a finding, on both sides of each line."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from headersweep.responses import ResponseClass
from review import received as reading
from review import report
from review.finding import Severity
from review.probes import cors
from review.probes.cors import Asked, Candidate, Step
from review.received import Received

SITE = "https://site.example"
FOREIGN = "headersweep-1.example"
SENT = cors.origins_to_send("site.example", FOREIGN)
REFLECTED, NULL, PART = (rule.code for rule in cors.RULES)


def answer(
    allowed: str | None = None, credentials: str = "", *others: tuple[str, str], status: int = 200
) -> Received:
    pairs = [("Content-Type", "text/html"), *others]
    pairs += [] if allowed is None else [("Access-Control-Allow-Origin", allowed)]
    pairs += [("Access-Control-Allow-Credentials", credentials)] if credentials else []
    return reading.received(pairs, status=status)


def page(answers: Mapping[Step, Received], plain: Received | None = None, path: str = "/") -> Asked:
    sent = {step: (SENT[step], each) for step, each in answers.items()}
    return Asked(SITE, f"{SITE}{path}", sent, says_null=plain is not None and cors.says_null(plain))


def echoed(*steps: Step, credentials: str = "") -> dict[Step, Received]:
    """The very Origin comes back to these, nothing to the others."""
    return {step: answer(SENT[step] if step in steps else None, credentials) for step in SENT}


CASES: dict[str, tuple[Asked, list[tuple[str, str]]]] = {
    "nobody": (page(echoed()), []),
    "everybody": (page(echoed(*Step)), [(REFLECTED, "low")]),
    "everybody with credentials": (page(echoed(*Step, credentials="true")), [(REFLECTED, "high")]),
    "credentials that are none": (page(echoed(*Step, credentials="True")), [(REFLECTED, "low")]),
    "credentials twice": (page({Step.FOREIGN: answer(SENT[Step.FOREIGN], "true", ("Access-Control-Allow-Credentials", "true"))}), [(REFLECTED, "low")]),
    "the foreign one alone": (page(echoed(Step.FOREIGN)), [(REFLECTED, "low")]),
    "only null": (page(echoed(Step.NULL)), [(NULL, "medium")]),
    "only null, with credentials": (page(echoed(Step.NULL, credentials="true")), [(NULL, "high")]),
    "null to everybody anyway": (page(echoed(Step.NULL), answer("null")), []),
    "null, though one is named without being asked": (page(echoed(Step.NULL), answer("https://app.example")), [(NULL, "medium")]),
    "what begins like the site": (page(echoed(Step.BEGINS_LIKE)), [(PART, "medium")]),
    "what ends like the site": (page(echoed(Step.ENDS_LIKE)), [(PART, "medium")]),
    "both, once": (page(echoed(Step.BEGINS_LIKE, Step.ENDS_LIKE, credentials="true")), [(PART, "high")]),
    "null and what begins like the site": (page(echoed(Step.NULL, Step.BEGINS_LIKE)), [(PART, "medium"), (NULL, "medium")]),
    "one that is always the same": (page(dict.fromkeys(SENT, answer("https://app.example", "true"))), []),
    "a wildcard": (page(dict.fromkeys(SENT, answer("*"))), []),
    "a wildcard with credentials": (page(dict.fromkeys(SENT, answer("*", "true"))), []),
    "in capitals": (page({Step.FOREIGN: answer(SENT[Step.FOREIGN].upper(), "true")}), []),
    "with a slash": (page({Step.FOREIGN: answer(f"{SENT[Step.FOREIGN]}/", "true")}), []),
    "twice": (page({Step.FOREIGN: answer(SENT[Step.FOREIGN], "", ("Access-Control-Allow-Origin", "*"))}), []),
    "another one's": (page({Step.FOREIGN: answer(SENT[Step.BEGINS_LIKE])}), []),
    "an error": (page({Step.FOREIGN: answer(SENT[Step.FOREIGN], "true", status=500)}), [(REFLECTED, "high")]),
    "a firewall": (page({Step.FOREIGN: answer(SENT[Step.FOREIGN], "true", status=429)}), []),
    "no answers": (page({}), []),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), CASES.values(), ids=CASES)
def test_answers(asked: Asked, expected: list[tuple[str, str]]) -> None:
    found = [(each.finding.code, str(each.finding.severity)) for each in cors.judge([asked])]
    assert found == expected


def test_a_finding_is_the_worst_page_of_an_origin_with_the_number_of_all() -> None:
    pages = [page(echoed(*Step), path="/a"), page(echoed(*Step, credentials="true"), path="/b")]
    (found,) = cors.judge(pages)
    assert (found.pages, found.url, found.finding.subject) == (2, f"{SITE}/b", SITE)
    assert found.finding.severity is Severity.HIGH
    assert found.finding.evidence.splitlines() == [
        f"Origin: {SENT[Step.FOREIGN]}",
        f"Access-Control-Allow-Origin: {SENT[Step.FOREIGN]}",
        "Access-Control-Allow-Credentials: true",
    ]
    assert found.finding.detail == "with credentials, Vary: Origin is missing"
    (cause,) = report.of_run([found])
    assert (cause.code, cause.pages, cause.sample_urls) == (REFLECTED, 2, (f"{SITE}/b",))


def test_the_detail_says_where_vary_is_right_and_how_an_origin_looks_like_the_site() -> None:
    reflected = answer(SENT[Step.ENDS_LIKE], "", ("Vary", "Accept, origin"))
    (found,) = cors.judge([page({Step.ENDS_LIKE: reflected})])
    assert found.finding.detail == "ends like the site's, without credentials"


HOSTS = {
    "site.example": ["https://headersweep-1.example", "null", "https://site.example.headersweep-1.example", "https://headersweep-1site.example"],
    "127.0.0.1": ["https://headersweep-1.example", "null", "https://127.0.0.1.headersweep-1.example"],
    "[::1]": ["https://headersweep-1.example", "null"],
}  # fmt: skip


@pytest.mark.parametrize(("host", "expected"), HOSTS.items(), ids=HOSTS)
def test_the_origins_that_are_sent(host: str, expected: list[str]) -> None:
    sent = cors.origins_to_send(host, FOREIGN)
    assert list(sent.values()) == expected
    assert list(sent) == sorted(sent)


def test_the_foreign_host_is_the_same_for_a_run_and_another_for_each_below_a_name_that_nobody_owns() -> None:
    hosts = [cors.foreign_host(number) for number in (1, 1, 2)]
    assert hosts[0] == hosts[1] != hosts[2]
    assert all(host.endswith(".example") and len(host) < 63 for host in hosts)


def candidate(path: str, kind: str = "text/html", pages: int = 1, *, origin: str = SITE, start: bool = False, status: int = 200, **named: str) -> Candidate:  # fmt: skip
    pairs = [("Content-Type", kind), *((name.replace("_", "-"), value) for name, value in named.items())]
    return Candidate(origin, f"{origin}{path}", reading.received(pairs, status=status), pages, start)


def paths(*candidates: Candidate) -> list[str]:
    return [one.url.removeprefix(SITE) for one in cors.choose(candidates)]


def test_where_there_is_room_one_page_of_each_part_of_the_site_is_asked_too() -> None:
    pages = [candidate(f"/{place}/{n}", pages=10 - n) for place in ("blog", "shop") for n in range(3)]
    assert paths(*pages, candidate("/?q=/x/", start=True)) == ["/?q=/x/", "/blog/0", "/shop/0"]
    assert paths(*pages) == ["/blog/0", "/shop/0"]


def test_the_start_page_comes_first_then_one_of_each_kind_of_answer_interfaces_first() -> None:
    assert paths(
        candidate("/style", "text/css", 9),
        candidate("/document", pages=2),
        candidate("/other", pages=7),
        candidate("/named", Access_Control_Allow_Origin="https://app.example"),
        candidate("/api", "application/json"),
        candidate("/", "text/html", start=True),
    ) == ["/", "/api", "/named", "/style", "/other"]


def test_redirects_and_firewalls_are_not_asked() -> None:
    assert paths(candidate("/r", status=301), candidate("/w", status=429), candidate("/e", status=404)) == [
        "/e"
    ]


def test_at_most_five_pages_of_an_origin_and_twenty_origins_are_asked() -> None:
    many = [
        candidate(f"/{n}", pages=n, Access_Control_Allow_Origin=f"https://{n}.example") for n in range(1, 9)
    ]
    assert paths(*many) == ["/8", "/7", "/6", "/5", "/4"]
    origins = [candidate("/", pages=n, origin=f"https://{n}.example") for n in range(30)]
    origins.append(candidate("/", start=True))
    chosen = cors.choose(origins)
    assert len(chosen) == cors.MAX_ORIGINS
    assert [one.origin for one in chosen[:2]] == [SITE, "https://29.example"]
    assert all(one.answer.response_class is ResponseClass.DOCUMENT for one in chosen)
