"""Reading ``[[expect]]`` and ``[[waiver]]`` of a site file; every mistake in any of them at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import Any

from headersweep import sitevalues
from headersweep.policies import ALL_OF, Expectation, ValueTest, Waiver
from headersweep.policykeys import EXPECT, LISTS
from headersweep.sitevalues import Complaint

MAX_ITEMS = 500
_TESTS = ", ".join(ValueTest)
_UNWAIVABLE = ("waiver.", "baseline.")


def read(data: dict[str, Any], codes: Collection[str] = ()) -> tuple[dict[str, Any], list[Complaint]]:
    """The expectations and waivers of a file by the key of a definition, and what is wrong with them.

    ``codes`` are the codes that the review knows; without them any code may stand in a waiver.
    """
    values: dict[str, Any] = {}
    complaints: list[Complaint] = []
    for name in LISTS:
        if name in data:
            values[name], wrong = _list(name, data[name], codes)
            complaints += wrong
    return values, complaints


def _list(name: str, items: Any, codes: Collection[str]) -> tuple[Any, list[Complaint]]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return (), [
            ((name,), f"{name} is a list of tables: write [[{name}]] on a line of its own, its keys below")
        ]
    if len(items) > MAX_ITEMS:
        return (), [((name,), f"there are {len(items):,} [[{name}]]; at most {MAX_ITEMS:,} are allowed")]
    found, complaints = [], []
    for number, item in enumerate(items):
        wrong = sitevalues.wrong_in_table(f"[[{name}]]", item, LISTS[name])
        if not wrong:
            made = _expectation(item) if name == EXPECT else _waiver(item, codes)
            wrong = made if isinstance(made, list) else []
            found += [] if isinstance(made, list) else [(number, made)]
        complaints += [((name, str(number), *keys), said) for keys, said in wrong]
    return tuple(made for _, made in found), complaints + _repeated(name, found)


def _repeated(name: str, found: Iterable[tuple[int, Any]]) -> list[Complaint]:
    """Two of the same name could not be told apart in a report."""
    seen: set[str] = set()
    complaints: list[Complaint] = []
    for number, made in found:
        own = made.name if isinstance(made, Expectation) else made.label
        if own in seen:
            complaints.append(((name, str(number)), f"there are two [[{name}]] for {own!r}; one is enough"))
        seen.add(own)
    return complaints


def _expectation(item: dict[str, Any]) -> Expectation | list[Complaint]:
    tests = [test for test in ValueTest if test in item]
    if len(tests) != 1:
        given = f"both {' and '.join(tests)}" if tests else "none"
        return [((), f"exactly one of {_TESTS} says what is expected of the header; there is {given}")]
    return Expectation.from_json({**item, "header": item["header"].lower()})


def _waiver(item: dict[str, Any], codes: Collection[str]) -> Waiver | list[Complaint]:
    code = item["code"]
    if code.startswith(_UNWAIVABLE):
        return [(("code",), f"{code!r}: what is wrong with a waiver or a baseline is mended, not waived")]
    if codes and not _is_known(code, codes):
        meant = difflib.get_close_matches(code, list(codes), n=1)
        hint = f"; did you mean {meant[0]}?" if meant else ""
        return [(("code",), f"no finding has the code {code!r}{hint}")]
    return Waiver(**item)


def _is_known(code: str, codes: Collection[str]) -> bool:
    if code.endswith(ALL_OF):
        return any(known.startswith(code.removesuffix("*")) for known in codes)
    return code in codes
