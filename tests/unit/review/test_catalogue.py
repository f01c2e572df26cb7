"""No verdict without a case on both sides, none without its texts, and every one in docs/checks.md."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest

from headersweep.responses import ResponseClass
from review import table
from review.finding import Rule, Severity
from tests.unit.review._cases import Case, codes_of

FOLDER = pathlib.Path(__file__).parent


def _name(check: table.Check) -> str:
    return check.__name__.rpartition(".")[2]


def _cases(check: table.Check) -> tuple[Case, ...]:
    return tuple(importlib.import_module(f"tests.unit.review.test_{_name(check)}").CASES)


@pytest.mark.parametrize("check", table.CHECKS, ids=_name)
def test_every_code_has_a_case_on_both_sides(check: table.Check) -> None:
    seen = [(codes_of(check, case), case.received().response_class) for case in _cases(check)]
    for rule in check.RULES:
        assert any(rule.code in codes for codes, _ in seen), f"no case finds {rule.code}"
        beside = any(rule.code not in codes and kind in rule.classes for codes, kind in seen)
        assert beside, f"no case shows where {rule.code} ends"


@pytest.mark.parametrize("check", table.CHECKS, ids=_name)
def test_every_header_whose_effect_is_known_has_a_case_for_it(check: table.Check) -> None:
    told = {name for case in _cases(check) for name in case.effective}
    assert set(check.EFFECTIVE) <= told


@pytest.mark.parametrize("rule", table.RULES.values(), ids=lambda rule: rule.code)
def test_every_rule_explains_itself(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", rule.code)
    assert rule.link.startswith("https://")
    for text in (rule.title, rule.browser, rule.why, rule.fix):
        assert text.strip() == text != ""
    assert rule.classes
    assert ResponseClass.BLOCKED not in rule.classes
    if rule.opinion:
        assert rule.severity is Severity.INFO
        assert "opinion" in rule.why.lower()


def test_codes_are_unique() -> None:
    codes = [rule.code for check in table.CHECKS for rule in check.RULES]
    assert len(codes) == len(set(codes))


def test_every_file_of_checks_is_registered() -> None:
    root = FOLDER.parents[2] / "review" / "checks"
    files = {path.stem for path in root.glob("*.py")} - {"__init__"}
    assert files == {_name(check) for check in table.CHECKS}
