"""Clear-Site-Data: cases on both sides of quoted words that browsers know."""

from __future__ import annotations

import pytest

from review.checks import clear_site_data as check
from tests.unit.review._cases import HTML, IMAGE, JSON, Case, verify

C = "clear_site_data"
IGNORED, UNKNOWN, OVER_HTTP, PAGE = f"{C}.ignored", f"{C}.unknown_type", f"{C}.over_http", f"{C}.on_document"
NAME = "clear-site-data"
LINE = "Clear-Site-Data: "
_CHROMIUM = "Chromium, clear_site_data_handler.cc"


def ignored(name: str, *values: str) -> Case:
    return Case(name, (JSON, *(LINE + value for value in values)), {IGNORED}, {NAME: None}, source=_CHROMIUM)


CASES = (
    Case("nothing", (HTML,)),
    Case("everything", (JSON, LINE + '"*"'), effective={NAME: ["*"]}),
    Case("several", (JSON, LINE + '"cache", "cookies" ,"storage"'), effective={NAME: ["cache", "cookies", "storage"]}),
    Case("two lines", (JSON, LINE + '"cache"', LINE + '"cookies"'), effective={NAME: ["cache", "cookies"]}),
    Case("repeated", (JSON, LINE + '"cache","cache"'), effective={NAME: ["cache"]}),
    Case("empty words", (JSON, LINE + ',"cache",,'), effective={NAME: ["cache"]}),
    Case("on a redirect", ("Location: /", LINE + '"cookies"'), effective={NAME: ["cookies"]}, status=303),
    Case("on a page", (HTML, LINE + '"cookies"'), {PAGE}, {NAME: ["cookies"]}),
    Case("on an error page", (HTML, LINE + '"cookies"'), effective={NAME: ["cookies"]}, status=403),
    Case("an unknown word beside", (JSON, LINE + '"cache", "frob"'), {UNKNOWN}, {NAME: ["cache"]}),
    Case("one without quotes", (JSON, LINE + '"cache", cookies'), {UNKNOWN}, {NAME: ["cache"]}),
    ignored("without quotes", "cache, cookies"),
    ignored("a star without quotes", "*"),
    ignored("single quotes", "'cache'"),
    ignored("in capitals", '"Cache"'),
    ignored("all in one pair of quotes", '"cache, cookies"'),
    ignored("spaces in the quotes", '" cache "'),
    ignored("a parameter", '"cache";x=1'),
    ignored("empty", ""),
    ignored("an empty word", '""'),
    ignored("one quote", '"'),
    ignored("a byte beyond ASCII anywhere", '"cache", "\xff"'),
    Case("over http", (IMAGE, LINE + '"cache"'), {OVER_HTTP}, {NAME: None}, scheme="http"),
    Case("over http on the own machine", (IMAGE, LINE + '"cache"'), effective={NAME: ["cache"]}, scheme="http", host="127.0.0.1"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_clear_site_data(case: Case) -> None:
    verify(check, case)
